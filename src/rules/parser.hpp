// Reads a condition into a tree. The grammar is libsinsp's; docs/formats/rules.md states it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "rules/ast.hpp"

namespace coff::rules {

/// Bytes of one condition after lists were put in.
inline constexpr size_t kConditionBytesMax = size_t{4} << 20;
/// Nested productions of the grammar; one pair of parentheses takes five.
inline constexpr unsigned kDepthMax = 100;
inline constexpr unsigned kRuleDepthMax = 1000;

struct ParseError {
  std::string message;
  Place place;  ///< In the condition.
};

/// Parses the whole text. Linear in its size but for a bounded look-ahead of one token.
std::expected<Expression, ParseError> parse_condition(std::string_view text,
                                                      unsigned depth_max = kRuleDepthMax);

/// Parses one field or transformer from the start of `text`, as outputs and exceptions use them;
/// `length` says how many bytes it took.
std::expected<Operand, ParseError> parse_operand(std::string_view text, size_t& length);

/// The operator of that spelling, without blanks; nothing when there is none.
std::optional<Operator> find_operator(std::string_view name);
std::optional<Modifier> find_modifier(std::string_view name);
bool is_list_operator(Operator op);
/// True for operators that may be followed by a modifier.
bool takes_modifier(Operator op);

/// The line of `text` that holds `place`, at most 100 bytes around it, and a caret line below.
std::string snippet(std::string_view text, const Place& place);

}  // namespace coff::rules
