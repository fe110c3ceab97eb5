// Comparisons of text: globs, substrings, case, UTF-8.
#include "rules/text_match.hpp"

#include <cctype>
#include <cstring>
#include <optional>

#include "base/bytes.hpp"

namespace coff::rules {

namespace {

unsigned char folded(char c, bool fold_case) {
  const bool upper = fold_case && c >= 'A' && c <= 'Z';
  return static_cast<unsigned char>(upper ? c + 32 : c);
}

bool in_class(std::string_view name, unsigned char c) {
  if (name == "alpha") return std::isalpha(c) != 0;
  if (name == "digit") return std::isdigit(c) != 0;
  if (name == "alnum") return std::isalnum(c) != 0;
  if (name == "upper") return std::isupper(c) != 0;
  if (name == "lower") return std::islower(c) != 0;
  if (name == "space") return std::isspace(c) != 0;
  if (name == "blank") return std::isblank(c) != 0;
  if (name == "punct") return std::ispunct(c) != 0;
  if (name == "print") return std::isprint(c) != 0;
  if (name == "graph") return std::isgraph(c) != 0;
  if (name == "cntrl") return std::iscntrl(c) != 0;
  return name == "xdigit" && std::isxdigit(c) != 0;
}

// Whether `c` is in the set that begins at pattern[at] == '['; moves `at` behind it. Nothing when
// the set is not closed: then "[" is an ordinary byte.
std::optional<bool> in_set(std::string_view pattern, size_t& at, char c, bool fold_case) {
  size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  const unsigned char wanted = folded(c, fold_case);
  bool found = false;
  for (bool first = true; i < pattern.size(); first = false) {
    if (pattern[i] == ']' && !first) {
      at = i + 1;
      return found != negated;
    }
    if (pattern.substr(i).starts_with("[:")) {
      const size_t end = pattern.find(":]", i + 2);
      if (end != pattern.npos) {
        found = found || in_class(pattern.substr(i + 2, end - i - 2), wanted);
        i = end + 2;
        continue;
      }
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const unsigned char low = folded(pattern[i++], fold_case);
    unsigned char high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      i += pattern[i + 1] == '\\' && i + 2 < pattern.size() ? 2U : 1U;
      high = folded(pattern[i++], fold_case);
    }
    found = found || (wanted >= low && wanted <= high);
  }
  return std::nullopt;
}

// Whether one byte matches what stands at pattern[at], which is no star; moves `at` behind it.
bool one(std::string_view pattern, size_t& at, char c, bool fold_case) {
  if (pattern[at] == '?') {
    ++at;
    return true;
  }
  if (pattern[at] == '[') {
    if (const auto found = in_set(pattern, at, c, fold_case)) return *found;
  }
  if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
  return folded(pattern[at++], fold_case) == folded(c, fold_case);
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text, bool fold_case) {
  size_t at = 0;
  size_t position = 0;
  // Where to go on when something later fails: only the last star can take more.
  size_t star = pattern.npos;
  size_t star_position = 0;
  while (position < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = ++at;
      star_position = position;
      continue;
    }
    if (at < pattern.size() && one(pattern, at, text[position], fold_case)) {
      ++position;
      continue;
    }
    if (star == pattern.npos) return false;
    at = star;
    position = ++star_position;
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

bool contains(std::string_view text, std::string_view part) {
  if (part.empty()) return true;
  return memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string uppered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

std::string_view valid_utf8(std::string_view text, std::string& buffer) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t length = utf8_sequence(text.substr(at, 4));
    if (length == 0) break;
    at += length;
  }
  if (at == text.size()) return text;
  buffer.assign(text.substr(0, at));
  while (at < text.size()) {
    const size_t length = utf8_sequence(text.substr(at, 4));
    if (length == 0) buffer += "\xEF\xBF\xBD";
    else buffer.append(text.substr(at, length));
    at += length == 0 ? 1 : length;
  }
  return buffer;
}

}  // namespace coff::rules
