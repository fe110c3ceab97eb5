// Text with wildcards.
#include "sigma/pattern.hpp"

#include <algorithm>

namespace coff::sigma {

namespace {

char folded(char c, bool fold_case) {
  return fold_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string escaped(const Pattern& pattern, std::string_view special) {
  std::string out;
  for (size_t at = 0; at < pattern.runs.size(); ++at) {
    for (const char c : pattern.runs[at]) {
      if (special.find(c) != special.npos) out += '\\';
      out += c;
    }
    if (at < pattern.wild.size()) out += pattern.wild[at];
  }
  return out;
}

}  // namespace

void Pattern::append_wild(char wildcard) {
  const bool same = wildcard == '*' && wild.ends_with('*') && runs.back().empty();
  if (same) return;
  wild += wildcard;
  runs.emplace_back();
}

void Pattern::append(const Pattern& other) {
  append(other.runs.front());
  for (size_t at = 0; at < other.wild.size(); ++at) {
    append_wild(other.wild[at]);
    append(other.runs[at + 1]);
  }
}

void Pattern::open_front() {
  Pattern made;
  made.append_wild('*');
  made.append(*this);
  *this = std::move(made);
}

Pattern parse_pattern(std::string_view text) {
  Pattern pattern;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool more = at + 1 < text.size();
    if (c == '\\' && more &&
        std::string_view("*?\\").find(text[at + 1]) != std::string_view::npos) {
      pattern.append(text.substr(++at, 1));
    } else if (c == '*' || c == '?') {
      pattern.append_wild(c);
    } else {
      pattern.append(text.substr(at, 1));
    }
  }
  return pattern;
}

Pattern pattern_of_text(std::string_view text) {
  Pattern pattern;
  pattern.append(text);
  return pattern;
}

std::string to_text(const Pattern& pattern) { return escaped(pattern, "*?\\"); }
std::string to_glob(const Pattern& pattern) { return escaped(pattern, "*?\\["); }

bool matches(const Pattern& pattern, std::string_view text, bool fold_case) {
  // The bytes of the pattern in a row; a place in `wild_at` is a wildcard.
  std::string bytes;
  std::string wild_at;
  for (size_t at = 0; at < pattern.runs.size(); ++at) {
    for (const char c : pattern.runs[at]) bytes += folded(c, fold_case);
    wild_at.resize(bytes.size(), ' ');
    if (at == pattern.wild.size()) break;
    bytes += pattern.wild[at];
    wild_at += pattern.wild[at];
  }
  size_t at = 0;
  size_t position = 0;
  size_t star = bytes.npos;  // Where to go on when something later fails.
  size_t star_position = 0;
  while (position < text.size()) {
    if (at < bytes.size() && wild_at[at] == '*') {
      star = ++at;
      star_position = position;
    } else if (at < bytes.size() &&
               (wild_at[at] == '?' || bytes[at] == folded(text[position], fold_case))) {
      ++at;
      ++position;
    } else if (star != bytes.npos) {
      at = star;
      position = ++star_position;
    } else {
      return false;
    }
  }
  while (at < bytes.size() && wild_at[at] == '*') ++at;
  return at == bytes.size();
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return folded(c, true); });
  return out;
}

}  // namespace coff::sigma
