// One pass over a text answers all checks of it.
#include "rules/text_index.hpp"

#include <algorithm>
#include <bit>
#include <deque>

namespace coff::rules {

namespace {

// Entries of the transition table: 16 MiB.
constexpr size_t kEntriesMax = size_t{4} << 20;

}  // namespace

std::uint16_t TextIndex::child(std::uint16_t state, std::uint16_t symbol) const {
  for (const auto& [each, next] : states_[state].children) {
    if (each == symbol) return next;
  }
  return 0;
}

bool TextIndex::add(Kind kind, std::string_view pattern, std::uint32_t bit) {
  std::vector<std::uint16_t> symbols;
  if (kind == Kind::kExact || kind == Kind::kPrefix) symbols.push_back(kStart);
  for (const char c : pattern) symbols.push_back(static_cast<unsigned char>(c));
  if (kind == Kind::kExact || kind == Kind::kSuffix) symbols.push_back(kEnd);
  if (states_.size() + symbols.size() > std::min(kStatesMax, kEntriesMax / 512)) {
    return false;
  }
  std::uint16_t state = 0;
  for (const std::uint16_t symbol : symbols) {
    std::uint16_t next = child(state, symbol);
    if (next == 0) {
      next = static_cast<std::uint16_t>(states_.size());
      states_[state].children.emplace_back(symbol, next);
      states_.emplace_back();
    }
    state = next;
  }
  states_[state].bits.push_back(bit);
  words_ = std::max<size_t>(words_, bit / 64 + 1);
  ++patterns_;
  return true;
}

// Bytes that no pattern has are one class.
void TextIndex::number_classes() {
  class_of_.fill(0);
  classes_ = 1;
  for (const State& state : states_) {
    for (const auto& [symbol, next] : state.children) {
      if (class_of_[symbol] == 0) class_of_[symbol] = static_cast<std::uint16_t>(classes_++);
    }
  }
  if (!fold_case_) return;
  for (unsigned c = 'A'; c <= 'Z'; ++c) class_of_[c] = class_of_[c + 32];
}

// Breadth first: the transitions of a state's fallback are complete before its own.
void TextIndex::link(std::vector<std::uint32_t>& fallback) {
  std::deque<std::uint32_t> queue = {0};
  while (!queue.empty()) {
    const std::uint32_t state = queue.front();
    queue.pop_front();
    std::uint32_t* const row = &next_[size_t{state} << shift_];
    if (state != 0) std::copy_n(&next_[size_t{fallback[state]} << shift_], classes_, row);
    for (const auto& [symbol, next] : states_[state].children) {
      const std::uint16_t column = class_of_[symbol];
      fallback[next] = state == 0 ? 0 : row[column];
      row[column] = next;
      const auto& inherited = states_[fallback[next]].bits;
      auto& own = states_[next].bits;
      own.insert(own.end(), inherited.begin(), inherited.end());
      queue.push_back(next);
    }
  }
}

void TextIndex::build() {
  number_classes();
  // At least two entries a row, so that the lowest bit of a row's place is free.
  shift_ = static_cast<unsigned>(std::max<size_t>(1, std::bit_width(classes_ - 1)));
  next_.assign(states_.size() << shift_, 0);
  std::vector<std::uint32_t> fallback(states_.size(), 0);
  link(fallback);
  masks_of_.assign(states_.size() + 1, 0);
  for (size_t state = 0; state < states_.size(); ++state) {
    masks_of_[state] = static_cast<std::uint32_t>(masks_.size());
    auto& bits = states_[state].bits;
    std::ranges::sort(bits);
    for (const std::uint32_t bit : bits) {
      if (masks_.size() == masks_of_[state] || masks_.back().word != bit / 64) {
        masks_.push_back({.word = bit / 64, .bits = 0});
      }
      masks_.back().bits |= std::uint64_t{1} << (bit % 64);
    }
  }
  masks_of_[states_.size()] = static_cast<std::uint32_t>(masks_.size());
  for (std::uint32_t& next : next_) {
    const bool accepts = masks_of_[next] != masks_of_[next + 1];
    next = next << shift_ | (accepts ? kAccepts : 0);
  }
  first_ = class_of_[kStart] == 0 ? 0 : next_[class_of_[kStart]];
  states_.clear();
  states_.shrink_to_fit();
}

void TextIndex::accept(std::uint32_t row, std::span<std::uint64_t> bits) const {
  const std::uint32_t state = row >> shift_;
  for (std::uint32_t at = masks_of_[state]; at < masks_of_[state + 1]; ++at) {
    bits[masks_[at].word] |= masks_[at].bits;
  }
}

void TextIndex::run(std::string_view text, std::span<std::uint64_t> bits) const {
  const std::uint32_t* const table = next_.data();
  std::uint32_t row = first_;
  if ((row & kAccepts) != 0) accept(row, bits);
  for (const char c : text) {
    row = table[(row & ~kAccepts) + class_of_[static_cast<unsigned char>(c)]];
    if ((row & kAccepts) != 0) [[unlikely]]
      accept(row, bits);
  }
  if (class_of_[kEnd] == 0) return;
  row = table[(row & ~kAccepts) + class_of_[kEnd]];
  if ((row & kAccepts) != 0) accept(row, bits);
}

}  // namespace coff::rules
