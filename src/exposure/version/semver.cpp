// Order of semantic versions, Semantic Versioning 2.0.0 section 11.
#include <array>

#include "exposure/version/compare.hpp"

namespace coff::exposure {
namespace {

/// Larger numbers are invalid: JavaScript, where most such versions live, can't hold them.
constexpr std::string_view kNumberMax = "9007199254740991";
/// As node-semver.
constexpr std::size_t kBytesMax = 256;

struct Parts {
  std::array<std::string_view, 3> numbers;  ///< Missing ones are empty, which compares as 0.
  std::string_view before;                  ///< Pre-release identifiers with dots between them.
};

bool is_identifier_letter(char c) { return is_digit(c) || is_letter(c) || c == '-'; }

/// Identifiers with dots between them, none of them empty.
bool valid_identifiers(std::string_view text) {
  for (;;) {
    if (take_while(text, is_identifier_letter).empty()) return false;
    if (text.empty()) return true;
    if (text.front() != '.') return false;
    text.remove_prefix(1);
  }
}

std::optional<Parts> parts_of(std::string_view text) {
  if (text.size() > kBytesMax) return std::nullopt;
  if (text.starts_with('v') || text.starts_with('=')) text.remove_prefix(1);
  take_while(text, [](char c) { return c == ' '; });
  Parts parts;
  for (std::size_t at = 0; at < parts.numbers.size(); ++at) {
    if (at > 0) {
      if (!text.starts_with('.')) break;
      text.remove_prefix(1);
    }
    parts.numbers[at] = take_while(text, is_digit);
    if (parts.numbers[at].empty()) return std::nullopt;
    if (compare_digits(parts.numbers[at], kNumberMax) > 0) return std::nullopt;
  }
  const std::size_t plus = text.find('+');
  if (plus != std::string_view::npos) {
    if (!valid_identifiers(text.substr(plus + 1))) return std::nullopt;
    text = text.substr(0, plus);
  }
  if (text.empty()) return parts;
  if (text.front() != '-' || !valid_identifiers(text.substr(1))) return std::nullopt;
  parts.before = text.substr(1);
  return parts;
}

std::string_view take_identifier(std::string_view& text) {
  const std::string_view taken = take_while(text, is_identifier_letter);
  if (!text.empty()) text.remove_prefix(1);
  return taken;
}

int compare_identifiers(std::string_view left, std::string_view right) {
  const bool left_number = std::ranges::all_of(left, is_digit);
  const bool right_number = std::ranges::all_of(right, is_digit);
  if (left_number && right_number) return compare_digits(left, right);
  if (left_number != right_number) return left_number ? -1 : 1;
  return order_of(left, right);
}

}  // namespace

bool valid_semver(std::string_view version) { return parts_of(version).has_value(); }

int compare_semver(std::string_view left, std::string_view right) {
  const Parts a = parts_of(left).value_or(Parts{});
  const Parts b = parts_of(right).value_or(Parts{});
  for (std::size_t at = 0; at < a.numbers.size(); ++at) {
    const int number = compare_digits(a.numbers[at], b.numbers[at]);
    if (number != 0) return number;
  }
  if (a.before.empty() || b.before.empty()) return order_of(a.before.empty(), b.before.empty());
  std::string_view left_rest = a.before;
  std::string_view right_rest = b.before;
  while (!left_rest.empty() && !right_rest.empty()) {
    const int difference =
        compare_identifiers(take_identifier(left_rest), take_identifier(right_rest));
    if (difference != 0) return difference;
  }
  return order_of(right_rest.empty(), left_rest.empty());
}

}  // namespace coff::exposure
