// One comparison for each packaging system, behind version.hpp.
#pragma once

#include <algorithm>
#include <string_view>

#include "exposure/version/version.hpp"

namespace coff::exposure {

bool valid_debian(std::string_view version);
int compare_debian(std::string_view left, std::string_view right);
bool valid_rpm(std::string_view version);
int compare_rpm(std::string_view left, std::string_view right);
/// One part alone (a version or a release), as rpm's own rpmvercmp().
int compare_rpm_part(std::string_view left, std::string_view right);
bool valid_apk(std::string_view version);
int compare_apk(std::string_view left, std::string_view right);
bool valid_semver(std::string_view version);
int compare_semver(std::string_view left, std::string_view right);
bool valid_pep440(std::string_view version);
int compare_pep440(std::string_view left, std::string_view right);
bool valid_maven(std::string_view version);
int compare_maven(std::string_view left, std::string_view right);
bool valid_gem(std::string_view version);
int compare_gem(std::string_view left, std::string_view right);

// Letters of ASCII alone: a locale must not change an order.
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// -1, 0 or 1.
template <typename T>
constexpr int order_of(const T& left, const T& right) {
  return left < right ? -1 : (right < left ? 1 : 0);
}

/// Takes the longest prefix of `text` whose bytes all satisfy `accept`.
template <typename Accept>
std::string_view take_while(std::string_view& text, Accept accept) {
  const auto end = std::find_if_not(text.begin(), text.end(), accept);
  const std::string_view taken(text.data(), static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

constexpr std::string_view without_leading_zeros(std::string_view digits) {
  const std::size_t first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? std::string_view() : digits.substr(first);
}

/// Numbers of any length, as text of digits.
constexpr int compare_digits(std::string_view left, std::string_view right) {
  left = without_leading_zeros(left);
  right = without_leading_zeros(right);
  if (left.size() != right.size()) return left.size() < right.size() ? -1 : 1;
  return order_of(left, right);
}

}  // namespace coff::exposure
