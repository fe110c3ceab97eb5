// Private to the room: many texts looked for in another one, at its start or anywhere, in one pass.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/fingerprints.hpp"

namespace coff::rules {

/// Bits of one word.
struct BitMask {
  std::uint32_t word = 0;
  std::uint64_t bits = 0;
};
/// Turns numbers of bits into masks, appended to `masks`; sorts them.
void append_masks(std::vector<std::uint32_t>& bits, std::vector<BitMask>& masks);

/// A trie. Anywhere: entered where a pattern may begin; when patterns are so long that this could
/// take long, passed once with the fallback links of Aho and Corasick.
class TextTrie {
 public:
  /// `anywhere`: patterns may begin at any byte. `fold_case`: ASCII letters of the text count as
  /// lower case; patterns must be lower case.
  TextTrie(bool anywhere, bool fold_case) : anywhere_(anywhere), fold_case_(fold_case) {}

  /// A text with the pattern, which must not be empty, sets bit `bit`. False when the trie would
  /// grow beyond its limit; then nothing was added.
  bool add(std::string_view pattern, std::uint32_t bit);
  /// To be called once, after the last add().
  void build();

  [[nodiscard]] bool empty() const { return patterns_ == 0; }
  /// Adds the bits of the patterns that the bytes begin with; linear in them.
  template <typename Iterator>
  void run_start(Iterator at, const Iterator& end, std::span<std::uint64_t> bits) const {
    std::uint32_t row = 0;
    for (; at != end; ++at) {
      row = next_[(row & ~kAccepts) + class_of_[static_cast<unsigned char>(*at)]];
      if (row == 0) return;
      if ((row & kAccepts) != 0) accept(row, bits);
    }
  }
  /// Adds the bits of the patterns anywhere in the text; at most kEnteredMax steps for a byte.
  void run_anywhere(std::string_view text, std::span<std::uint64_t> bits) const;

 private:
  static constexpr size_t kStatesMax = 16383;
  /// Longest pattern for which places are entered one by one.
  static constexpr size_t kEnteredMax = 256;
  static constexpr std::uint32_t kAccepts = 1;  ///< Set in transitions to states with bits.

  struct State {
    std::vector<std::pair<unsigned char, std::uint16_t>> children;
    std::vector<std::uint32_t> bits;
  };

  void run_linked(std::string_view text, std::span<std::uint64_t> bits) const;

  [[nodiscard]] std::uint16_t child(std::uint16_t state, unsigned char byte) const;
  void number_classes();
  void link(std::vector<std::uint32_t>& fallback);
  void accept(std::uint32_t row, std::span<std::uint64_t> bits) const {
    const std::uint32_t state = row >> shift_;
    for (std::uint32_t at = masks_of_[state]; at < masks_of_[state + 1]; ++at) {
      bits[masks_[at].word] |= masks_[at].bits;
    }
  }

  bool anywhere_;
  bool fold_case_;
  size_t patterns_ = 0;
  size_t longest_ = 0;
  Fingerprints beginnings_;
  bool linked_ = false;                                ///< With fallback links.
  std::vector<std::string> texts_;                     ///< The patterns. Emptied by build().
  std::vector<State> states_ = std::vector<State>(1);  ///< Emptied by build().
  std::array<std::uint16_t, 256> class_of_{};
  size_t classes_ = 0;
  unsigned shift_ = 0;               ///< A row of the table has 1 << shift_ entries.
  std::vector<std::uint32_t> next_;  ///< Row and class to the next row, plus kAccepts.
  std::vector<std::uint32_t> masks_of_;
  std::vector<BitMask> masks_;
};

}  // namespace coff::rules
