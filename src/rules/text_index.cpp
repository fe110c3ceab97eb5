// One pass over a text answers all checks of it.
#include "rules/text_index.hpp"

#include <algorithm>
#include <bit>

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
    case Kind::kPrefix: added = prefixes_.add(pattern, bit); break;
    case Kind::kSuffix:
      added = suffixes_.add(std::string(pattern.rbegin(), pattern.rend()), bit);
      break;
    case Kind::kContains: added = contains_.add(pattern, bit); break;
  }
  if (!added) return false;
  words_ = std::max<size_t>(words_, bit / 64 + 1);
  ++patterns_;
  return true;
}

// FNV-1a, as texts are short; its upper half is mixed into the lower, which chooses the slot.
std::uint32_t TextIndex::hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
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
    sizes_ |= size_bit(text.size());
    size_t at = slot.hash & (slots_.size() - 1);
    while (slots_[at].count != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
  exact_.clear();
}

void TextIndex::build() {
  build_exact();
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
  if ((sizes_ & size_bit(text.size())) != 0) run_exact(text, bits);
  if (!prefixes_.empty()) prefixes_.run_start(text.begin(), text.end(), bits);
  if (!suffixes_.empty()) suffixes_.run_start(text.rbegin(), text.rend(), bits);
  if (!contains_.empty()) contains_.run_anywhere(text, bits);
}

}  // namespace coff::rules
