// The right edge of a growing tree in tile rows.
#include "trail/tree_edge.hpp"

#include <optional>

namespace coff::trail {

Result<void> TreeEdge::restore(std::uint64_t size, HashReader& stored) {
  for (unsigned level = 0; level < kTileLevels; ++level) {
    const std::uint64_t count = size >> (level * kTileHeight);
    const std::uint64_t edge = count % kTileWidth;
    rows_[level].resize(edge);
    TRY(stored.read(level, count - edge, rows_[level]));
  }
  size_ = size;
  return {};
}

Hash TreeEdge::fold(std::vector<Hash>& row) {
  for (size_t count = row.size(); count > 1; count /= 2) {
    for (size_t at = 0; at < count / 2; ++at) row[at] = node_hash(row[2 * at], row[2 * at + 1]);
  }
  return row[0];
}

Hash TreeEdge::root() const {
  // Full subtrees from right to left, each joined to everything right of it.
  std::optional<Hash> right;
  for (const std::vector<Hash>& row : rows_) {
    size_t end = row.size();
    for (size_t width = 1; end > 0; width *= 2) {
      if ((end & width) == 0) continue;
      const Hash peak = merkle_root(std::span(row).subspan(end - width, width));
      right = right ? node_hash(peak, *right) : peak;
      end -= width;
    }
  }
  return right ? *right : empty_root();
}

}  // namespace coff::trail
