// Secrets recognised by their content alone.
#include <algorithm>
#include <array>

#include "schema/redact.hpp"

namespace coff::schema {

namespace {

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
bool is_upper_digit(char byte) { return is_digit(byte) || (byte >= 'A' && byte <= 'Z'); }
bool is_alnum(char byte) { return is_upper_digit(byte) || (byte >= 'a' && byte <= 'z'); }
bool is_base64url(char byte) { return is_alnum(byte) || byte == '-' || byte == '_'; }
bool is_token(char byte) { return is_base64url(byte) || byte == '.' || byte == '+' || byte == '/'; }

template <typename Predicate>
size_t run_length(std::string_view text, Predicate accept) {
  return static_cast<size_t>(std::find_if_not(text.begin(), text.end(), accept) - text.begin());
}

struct Prefixed {
  std::string_view prefix;
  size_t rest_min;  // Characters that must follow for it to be a token and no ordinary word.
};
// Prefixes that their issuers document so that scanners can find leaked tokens.
constexpr Prefixed kPrefixed[] = {
    {"ghp_", 36},     {"gho_", 36},     {"ghu_", 36},        {"ghs_", 36},    {"ghr_", 36},
    {"glpat-", 20},   {"xoxb-", 20},    {"xoxp-", 20},       {"xoxa-", 20},   {"xoxs-", 20},
    {"sk_live_", 16}, {"rk_live_", 16}, {"github_pat_", 22}, {"npm_", 36},    {"hvs.", 24},
    {"AIza", 35},     {"SG.", 40},      {"dckr_pat_", 20},   {"sk-ant-", 20}, {"pypi-", 50}};

size_t prefixed_token(std::string_view text) {
  for (const Prefixed& each : kPrefixed) {
    if (!text.starts_with(each.prefix)) continue;
    const size_t rest = run_length(text.substr(each.prefix.size()), is_token);
    if (rest >= each.rest_min) return each.prefix.size() + rest;
  }
  return 0;
}

// AKIA (long-term) and ASIA (temporary) access key ids: 20 upper-case characters in all.
size_t aws_key(std::string_view text) {
  if (!text.starts_with("AKIA") && !text.starts_with("ASIA")) return 0;
  const size_t length = run_length(text, is_upper_digit);
  const bool bounded = length == text.size() || !is_alnum(text[length]);
  return length == 20 && bounded ? length : 0;
}

// JSON Web Token (RFC 7519): three base64url parts, the first begins with '{"'.
size_t json_web_token(std::string_view text) {
  if (!text.starts_with("eyJ")) return 0;
  size_t at = run_length(text, is_base64url);
  if (at < 12 || at >= text.size() || text[at] != '.') return 0;
  const size_t payload = run_length(text.substr(at + 1), is_base64url);
  at += 1 + payload;
  if (payload < 8 || at >= text.size() || text[at] != '.') return 0;
  return at + 1 + run_length(text.substr(at + 1), is_base64url);
}

size_t private_key(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kEnd = "-----END ";
  if (!text.starts_with(kBegin)) return 0;
  const size_t label_end = text.find("-----", kBegin.size());
  if (label_end == std::string_view::npos) return 0;
  const std::string_view label = text.substr(kBegin.size(), label_end - kBegin.size());
  if (label.size() > 40 || label.find("PRIVATE KEY") == std::string_view::npos) return 0;
  const size_t end = text.find(kEnd, label_end);
  if (end == std::string_view::npos) return text.size();
  const size_t close = text.find("-----", end + kEnd.size());
  return close == std::string_view::npos ? text.size() : close + 5;
}

// Issuer ranges with the lengths that each uses (ISO/IEC 7812); without them one in ten random
// numbers would pass the check digit.
bool is_issuer(std::string_view digits) {
  const auto number = [&](size_t count) {
    int value = 0;
    for (size_t at = 0; at < count; ++at) value = value * 10 + (digits[at] - '0');
    return value;
  };
  const size_t length = digits.size();
  const int two = number(2);
  const int four = number(4);
  if (digits[0] == '4') return length == 13 || length == 16 || length == 19;
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return length == 16;
  if (two == 34 || two == 37) return length == 15;
  if (four == 6011 || two == 65 || (four >= 6440 && four <= 6499)) return length == 16;
  if (four >= 3528 && four <= 3589) return length == 16;
  if (two == 36 || two == 38 || (four >= 3000 && four <= 3059)) return length == 14;
  return false;
}

bool passes_luhn(std::string_view digits) {
  int sum = 0;
  bool twice = false;
  for (size_t at = digits.size(); at-- > 0; twice = !twice) {
    int value = digits[at] - '0';
    if (twice) value = value * 2 > 9 ? value * 2 - 9 : value * 2;
    sum += value;
  }
  return sum % 10 == 0;
}

// A card number: digits in one run, or in groups of four divided by the same blank or hyphen.
size_t card_number(std::string_view text) {
  constexpr size_t kDigitsMin = 13;
  constexpr size_t kDigitsMax = 19;
  std::array<char, kDigitsMax> digits{};
  size_t count = 0;
  size_t at = 0;
  char separator = '\0';
  while (at < text.size()) {
    if (is_digit(text[at])) {
      if (count == kDigitsMax) return 0;
      digits[count++] = text[at++];
      continue;
    }
    const bool divides = (text[at] == ' ' || text[at] == '-') && count > 0 && count % 4 == 0 &&
                         (separator == '\0' ? count == 4 : text[at] == separator) &&
                         at + 1 < text.size() && is_digit(text[at + 1]);
    if (!divides) break;
    separator = text[at++];
  }
  const std::string_view number(digits.data(), count);
  if (count < kDigitsMin || (separator != '\0' && count != 16)) return 0;
  // Part of a longer word, a version, a path or a decimal number: no card.
  if (at < text.size() && (is_base64url(text[at]) || text[at] == '.')) return 0;
  return is_issuer(number) && passes_luhn(number) ? at : 0;
}

// scheme://user:password@host: length of the password, which begins after `skip` bytes.
size_t url_password(std::string_view text, size_t& skip) {
  constexpr size_t kSchemeMax = 20;
  const size_t scheme = run_length(text.substr(0, kSchemeMax), is_alnum);
  if (scheme == 0 || !text.substr(scheme).starts_with("://")) return 0;
  const size_t begin = scheme + 3;
  const size_t end = std::min(text.find_first_of("/?# \t\n\"'", begin), text.size());
  const std::string_view authority = text.substr(begin, end - begin);
  const size_t colon = authority.find(':');
  const size_t host = authority.rfind('@');
  if (colon == std::string_view::npos || host == std::string_view::npos || host <= colon + 1) {
    return 0;
  }
  skip = begin + colon + 1;
  return host - colon - 1;
}

size_t known_form(std::string_view rest) {
  switch (rest[0]) {
    case '-': return private_key(rest);
    case 'A':
      if (const size_t length = aws_key(rest); length != 0) return length;
      return prefixed_token(rest);
    case 'e': return json_web_token(rest);
    case '2':
    case '3':
    case '4':
    case '5':
    case '6': return card_number(rest);
    case 'g':
    case 'x':
    case 's':
    case 'r':
    case 'n':
    case 'h':
    case 'S':
    case 'd':
    case 'p': return prefixed_token(rest);
    default: return 0;
  }
}

}  // namespace

std::vector<Secret> find_by_content(std::string_view text) {
  std::vector<Secret> found;
  constexpr size_t kShortest = 8;
  size_t at = 0;
  while (at + kShortest <= text.size()) {
    const char before = at == 0 ? ' ' : text[at - 1];
    const bool word_start = !is_base64url(before) && before != '.';
    if (!word_start && text[at] != '-') {
      ++at;
      continue;
    }
    const std::string_view rest = text.substr(at);
    size_t skip = 0;
    size_t length = known_form(rest);
    if (length == 0 && word_start && is_alnum(rest[0])) length = url_password(rest, skip);
    if (length == 0) {
      ++at;
      continue;
    }
    found.push_back({at + skip, length});
    at += skip + length;
  }
  return found;
}

}  // namespace coff::schema
