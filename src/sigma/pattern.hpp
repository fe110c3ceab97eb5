// Private to the room: text with wildcards, as Sigma writes it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coff::sigma {

/// Texts with a wildcard between each two: runs[0] wild[0] runs[1] … runs[n]. "*" is any bytes, "?"
/// one byte; no two "*" stand side by side.
struct Pattern {
  std::vector<std::string> runs = {""};
  std::string wild;

  bool operator==(const Pattern&) const = default;
  [[nodiscard]] bool is_text() const { return wild.empty(); }
  /// No bytes but wildcards, at least one of them "*" and none "?": anything fits.
  [[nodiscard]] bool is_any() const { return wild == "*" && runs[0].empty() && runs[1].empty(); }
  void append(std::string_view text) { runs.back() += text; }
  void append(const Pattern& other);
  void append_wild(char wildcard);
  /// A "*" in front, behind.
  void open_front();
  void open_back() { append_wild('*'); }
};

/// Reads a value of a rule: "*" and "?" are wildcards; "\*", "\?" and "\\" mean the byte behind the
/// backslash; any other backslash is one.
Pattern parse_pattern(std::string_view text);
Pattern pattern_of_text(std::string_view text);

/// As the pattern would be written in a rule.
std::string to_text(const Pattern& pattern);
/// For glob_match of the rules' room: "[" means itself.
std::string to_glob(const Pattern& pattern);

/// Whether the whole text fits; ASCII letters of either case are equal when `fold_case`. At most
/// size of pattern times size of text steps.
bool matches(const Pattern& pattern, std::string_view text, bool fold_case);

/// ASCII letters in lower case.
std::string lower(std::string_view text);

}  // namespace coff::sigma
