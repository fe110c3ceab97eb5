// Private to the room: conditions of Sigma rules, "selection and not 1 of filter_*", as trees.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace coff::sigma {

struct Condition {
  enum class Type : unsigned char { kAnd, kOr, kNot, kName, kSome, kAll };
  Type type = Type::kName;
  std::string name;   ///< kName: a detection. kSome, kAll: "them", or a name with "*".
  size_t offset = 0;  ///< In the text.
  std::vector<Condition> children;  ///< Of kAnd and kOr two or more, of kNot one.
};

struct ConditionProblem {
  std::string message;
  size_t offset = 0;
};

inline constexpr size_t kConditionBytesMax = size_t{64} << 10;
inline constexpr unsigned kConditionDepthMax = 200;

/// "or" binds weaker than "and", "and" weaker than "not", "not" weaker than "1 of".
std::expected<Condition, ConditionProblem> parse_condition(std::string_view text);

/// Whether a detection's name is meant by "them" or by a name with "*". Names with "_" in front are
/// meant by patterns with "_" in front only.
bool is_meant(std::string_view pattern, std::string_view name);

}  // namespace coff::sigma
