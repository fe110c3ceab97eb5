// Names and canonical text of conditions.
#include "rules/ast.hpp"

#include <algorithm>

namespace coff::rules {

std::string_view operator_name(Operator op) {
  constexpr std::string_view kNames[] = {"exists",     "=",           "!=",        "<",
                                         "<=",         ">",           ">=",        "glob",
                                         "iglob",      "contains",    "icontains", "bcontains",
                                         "startswith", "bstartswith", "endswith",  "regex",
                                         "in",         "intersects",  "pmatch",    "search"};
  return kNames[static_cast<size_t>(op)];
}

std::string_view modifier_name(Modifier modifier) {
  constexpr std::string_view kNames[] = {"", "oneof", "anyof", "allof"};
  return kNames[static_cast<size_t>(modifier)];
}

std::string_view transform_name(Transform transform) {
  constexpr std::string_view kNames[] = {"val", "tolower", "toupper", "b64",   "basename",
                                         "len", "join",    "concat",  "getopt"};
  return kNames[static_cast<size_t>(transform)];
}

std::string quoted_if_needed(std::string_view text) {
  constexpr std::string_view kQuoteFor = " \t\b\f\r\n\v\"'=(),";
  const bool plain = !text.empty() && text.find_first_of(kQuoteFor) == text.npos &&
                     std::ranges::none_of(text, [](char c) {
                       const auto byte = static_cast<unsigned char>(c);
                       return byte < 0x20 || byte == 0x7F;
                     });
  if (plain) return std::string(text);
  std::string out = "\"";
  for (const char& c : text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      // A quote behind a backslash would not close.
      case '\\': out += &c == &text.back() ? "\\x5c" : "\\\\"; break;
      case '"': out += "\\\""; break;
      default:
        if (byte < 0x20 || byte >= 0x7F) {
          out.append("\\x") += kHex[byte >> 4];
          out += kHex[byte & 15];
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

namespace {

std::string joined(const std::vector<Operand>& items) {
  std::string text;
  for (const Operand& item : items) {
    if (!text.empty()) text += ", ";
    text += to_text(item);
  }
  return text;
}

// Literals of a transformer's arguments must stay literals when they are read again.
std::string argument_text(const Operand& operand) {
  if (operand.type == Operand::Type::kText) {
    const std::string text = quoted_if_needed(operand.text);
    return text.front() == '"' ? text : '"' + text + '"';
  }
  if (operand.type == Operand::Type::kList) {
    std::string text = "(";
    for (const Operand& item : operand.items) {
      if (text.size() > 1) text += ", ";
      text += argument_text(item);
    }
    return text + ')';
  }
  return to_text(operand);
}

std::string bracketed(const std::optional<std::string>& argument) {
  if (!argument) return {};
  constexpr std::string_view kQuoteFor = "[]\"' \t\r\n\v\f\b";
  const bool plain = !argument->empty() && argument->find_first_of(kQuoteFor) == argument->npos;
  if (plain) return '[' + *argument + ']';
  const std::string text = quoted_if_needed(*argument);
  return '[' + (text.front() == '"' ? text : '"' + text + '"') + ']';
}

}  // namespace

std::string to_text(const Operand& operand) {
  switch (operand.type) {
    case Operand::Type::kField: return operand.text + bracketed(operand.argument);
    case Operand::Type::kText: return quoted_if_needed(operand.text);
    case Operand::Type::kNumber: return operand.text;
    case Operand::Type::kList: return '(' + joined(operand.items) + ')';
    case Operand::Type::kTransform: break;
  }
  std::string text(transform_name(operand.transform));
  text += '(';
  for (const Operand& item : operand.items) {
    if (&item != operand.items.data()) text += ", ";
    text += argument_text(item);
  }
  return text + ')' + bracketed(operand.argument);
}

std::string to_text(const Expression& expression) {
  using enum Expression::Type;
  if (expression.type == kIdentifier) return expression.name;
  if (expression.type == kNot) {
    const std::string child = to_text(expression.children.front());
    return child.starts_with("not ") ? "not (" + child + ')' : "not " + child;
  }
  if (expression.type == kCheck) {
    std::string text = to_text(expression.left) + ' ';
    text += expression.doubled ? "==" : operator_name(expression.op);
    if (expression.op == Operator::kExists) return text;
    if (expression.modifier != Modifier::kNone) {
      text.append(" ").append(modifier_name(expression.modifier));
    }
    return text + ' ' + to_text(expression.right);
  }
  std::string text = "(";
  for (const Expression& child : expression.children) {
    if (&child != expression.children.data()) text += expression.type == kAnd ? " and " : " or ";
    text += to_text(child);
  }
  return text + ')';
}

}  // namespace coff::rules
