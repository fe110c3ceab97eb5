// Deterministic JSON output: the hot path of every event, bounded and always valid (RFC 8259).
#include "base/json_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/bytes.hpp"

namespace coff {

namespace {

// Bytes that a JSON string may hold as they are; everything else takes the slow path.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (size_t byte = 0x20; byte < 0x7F; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

// Bytes at the front of `value` that need no escape. Eight at a time: most strings are nothing
// else.
size_t plain_length(std::string_view value) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x80 * kOnes;
  const auto has_zero = [](std::uint64_t word) { return (word - kOnes) & ~word & kHigh; };
  size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= value.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, value.data() + at, sizeof word);
    const std::uint64_t below_space = (word - 0x20 * kOnes) & ~word & kHigh;
    if ((below_space | (word & kHigh) | has_zero(word ^ ('"' * kOnes)) |
         has_zero(word ^ ('\\' * kOnes)) | has_zero(word ^ (0x7F * kOnes))) != 0) {
      break;
    }
  }
  while (at < value.size() && kPlain[static_cast<unsigned char>(value[at])]) ++at;
  return at;
}

// Appends `size` bytes at most, which `write` puts from its argument on; it returns their end.
template <typename Write>
void append_with(std::string& out, size_t size, const Write& write) {
  const size_t before = out.size();
  out.resize_and_overwrite(before + size, [&](char* data, size_t) {
    return static_cast<size_t>(write(data + before) - data);
  });
}

char* put(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

void append_escaped(std::string& out, char byte) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (byte) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto value = static_cast<unsigned char>(byte);
  out += "\\u00";
  out += kHex[value >> 4];
  out += kHex[value & 15];
}

template <typename T>
void append_number(std::string& out, T value) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end.ptr);
}

}  // namespace

void JsonWriter::separate() {
  if (need_comma_) out_ += ',';
  need_comma_ = true;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  out_ += '{';
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  out_ += '}';
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  out_ += '[';
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  out_ += ']';
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  constexpr size_t kAround = 4;  // ,"":
  append_with(out_, name.size() + kAround, [&](char* to) {
    if (need_comma_) *to++ = ',';
    *to++ = '"';
    to = put(to, name);
    *to++ = '"';
    *to++ = ':';
    return to;
  });
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  constexpr size_t kAround = 3;  // ,""
  size_t plain = plain_length(value);
  append_with(out_, plain + kAround, [&](char* to) {
    if (need_comma_) *to++ = ',';
    *to++ = '"';
    to = put(to, value.substr(0, plain));
    if (plain == value.size()) *to++ = '"';
    return to;
  });
  need_comma_ = true;
  if (plain == value.size()) return *this;
  value.remove_prefix(plain);
  bool replaced = false;
  while (!value.empty()) {
    plain = plain_length(value);
    out_ += value.substr(0, plain);
    value.remove_prefix(plain);
    if (value.empty()) break;
    const size_t length = utf8_sequence(value);
    if (length == 1) {
      append_escaped(out_, value[0]);
    } else if (length > 1) {
      out_ += value.substr(0, length);
    } else {
      out_ += "\xEF\xBF\xBD";
      replaced = true;
    }
    value.remove_prefix(length == 0 ? 1 : length);
  }
  out_ += '"';
  if (replaced) ++replaced_;
  return *this;
}

JsonWriter& JsonWriter::number(std::int64_t value) {
  separate();
  append_number(out_, value);
  return *this;
}

JsonWriter& JsonWriter::number(std::uint64_t value) {
  separate();
  append_number(out_, value);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  separate();
  append_number(out_, value);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace coff
