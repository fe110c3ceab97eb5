// Private to the room: problems of Sigma files with their line and a caret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/rule.hpp"
#include "sigma/document.hpp"

namespace coff::sigma {

/// A file whose problems are told. Borrows its text.
struct Source {
  std::string name;
  std::string_view text;
};

/// Most problems that one loading tells; more are counted by nobody, as the first ones say enough.
inline constexpr size_t kProblemsMax = 1000;

/// Collects problems of one file. Borrows the list.
class Reporter {
 public:
  Reporter(Source source, std::vector<rules::Problem>& problems)
      : source_(std::move(source)), problems_(problems) {}

  [[nodiscard]] const Source& source() const { return source_; }
  /// `code` is static text. Always false, so that it can end a function that reads.
  bool error(std::string_view code, std::string message, Where where, std::string_view context);
  void warn(std::string_view code, std::string message, Where where, std::string_view context);
  /// The place of a byte of a value that stands on one line as it is; otherwise of the value.
  [[nodiscard]] Where inside(const Scalar& scalar, size_t offset) const;

 private:
  void add(rules::Problem::Severity severity, std::string_view code, std::string message,
           Where where, std::string_view context);
  [[nodiscard]] std::string_view line_of(size_t number) const;

  Source source_;
  std::vector<rules::Problem>& problems_;
};

}  // namespace coff::sigma
