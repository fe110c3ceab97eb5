// What a block of entries is found by: terms, and the filter that says which ones a block may hold.
//
// A term is 64 bits that stand for one value of one column, or one word. A filter is a split block
// Bloom filter as in Apache Parquet's specification: lines of 32 bytes, 8 bits of one line for each
// term, 16 bits of space for each term; about one question in a thousand is answered wrongly with
// yes, none wrongly with no. Private to index*.cpp and query*.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coff::trail {

inline constexpr size_t kFilterLineBytes = 32;

/// First byte of what is hashed: equal values of two columns are two terms.
enum class Column : char {
  kType = 't',
  kKind = 'k',
  kContainer = 'c',      ///< Full id.
  kContainerKind = 'b',  ///< Full id, a zero byte, the kind: the pair that is asked for most.
  kPid = 'p',
  kProcessId = 'i',
  kUid = 'u',
  kLoginUid = 'l',
  kExe = 'e',
  kPath = 'f',
  kWord = 'w',
};

/// The bytes of `value`, or of `value`, zero and `second` when that isn't empty, after the column.
std::uint64_t term_of(Column column, std::string_view value, std::string_view second = {});
/// The same for a number, as 8 bytes, little-endian.
std::uint64_t term_of(Column column, std::int64_t value);

/// A set of 64-bit values that are spread evenly or secret. Clearing it keeps its space.
class TermSet {
 public:
  TermSet();
  /// False when it was there.
  bool insert(std::uint64_t term);
  void clear();
  [[nodiscard]] const std::vector<std::uint64_t>& terms() const { return terms_; }
  [[nodiscard]] size_t size() const { return terms_.size(); }

 private:
  void place(std::uint64_t term);

  std::uint64_t key_;                 ///< Random and odd: nobody can choose terms that collide.
  std::vector<std::uint64_t> slots_;  ///< Open addressing; 0 is free, so term 0 is never a member.
  unsigned shift_ = 0;
  std::vector<std::uint64_t> terms_;
};

/// Names of strings for a TermSet, so that equal ones are looked at once without being kept. A
/// polynomial over GF(2^61-1) at a secret point: whoever writes the strings can't make two of them
/// meet, except with a chance of their length / 2^61.
class StringNamer {
 public:
  StringNamer();
  /// Name of a list of strings.
  [[nodiscard]] std::uint64_t name(std::initializer_list<std::string_view> parts) const;

 private:
  std::uint64_t point_;
};

/// The filter of a block that holds these terms: a multiple of kFilterLineBytes, at least one.
std::string make_filter(std::span<const std::uint64_t> terms);
/// False: the block holds no such term. `filter` must be as make_filter() writes it.
bool may_hold(std::string_view filter, std::uint64_t term);

}  // namespace coff::trail
