// Tiles and entry bundles as files (C2SP tlog-tiles): paths, encoding, and reading such a directory.
#include "trail/tile.hpp"

#include <algorithm>
#include <cstring>

#include "base/fd.hpp"

namespace coff::trail {

namespace {

std::string index_path(std::uint64_t index, unsigned width) {
  const auto group = [](std::uint64_t number) {
    std::string digits = std::to_string(number % 1000);
    return digits.insert(0, 3 - digits.size(), '0');
  };
  std::string path = group(index);
  for (index /= 1000; index > 0; index /= 1000) path = "x" + group(index) + "/" + path;
  if (width % kTileWidth != 0) path += ".p/" + std::to_string(width);
  return path;
}

}  // namespace

std::string tile_path(unsigned level, std::uint64_t index, unsigned width) {
  return "tile/" + std::to_string(level) + "/" + index_path(index, width);
}

std::string bundle_path(std::uint64_t index, unsigned width) {
  return "tile/entries/" + index_path(index, width);
}

void append_to_bundle(std::string& out, std::string_view entry) {
  COFF_ASSERT(entry.size() <= 65535);
  out += static_cast<char>(entry.size() >> 8);
  out += static_cast<char>(entry.size() & 255);
  out += entry;
}

Result<std::vector<std::string_view>> parse_bundle(std::string_view bundle) {
  std::vector<std::string_view> entries;
  while (!bundle.empty()) {
    if (bundle.size() < 2 || entries.size() == kTileWidth) {
      return fail(Code::kInvalid, "the entry bundle is malformed");
    }
    const size_t size = size_t{octets(bundle)[0]} << 8 | octets(bundle)[1];
    if (bundle.size() - 2 < size) return fail(Code::kInvalid, "the entry bundle is cut off");
    entries.push_back(bundle.substr(2, size));
    bundle.remove_prefix(2 + size);
  }
  return entries;
}

unsigned tile_width(std::uint64_t tree_size, unsigned level, std::uint64_t index) {
  if (level >= kTileLevels) return 0;
  const std::uint64_t hashes = tree_size >> (level * kTileHeight);
  if (hashes / kTileWidth > index) return kTileWidth;
  return hashes / kTileWidth == index ? static_cast<unsigned>(hashes % kTileWidth) : 0;
}

Result<std::vector<Hash>> TileDirectory::tile(unsigned level, std::uint64_t index) {
  const unsigned width = tile_width(size_, level, index);
  if (width == 0) return fail(Code::kNotFound, "there is no such tile");
  const std::string path = tile_path(level, index, width);
  const std::string bytes = TRY(read_file(dir_ + "/" + path, kTileWidth * sizeof(Hash)));
  if (bytes.size() != width * sizeof(Hash)) {
    return fail(Code::kCorrupt, path + " has the wrong size");
  }
  std::vector<Hash> hashes(width);
  std::memcpy(hashes.data(), bytes.data(), bytes.size());
  return hashes;
}

Result<std::string> TileDirectory::bundle(std::uint64_t index) {
  const unsigned width = tile_width(size_, 0, index);
  if (width == 0) return fail(Code::kNotFound, "there is no such bundle");
  return read_file(dir_ + "/" + bundle_path(index, width), kBundleBytesMax);
}

Result<Hash> TileDirectory::node(unsigned height, std::uint64_t index) {
  const unsigned level = height / kTileHeight;
  const unsigned within = height % kTileHeight;
  const std::uint64_t first = index << within;
  const std::vector<Hash> hashes = TRY(tile(level, first / kTileWidth));
  const std::uint64_t at = first % kTileWidth;
  const std::uint64_t count = std::uint64_t{1} << within;
  if (at + count > hashes.size()) return fail(Code::kNotFound, "the tile is too narrow");
  return merkle_root(std::span(hashes).subspan(at, count));
}

}  // namespace coff::trail
