// Encodings of bytes as text, SHA-256, and UTF-8 checks.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace coff {

/// A SHA-256 digest.
using Hash = std::array<std::uint8_t, 32>;

/// Bytes of a string as unsigned octets, without a copy.
inline std::span<const std::uint8_t> octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
/// Octets as a string view, without a copy.
inline std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// SHA-256 (FIPS 180-4) of the concatenated parts.
Hash sha256(std::initializer_list<std::string_view> parts);
inline Hash sha256(std::string_view data) { return sha256({data}); }

/// Lower-case hexadecimal.
std::string to_hex(std::span<const std::uint8_t> bytes);
/// Strict hexadecimal, even length, either case.
Result<std::string> from_hex(std::string_view text);
/// Standard base64 with padding (RFC 4648 section 4).
std::string to_base64(std::span<const std::uint8_t> bytes);
/// Strict standard base64: padding required, no white space, canonical trailing bits.
Result<std::string> from_base64(std::string_view text);

/// Length in bytes of the valid UTF-8 sequence at the start of `text`, 0 when there is none.
/// Follows RFC 3629: no surrogates, no overlong forms, at most U+10FFFF.
size_t utf8_sequence(std::string_view text);
/// Appends `text` to `out` safely for a terminal: control characters, invalid UTF-8, and
/// bidirectional overrides appear as \xNN or \u{NNNN}; nothing else changes.
void append_printable(std::string& out, std::string_view text);
std::string printable(std::string_view text);

}  // namespace coff
