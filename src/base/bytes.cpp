// Encodings of bytes as text, SHA-256, and UTF-8 checks.
#include "base/bytes.hpp"

#include <openssl/evp.h>

#include <memory>

namespace coff {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

struct DigestDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Code points that move or hide text on a terminal although they are valid UTF-8:
// C1 controls, zero-width and bidirectional marks (Unicode TR 36, "Trojan Source").
bool is_deceptive(std::uint32_t point) {
  return (point >= 0x80 && point < 0xA0) || (point >= 0x200B && point <= 0x200F) ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) ||
         point == 0xFEFF;
}

std::uint32_t code_point(std::string_view sequence) {
  const auto byte = [&](size_t at) { return static_cast<std::uint32_t>(octets(sequence)[at]); };
  if (sequence.size() == 2) return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
  if (sequence.size() == 3) {
    return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  }
  return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
}

}  // namespace

Hash sha256(std::initializer_list<std::string_view> parts) {
  // Fetched once, and one context per thread: either costs as much as hashing a short entry.
  static const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> fetched(
      EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_free);
  thread_local const std::unique_ptr<EVP_MD_CTX, DigestDeleter> context(EVP_MD_CTX_new());
  Hash digest{};
  bool ok = context != nullptr && EVP_DigestInit_ex(context.get(), fetched.get(), nullptr) == 1;
  for (const std::string_view part : parts) {
    ok = ok && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  }
  ok = ok && EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
  COFF_ASSERT(ok);
  return digest;
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 15];
  }
  return text;
}

Result<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(Code::kInvalid, "hexadecimal text has odd length");
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (size_t at = 0; at < text.size(); at += 2) {
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (high < 0 || low < 0) return fail(Code::kInvalid, "not a hexadecimal digit");
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::string to_base64(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t have = std::min<size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i) group = group << 8 | (i < have ? bytes[at + i] : 0U);
    for (size_t i = 0; i < 4; ++i) {
      text += i <= have ? kBase64Digits[group >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return fail(Code::kInvalid, "base64 length is not a multiple of 4");
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string bytes;
  std::uint32_t group = 0;
  const size_t digits = text.size() - padding;
  for (size_t at = 0; at < digits; ++at) {
    const size_t value = kBase64Digits.find(text[at]);
    if (value == std::string_view::npos) return fail(Code::kInvalid, "not a base64 digit");
    group = group << 6 | static_cast<std::uint32_t>(value);
    if (at % 4 == 3) {
      for (int shift = 16; shift >= 0; shift -= 8) bytes += static_cast<char>(group >> shift & 255);
      group = 0;
    }
  }
  if (padding == 1) {
    if ((group & 3) != 0) return fail(Code::kInvalid, "base64 has stray trailing bits");
    bytes += static_cast<char>(group >> 10 & 255);
    bytes += static_cast<char>(group >> 2 & 255);
  } else if (padding == 2) {
    if ((group & 15) != 0) return fail(Code::kInvalid, "base64 has stray trailing bits");
    bytes += static_cast<char>(group >> 4 & 255);
  }
  return bytes;
}

size_t utf8_sequence(std::string_view text) {
  if (text.empty()) return 0;
  const auto bytes = octets(text);
  const std::uint8_t lead = bytes[0];
  if (lead < 0x80) return 1;
  size_t length = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  if (length == 0 || text.size() < length) return 0;
  if (bytes[1] < low || bytes[1] > high) return 0;
  for (size_t at = 2; at < length; ++at) {
    if ((bytes[at] & 0xC0) != 0x80) return 0;
  }
  return length;
}

void append_printable(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const size_t length = utf8_sequence(text);
    const auto byte = octets(text)[0];
    if (length == 1 && byte >= 0x20 && byte != 0x7F) {
      out += text[0];
    } else if (length > 1 && !is_deceptive(code_point(text.substr(0, length)))) {
      out += text.substr(0, length);
    } else if (length > 1) {
      const std::uint32_t point = code_point(text.substr(0, length));
      out += "\\u{";
      for (int shift = 12; shift >= 0; shift -= 4) out += kHexDigits[point >> shift & 15];
      out += '}';
    } else {
      out += "\\x";
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

std::string printable(std::string_view text) {
  std::string out;
  append_printable(out, text);
  return out;
}

}  // namespace coff
