// Tiles and entry bundles as files (C2SP tlog-tiles): paths, encoding, and reading such a directory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trail/hash_store.hpp"
#include "trail/merkle.hpp"

namespace coff::trail {

/// Bytes of the largest bundle: 256 entries of 65,535 bytes with their sizes.
inline constexpr size_t kBundleBytesMax = 256 * (2 + 65535);

/// "tile/<level>/<index>[.p/<width>]"; width 0 or 256 means a full tile.
std::string tile_path(unsigned level, std::uint64_t index, unsigned width);
/// "tile/entries/<index>[.p/<width>]".
std::string bundle_path(std::uint64_t index, unsigned width);

/// Appends one entry to a bundle: u16 big-endian size, the bytes.
void append_to_bundle(std::string& out, std::string_view entry);
/// The entries of a bundle, as views into it. kInvalid when it isn't exactly a row of entries.
Result<std::vector<std::string_view>> parse_bundle(std::string_view bundle);

/// The tiles of a tree of known size in a directory.
class TileDirectory : public NodeSource {
 public:
  TileDirectory(std::string dir, std::uint64_t tree_size)
      : dir_(std::move(dir)), size_(tree_size) {}
  Result<Hash> node(unsigned height, std::uint64_t index) override;
  /// All hashes of one tile, full or partial as the tree's size demands.
  Result<std::vector<Hash>> tile(unsigned level, std::uint64_t index);
  /// The bytes of one bundle.
  Result<std::string> bundle(std::uint64_t index);

 private:
  std::string dir_;
  std::uint64_t size_;
};

/// How many hashes tile `index` of a level has in a tree of this size; 0 when it doesn't exist.
unsigned tile_width(std::uint64_t tree_size, unsigned level, std::uint64_t index);

}  // namespace coff::trail
