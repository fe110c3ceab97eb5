// Exceptions of rules: their shape, and the condition that they become. It is made as text, as
// existing rule files rely on ("a list name as a value", "a value with its own parentheses").
#include "rules/definitions.hpp"
#include "rules/names.hpp"
#include "rules/parser.hpp"

namespace coff::rules {

namespace {

std::unexpected<Refusal> refuse(std::string message, const ItemPlace& where) {
  return std::unexpected(Refusal{std::move(message), where});
}

// "contains", or "startswith oneof".
struct Comparison {
  std::optional<Operator> op;
  bool modified = false;
  [[nodiscard]] bool wants_list() const { return modified || is_list_operator(*op); }
};

Comparison read_comparison(std::string_view text) {
  const size_t blank = text.find(' ');
  if (blank == text.npos) return {find_operator(text), false};
  const auto op = find_operator(text.substr(0, blank));
  const bool good = op && takes_modifier(*op) && find_modifier(text.substr(blank + 1));
  return {good ? op : std::nullopt, true};
}

// A field, or a transformer over fields.
bool is_left_side(std::string_view text) {
  size_t length = 0;
  const auto operand = parse_operand(text, length);
  if (!operand || length != text.size()) return false;
  return operand->type != Operand::Type::kField || field_is_known(*operand);
}

// What has a blank must be quoted to stay one value.
std::string quoted(std::string text) {
  const bool bare = !text.empty() && text[0] != '"' && text[0] != '\'';
  return bare && text.find(' ') != text.npos ? '"' + text + '"' : text;
}

void append_entry(SourceText& text, const ExceptionEntry& entry) {
  const std::string shown = quoted(entry.text);
  if (shown.size() == entry.text.size()) {
    text.append_piece(entry.piece, shown);
    return;
  }
  text.append("\"");
  text.append_piece(entry.piece, entry.text);
  text.append("\"");
}

void append_value(SourceText& text, const ExceptionEntry& value, const Comparison& comparison) {
  if (value.is_list) {
    text.append("(");
    for (const ExceptionEntry& item : value.items) {
      if (&item != value.items.data()) text.append(", ");
      append_entry(text, item);
    }
    text.append(")");
  } else if (comparison.wants_list()) {
    const bool has_parentheses = value.text.starts_with('(');
    if (!has_parentheses) text.append("(");
    text.append_piece(value.piece, value.text);
    if (!has_parentheses) text.append(")");
  } else {
    append_entry(text, value);
  }
}

// One field: "(field in (a, b))".
std::expected<SourceText, Refusal> single(const ExceptionDefinition& exception) {
  SourceText text;
  text.append("(" + exception.fields.text + " " + exception.comps.text + " (");
  for (const ExceptionEntry& value : exception.values) {
    if (value.is_list) {
      return refuse("Expected values array to contain a list of strings", exception.where);
    }
    if (&value != exception.values.data()) text.append(", ");
    append_entry(text, value);
  }
  text.append("))");
  return text;
}

// Several fields: "((a = 1 and b = 2) or (…))".
std::expected<SourceText, Refusal> several(const ExceptionDefinition& exception) {
  SourceText text;
  text.append("(");
  for (const ExceptionEntry& tuple : exception.values) {
    if (!tuple.is_list || tuple.items.size() != exception.fields.items.size()) {
      return refuse("Fields and values lists must have equal length", exception.where);
    }
    text.append(&tuple == exception.values.data() ? "(" : " or (");
    for (size_t at = 0; at < tuple.items.size(); ++at) {
      const std::string& op = exception.comps.items[at].text;
      if (at > 0) text.append(" and ");
      text.append(exception.fields.items[at].text + " " + op + " ");
      append_value(text, tuple.items[at], read_comparison(op));
    }
    text.append(")");
  }
  text.append(")");
  return text;
}

Accepted check_single(ExceptionDefinition& exception) {
  if (!exception.comps.present) {
    exception.comps.present = true;
    exception.comps.text = "in";
  }
  if (exception.comps.is_list) {
    return refuse("Fields and comps must both be strings", exception.where);
  }
  const Comparison comparison = read_comparison(exception.comps.text);
  if (!comparison.op || !comparison.wants_list()) {
    return refuse(
        "When fields is a single value, comps must be one of (in, pmatch, intersects), or an "
        "operator with oneof, anyof or allof",
        exception.where);
  }
  if (!is_left_side(exception.fields.text)) {
    return refuse("'" + exception.fields.text + "' is not a supported filter field",
                  exception.where);
  }
  return {};
}

}  // namespace

Accepted check_exception(ExceptionDefinition& exception) {
  if (!exception.fields.is_list) return check_single(exception);
  if (!exception.comps.present) {
    exception.comps.present = exception.comps.is_list = true;
    ExceptionEntry equal;
    equal.present = true;
    equal.text = "=";
    exception.comps.items.assign(exception.fields.items.size(), equal);
  }
  if (!exception.comps.is_list || exception.fields.items.size() != exception.comps.items.size()) {
    return refuse("Fields and comps lists must have equal length", exception.where);
  }
  for (const ExceptionEntry& comps : exception.comps.items) {
    if (!read_comparison(comps.text).op) {
      return refuse("'" + comps.text + "' is not a supported comparison operator", exception.where);
    }
  }
  for (const ExceptionEntry& field : exception.fields.items) {
    if (!is_left_side(field.text)) {
      return refuse("'" + field.text + "' is not a supported filter field", exception.where);
    }
  }
  return {};
}

std::expected<SourceText, Refusal> with_exceptions(const RuleDefinition& rule) {
  if (rule.exceptions.empty()) return rule.condition;
  SourceText text;
  text.append("(");
  text.append(rule.condition);
  text.append(")");
  for (const ExceptionDefinition& exception : rule.exceptions) {
    if (exception.values.empty()) continue;
    auto condition = exception.fields.is_list ? several(exception) : single(exception);
    if (!condition) return condition;
    text.append(" and not ");
    text.append(*condition);
  }
  return text;
}

}  // namespace coff::rules
