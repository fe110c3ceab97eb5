// What is wrong with a playbook, and where.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coff::playbook {

/// One thing that is wrong.
struct Problem {
  enum class Kind : unsigned char {
    kSchema,    ///< The published schemas (draft-07 semantics) refuse it.
    kSemantic,  ///< The specification's text refuses it: such a playbook is never executed.
    kWarning,   ///< Allowed, and probably not meant.
  };
  Kind kind = Kind::kSchema;
  std::string place;  ///< JSON pointer (RFC 6901).
  std::string message;
};

/// "schema", "semantic" or "warning".
constexpr std::string_view kind_name(Problem::Kind kind) {
  constexpr std::string_view kNames[] = {"schema", "semantic", "warning"};
  return kNames[static_cast<unsigned char>(kind)];
}

/// Longest list of problems that a check gives; those beyond it are not told.
inline constexpr size_t kProblemsMax = 100;

class Problems {
 public:
  void add(Problem::Kind kind, std::string place, std::string message) {
    if (list_.size() < kProblemsMax) {
      list_.push_back({kind, std::move(place), std::move(message)});
    }
  }
  [[nodiscard]] const std::vector<Problem>& list() const { return list_; }
  [[nodiscard]] size_t count(Problem::Kind kind) const {
    size_t count = 0;
    for (const Problem& problem : list_) count += problem.kind == kind ? 1 : 0;
    return count;
  }

 private:
  std::vector<Problem> list_;
};

}  // namespace coff::playbook
