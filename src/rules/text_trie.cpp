// Many texts looked for in another one in one pass.
#include "rules/text_trie.hpp"

#include <algorithm>
#include <bit>
#include <deque>

namespace coff::rules {

void append_masks(std::vector<std::uint32_t>& bits, std::vector<BitMask>& masks) {
  std::ranges::sort(bits);
  const size_t first = masks.size();
  for (const std::uint32_t bit : bits) {
    if (masks.size() == first || masks.back().word != bit / 64) {
      masks.push_back({.word = bit / 64, .bits = 0});
    }
    masks.back().bits |= std::uint64_t{1} << (bit % 64);
  }
}

std::uint16_t TextTrie::child(std::uint16_t state, unsigned char byte) const {
  for (const auto& [each, next] : states_[state].children) {
    if (each == byte) return next;
  }
  return 0;
}

bool TextTrie::add(std::string_view pattern, std::uint32_t bit) {
  if (states_.size() + pattern.size() > kStatesMax) return false;
  std::uint16_t state = 0;
  for (const char c : pattern) {
    const auto byte = static_cast<unsigned char>(c);
    std::uint16_t next = child(state, byte);
    if (next == 0) {
      next = static_cast<std::uint16_t>(states_.size());
      states_[state].children.emplace_back(byte, next);
      states_.emplace_back();
    }
    state = next;
  }
  states_[state].bits.push_back(bit);
  ++patterns_;
  longest_ = std::max(longest_, pattern.size());
  if (anywhere_) texts_.emplace_back(pattern);
  return true;
}

void TextTrie::run_linked(std::string_view text, std::span<std::uint64_t> bits) const {
  std::uint32_t row = 0;
  for (const char c : text) {
    row = next_[(row & ~kAccepts) + class_of_[static_cast<unsigned char>(c)]];
    if ((row & kAccepts) != 0) accept(row, bits);
  }
}

void TextTrie::run_anywhere(std::string_view text, std::span<std::uint64_t> bits) const {
  if (linked_) {
    run_linked(text, bits);
    return;
  }
  beginnings_.for_each(text, [&](size_t at) { run_start(text.begin() + at, text.end(), bits); });
}

// Bytes that no pattern has are one class.
void TextTrie::number_classes() {
  class_of_.fill(0);
  classes_ = 1;
  for (const State& state : states_) {
    for (const auto& [byte, next] : state.children) {
      if (class_of_[byte] == 0) class_of_[byte] = static_cast<std::uint16_t>(classes_++);
    }
  }
  if (!fold_case_) return;
  for (unsigned c = 'A'; c <= 'Z'; ++c) class_of_[c] = class_of_[c + 32];
}

// Breadth first: the transitions of a state's fallback are complete before its own.
void TextTrie::link(std::vector<std::uint32_t>& fallback) {
  std::deque<std::uint32_t> queue = {0};
  while (!queue.empty()) {
    const std::uint32_t state = queue.front();
    queue.pop_front();
    std::uint32_t* const row = &next_[size_t{state} << shift_];
    const bool falls = linked_ && state != 0;
    if (falls) std::copy_n(&next_[size_t{fallback[state]} << shift_], classes_, row);
    for (const auto& [byte, next] : states_[state].children) {
      const std::uint16_t column = class_of_[byte];
      fallback[next] = falls ? row[column] : 0;
      row[column] = next;
      queue.push_back(next);
      if (!linked_) continue;
      const auto& inherited = states_[fallback[next]].bits;
      auto& own = states_[next].bits;
      own.insert(own.end(), inherited.begin(), inherited.end());
    }
  }
}

void TextTrie::build() {
  linked_ = anywhere_ && longest_ > kEnteredMax;
  if (!linked_) beginnings_ = Fingerprints(std::move(texts_), fold_case_);
  texts_.clear();
  number_classes();
  // At least two entries a row, so that the lowest bit of a row's place is free.
  shift_ = static_cast<unsigned>(std::max<size_t>(1, std::bit_width(classes_ - 1)));
  next_.assign(states_.size() << shift_, 0);
  std::vector<std::uint32_t> fallback(states_.size(), 0);
  link(fallback);
  masks_of_.assign(states_.size() + 1, 0);
  for (size_t state = 0; state < states_.size(); ++state) {
    masks_of_[state] = static_cast<std::uint32_t>(masks_.size());
    append_masks(states_[state].bits, masks_);
  }
  masks_of_[states_.size()] = static_cast<std::uint32_t>(masks_.size());
  for (std::uint32_t& next : next_) {
    const bool accepts = masks_of_[next] != masks_of_[next + 1];
    next = next << shift_ | (accepts ? kAccepts : 0);
  }
  states_.clear();
  states_.shrink_to_fit();
}

}  // namespace coff::rules
