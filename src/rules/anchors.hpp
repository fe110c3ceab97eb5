// Private to the room: bytes that tell where in a text one of many patterns may be, sixteen bytes
// of text at a time.
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

/// A few bytes of which each pattern has one, chosen so that texts have them seldom.
class Anchors {
 public:
  static constexpr size_t kAnchorsMax = 12;
  /// Distances of one anchor from the beginnings of its patterns.
  static constexpr size_t kOffsetsMax = 16;

  /// `fold_case`: case of ASCII letters makes no difference. Empty when so few do not suffice.
  static Anchors choose(const std::vector<std::string>& patterns, bool fold_case);

  [[nodiscard]] bool empty() const { return anchors_.empty(); }
  /// Calls `visit(at)` for places in the text where a pattern may begin; misses none.
  template <typename Visit>
  void for_each(std::string_view text, const Visit& visit) const {
    size_t at = 0;
    for (; at + kWidth <= text.size(); at += kWidth) visit_block(text.data() + at, at, visit);
    if (at == text.size()) return;
    std::array<char, kWidth> rest{};
    std::memcpy(rest.data(), text.data() + at, text.size() - at);
    const auto inside = [&](size_t place) {
      if (place < text.size()) visit(place);
    };
    visit_block(rest.data(), at, inside);
  }

 private:
  static constexpr size_t kWidth = 16;
  static constexpr std::uint64_t kLowest = 0x0101010101010101ULL;
  using Block = std::uint8_t __attribute__((vector_size(kWidth)));

  struct Anchor {
    std::uint8_t byte = 0;
    std::vector<std::uint16_t> offsets;
  };

  template <typename Visit>
  void visit_block(const char* bytes, size_t at, const Visit& visit) const {
    Block block;
    std::memcpy(&block, bytes, kWidth);
    block |= case_bits_;
    Block found{};
    for (const Anchor& anchor : anchors_) found |= Block(block == anchor.byte);
    std::array<std::uint64_t, 2> halves{};
    std::memcpy(halves.data(), &found, kWidth);
    for (size_t half = 0; half < 2; ++half) {
      // A byte that is an anchor is all ones here.
      for (std::uint64_t left = halves[half] & kLowest; left != 0; left &= left - 1) {
        const size_t in_block = half * 8 + static_cast<size_t>(std::countr_zero(left)) / 8;
        visit_place(static_cast<std::uint8_t>(bytes[in_block]) | case_bits_, at + in_block, visit);
      }
    }
  }
  template <typename Visit>
  void visit_place(unsigned byte, size_t at, const Visit& visit) const {
    for (const Anchor& anchor : anchors_) {
      if (anchor.byte != byte) continue;
      for (const std::uint16_t offset : anchor.offsets) {
        if (offset <= at) visit(at - offset);
      }
    }
  }

  std::uint8_t case_bits_ = 0;
  std::vector<Anchor> anchors_;
};

}  // namespace coff::rules
