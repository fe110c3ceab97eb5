// Paths with their changing parts taken out.
#include <algorithm>

#include "base/bytes.hpp"
#include "baseline/feature.hpp"

namespace coff::baseline {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_word(char c) { return is_digit(c) || is_lower(c) || is_upper(c); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// Whether a run of letters and digits looks made by a machine.
bool changes(std::string_view word) {
  constexpr std::size_t kHexMin = 8;     // A short hash; shorter ones are words ("dead", "cafe").
  constexpr std::size_t kRandomMin = 6;  // mkstemp's six, and longer.
  constexpr std::size_t kNumberMin = 3;  // Versions have one or two digits, numbers more.
  const auto digits = static_cast<std::size_t>(std::ranges::count_if(word, is_digit));
  if (digits == word.size()) return word.size() >= kNumberMin;
  if (digits > 0 && word.size() >= kHexMin && std::ranges::all_of(word, is_hex)) return true;
  if (word.size() < kRandomMin) return false;
  // Random endings change between digits and cases every letter or two: "aX3kQz", but not
  // "sha256sum", "README", "MyClassName".
  std::size_t parts = 1;
  for (std::size_t at = 1; at < word.size(); ++at) {
    const char before = word[at - 1];
    const char now = word[at];
    const bool turn = is_digit(before) != is_digit(now) || (is_lower(before) && is_upper(now));
    parts += turn ? 1 : 0;
  }
  return parts >= 4 && word.size() * 2 <= parts * 5;
}

/// RFC 9562: hexadecimal digits in groups of 8, 4, 4, 4 and 12.
constexpr std::size_t kUuidBytes = 36;
bool is_uuid(std::string_view text) {
  if (text.size() != kUuidBytes) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
    if (dash ? text[at] != '-' : !is_hex(text[at])) return false;
  }
  return true;
}

void append_component(std::string& out, std::string_view part) {
  // A whole number is a number however short it is; a name of an asterisk would mean any name.
  if (part == "*" || std::ranges::all_of(part, is_digit)) {
    out += '#';
    return;
  }
  for (std::size_t at = 0; at < part.size();) {
    if (!is_word(part[at])) {
      out += part[at++];
      continue;
    }
    if (is_uuid(part.substr(at, kUuidBytes))) {
      out += '#';
      at += kUuidBytes;
      continue;
    }
    std::size_t end = at;
    while (end < part.size() && is_word(part[end])) ++end;
    const std::string_view word = part.substr(at, end - at);
    if (changes(word)) out += '#';
    else out += word;
    at = end;
  }
}

}  // namespace

std::string generalised_path(std::string_view path) {
  std::string out;
  for (std::size_t at = 0; at < path.size();) {
    if (path[at] == '/') {
      out += '/';
      ++at;
      continue;
    }
    const std::size_t end = std::min(path.find('/', at), path.size());
    append_component(out, path.substr(at, end - at));
    at = end;
  }
  return printable(out);
}

}  // namespace coff::baseline
