// The right edge of a growing tree in tile rows: appends leaves and tells each tile hash once.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "trail/hash_store.hpp"
#include "trail/merkle.hpp"

namespace coff::trail {

class TreeEdge {
 public:
  /// Takes the tree of `size` leaves from stored hashes.
  Result<void> restore(std::uint64_t size, HashReader& stored);

  /// Adds a leaf. `sink(level, index, hash)` is called for it and for each tile root it completes.
  template <typename Sink>
  void append(const Hash& leaf, Sink&& sink) {
    Hash hash = leaf;
    std::uint64_t index = size_++;
    for (unsigned level = 0;; ++level) {
      COFF_ASSERT(level < kTileLevels);
      std::vector<Hash>& row = rows_[level];
      row.push_back(hash);
      sink(level, index, hash);
      if (row.size() < kTileWidth) return;
      hash = fold(row);
      row.clear();
      index /= kTileWidth;
    }
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Hash root() const;

 private:
  static Hash fold(std::vector<Hash>& row);

  std::uint64_t size_ = 0;
  std::array<std::vector<Hash>, kTileLevels> rows_;  ///< Rightmost tiles, 0 to 255 hashes each.
};

}  // namespace coff::trail
