// Private to the room: where in a text one of many patterns may begin, told by three bytes of each,
// sixteen places of the text at a time.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace coff::rules {

/// Patterns in eight groups. Of each group is known which halves of bytes its patterns have at
/// their first three places: a few table lookups for a block of text. Never misses a pattern.
class Fingerprints {
 public:
  Fingerprints() = default;
  /// Patterns must not be empty. `fold_case`: case of ASCII letters makes no difference.
  Fingerprints(std::vector<std::string> patterns, bool fold_case);

  /// Calls `visit(at)` for places in the text where a pattern may begin, in order.
  template <typename Visit>
  void for_each(std::string_view text, const Visit& visit) const {
    size_t at = 0;
    while (text.size() - at >= kBlock + kAhead) {
      const size_t blocks = std::min((text.size() - at - kAhead) / kBlock, kBlocksMax);
      visit_places(places(text.data() + at, blocks), at, visit);
      at += blocks * kBlock;
    }
    if (text.size() - at < shortest_) return;
    // The last block by itself, with zeros behind it. One place more than a block: let it be one.
    if (text.size() - at > kBlock) visit(at++);
    std::array<char, kBlock + kAhead> rest{};
    const size_t size = std::min(text.size(), kBlock);
    const size_t first = text.size() - size;
    if (size == kBlock) std::memcpy(rest.data(), text.data() + first, kBlock);
    else copy_short(rest.data(), text.data(), size);
    // Behind the text may seem to be a place, too.
    const std::uint64_t inside = (std::uint64_t{1} << size) - 1;
    const std::uint64_t fresh = inside >> (at - first) << (at - first);
    visit_places(places(rest.data(), 1) & fresh, first, visit);
  }

 private:
  static constexpr size_t kBytes = 3;   ///< Of a pattern that count.
  static constexpr size_t kGroups = 8;  ///< Bits of a byte.
  static constexpr size_t kBlock = 16;
  static constexpr size_t kAhead = kBytes - 1;
  static constexpr size_t kBlocksMax = 4;

  /// By half of a byte, which groups have it there; by whole byte for processors that look at one
  /// byte at a time.
  using Halves = std::array<std::uint8_t, 16>;
  using Wholes = std::array<std::uint8_t, 256>;

  template <typename Visit>
  static void visit_places(std::uint64_t places, size_t at, const Visit& visit) {
    for (; places != 0; places &= places - 1) {
      visit(at + static_cast<size_t>(std::countr_zero(places)));
    }
  }
  /// Of less than a block, in two halves that may overlap.
  static void copy_short(char* to, const char* from, size_t size) {
    const auto halves = [&](auto half) {
      std::memcpy(&half, from + size - sizeof half, sizeof half);
      decltype(half) begin;
      std::memcpy(&begin, from, sizeof begin);
      std::memcpy(to + size - sizeof half, &half, sizeof half);
      std::memcpy(to, &begin, sizeof begin);
    };
    if (size >= 8) halves(std::uint64_t{});
    else if (size >= 4) halves(std::uint32_t{});
    else if (size >= 2) halves(std::uint16_t{});
    else if (size == 1) *to = *from;
  }
  void add(const std::string& pattern, std::uint8_t group);
  /// Places of so many blocks as bits; kAhead bytes more are read.
  [[nodiscard]] std::uint64_t places(const char* at, size_t blocks) const {
    return vectors_ ? places_by_block(at, blocks) : places_by_byte(at, blocks);
  }
  [[nodiscard]] std::uint64_t places_by_block(const char* at, size_t blocks) const;
  [[nodiscard]] std::uint64_t places_by_byte(const char* at, size_t blocks) const;

  bool vectors_ = false;  ///< The processor looks up sixteen bytes at once.
  std::uint8_t case_bits_ = 0;
  size_t shortest_ = 1;
  alignas(16) std::array<Halves, kBytes> low_{};
  alignas(16) std::array<Halves, kBytes> high_{};
  std::array<Wholes, kBytes> whole_{};
};

}  // namespace coff::rules
