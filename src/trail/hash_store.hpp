// Stored tree hashes: for each tile level one row of files that only grow, from which every full
// tile can be cut. They can always be rebuilt from the segments.
//
// Level 0 holds leaf hashes; level L + 1 holds the roots of each 256 hashes of level L, exactly the
// contents of C2SP tiles. File <epoch>/hash/<level>-<part>.hash is hashes [part * 65536, +65536) of
// its level without any header: 256 tiles of 8,192 bytes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <span>

#include "base/fd.hpp"
#include "trail/merkle.hpp"

namespace coff::trail {

inline constexpr unsigned kTileHeight = 8;
inline constexpr std::uint64_t kTileWidth = 256;
/// 256^8 leaves are more than any trail holds.
inline constexpr unsigned kTileLevels = 8;
inline constexpr std::uint64_t kHashesPerPart = 65536;

std::string hash_part_name(unsigned level, std::uint64_t part);

/// Reads stored hashes; the tree's nodes for proofs. One thread at a time.
class HashReader : public NodeSource {
 public:
  explicit HashReader(std::string hash_dir) : dir_(std::move(hash_dir)) {}
  /// `count` hashes of a level from `first` on; kNotFound when they aren't all there.
  Result<void> read(unsigned level, std::uint64_t first, std::span<Hash> out);
  Result<Hash> node(unsigned height, std::uint64_t index) override;
  /// Drops open files, after parts were removed.
  void forget() { files_.clear(); }

 private:
  Result<int> part_fd(unsigned level, std::uint64_t part);

  std::string dir_;
  std::map<std::pair<unsigned, std::uint64_t>, Fd> files_;
};

}  // namespace coff::trail
