// One pass over a text answers all checks of it.
#include "rules/text_index.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace coff::rules {

bool TextIndex::add(Kind kind, std::string_view pattern, std::uint32_t bit) {
  bool added = true;
  switch (kind) {
    case Kind::kExact:
      added = texts_.size() + pattern.size() <= kExactMax;
      if (added) {
        auto& bits = exact_[std::string(pattern)];
        if (bits.empty()) texts_ += pattern;
        bits.push_back(bit);
      }
      break;
    case Kind::kPrefix:
      added = prefixes_.add(pattern, bit);
      if (added) prefixes_added_.emplace_back(pattern);
      break;
    case Kind::kSuffix:
      added = suffixes_.add(std::string(pattern.rbegin(), pattern.rend()), bit);
      if (added) suffixes_added_.emplace_back(pattern);
      break;
    case Kind::kContains: added = contains_.add(pattern, bit); break;
  }
  if (!added) return false;
  words_ = std::max<size_t>(words_, bit / 64 + 1);
  ++patterns_;
  return true;
}

// Eight bytes at a time; the last ones with zeros behind them, told apart by the size.
std::uint32_t TextIndex::hash_of(std::string_view text) {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = text.size();
  std::uint64_t part = 0;
  for (; text.size() > sizeof part; text.remove_prefix(sizeof part)) {
    std::memcpy(&part, text.data(), sizeof part);
    hash = (hash ^ part) * kFactor;
    hash ^= hash >> 32;
  }
  part = 0;
  std::memcpy(&part, text.data(), text.size());
  hash = (hash ^ part) * kFactor;
  return static_cast<std::uint32_t>(hash >> 32);
}

void TextIndex::build_exact() {
  texts_.clear();
  slots_.resize(std::bit_ceil(exact_.size() * 2 + 1));
  for (auto& [text, bits] : exact_) {
    Slot slot{.hash = hash_of(text),
              .offset = static_cast<std::uint32_t>(texts_.size()),
              .size = static_cast<std::uint32_t>(text.size()),
              .first = static_cast<std::uint32_t>(masks_.size())};
    texts_ += text;
    append_masks(bits, masks_);
    slot.count = static_cast<std::uint32_t>(masks_.size()) - slot.first;
    exact_ends_.add(last_bytes(text, std::min(text.size(), kEnd)), text.size());
    has_exact_ = true;
    size_t at = slot.hash & (slots_.size() - 1);
    while (slots_[at].count != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
  exact_.clear();
}

std::uint32_t TextIndex::first_bytes(std::string_view text, size_t count) {
  std::uint32_t bytes = 0;
  if (count == kEnd) std::memcpy(&bytes, text.data(), kEnd);
  else
    for (size_t at = 0; at < count; ++at) bytes = bytes << 8 | static_cast<std::uint8_t>(text[at]);
  return bytes;
}

std::uint32_t TextIndex::last_bytes(std::string_view text, size_t count) {
  return first_bytes(text.substr(text.size() - count), count);
}

void TextIndex::build() {
  build_exact();
  const auto shortest = [](const std::vector<std::string>& list) {
    size_t size = list.empty() ? 0 : kEnd;
    for (const std::string& each : list) size = std::min(size, each.size());
    return static_cast<std::uint8_t>(size);
  };
  prefix_bytes_ = shortest(prefixes_added_);
  suffix_bytes_ = shortest(suffixes_added_);
  for (const std::string& each : prefixes_added_) {
    prefix_ends_.add(first_bytes(each, prefix_bytes_), 0);
  }
  for (const std::string& each : suffixes_added_) {
    suffix_ends_.add(last_bytes(each, suffix_bytes_), 0);
  }
  prefixes_added_ = {};
  suffixes_added_ = {};
  has_contains_ = !contains_.empty();
  prefixes_.build();
  suffixes_.build();
  contains_.build();
}

void TextIndex::run_exact(std::string_view text, std::span<std::uint64_t> bits) const {
  const std::uint32_t hash = hash_of(text);
  const size_t last = slots_.size() - 1;
  for (size_t at = hash & last; slots_[at].count != 0; at = (at + 1) & last) {
    const Slot& slot = slots_[at];
    if (slot.hash != hash || slot.size != text.size()) continue;
    if (std::string_view(texts_).substr(slot.offset, slot.size) != text) continue;
    for (const BitMask& mask : std::span(masks_).subspan(slot.first, slot.count)) {
      bits[mask.word] |= mask.bits;
    }
    return;
  }
}

void TextIndex::run(std::string_view text, std::span<std::uint64_t> bits) const {
  const size_t size = text.size();
  if (has_exact_ && exact_ends_.may_have(last_bytes(text, std::min(size, kEnd)), size)) {
    run_exact(text, bits);
  }
  if (prefix_bytes_ != 0 && size >= prefix_bytes_ &&
      prefix_ends_.may_have(first_bytes(text, prefix_bytes_), 0)) {
    prefixes_.run_start(text.begin(), text.end(), bits);
  }
  if (suffix_bytes_ != 0 && size >= suffix_bytes_ &&
      suffix_ends_.may_have(last_bytes(text, suffix_bytes_), 0)) {
    suffixes_.run_start(text.rbegin(), text.rend(), bits);
  }
  if (has_contains_) contains_.run_anywhere(text, bits);
}

}  // namespace coff::rules
