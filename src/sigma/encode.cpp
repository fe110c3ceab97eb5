// Encodings that modifiers apply to values.
#include "base/bytes.hpp"
#include "sigma/item.hpp"

namespace coff::sigma {

namespace {

// One code point of valid UTF-8, `length` bytes long.
std::uint32_t code_point(std::string_view text, size_t length) {
  const auto byte = [&](size_t at) { return static_cast<std::uint32_t>(octets(text)[at]); };
  if (length == 1) return byte(0);
  std::uint32_t point = byte(0) & (0xFFU >> (length + 1));
  for (size_t at = 1; at < length; ++at) point = point << 6 | (byte(at) & 0x3F);
  return point;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::expected<std::string, std::string> to_utf16(std::string_view text, bool big_endian) {
  std::string out;
  const auto unit = [&](std::uint32_t number) {
    const char high = static_cast<char>(number >> 8 & 0xFF);
    const char low = static_cast<char>(number & 0xFF);
    out += big_endian ? high : low;
    out += big_endian ? low : high;
  };
  while (!text.empty()) {
    const size_t length = utf8_sequence(text);
    if (length == 0) return std::unexpected("this is not UTF-8");
    const std::uint32_t point = code_point(text, length);
    if (point < 0x10000) {
      unit(point);
    } else {
      unit(0xD800 + ((point - 0x10000) >> 10));
      unit(0xDC00 + ((point - 0x10000) & 0x3FF));
    }
    text.remove_prefix(length);
  }
  return out;
}

std::vector<std::string> base64_offsets(std::string_view bytes) {
  // Bytes before take two bits of the first digit that is ours, or four; the last digit and the
  // padding depend on what follows.
  constexpr size_t kSkip[] = {0, 2, 3};
  constexpr size_t kCut[] = {0, 3, 2};
  std::vector<std::string> texts;
  for (size_t offset = 0; offset < 3; ++offset) {
    const std::string shifted = std::string(offset, ' ') + std::string(bytes);
    const std::string digits = to_base64(octets(shifted));
    const size_t cut = kCut[shifted.size() % 3];
    if (digits.size() <= kSkip[offset] + cut) continue;
    texts.push_back(digits.substr(kSkip[offset], digits.size() - kSkip[offset] - cut));
  }
  return texts;
}

std::vector<Pattern> windash(const Pattern& pattern, size_t most) {
  constexpr std::string_view kDashes[] = {"-", "/", "\xE2\x80\x93", "\xE2\x80\x94", "\xE2\x80\x95"};
  std::vector<Pattern> made(1);
  const auto each = [&](auto&& change) {
    for (Pattern& one : made) change(one);
  };
  for (size_t run = 0; run < pattern.runs.size(); ++run) {
    const std::string& text = pattern.runs[run];
    size_t kept = 0;
    for (size_t at = 0; at < text.size(); ++at) {
      const bool dash = (text[at] == '-' || text[at] == '/') &&
                        (at == 0 || !is_word(text[at - 1])) && at + 1 < text.size() &&
                        is_word(text[at + 1]);
      if (!dash) continue;
      if (made.size() * std::size(kDashes) > most) return {};
      const std::string before = text.substr(kept, at - kept);
      kept = at + 1;
      std::vector<Pattern> more;
      for (const Pattern& one : made) {
        for (const std::string_view with : kDashes) {
          more.push_back(one);
          more.back().append(before);
          more.back().append(with);
        }
      }
      made = std::move(more);
    }
    each([&](Pattern& one) { one.append(text.substr(kept)); });
    if (run < pattern.wild.size()) each([&](Pattern& one) { one.append_wild(pattern.wild[run]); });
  }
  return made;
}

}  // namespace coff::sigma
