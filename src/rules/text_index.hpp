// Private to the room: one pass over a text answers all checks of it that are about equal,
// leading, trailing and contained texts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rules/text_trie.hpp"

namespace coff::rules {

class TextIndex {
 public:
  enum class Kind : unsigned char { kExact, kPrefix, kSuffix, kContains };

  /// `fold_case`: ASCII letters of the text count as lower case; patterns must be lower case and
  /// of the kind kContains.
  explicit TextIndex(bool fold_case) : contains_(true, fold_case) {}

  /// A text that matches sets bit `bit`. The pattern must not be empty, except for kExact. False
  /// when a limit would be passed; then nothing was added.
  bool add(Kind kind, std::string_view pattern, std::uint32_t bit);
  /// To be called once, after the last add().
  void build();

  [[nodiscard]] bool empty() const { return patterns_ == 0; }
  /// Words that run() writes: one bit for each number up to the largest one.
  [[nodiscard]] size_t words() const { return words_; }
  /// Adds the bits of the text; linear in it.
  void run(std::string_view text, std::span<std::uint64_t> bits) const;

 private:
  static constexpr size_t kExactMax = size_t{1} << 20;

  /// One text of kExact, in a table with open addressing.
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t offset = 0;  ///< In texts_.
    std::uint32_t size = 0;
    std::uint32_t first = 0;  ///< In masks_.
    std::uint32_t count = 0;  ///< 0: free.
  };

  [[nodiscard]] static std::uint32_t hash_of(std::string_view text);
  /// Bit for texts of that size; all long ones share one.
  [[nodiscard]] static std::uint64_t size_bit(size_t size) {
    return std::uint64_t{1} << (size < 63 ? size : 63);
  }
  void build_exact();
  void run_exact(std::string_view text, std::span<std::uint64_t> bits) const;

  size_t patterns_ = 0;
  size_t words_ = 0;
  std::unordered_map<std::string, std::vector<std::uint32_t>> exact_;  ///< Emptied by build().
  std::uint64_t sizes_ = 0;  ///< Of the texts of kExact, see size_bit().
  std::vector<Slot> slots_;
  std::string texts_;
  std::vector<BitMask> masks_;
  TextTrie prefixes_{false, false};
  TextTrie suffixes_{false, false};  ///< Backwards.
  TextTrie contains_;
};

}  // namespace coff::rules
