// Priorities, and problems of rule files as text and as JSON.
#include "rules/rule.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"

namespace coff::rules {

namespace {

constexpr std::string_view kPriorities[] = {"Emergency", "Alert",  "Critical",      "Error",
                                            "Warning",   "Notice", "Informational", "Debug"};

bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

std::string_view priority_name(Priority priority) {
  return kPriorities[static_cast<size_t>(priority)];
}

std::optional<Priority> parse_priority(std::string_view name) {
  for (size_t at = 0; at < std::size(kPriorities); ++at) {
    if (same_letters(name, kPriorities[at])) return static_cast<Priority>(at);
  }
  if (same_letters(name, "info")) return Priority::kInformational;
  return std::nullopt;
}

std::string to_text(const Problem& problem) {
  std::string text;
  append_printable(text, problem.file);
  text += ':' + std::to_string(problem.line) + ':' + std::to_string(problem.column) + ": ";
  text += problem.severity == Problem::Severity::kError ? "error: " : "warning: ";
  append_printable(text, problem.message);
  text.append(" (").append(problem.code).append(")");
  if (!problem.context.empty()) {
    text += "\n  in ";
    append_printable(text, problem.context);
  }
  for (size_t at = 0; at < problem.snippet.size();) {
    const size_t end = std::min(problem.snippet.find('\n', at), problem.snippet.size());
    text += "\n  | ";
    append_printable(text, std::string_view(problem.snippet).substr(at, end - at));
    at = end + 1;
  }
  return text;
}

std::string to_json(const Problem& problem) {
  std::string text;
  JsonWriter(text)
      .begin_object()
      .member("severity", problem.severity == Problem::Severity::kError ? "error" : "warning")
      .member("code", problem.code)
      .member("message", problem.message)
      .member("file", problem.file)
      .member("line", problem.line)
      .member("column", problem.column)
      .member("context", problem.context)
      .member("snippet", problem.snippet)
      .end_object();
  return text;
}

}  // namespace coff::rules
