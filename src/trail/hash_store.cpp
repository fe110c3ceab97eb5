// Stored tree hashes: for each tile level one row of files that only grow.
#include "trail/hash_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace coff::trail {

namespace {

constexpr size_t kHashBytes = sizeof(Hash);
// Descriptors kept open by a reader.
constexpr size_t kOpenPartsMax = 64;

}  // namespace

std::string hash_part_name(unsigned level, std::uint64_t part) {
  std::string digits = std::to_string(part);
  digits.insert(0, digits.size() < 10 ? 10 - digits.size() : 0, '0');
  return std::to_string(level) + "-" + digits + ".hash";
}

Result<int> HashReader::part_fd(unsigned level, std::uint64_t part) {
  const auto found = files_.find({level, part});
  if (found != files_.end()) return found->second.get();
  if (files_.size() >= kOpenPartsMax) files_.clear();
  Fd fd = TRY(open_file(dir_ + "/" + hash_part_name(level, part), O_RDONLY | O_NOFOLLOW));
  return files_.emplace(std::pair(level, part), std::move(fd)).first->second.get();
}

Result<void> HashReader::read(unsigned level, std::uint64_t first, std::span<Hash> out) {
  while (!out.empty()) {
    const std::uint64_t part = first / kHashesPerPart;
    const std::uint64_t at = first % kHashesPerPart;
    const size_t count = std::min<std::uint64_t>(out.size(), kHashesPerPart - at);
    const int fd = TRY(part_fd(level, part));
    size_t have = 0;
    auto* bytes = reinterpret_cast<char*>(out.data());
    while (have < count * kHashBytes) {
      const ssize_t got = ::pread(fd, bytes + have, count * kHashBytes - have,
                                  static_cast<off_t>(at * kHashBytes + have));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("cannot read tree hashes");
      if (got == 0) return fail(Code::kNotFound, "a tree hash is not stored");
      have += static_cast<size_t>(got);
    }
    first += count;
    out = out.subspan(count);
  }
  return {};
}

Result<Hash> HashReader::node(unsigned height, std::uint64_t index) {
  const unsigned level = height / kTileHeight;
  if (level >= kTileLevels) return fail(Code::kNotFound, "node is outside the tree");
  std::array<Hash, kTileWidth> hashes;
  const unsigned within = height % kTileHeight;
  size_t count = size_t{1} << within;
  TRY(read(level, index << within, std::span(hashes).first(count)));
  for (; count > 1; count /= 2) {
    for (size_t at = 0; at < count / 2; ++at) {
      hashes[at] = node_hash(hashes[2 * at], hashes[2 * at + 1]);
    }
  }
  return hashes[0];
}

Result<void> HashWriter::restore(std::uint64_t size, HashReader& stored) {
  for (unsigned number = 0; number < kTileLevels; ++number) {
    Level& level = levels_[number];
    level = Level();
    level.written = number * kTileHeight >= 64 ? 0 : size >> (number * kTileHeight);
    const std::uint64_t edge = level.written % kTileWidth;
    level.edge.resize(edge);
    TRY(stored.read(number, level.written - edge, level.edge));
  }
  size_ = size;
  return {};
}

void HashWriter::push(unsigned number, const Hash& hash) {
  Level& level = levels_[number];
  level.edge.push_back(hash);
  level.unwritten += text_of(hash);
  if (level.edge.size() < kTileWidth) return;
  for (size_t count = kTileWidth; count > 1; count /= 2) {
    for (size_t at = 0; at < count / 2; ++at) {
      level.edge[at] = node_hash(level.edge[2 * at], level.edge[2 * at + 1]);
    }
  }
  const Hash above = level.edge[0];
  level.edge.clear();
  COFF_ASSERT(number + 1 < kTileLevels);
  push(number + 1, above);
}

void HashWriter::append(const Hash& leaf) {
  push(0, leaf);
  ++size_;
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

Hash HashWriter::root() const {
  // The rightmost tile of each level, lowest first, each joined to what lies right of it.
  std::optional<Hash> right;
  for (const Level& level : levels_) {
    std::vector<Hash> row = level.edge;
    if (row.empty()) continue;
    // Full subtrees within the row, largest first: joining from the right gives the tree's shape.
    std::vector<Hash> peaks;
    size_t begin = 0;
    for (size_t width = kTileWidth / 2; width > 0; width /= 2) {
      if ((row.size() & width) == 0) continue;
      peaks.push_back(merkle_root(std::span(row).subspan(begin, width)));
      begin += width;
    }
    while (!peaks.empty()) {
      right = right ? node_hash(peaks.back(), *right) : peaks.back();
      peaks.pop_back();
    }
  }
  return right ? *right : empty_root();
}

}  // namespace coff::trail
