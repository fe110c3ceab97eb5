// Order of RPM versions: rpmvercmp on epoch, version and release.
#include "exposure/version/compare.hpp"

namespace coff::exposure {
namespace {

struct Parts {
  std::string_view epoch;  ///< Digits; empty counts as 0.
  std::string_view version;
  std::string_view release;
};

Parts parts_of(std::string_view text) {
  Parts parts;
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && std::ranges::all_of(text.substr(0, colon), is_digit)) {
    parts.epoch = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  // From the left: a release may have a hyphen in no distribution, but a version can't either.
  const std::size_t hyphen = text.find('-');
  parts.version = text.substr(0, hyphen);
  if (hyphen != std::string_view::npos) parts.release = text.substr(hyphen + 1);
  return parts;
}

bool is_separator(char c) { return !is_digit(c) && !is_letter(c) && c != '~' && c != '^'; }

/// "~" sorts before the end of the text, "^" after it but before anything else. Nothing: neither
/// side has such a mark here.
std::optional<int> compare_marks(std::string_view& left, std::string_view& right) {
  const char a = left.empty() ? '\0' : left.front();
  const char b = right.empty() ? '\0' : right.front();
  for (const char mark : {'~', '^'}) {
    if (a != mark && b != mark) continue;
    if (a == b) {
      left.remove_prefix(1);
      right.remove_prefix(1);
      return 0;
    }
    const bool left_has = a == mark;
    if (mark == '~') return left_has ? -1 : 1;
    const bool other_ended = left_has ? right.empty() : left.empty();
    return left_has == other_ended ? 1 : -1;
  }
  return std::nullopt;
}

}  // namespace

int compare_rpm_part(std::string_view left, std::string_view right) {
  while (!left.empty() || !right.empty()) {
    take_while(left, is_separator);
    take_while(right, is_separator);
    if (const auto marks = compare_marks(left, right)) {
      if (*marks != 0) return *marks;
      continue;
    }
    if (left.empty() || right.empty()) break;
    const bool numeric = is_digit(left.front());
    const auto accept = numeric ? is_digit : is_letter;
    const std::string_view a = take_while(left, accept);
    const std::string_view b = take_while(right, accept);
    // A number is newer than a word.
    if (b.empty()) return numeric ? 1 : -1;
    const int difference = numeric ? compare_digits(a, b) : order_of(a, b);
    if (difference != 0) return difference;
  }
  return order_of(right.empty(), left.empty());
}

bool valid_rpm(std::string_view version) {
  const std::size_t colon = version.find(':');
  const Parts parts = parts_of(version);
  if (colon != std::string_view::npos && parts.epoch.empty()) return false;
  const auto allowed = [](char c) {
    return is_digit(c) || is_letter(c) ||
           std::string_view("._+~^").find(c) != std::string_view::npos;
  };
  return !parts.version.empty() && std::ranges::all_of(parts.version, allowed) &&
         std::ranges::all_of(parts.release, allowed);
}

int compare_rpm(std::string_view left, std::string_view right) {
  const Parts a = parts_of(left);
  const Parts b = parts_of(right);
  if (const int epoch = compare_digits(a.epoch, b.epoch); epoch != 0) return epoch;
  if (const int version = compare_rpm_part(a.version, b.version); version != 0) return version;
  return compare_rpm_part(a.release, b.release);
}

}  // namespace coff::exposure
