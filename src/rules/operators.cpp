// Names of operators and modifiers, and the pieces of messages about conditions.
#include "rules/operators.hpp"

#include <algorithm>

#include "rules/parser.hpp"

namespace coff::rules {

std::optional<Operator> find_operator(std::string_view name) {
  for (const Spelling& each : kSpellings) {
    if (each.text == name) return each.op;
  }
  return std::nullopt;
}

std::optional<Modifier> find_modifier(std::string_view name) {
  for (const Modifier each : {Modifier::kOneOf, Modifier::kAnyOf, Modifier::kAllOf}) {
    if (modifier_name(each) == name) return each;
  }
  return std::nullopt;
}

bool is_list_operator(Operator op) {
  return op == Operator::kIn || op == Operator::kIntersects || op == Operator::kPmatch;
}

bool takes_modifier(Operator op) {
  return op != Operator::kExists && !is_numeric_operator(op) && !is_list_operator(op);
}

std::string operator_list() {
  std::string text;
  for (const Spelling& each : kSpellings) {
    if (!text.empty()) text += ", ";
    text.append("'").append(each.text).append("'");
  }
  return text;
}

std::string transform_list() {
  std::string text = "'val'";
  for (const Transform each : kTransforms) {
    text.append(", '").append(transform_name(each)).append("'");
  }
  return text;
}

std::string snippet(std::string_view text, const Place& place) {
  constexpr size_t kAround = 50;
  const size_t at = std::min<size_t>(place.offset, text.size());
  size_t begin = at;
  while (begin > 0 && text[begin - 1] != '\n' && at - begin < kAround) --begin;
  size_t end = at;
  while (end < text.size() && text[end] != '\n' && end - at < kAround) ++end;
  std::string line;
  for (const char c : text.substr(begin, end - begin)) {
    const auto byte = static_cast<unsigned char>(c);
    line += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  return line + '\n' + std::string(at - begin, ' ') + '^';
}

}  // namespace coff::rules
