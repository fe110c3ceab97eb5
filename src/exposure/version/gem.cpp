// Order of gem versions, as Gem::Version of RubyGems defines it.
#include <vector>

#include "exposure/version/compare.hpp"

namespace coff::exposure {
namespace {

bool is_word_letter(char c) { return is_digit(c) || is_letter(c); }

bool is_number(std::string_view segment) { return is_digit(segment.front()); }

bool is_zero(std::string_view segment) {
  return is_number(segment) && without_leading_zeros(segment).empty();
}

/// Numbers and words, without the zeros that end the release or the whole version. "-" stands for
/// ".pre.".
std::vector<std::string_view> segments_of(std::string_view text) {
  std::vector<std::string_view> segments;
  const auto drop_zeros = [&segments] {
    while (!segments.empty() && is_zero(segments.back())) segments.pop_back();
  };
  bool in_release = true;
  const auto add_word = [&](std::string_view word) {
    if (in_release) drop_zeros();
    in_release = false;
    segments.push_back(word);
  };
  while (!text.empty()) {
    if (is_digit(text.front())) {
      segments.push_back(take_while(text, is_digit));
    } else if (is_letter(text.front())) {
      add_word(take_while(text, is_letter));
    } else {
      if (text.front() == '-') add_word("pre");
      text.remove_prefix(1);
    }
  }
  drop_zeros();
  return segments;
}

}  // namespace

bool valid_gem(std::string_view version) {
  if (version.empty()) return true;  // RubyGems reads it as 0.
  if (take_while(version, is_digit).empty()) return false;
  while (version.starts_with('.')) {
    version.remove_prefix(1);
    if (take_while(version, is_word_letter).empty()) return false;
  }
  if (version.empty()) return true;
  if (version.front() != '-') return false;
  do {
    version.remove_prefix(1);
    const auto accept = [](char c) { return is_word_letter(c) || c == '-'; };
    if (take_while(version, accept).empty()) return false;
  } while (version.starts_with('.'));
  return version.empty();
}

int compare_gem(std::string_view left, std::string_view right) {
  const std::vector<std::string_view> a = segments_of(left);
  const std::vector<std::string_view> b = segments_of(right);
  for (std::size_t at = 0; at < std::max(a.size(), b.size()); ++at) {
    const std::string_view one = at < a.size() ? a[at] : "0";
    const std::string_view other = at < b.size() ? b[at] : "0";
    if (is_number(one) != is_number(other)) return is_number(one) ? 1 : -1;
    const int difference = is_number(one) ? compare_digits(one, other) : order_of(one, other);
    if (difference != 0) return difference;
  }
  return 0;
}

}  // namespace coff::exposure
