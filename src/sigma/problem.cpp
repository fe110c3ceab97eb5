// Problems of Sigma files with their line and a caret.
#include "sigma/problem.hpp"

#include <algorithm>

namespace coff::sigma {

namespace {

// The line around a column, with a caret below it.
std::string snippet(std::string_view line, size_t column) {
  constexpr size_t kAround = 60;
  const size_t at = std::min(column - 1, line.size());
  const size_t begin = at > kAround ? at - kAround : 0;
  std::string shown(line.substr(begin, 2 * kAround));
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return shown + '\n' + std::string(at - begin, ' ') + '^';
}

}  // namespace

std::string_view Reporter::line_of(size_t number) const {
  size_t begin = 0;
  for (size_t line = 1; line < number; ++line) {
    begin = source_.text.find('\n', begin);
    if (begin == std::string_view::npos) return {};
    ++begin;
  }
  return source_.text.substr(begin, source_.text.find('\n', begin) - begin);
}

void Reporter::add(rules::Problem::Severity severity, std::string_view code, std::string message,
                   Where where, std::string_view context) {
  if (problems_.size() >= kProblemsMax) return;
  problems_.push_back({.severity = severity,
                       .code = code,
                       .message = std::move(message),
                       .file = source_.name,
                       .line = where.line,
                       .column = where.column,
                       .context = std::string(context),
                       .snippet = snippet(line_of(where.line), where.column)});
}

bool Reporter::error(std::string_view code, std::string message, Where where,
                     std::string_view context) {
  add(rules::Problem::Severity::kError, code, std::move(message), where, context);
  return false;
}

void Reporter::warn(std::string_view code, std::string message, Where where,
                    std::string_view context) {
  add(rules::Problem::Severity::kWarning, code, std::move(message), where, context);
}

Where Reporter::inside(const Scalar& scalar, size_t offset) const {
  const std::string_view line = line_of(scalar.where.line);
  const size_t found = line.find(scalar.text, scalar.where.column - 1);
  if (found == std::string_view::npos) return scalar.where;
  return {scalar.where.line, found + 1 + std::min(offset, scalar.text.size())};
}

}  // namespace coff::sigma
