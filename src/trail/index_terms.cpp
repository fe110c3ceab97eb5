// What a block of entries is found by: terms, and the filter that says which ones a block may hold.
#include "trail/index_terms.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <bit>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace coff::trail {

namespace {

constexpr size_t kBitsPerTerm = 16;
constexpr size_t kFirstSlots = 4096;

std::uint64_t random_word() {
  std::uint64_t word = 0;
  COFF_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(&word), sizeof word) == 1);
  return word;
}

// Up to 8 bytes, little-endian, zeros behind.
std::uint64_t load_word(std::string_view bytes) {
  std::uint64_t word = 0;
  if (bytes.size() >= 8) {
    std::memcpy(&word, bytes.data(), 8);
    if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
    return word;
  }
  for (size_t at = bytes.size(); at-- > 0;) word = word << 8 | octets(bytes)[at];
  return word;
}

/// The hash of terms: words of 8 bytes, each mixed in by a multiplication; MurmurHash3's last step.
class TermHash {
 public:
  explicit TermHash(Column column) { add_word(static_cast<unsigned char>(column)); }
  void add(std::string_view bytes) {
    size_ += bytes.size();
    for (; bytes.size() > 8; bytes.remove_prefix(8)) add_word(load_word(bytes));
    add_word(load_word(bytes));
  }
  void add_word(std::uint64_t word) {
    state_ = (state_ ^ word) * 0x9E3779B97F4A7C15U;
    state_ ^= state_ >> 32;
  }
  [[nodiscard]] std::uint64_t finish() const {
    std::uint64_t value = state_ ^ size_;
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCDU;
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53U;
    value ^= value >> 33;
    return value == 0 ? 1 : value;
  }

 private:
  std::uint64_t state_ = 0;
  std::uint64_t size_ = 0;
};

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1;

std::uint64_t multiply_add(std::uint64_t left, std::uint64_t right, std::uint64_t addend) {
  const Wide product = static_cast<Wide>(left) * right + addend;
  const std::uint64_t sum =
      (static_cast<std::uint64_t>(product) & kPrime) + static_cast<std::uint64_t>(product >> 61);
  return sum >= kPrime ? sum - kPrime : sum;
}

// The odd multipliers of Parquet's specification.
constexpr std::uint32_t kSalts[8] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                     0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

size_t line_of(std::uint64_t term, size_t lines) {
  return static_cast<size_t>((term >> 32) * lines >> 32);
}

/// Bit `at` (0 to 7) of a term within its line, counted from the line's first byte's lowest bit.
size_t bit_of(std::uint64_t term, size_t at) {
  return at * 32 + (static_cast<std::uint32_t>(term) * kSalts[at] >> 27);
}

}  // namespace

std::uint64_t term_of(Column column, std::string_view value, std::string_view second) {
  TermHash hash(column);
  hash.add(value);
  if (!second.empty()) hash.add(second);
  return hash.finish();
}

std::uint64_t term_of(Column column, std::int64_t value) {
  TermHash hash(column);
  hash.add_word(static_cast<std::uint64_t>(value));
  return hash.finish();
}

TermSet::TermSet() : key_(random_word() | 1), slots_(kFirstSlots) {
  shift_ = static_cast<unsigned>(64 - std::countr_zero(kFirstSlots));
}

bool TermSet::insert(std::uint64_t term) {
  const size_t mask = slots_.size() - 1;
  size_t at = term * key_ >> shift_;
  for (; slots_[at] != 0; at = (at + 1) & mask) {
    if (slots_[at] == term) return false;
  }
  slots_[at] = term;
  terms_.push_back(term);
  if (terms_.size() * 2 > slots_.size()) {
    slots_.assign(slots_.size() * 2, 0);
    --shift_;
    for (const std::uint64_t known : terms_) place(known);
  }
  return true;
}

void TermSet::place(std::uint64_t term) {
  size_t at = term * key_ >> shift_;
  while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = term;
}

void TermSet::clear() {
  std::ranges::fill(slots_, 0);
  terms_.clear();
}

StringNamer::StringNamer() : point_(random_word() % (kPrime - 2) + 2) {}

std::uint64_t StringNamer::name(std::initializer_list<std::string_view> parts) const {
  std::uint64_t sum = 1;
  for (std::string_view part : parts) {
    sum = multiply_add(sum, point_, part.size());
    for (; !part.empty(); part.remove_prefix(std::min<size_t>(part.size(), 7))) {
      constexpr std::uint64_t kSevenBytes = (std::uint64_t{1} << 56) - 1;
      sum = multiply_add(sum, point_, load_word(part) & kSevenBytes);
    }
  }
  return sum + 1;
}

std::string make_filter(std::span<const std::uint64_t> terms) {
  const size_t lines = std::max<size_t>(1, terms.size() * kBitsPerTerm / (kFilterLineBytes * 8));
  std::string filter(lines * kFilterLineBytes, '\0');
  for (const std::uint64_t term : terms) {
    char* line = filter.data() + line_of(term, lines) * kFilterLineBytes;
    for (size_t at = 0; at < 8; ++at) {
      const size_t bit = bit_of(term, at);
      line[bit / 8] = static_cast<char>(line[bit / 8] | 1 << bit % 8);
    }
  }
  return filter;
}

bool may_hold(std::string_view filter, std::uint64_t term) {
  const auto line = octets(filter).subspan(
      line_of(term, filter.size() / kFilterLineBytes) * kFilterLineBytes, kFilterLineBytes);
  for (size_t at = 0; at < 8; ++at) {
    const size_t bit = bit_of(term, at);
    if ((line[bit / 8] >> bit % 8 & 1) == 0) return false;
  }
  return true;
}

}  // namespace coff::trail
