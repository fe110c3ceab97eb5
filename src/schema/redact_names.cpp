// Tells from a name whether its value is a secret.
#include "schema/redact_names.hpp"

#include <algorithm>
#include <span>

namespace coff::schema {

namespace {

char lower(char byte) {
  if (byte >= 'A' && byte <= 'Z') return static_cast<char>(byte - 'A' + 'a');
  return byte == '-' ? '_' : byte;
}

bool same_byte(char left, char right) { return lower(left) == lower(right); }

bool one_of(std::string_view word, std::span<const std::string_view> list) {
  return std::any_of(list.begin(), list.end(),
                     [&](std::string_view each) { return equal_names(word, each); });
}

bool contains_name(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same_byte) != text.end();
}

bool ends_with_name(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && equal_names(text.substr(text.size() - end.size()), end);
}

// Strong: any value is a secret. Key: any but a path or address. Weak: only what looks random.
enum class Strength : unsigned char { kNone, kWeak, kKey, kStrong };

// clang-format off
// The last word decides first: "PASSWORD_FILE" names a file, "ACCESS_KEY_ID" an id.
constexpr std::string_view kHarmlessEnds[] = {
    "file", "path", "dir", "stdin", "fd", "id", "name", "type", "length", "size", "policy", "ttl",
    "url", "uri", "expiry", "alg", "algorithm", "format", "host", "port", "count", "map", "layout",
    "ring", "sock", "mode", "bits", "prompt", "min", "max", "age", "server", "endpoint", "version",
    "enabled", "required", "fingerprint", "usage", "lifetime", "method", "encoding"};
constexpr std::string_view kStrongWords[] = {
    "secret", "token", "passwd", "pwd", "passphrase", "password", "passcode", "pass", "pw"};
constexpr std::string_view kStrongEnds[] = {"passwd", "secret", "token", "pgpass"};
constexpr std::string_view kKeyQualifiers[] = {
    "api", "access", "private", "encryption", "signing", "master", "license", "account",
    "storage", "shared", "service", "client", "app", "hmac", "session"};
constexpr std::string_view kWeakWords[] = {
    "key", "keys", "tokens", "secrets", "credential", "credentials", "cred", "auth", "signature",
    "cookie"};
// clang-format on

Strength strength_of(std::string_view name) {
  constexpr size_t kNameMax = 128;
  if (name.empty() || name.size() > kNameMax) return Strength::kNone;
  if (equal_names(name, "pwd") || equal_names(name, "oldpwd")) return Strength::kNone;
  if (contains_name(name, "public")) return Strength::kNone;
  const size_t last = name.find_last_of("_-.");
  if (one_of(name.substr(last == std::string_view::npos ? 0 : last + 1), kHarmlessEnds)) {
    return Strength::kNone;
  }
  if (contains_name(name, "password") || contains_name(name, "passphrase")) {
    return Strength::kStrong;
  }
  Strength strength = Strength::kNone;
  bool qualified = false;
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find_first_of("_-.", at), name.size());
    const std::string_view word = name.substr(at, end - at);
    at = end + 1;
    if (one_of(word, kStrongWords)) return Strength::kStrong;
    // Joined words (CLIENTSECRET, authtoken) count when they end the word.
    for (const std::string_view ending : kStrongEnds) {
      if (ends_with_name(word, ending)) return Strength::kStrong;
    }
    if (ends_with_name(word, "apikey") || ends_with_name(word, "accesskey")) {
      strength = Strength::kKey;
    }
    if (strength == Strength::kNone && one_of(word, kWeakWords)) {
      strength = qualified && ends_with_name(word, "key") ? Strength::kKey : Strength::kWeak;
    }
    qualified = qualified || one_of(word, kKeyQualifiers);
  }
  return strength;
}

bool is_place(std::string_view value) {
  if (value.find("://") != std::string_view::npos) return true;
  if (value[0] != '/' && value[0] != '.' && value[0] != '~') return false;
  return value.find_first_of("+=") == std::string_view::npos;
}

// Made by a machine: long enough, and more than one kind of character.
bool looks_random(std::string_view value) {
  constexpr size_t kShortest = 8;
  if (value.size() < kShortest || value.find(' ') != std::string_view::npos) return false;
  const auto any = [&](auto in_range) { return std::any_of(value.begin(), value.end(), in_range); };
  const bool digit = any([](char c) { return c >= '0' && c <= '9'; });
  const bool upper = any([](char c) { return c >= 'A' && c <= 'Z'; });
  const bool small = any([](char c) { return c >= 'a' && c <= 'z'; });
  return (digit && (upper || small)) || (upper && small);
}

}  // namespace

bool equal_names(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), same_byte);
}

bool matches_pattern(std::string_view pattern, std::string_view name) {
  size_t star = std::string_view::npos;
  size_t mark = 0;
  size_t p = 0;
  size_t n = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = n;
    } else if (p < pattern.size() && same_byte(pattern[p], name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool is_harmless_value(std::string_view value) {
  constexpr std::string_view kWords[] = {"true", "false", "yes", "no", "on", "off", "none", "null"};
  constexpr size_t kSmallNumber = 3;
  // "$NAME" and "${NAME}" were not expanded: there is nothing to hide.
  if (value.empty() || value[0] == '$' || one_of(value, kWords)) return true;
  return value.size() <= kSmallNumber &&
         value.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_secret_by_name(std::string_view name, std::string_view value) {
  switch (strength_of(name)) {
    case Strength::kStrong: return true;
    case Strength::kKey: return !is_place(value);
    case Strength::kWeak: return !is_place(value) && looks_random(value);
    case Strength::kNone: return false;
  }
  return false;
}

}  // namespace coff::schema
