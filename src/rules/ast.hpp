// Conditions of rules as a tree: what the parser makes, the loader expands and the compiler reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coff::rules {

/// A place in a text; line and column count from 1, columns in bytes.
struct Place {
  std::uint32_t offset = 0;
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

enum class Operator : unsigned char {
  kExists,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kGlob,
  kIGlob,
  kContains,
  kIContains,
  kBContains,
  kStartsWith,
  kBStartsWith,
  kEndsWith,
  kRegex,
  kIn,
  kIntersects,
  kPmatch,
  kSearch,  ///< RE2 in its own syntax, anywhere in the text. Conditions have no word for it.
};
/// How many of the values on the right must hold: exactly one, one or more, all.
enum class Modifier : unsigned char { kNone, kOneOf, kAnyOf, kAllOf };

enum class Transform : unsigned char {
  kVal,  ///< Only on the right: the value of a field instead of text.
  kToLower,
  kToUpper,
  kB64,  ///< Decodes.
  kBasename,
  kLen,
  kJoin,
  kConcat,
  kGetopt,
};

std::string_view operator_name(Operator op);
std::string_view modifier_name(Modifier modifier);
std::string_view transform_name(Transform transform);

/// One side of a check, or an argument of a transformer.
struct Operand {
  enum class Type : unsigned char { kField, kTransform, kText, kNumber, kList };
  Type type = Type::kText;
  Transform transform = Transform::kVal;
  Place place;
  std::string text;                     ///< Field name, text after unescaping, or the number.
  std::optional<std::string> argument;  ///< What stood in brackets behind a field or getopt().
  std::vector<Operand> items;           ///< Elements of a list, arguments of a transformer.
};

struct Expression {
  enum class Type : unsigned char { kAnd, kOr, kNot, kCheck, kIdentifier };
  Type type = Type::kIdentifier;
  Place place;
  std::vector<Expression> children;  ///< Of and, or (two or more) and not (one).
  std::string name;                  ///< kIdentifier: the macro.
  // kCheck:
  Operator op = Operator::kExists;
  bool doubled = false;  ///< "==" stood for "=".
  Modifier modifier = Modifier::kNone;
  Operand left;
  Operand right;
};

/// Canonical text: parentheses around every "and" and "or", quotes where they are needed.
std::string to_text(const Operand& operand);
std::string to_text(const Expression& expression);
/// Text as it has to stand in a condition: quoted and escaped where it must be.
std::string quoted_if_needed(std::string_view text);

}  // namespace coff::rules
