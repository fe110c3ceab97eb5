// Appends to the stored tree hashes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "trail/fs.hpp"
#include "trail/hash_store.hpp"
#include "trail/tree_edge.hpp"

namespace coff::trail {

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

  [[nodiscard]] std::uint64_t size() const { return edge_.size(); }
  [[nodiscard]] Hash root() const { return edge_.root(); }

 private:
  struct Level {
    std::string unwritten;   ///< Hashes not yet in the file.
    std::uint64_t written = 0;
    std::uint64_t part = 0;
    std::unique_ptr<FsFile> file;
    bool dirty = false;
  };

  Result<void> write_level(unsigned number, Level& level);

  Fs& fs_;
  std::string dir_;
  TreeEdge edge_;
  std::array<Level, kTileLevels> levels_;
};

}  // namespace coff::trail
