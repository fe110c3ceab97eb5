// Private to the room: text as HTTP means it.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace coff::access {

inline std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return lower;
}

/// Without blanks and tabs around it.
inline std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// "%41" as "A"; what is no escape stays. `plus`: "+" stands for a blank, as in queries.
std::string percent_decoded(std::string_view text, bool plus = false);

}  // namespace coff::access
