// Conditions of CACAO: comparison expressions of the STIX 2.1 pattern language over variables.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "playbook/playbook.hpp"

namespace coff::playbook {

/// Longest condition, deepest parentheses, most comparisons.
inline constexpr size_t kConditionBytesMax = 4096;
inline constexpr size_t kConditionDepthMax = 16;
inline constexpr size_t kComparisonsMax = 128;

/// Where a condition finds the variable `name`; null when it is not declared.
using FindVariable = std::function<const Variable*(std::string_view name)>;

/// A parsed condition. Immutable.
///
///   comparison := variable [NOT] operator value
///   operator   := = != <> < <= > >= IN LIKE MATCHES ISSUBSET ISSUPERSET
///   value      := 'text' | number | true | false | variable, for IN a list in parentheses
///
/// joined by AND, OR, NOT and parentheses; one pair of brackets may stand around the whole.
class Condition {
 public:
  /// The error says at which byte (from 1) reading stopped.
  static Result<Condition> parse(std::string_view text);

  /// A variable without a value makes its comparison false, negated or not. kInvalid: a variable
  /// is not declared, or a value is not of the variable's type.
  [[nodiscard]] Result<bool> holds(const FindVariable& find) const;
  /// Names of its variables, each once.
  [[nodiscard]] std::vector<std::string> variables() const;

 private:
  friend class ConditionParser;
  enum class Sort : unsigned char { kAnd, kOr, kNot, kComparison };
  enum class Operator : unsigned char {
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kIn,
    kLike,
    kMatches,
    kIsSubset,
    kIsSuperset,
  };
  struct Value {
    bool variable = false;
    std::string text;
  };
  struct Node {
    Sort sort = Sort::kComparison;
    std::vector<Node> children;
    std::string variable;
    Operator compare = Operator::kEqual;
    bool negated = false;
    std::vector<Value> values;
  };
  static Result<bool> holds(const Node& node, const FindVariable& find);
  static Result<bool> compare(const Node& node, const FindVariable& find);
  static Result<bool> compare_one(const Node& node, const Variable& left, const std::string& right);
  static void collect(const Node& node, std::vector<std::string>& names);

  Node root_;
};

}  // namespace coff::playbook
