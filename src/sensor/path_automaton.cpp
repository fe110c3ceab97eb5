// Compiles path patterns into the automaton that the kernel runs over every path it filters.
#include "sensor/path_automaton.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>

namespace coff::sensor {

namespace {

// Symbols: one for each class of bytes, and the two ends of the path.
constexpr unsigned kBegin = COFF_DFA_END - 1;
constexpr unsigned kEnd = COFF_DFA_END;
constexpr unsigned kByteClasses = kBegin;  // classes 0 .. 61; 0 = bytes of no pattern
constexpr std::uint64_t kAllClauses = ~0ULL;

using Symbols = std::vector<std::uint8_t>;

// Gives each byte that occurs in a pattern a class of its own while there are classes left; bytes
// that come too late share the last one. Sharing only widens what matches.
void assign_classes(const std::vector<PathPattern>& patterns, std::uint8_t (&class_of)[256]) {
  std::memset(class_of, 0, sizeof class_of);
  std::array<size_t, 256> uses{};
  for (const auto& pattern : patterns) {
    for (const char byte : pattern.text) ++uses[static_cast<unsigned char>(byte)];
  }
  std::vector<unsigned> bytes;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (uses[byte] != 0) bytes.push_back(byte);
  }
  std::sort(bytes.begin(), bytes.end(), [&](unsigned a, unsigned b) { return uses[a] > uses[b]; });
  unsigned next = 1;
  for (const unsigned byte : bytes) {
    class_of[byte] = static_cast<std::uint8_t>(next);
    if (next < kByteClasses - 1) ++next;
  }
}

Symbols symbols_of(const PathPattern& pattern, const std::uint8_t (&class_of)[256],
                   size_t length_max) {
  const bool at_begin = pattern.match == PathMatch::kExact || pattern.match == PathMatch::kPrefix;
  const bool at_end = pattern.match == PathMatch::kExact || pattern.match == PathMatch::kSuffix;
  std::string_view text = pattern.text;
  bool cut_front = false;
  bool cut_back = false;
  if (text.size() > length_max) {
    // A suffix keeps its end, everything else its beginning.
    cut_front = pattern.match == PathMatch::kSuffix;
    cut_back = !cut_front;
    text = cut_front ? text.substr(text.size() - length_max) : text.substr(0, length_max);
  }
  Symbols symbols;
  if (at_begin && !cut_front) symbols.push_back(kBegin);
  for (const char byte : text) symbols.push_back(class_of[static_cast<unsigned char>(byte)]);
  if (at_end && !cut_back) symbols.push_back(kEnd);
  return symbols;
}

// The trie of all patterns, then its failure links folded into complete transitions.
class Trie {
 public:
  Trie() { add_state(); }

  bool insert(const Symbols& symbols, std::uint64_t clauses) {
    size_t state = 0;
    for (const std::uint8_t symbol : symbols) {
      if (next_[state][symbol] == 0) {
        if (next_.size() == COFF_DFA_STATES) return false;
        next_[state][symbol] = add_state();
      }
      state = next_[state][symbol];
    }
    accept_[state] |= clauses;
    return true;
  }

  void close() {
    std::vector<std::uint16_t> fail(next_.size(), 0);
    std::deque<std::uint16_t> queue;
    for (const std::uint16_t child : next_[0]) {
      if (child != 0) queue.push_back(child);
    }
    while (!queue.empty()) {
      const std::uint16_t state = queue.front();
      queue.pop_front();
      accept_[state] |= accept_[fail[state]];
      for (unsigned symbol = 0; symbol < COFF_DFA_CLASSES; ++symbol) {
        std::uint16_t& child = next_[state][symbol];
        const std::uint16_t other = next_[fail[state]][symbol];
        if (child == 0) {
          child = other;
        } else {
          fail[child] = other;
          queue.push_back(child);
        }
      }
    }
  }

  void store(coff_filter& filter) const {
    std::memset(filter.accept, 0, sizeof filter.accept);
    std::memset(filter.next, 0, sizeof filter.next);
    for (size_t state = 0; state < next_.size(); ++state) {
      filter.accept[state] = accept_[state];
      for (unsigned symbol = 0; symbol < COFF_DFA_CLASSES; ++symbol) {
        const std::uint16_t target = next_[state][symbol];
        const unsigned marked = accept_[target] != 0 ? COFF_DFA_ACCEPTS : 0U;
        filter.next[state * COFF_DFA_CLASSES + symbol] =
            static_cast<std::uint16_t>(target | marked);
      }
    }
    filter.start = next_[0][kBegin];
  }

 private:
  std::uint16_t add_state() {
    next_.emplace_back();
    accept_.push_back(0);
    return static_cast<std::uint16_t>(next_.size() - 1);
  }

  std::vector<std::array<std::uint16_t, COFF_DFA_CLASSES>> next_;
  std::vector<std::uint64_t> accept_;
};

}  // namespace

size_t compile_paths(const std::vector<PathPattern>& patterns, coff_filter& filter) {
  std::vector<PathPattern> all = patterns;
  // A path with a detour may mean any other path: every clause has to look.
  for (const char* detour : {"//", "/./", "/../"}) {
    all.push_back({PathMatch::kContains, detour, kAllClauses});
  }
  for (const char* detour : {"/", "/.", "/.."}) {
    all.push_back({PathMatch::kSuffix, detour, kAllClauses});
  }
  assign_classes(all, filter.class_of);
  // Halving ends: patterns of one byte need at most 62 * 64 states.
  for (size_t length_max = COFF_PATH_MAX;; length_max /= 2) {
    COFF_ASSERT(length_max > 0);
    Trie trie;
    bool fits = true;
    size_t widened = 0;
    for (const auto& pattern : all) {
      if (pattern.text.size() > length_max) ++widened;
      fits = fits && trie.insert(symbols_of(pattern, filter.class_of, length_max), pattern.clauses);
    }
    if (!fits) continue;
    trie.close();
    trie.store(filter);
    filter.has_paths = patterns.empty() ? 0 : 1;
    return widened;
  }
}

std::uint64_t run_automaton(const coff_filter& filter, std::string_view path) {
  std::uint64_t mask = 0;
  std::uint32_t state = filter.start;
  const auto step = [&](unsigned symbol) {
    const std::uint32_t next = filter.next[state * COFF_DFA_CLASSES + symbol];
    state = next & (COFF_DFA_STATES - 1);
    if ((next & COFF_DFA_ACCEPTS) != 0) mask |= filter.accept[state];
  };
  for (const char byte : path) step(filter.class_of[static_cast<unsigned char>(byte)]);
  step(COFF_DFA_END);
  return mask;
}

}  // namespace coff::sensor
