// Appends to the stored tree hashes.
#include "trail/hash_writer.hpp"

#include <algorithm>

namespace coff::trail {

namespace {

constexpr size_t kHashBytes = sizeof(Hash);

}  // namespace

Result<void> HashWriter::restore(std::uint64_t size, HashReader& stored) {
  TRY(edge_.restore(size, stored));
  for (unsigned number = 0; number < kTileLevels; ++number) {
    levels_[number] = Level();
    levels_[number].written = size >> (number * kTileHeight);
  }
  return {};
}

void HashWriter::append(const Hash& leaf) {
  edge_.append(leaf, [this](unsigned level, std::uint64_t, const Hash& hash) {
    levels_[level].unwritten += text_of(hash);
  });
}

Result<void> HashWriter::write_level(unsigned number, Level& level) {
  std::string_view rest = level.unwritten;
  while (!rest.empty()) {
    const std::uint64_t part = level.written / kHashesPerPart;
    const std::uint64_t at = level.written % kHashesPerPart;
    if (level.file == nullptr || level.part != part) {
      if (level.file != nullptr && level.dirty) TRY(level.file->sync());
      level.file = TRY(
          fs_.open(dir_ + "/" + hash_part_name(number, part), Fs::Mode::kEither, 0640));
      level.part = part;
    }
    const size_t bytes =
        std::min<std::uint64_t>(rest.size(), (kHashesPerPart - at) * kHashBytes);
    TRY(write_fully(*level.file, rest.substr(0, bytes), at * kHashBytes));
    level.dirty = true;
    level.written += bytes / kHashBytes;
    rest.remove_prefix(bytes);
    level.unwritten.erase(0, bytes);
    rest = level.unwritten;
  }
  return {};
}

Result<void> HashWriter::write() {
  for (unsigned number = 0; number < kTileLevels; ++number) {
    TRY(write_level(number, levels_[number]));
  }
  return {};
}

Result<void> HashWriter::sync() {
  TRY(write());
  for (Level& level : levels_) {
    if (!level.dirty) continue;
    TRY(level.file->sync());
    level.dirty = false;
  }
  return fs_.sync_directory(dir_);
}

Result<void> HashWriter::drop_before(std::uint64_t first_kept) {
  for (std::uint64_t part = first_kept / kHashesPerPart; part-- > 0;) {
    // Oldest parts may have gone before; the first one missing ends the walk.
    const auto removed = fs_.unlink(dir_ + "/" + hash_part_name(0, part));
    if (!removed && removed.error().code == Code::kNotFound) break;
    if (!removed) return removed;
  }
  return {};
}

}  // namespace coff::trail
