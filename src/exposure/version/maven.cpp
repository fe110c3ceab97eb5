// Order of Maven versions, the "version order specification" of the POM reference.
#include <array>
#include <string>
#include <vector>

#include "exposure/version/compare.hpp"

namespace coff::exposure {
namespace {

/// One number or qualifier, and what stood before it.
struct Token {
  char prefix = '-';
  std::string text;
  [[nodiscard]] bool number() const { return !text.empty() && is_digit(text.front()); }
  /// What a version may end with without becoming another one.
  [[nodiscard]] bool null() const {
    return text.empty() || text == "final" || text == "ga" || text == "release" ||
           (number() && without_leading_zeros(text).empty());
  }
};

std::string lower(std::string_view text) {
  std::string copy(text);
  std::ranges::transform(copy, copy.begin(), to_lower);
  return copy;
}

bool is_separator(char c) { return c == '.' || c == '-' || c == '_'; }

/// "a", "b" and "m" are short forms where a number follows at once.
std::string_view long_form(std::string_view word, bool number_follows) {
  if (word == "cr") return "rc";
  if (!number_follows) return word;
  if (word == "a") return "alpha";
  if (word == "b") return "beta";
  return word == "m" ? "milestone" : word;
}

std::vector<Token> split(const std::string& version) {
  std::vector<Token> tokens;
  std::string_view rest = version;
  char prefix = '.';
  bool may_be_empty = true;
  while (!rest.empty() || may_be_empty) {
    if (rest.empty() || is_separator(rest.front())) {
      if (may_be_empty) tokens.push_back({prefix, "0"});
      if (rest.empty()) break;
      prefix = rest.front() == '.' ? '.' : '-';
      rest.remove_prefix(1);
      may_be_empty = true;
      continue;
    }
    if (is_digit(rest.front())) {
      tokens.push_back({prefix, std::string(take_while(rest, is_digit))});
    } else {
      const auto word = [](char c) { return !is_digit(c) && !is_separator(c); };
      const std::string_view text = take_while(rest, word);
      const bool number_follows = !rest.empty() && is_digit(rest.front());
      tokens.push_back({prefix, std::string(long_form(text, number_follows))});
    }
    prefix = '-';  // A change between digits and letters counts as one.
    may_be_empty = false;
  }
  return tokens;
}

/// Drops null tokens from the end, and before each hyphen that is left.
std::vector<Token> trim(const std::vector<Token>& tokens) {
  std::vector<Token> kept;  // From the end.
  bool at_end = true;
  for (std::size_t at = tokens.size(); at-- > 0;) {
    if (at_end && tokens[at].null() && at > 0) continue;
    kept.push_back(tokens[at]);
    at_end = tokens[at].prefix == '-';
  }
  std::ranges::reverse(kept);
  return kept;
}

/// Rank of a qualifier; the empty one is the release itself.
int rank_of(std::string_view text) {
  constexpr std::array<std::string_view, 5> kBefore = {"alpha", "beta", "milestone", "rc",
                                                       "snapshot"};
  const auto* found = std::ranges::find(kBefore, text);
  if (found != kBefore.end()) return static_cast<int>(found - kBefore.begin()) - 5;
  if (text.empty() || text == "final" || text == "ga" || text == "release") return 0;
  return text == "sp" ? 1 : 2;
}

int compare_tokens(const Token& left, const Token& right) {
  const auto kind = [](const Token& token) {
    if (!token.number()) return 0;
    return token.prefix == '-' ? 1 : 2;
  };
  if (const int difference = order_of(kind(left), kind(right)); difference != 0) return difference;
  if (left.number()) return compare_digits(left.text, right.text);
  const int left_rank = rank_of(left.text);
  const int right_rank = rank_of(right.text);
  if (left_rank != right_rank) return order_of(left_rank, right_rank);
  return left_rank == 2 ? order_of(left.text, right.text) : 0;
}

/// What stands for a token that the shorter version doesn't have.
Token padding_for(const Token& other) {
  return {other.prefix, other.number() && other.prefix == '.' ? "0" : ""};
}

}  // namespace

bool valid_maven(std::string_view version) { return !version.empty(); }

int compare_maven(std::string_view left, std::string_view right) {
  const std::vector<Token> a = trim(split(lower(left)));
  const std::vector<Token> b = trim(split(lower(right)));
  for (std::size_t at = 0; at < std::max(a.size(), b.size()); ++at) {
    const Token one = at < a.size() ? a[at] : padding_for(b[at]);
    const Token other = at < b.size() ? b[at] : padding_for(a[at]);
    if (const int difference = compare_tokens(one, other); difference != 0) return difference;
  }
  return 0;
}

}  // namespace coff::exposure
