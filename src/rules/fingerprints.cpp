// Where in a text one of many patterns may begin.
#include "rules/fingerprints.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace coff::rules {

Fingerprints::Fingerprints(std::vector<std::string> patterns, bool fold_case)
    : case_bits_(fold_case ? 0x20 : 0) {
  if (patterns.empty()) return;
  shortest_ = patterns.front().size();
  for (std::string& pattern : patterns) {
    shortest_ = std::min(shortest_, pattern.size());
    pattern.resize(std::min(pattern.size(), kBytes));
    for (char& byte : pattern) byte = static_cast<char>(byte | case_bits_);
  }
  // Neighbours in the order of texts have bytes in common, which makes groups sharper.
  std::ranges::sort(patterns);
  patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
  for (size_t at = 0; at < patterns.size(); ++at) {
    add(patterns[at], static_cast<std::uint8_t>(1U << (at * kGroups / patterns.size())));
  }
#if defined(__x86_64__)
  vectors_ = __builtin_cpu_supports("ssse3") != 0;
#endif
}

void Fingerprints::add(const std::string& pattern, std::uint8_t group) {
  const auto set = [group](std::uint8_t& groups) {
    groups = static_cast<std::uint8_t>(groups | group);
  };
  for (size_t at = 0; at < kBytes; ++at) {
    if (at >= pattern.size()) {
      // Whatever follows a short pattern.
      for (std::uint8_t& each : low_[at]) set(each);
      for (std::uint8_t& each : high_[at]) set(each);
      for (std::uint8_t& each : whole_[at]) set(each);
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(pattern[at]);
    set(low_[at][byte & 15U]);
    set(high_[at][byte >> 4U]);
    set(whole_[at][byte]);
  }
}

std::uint64_t Fingerprints::places_by_byte(const char* at, size_t blocks) const {
  std::uint64_t places = 0;
  for (size_t place = 0; place < blocks * kBlock; ++place) {
    unsigned groups = 0xFF;
    for (size_t ahead = 0; ahead < kBytes; ++ahead) {
      groups &= whole_[ahead][static_cast<std::uint8_t>(at[place + ahead]) | case_bits_];
    }
    places |= std::uint64_t{groups != 0} << place;
  }
  return places;
}

#if defined(__x86_64__)
[[gnu::target("ssse3")]]
std::uint64_t Fingerprints::places_by_block(const char* at, size_t blocks) const {
  const auto load = [](const void* from) __attribute__((target("ssse3"))) {
    return _mm_loadu_si128(static_cast<const __m128i*>(from));
  };
  const __m128i half = _mm_set1_epi8(15);
  const __m128i case_bits = _mm_set1_epi8(static_cast<char>(case_bits_));
  std::uint64_t places = 0;
  for (size_t block = 0; block < blocks; ++block, at += kBlock) {
    __m128i groups = _mm_set1_epi8(-1);
#pragma GCC unroll 3
    for (size_t ahead = 0; ahead < kBytes; ++ahead) {
      const __m128i bytes = _mm_or_si128(load(at + ahead), case_bits);
      const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), half);
      const __m128i low = _mm_and_si128(bytes, half);
      groups = _mm_and_si128(groups, _mm_shuffle_epi8(load(low_[ahead].data()), low));
      groups = _mm_and_si128(groups, _mm_shuffle_epi8(load(high_[ahead].data()), high));
    }
    const int none = _mm_movemask_epi8(_mm_cmpeq_epi8(groups, _mm_setzero_si128()));
    places |= std::uint64_t{~static_cast<unsigned>(none) & 0xFFFFU} << (block * kBlock);
  }
  return places;
}
#else
std::uint64_t Fingerprints::places_by_block(const char* at, size_t blocks) const {
  return places_by_byte(at, blocks);
}
#endif

}  // namespace coff::rules
