// Stored tree hashes: for each tile level one row of files that only grow, from which every full
// tile can be cut. They can always be rebuilt from the segments.
//
// Level 0 holds leaf hashes; level L + 1 holds the roots of each 256 hashes of level L, exactly the
// contents of C2SP tiles. File <epoch>/hash/<level>-<part>.hash is hashes [part * 65536, +65536) of
// its level without any header: 256 tiles of 8,192 bytes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "trail/fs.hpp"
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

/// Appends leaf hashes and everything above them. Starts empty: feed it with restore() or append().
class HashWriter {
 public:
  HashWriter(Fs& fs, std::string hash_dir) : fs_(fs), dir_(std::move(hash_dir)) {}

  /// Takes the tree of `size` leaves from stored hashes.
  Result<void> restore(std::uint64_t size, HashReader& stored);
  void append(const Hash& leaf);
  /// Writes what append() collected to the files, without making it durable.
  Result<void> write();
  /// Makes the files durable.
  Result<void> sync();
  /// Removes level-0 files that only hold leaves before `first_kept`.
  Result<void> drop_before(std::uint64_t first_kept);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Hash root() const;

 private:
  struct Level {
    std::vector<Hash> edge;  ///< The rightmost tile, 0 to 255 hashes.
    std::string unwritten;   ///< Hashes not yet in the file.
    std::uint64_t written = 0;
    std::uint64_t part = 0;
    std::unique_ptr<FsFile> file;
    bool dirty = false;
  };

  void push(unsigned level, const Hash& hash);
  Result<void> write_level(unsigned number, Level& level);

  Fs& fs_;
  std::string dir_;
  std::uint64_t size_ = 0;
  std::array<Level, kTileLevels> levels_;
};

}  // namespace coff::trail
