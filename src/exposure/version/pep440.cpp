// Order of Python versions, PEP 440.
#include <string>
#include <vector>

#include "exposure/version/compare.hpp"

namespace coff::exposure {
namespace {

/// Where a version without such a part stands among those that have it.
enum class Phase : unsigned char { kDevelopment, kAlpha, kBeta, kCandidate, kFinal };

struct Parts {
  std::string_view epoch;
  std::vector<std::string_view> release;
  Phase phase = Phase::kFinal;
  std::string_view phase_number;
  std::optional<std::string_view> post;
  std::optional<std::string_view> development;
  std::optional<std::string_view> local;
};

bool is_gap(char c) { return c == '.' || c == '-' || c == '_'; }

/// Reads one version in lower case from left to right, as the expression of PEP 440's appendix B.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<Parts> read() {
    if (text_.starts_with('v')) text_.remove_prefix(1);
    const std::string_view first = take_while(text_, is_digit);
    if (first.empty()) return std::nullopt;
    if (text_.starts_with('!')) {
      parts_.epoch = first;
      text_.remove_prefix(1);
      parts_.release.push_back(take_while(text_, is_digit));
      if (parts_.release.back().empty()) return std::nullopt;
    } else {
      parts_.release.push_back(first);
    }
    while (text_.size() > 1 && text_[0] == '.' && is_digit(text_[1])) {
      text_.remove_prefix(1);
      parts_.release.push_back(take_while(text_, is_digit));
    }
    read_phase();
    read_post();
    parts_.development = take_word({"dev"});
    if (text_.starts_with('+') && !read_local()) return std::nullopt;
    if (!text_.empty()) return std::nullopt;
    return parts_;
  }

 private:
  /// A gap, one of these words, a gap and a number, of which only the word must be there.
  std::optional<std::string_view> take_word(std::initializer_list<std::string_view> words) {
    std::string_view rest = text_;
    if (!rest.empty() && is_gap(rest.front())) rest.remove_prefix(1);
    for (const std::string_view word : words) {
      if (!rest.starts_with(word)) continue;
      rest.remove_prefix(word.size());
      // A gap before the next word belongs to that word.
      if (!rest.empty() && is_gap(rest[0]) && (rest.size() == 1 || !is_lower(rest[1]))) {
        rest.remove_prefix(1);
      }
      const std::string_view number = take_while(rest, is_digit);
      text_ = rest;
      return number;
    }
    return std::nullopt;
  }

  void read_phase() {
    const auto take = [this](Phase phase, std::initializer_list<std::string_view> words) {
      const auto number = take_word(words);
      if (!number) return false;
      parts_.phase = phase;
      parts_.phase_number = *number;
      return true;
    };
    if (take(Phase::kCandidate, {"rc", "c", "preview", "pre"})) return;
    if (take(Phase::kAlpha, {"alpha", "a"})) return;
    take(Phase::kBeta, {"beta", "b"});
  }

  void read_post() {
    if (text_.size() > 1 && text_[0] == '-' && is_digit(text_[1])) {
      text_.remove_prefix(1);
      parts_.post = take_while(text_, is_digit);
      return;
    }
    parts_.post = take_word({"post", "rev", "r"});
  }

  bool read_local() {
    text_.remove_prefix(1);
    const char* begin = text_.data();
    for (;;) {
      if (take_while(text_, [](char c) { return is_digit(c) || is_lower(c); }).empty()) {
        return false;
      }
      if (text_.empty() || !is_gap(text_.front())) break;
      text_.remove_prefix(1);
    }
    parts_.local = std::string_view(begin, static_cast<std::size_t>(text_.data() - begin));
    return true;
  }

  std::string_view text_;
  Parts parts_;
};

std::string lower(std::string_view text) {
  std::string copy(text);
  std::ranges::transform(copy, copy.begin(), to_lower);
  return copy;
}

int compare_releases(const std::vector<std::string_view>& left,
                     const std::vector<std::string_view>& right) {
  for (std::size_t at = 0; at < std::max(left.size(), right.size()); ++at) {
    const int number = compare_digits(at < left.size() ? left[at] : std::string_view(),
                                      at < right.size() ? right[at] : std::string_view());
    if (number != 0) return number;
  }
  return 0;
}

/// A development version of a final release comes before its first alpha.
Phase phase_of(const Parts& parts) {
  const bool bare = parts.phase == Phase::kFinal && !parts.post && parts.development;
  return bare ? Phase::kDevelopment : parts.phase;
}

int compare_locals(std::string_view left, std::string_view right) {
  const auto take = [](std::string_view& text) {
    const std::string_view taken = take_while(text, [](char c) { return !is_gap(c); });
    if (!text.empty()) text.remove_prefix(1);
    return taken;
  };
  while (!left.empty() && !right.empty()) {
    const std::string_view a = take(left);
    const std::string_view b = take(right);
    const bool a_number = std::ranges::all_of(a, is_digit);
    const bool b_number = std::ranges::all_of(b, is_digit);
    if (a_number != b_number) return a_number ? 1 : -1;
    const int difference = a_number ? compare_digits(a, b) : order_of(a, b);
    if (difference != 0) return difference;
  }
  return order_of(right.empty(), left.empty());
}

/// Compares an optional number; `without` says where its absence stands.
int compare_optional(const std::optional<std::string_view>& left,
                     const std::optional<std::string_view>& right, int without) {
  if (left && right) return compare_digits(*left, *right);
  if (left.has_value() == right.has_value()) return 0;
  return left ? -without : without;
}

}  // namespace

bool valid_pep440(std::string_view version) { return Reader(lower(version)).read().has_value(); }

int compare_pep440(std::string_view left, std::string_view right) {
  const std::string left_text = lower(left);
  const std::string right_text = lower(right);
  const Parts a = Reader(left_text).read().value_or(Parts{});
  const Parts b = Reader(right_text).read().value_or(Parts{});
  if (const int epoch = compare_digits(a.epoch, b.epoch); epoch != 0) return epoch;
  if (const int release = compare_releases(a.release, b.release); release != 0) return release;
  if (const int phase = order_of(phase_of(a), phase_of(b)); phase != 0) return phase;
  if (const int number = compare_digits(a.phase_number, b.phase_number); number != 0) return number;
  if (const int post = compare_optional(a.post, b.post, -1); post != 0) return post;
  if (const int dev = compare_optional(a.development, b.development, 1); dev != 0) return dev;
  if (a.local && b.local) return compare_locals(*a.local, *b.local);
  return order_of(a.local.has_value(), b.local.has_value());
}

}  // namespace coff::exposure
