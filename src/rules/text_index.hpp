// Private to the room: one pass over a text answers all checks of it that are about equal,
// leading, trailing and contained texts.
#pragma once

#include <array>
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
  /// A set of beginnings or ends of texts, by hash: what it does not have is not there.
  class Ends {
   public:
    void add(std::uint32_t bytes, size_t size) {
      set_[place(bytes, size) / 64] |= bit(bytes, size);
    }
    [[nodiscard]] bool may_have(std::uint32_t bytes, size_t size) const {
      return (set_[place(bytes, size) / 64] & bit(bytes, size)) != 0;
    }

   private:
    static std::uint32_t place(std::uint32_t bytes, size_t size) {
      return (bytes + static_cast<std::uint32_t>(size)) * 0x9E3779B1U >> 23;
    }
    static std::uint64_t bit(std::uint32_t bytes, size_t size) {
      return std::uint64_t{1} << (place(bytes, size) % 64);
    }
    std::array<std::uint64_t, 8> set_{};
  };
  static constexpr size_t kEnd = 4;  ///< Bytes that count.

  static std::uint32_t first_bytes(std::string_view text, size_t count);
  static std::uint32_t last_bytes(std::string_view text, size_t count);
  void build_exact();
  void run_exact(std::string_view text, std::span<std::uint64_t> bits) const;

  size_t words_ = 0;
  bool has_exact_ = false;
  bool has_contains_ = false;
  std::uint8_t prefix_bytes_ = 0;  ///< Of every prefix, that count; 0: there is no prefix.
  std::uint8_t suffix_bytes_ = 0;
  Ends exact_ends_;  ///< With the sizes.
  Ends prefix_ends_;
  Ends suffix_ends_;
  size_t patterns_ = 0;
  std::unordered_map<std::string, std::vector<std::uint32_t>> exact_;  ///< Emptied by build().
  std::vector<std::string> prefixes_added_;                            ///< Emptied by build().
  std::vector<std::string> suffixes_added_;
  std::vector<Slot> slots_;
  std::string texts_;
  std::vector<BitMask> masks_;
  TextTrie prefixes_{false, false};
  TextTrie suffixes_{false, false};  ///< Backwards.
  TextTrie contains_;
};

}  // namespace coff::rules
