// Verification of a tlog-tiles directory: every bundle against the tiles and the signed root.
#include <algorithm>

#include "base/fd.hpp"
#include "trail/tile.hpp"
#include "trail/tree_edge.hpp"
#include "trail/verify.hpp"
#include "trail/verify_epoch.hpp"

namespace coff::trail {

namespace {

class TilesVerifier {
 public:
  TilesVerifier(std::string dir, const VerifyOptions& options, VerifyReport& report)
      : dir_(std::move(dir)), options_(options), report_(report) {}

  Result<void> run() {
    const std::string text = TRY(read_file(dir_ + "/checkpoint", kNoteBytesMax));
    const SignedCheckpoint note = TRY(SignedCheckpoint::parse(text));
    TRY(check_signature(note));
    const Checkpoint& tree = note.checkpoint;
    report_.epochs.push_back(
        {.number = 1, .origin = tree.origin, .size = tree.size, .root = to_base64(tree.root)});
    TileDirectory tiles(dir_, tree.size);
    std::uint64_t first = 0;
    while (first < tree.size && !tiles.bundle(first / kTileWidth)) first += kTileWidth;
    if (first > 0) {
      find("pruned", false, 0, std::min(first, tree.size) - 1, "not part of this export");
    }
    for (std::uint64_t begin = first; begin < tree.size; begin += kTileWidth) {
      check_bundle(tiles, begin, tree.size);
      if (options_.progress) options_.progress(report_.entries);
    }
    report_.epochs.back().first_seq = first;
    report_.epochs.back().entries = report_.entries;
    const auto root = range_root(tiles, 0, tree.size);
    if (!root) {
      find("hashes", true, 0, tree.size - 1, "tiles are missing: " + root.error().what);
    } else if (*root != tree.root) {
      find("root_changed", true, 0, tree.size - 1, "the tiles don't give the signed root");
    }
    check_upper(tiles, tree.size);
    return {};
  }

 private:
  Result<void> check_signature(const SignedCheckpoint& note) {
    std::vector<VerifierKey> trusted = options_.trusted;
    if (trusted.empty() && !options_.policy) {
      std::string vkey = TRY(read_file(dir_ + "/vkey", 4096));
      while (!vkey.empty() && vkey.back() == '\n') vkey.pop_back();
      trusted.push_back(TRY(VerifierKey::parse(vkey)));
      find("own_key", false, 0, 0,
           "no trusted key was given: the export's own " + vkey + " is believed");
    }
    const bool valid = std::ranges::any_of(trusted, [&](const VerifierKey& key) {
      return key.name == note.checkpoint.origin && verify_note(note.note, key).valid;
    });
    if (!trusted.empty() && !valid) {
      find("signature", true, 0, 0, "the checkpoint is not signed by a trusted key");
    }
    if (options_.policy) {
      const auto checked = options_.policy->check(note);
      if (!checked) find("policy", true, 0, 0, checked.error().what);
    }
    for (const SignedCheckpoint& known : options_.known) {
      if (known.checkpoint.size > note.checkpoint.size) {
        find("truncated", true, note.checkpoint.size, known.checkpoint.size - 1,
             "a checkpoint kept elsewhere covers entries that are gone from the end");
        continue;
      }
      TileDirectory tiles(dir_, note.checkpoint.size);
      const auto root = range_root(tiles, 0, known.checkpoint.size);
      if (!root || *root != known.checkpoint.root) {
        find("root_changed", true, 0, known.checkpoint.size - 1,
             "the tiles don't give the root of a checkpoint kept elsewhere");
      }
    }
    return {};
  }

  void check_bundle(TileDirectory& tiles, std::uint64_t begin, std::uint64_t size) {
    const std::uint64_t end = std::min(begin + kTileWidth, size);
    const auto bundle = tiles.bundle(begin / kTileWidth);
    const auto hashes = tiles.tile(0, begin / kTileWidth);
    if (!bundle) return find("deleted", true, begin, end - 1, "their bundle is missing");
    if (!hashes) return find("hashes", true, begin, end - 1, "their tile is missing");
    const auto entries = parse_bundle(*bundle);
    if (!entries || entries->size() != end - begin) {
      return find("damaged", true, begin, end - 1, "their bundle is malformed");
    }
    for (size_t at = 0; at < entries->size(); ++at) {
      ++report_.entries;
      report_.entry_bytes += (*entries)[at].size();
      if (leaf_hash((*entries)[at]) == (*hashes)[at]) continue;
      find("edited", true, begin + at, begin + at, "the bytes aren't those of the tile's hash");
    }
  }

  // range_root() reads the highest nodes that suffice: hold every tile against the one below.
  void check_upper(TileDirectory& tiles, std::uint64_t size) {
    for (unsigned level = 1; level < kTileLevels; ++level) {
      for (std::uint64_t index = 0; tile_width(size, level, index) > 0; ++index) {
        const auto hashes = tiles.tile(level, index);
        for (std::uint64_t at = 0; hashes && at < hashes->size(); ++at) {
          const auto below = tiles.tile(level - 1, index * kTileWidth + at);
          if (below && merkle_root(*below) == (*hashes)[at]) continue;
          if (!below && below.error().code == Code::kNotFound) continue;  // Pruned.
          const std::uint64_t first = (index * kTileWidth + at) << (level * kTileHeight);
          find("hashes", true, first, first + (std::uint64_t{1} << (level * kTileHeight)) - 1,
               "a tile contradicts the one below it");
        }
      }
    }
  }

  void find(std::string_view kind, bool damage, std::uint64_t first, std::uint64_t last,
            std::string detail) {
    add_finding(report_, {std::string(kind), damage, 1, first, last, std::move(detail)});
  }

  std::string dir_;
  const VerifyOptions& options_;
  VerifyReport& report_;
};

}  // namespace

Result<VerifyReport> verify_tiles(const std::string& dir, const VerifyOptions& options) {
  VerifyReport report;
  TRY(TilesVerifier(dir, options, report).run());
  return report;
}

}  // namespace coff::trail
