// Order of Debian versions, deb-version(7).
#include "exposure/version/compare.hpp"

namespace coff::exposure {
namespace {

struct Parts {
  std::string_view epoch;  ///< Digits; empty when there is none.
  std::string_view upstream;
  std::string_view revision;
};

bool all_digits(std::string_view text) { return std::ranges::all_of(text, is_digit); }

Parts parts_of(std::string_view version) {
  Parts parts;
  const std::size_t colon = version.find(':');
  if (colon != std::string_view::npos && colon > 0 && all_digits(version.substr(0, colon))) {
    parts.epoch = version.substr(0, colon);
    version.remove_prefix(colon + 1);
  }
  const std::size_t hyphen = version.rfind('-');
  parts.upstream = version.substr(0, hyphen);
  if (hyphen != std::string_view::npos) parts.revision = version.substr(hyphen + 1);
  return parts;
}

/// Weight of one character where no digits are compared; 0 is the end, or a digit.
int weight(std::string_view text) {
  if (text.empty() || is_digit(text.front())) return 0;
  const char c = text.front();
  if (c == '~') return -1;
  return is_letter(c) ? c : static_cast<unsigned char>(c) + 256;
}

int compare_part(std::string_view left, std::string_view right) {
  while (!left.empty() || !right.empty()) {
    while ((!left.empty() && !is_digit(left.front())) ||
           (!right.empty() && !is_digit(right.front()))) {
      const int difference = weight(left) - weight(right);
      if (difference != 0) return difference;
      // Here neither is at its end: equal weights other than 0 are two characters.
      left.remove_prefix(1);
      right.remove_prefix(1);
    }
    const int number = compare_digits(take_while(left, is_digit), take_while(right, is_digit));
    if (number != 0) return number;
  }
  return 0;
}

bool all_of(std::string_view text, std::string_view more) {
  return std::ranges::all_of(text, [more](char c) {
    return is_digit(c) || is_letter(c) || more.find(c) != std::string_view::npos;
  });
}

}  // namespace

bool valid_debian(std::string_view version) {
  const std::size_t colon = version.find(':');
  const Parts parts = parts_of(version);
  if (colon != std::string_view::npos && parts.epoch.empty()) return false;
  constexpr std::string_view kEpochMax = "2147483647";  // dpkg keeps it in an int
  if (compare_digits(parts.epoch, kEpochMax) > 0) return false;
  if (version.ends_with('-')) return false;
  return !parts.upstream.empty() && is_digit(parts.upstream.front()) &&
         all_of(parts.upstream, ".-+~:") && all_of(parts.revision, "+.~");
}

int compare_debian(std::string_view left, std::string_view right) {
  const Parts a = parts_of(left);
  const Parts b = parts_of(right);
  if (const int epoch = compare_digits(a.epoch, b.epoch); epoch != 0) return epoch;
  if (const int upstream = compare_part(a.upstream, b.upstream); upstream != 0) return upstream;
  return compare_part(a.revision, b.revision);
}

}  // namespace coff::exposure
