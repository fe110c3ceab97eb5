// Private to the room: one pass over a text answers all checks of it that are about equal,
// leading, trailing and contained texts (an Aho-Corasick automaton over "start, bytes, end").
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coff::rules {

class TextIndex {
 public:
  enum class Kind : unsigned char { kExact, kPrefix, kSuffix, kContains };

  /// `fold_case`: ASCII letters of the text count as lower case; patterns must be lower case.
  explicit TextIndex(bool fold_case) : fold_case_(fold_case) {}

  /// A text that matches sets bit `bit`. The pattern must not be empty, except for kExact. False
  /// when the automaton would grow beyond its limit; then nothing was added.
  bool add(Kind kind, std::string_view pattern, std::uint32_t bit);
  /// To be called once, after the last add().
  void build();

  [[nodiscard]] bool empty() const { return patterns_ == 0; }
  /// Words that run() writes: one bit for each number up to the largest one.
  [[nodiscard]] size_t words() const { return words_; }
  /// Adds the bits of the text; linear in it.
  void run(std::string_view text, std::span<std::uint64_t> bits) const;

 private:
  static constexpr size_t kStatesMax = 0x7FFF;
  static constexpr std::uint32_t kAccepts = 1;  ///< Set in transitions to states with bits.
  static constexpr unsigned kStart = 256;
  static constexpr unsigned kEnd = 257;

  struct State {
    std::vector<std::pair<std::uint16_t, std::uint16_t>> children;  ///< Symbol and state.
    std::vector<std::uint32_t> bits;
  };
  struct Mask {
    std::uint32_t word = 0;
    std::uint64_t bits = 0;
  };

  [[nodiscard]] std::uint16_t child(std::uint16_t state, std::uint16_t symbol) const;
  void number_classes();
  void link(std::vector<std::uint32_t>& fallback);
  void accept(std::uint32_t row, std::span<std::uint64_t> bits) const;

  bool fold_case_;
  size_t patterns_ = 0;
  size_t words_ = 0;
  std::vector<State> states_ = std::vector<State>(1);  ///< Emptied by build().
  std::array<std::uint16_t, 258> class_of_{};
  size_t classes_ = 0;
  unsigned shift_ = 0;               ///< A row of the table has 1 << shift_ entries.
  std::uint32_t first_ = 0;          ///< Transition behind "start".
  std::vector<std::uint32_t> next_;  ///< Row and class to the next row, plus kAccepts.
  std::vector<std::uint32_t> masks_of_;
  std::vector<Mask> masks_;
};

}  // namespace coff::rules
