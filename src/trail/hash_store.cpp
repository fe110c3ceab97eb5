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

}  // namespace coff::trail
