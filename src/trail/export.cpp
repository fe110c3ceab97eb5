// Exports: a directory that a stranger can check without this program.
#include "trail/export.hpp"

#include <fcntl.h>

#include <filesystem>

#include "trail/check_script.hpp"
#include "trail/proof.hpp"
#include "trail/tile.hpp"

namespace coff::trail {

namespace {

class Exporter {
 public:
  Exporter(EpochReader& reader, const ExportOptions& options) : reader_(reader), options_(options) {}

  Result<ExportSummary> run() {
    TRY(prepare());
    TRY(write_identity());
    if (options_.tiles) {
      TRY(write_tiles());
      TRY(write_bundles());
    }
    for (std::uint64_t seq = options_.proofs_from; seq < options_.proofs_to; ++seq) {
      TRY(write_proof(seq));
    }
    TRY(write("check.sh", kCheckScript));
    return summary_;
  }

 private:
  Result<void> prepare() {
    std::error_code problem;
    std::filesystem::create_directories(options_.out_dir, problem);
    if (!problem && !std::filesystem::is_empty(options_.out_dir, problem)) {
      return fail(Code::kInvalid, options_.out_dir + " is not empty");
    }
    if (problem) return fail(Code::kIo, options_.out_dir + ": " + problem.message());
    return {};
  }

  Result<void> write(const std::string& name, std::string_view bytes) {
    const std::filesystem::path path = options_.out_dir + "/" + name;
    std::error_code problem;
    std::filesystem::create_directories(path.parent_path(), problem);
    if (problem) return fail(Code::kIo, path.string() + ": " + problem.message());
    const Fd fd = TRY(open_file(path.string(), O_WRONLY | O_CREAT | O_EXCL, 0644));
    summary_.bytes += bytes.size();
    return write_all(fd, bytes);
  }

  Result<void> write_identity() {
    auto witnessed = reader_.witnessed();
    tree_ = witnessed && witnessed->checkpoint.size >= options_.proofs_to ? std::move(*witnessed)
                                                                         : TRY(reader_.checkpoint());
    if (tree_.checkpoint.size < options_.proofs_to) {
      return fail(Code::kNotFound, "only " + std::to_string(tree_.checkpoint.size) +
                                       " entries are under a signed checkpoint");
    }
    summary_.tree_size = tree_.checkpoint.size;
    const VerifierKey key = TRY(reader_.key());
    TRY(write("checkpoint", tree_.note.to_string()));
    TRY(write("vkey", key.to_string() + "\n"));
    return write("public-key.pem", key.to_pem());
  }

  Result<void> write_tiles() {
    const std::uint64_t first_tile = reader_.first_seq() / kTileWidth;
    for (unsigned level = 0; level < kTileLevels; ++level) {
      for (std::uint64_t index = level == 0 ? first_tile : 0;; ++index) {
        const unsigned width = tile_width(summary_.tree_size, level, index);
        if (width == 0) break;
        std::vector<Hash> hashes(width);
        TRY(reader_.hashes().read(level, index * kTileWidth, hashes));
        const std::string_view bytes(reinterpret_cast<const char*>(hashes.data()),
                                     hashes.size() * sizeof(Hash));
        TRY(write(tile_path(level, index, width), bytes));
      }
    }
    return {};
  }

  // Bundles are cut from the segments here, and nowhere stored beside them.
  Result<void> write_bundles() {
    std::string bundle;
    Result<void> written;
    const std::uint64_t size = summary_.tree_size;
    // A bundle that lost its first entries to retention can't be made.
    const std::uint64_t from = (reader_.first_seq() + kTileWidth - 1) / kTileWidth * kTileWidth;
    if (from >= size) return {};
    TRY(reader_.scan(from, size, [&](const EntryAt& at) {
      append_to_bundle(bundle, at.entry);
      ++summary_.entries;
      if ((at.seq + 1) % kTileWidth != 0 && at.seq + 1 != size) return true;
      const std::uint64_t index = at.seq / kTileWidth;
      written = write(bundle_path(index, tile_width(size, 0, index)), bundle);
      bundle.clear();
      if (options_.progress) options_.progress(summary_.entries);
      return written.has_value();
    }));
    TRY(written);
    if (from + summary_.entries != size) return fail(Code::kCorrupt, "signed entries are missing");
    return {};
  }

  Result<void> write_proof(std::uint64_t seq) {
    LogProof proof;
    proof.index = seq;
    proof.checkpoint = tree_;
    proof.path = TRY(prove_inclusion(reader_.nodes(), seq, summary_.tree_size));
    const std::string name = "entries/" + std::to_string(seq);
    const std::string entry = TRY(reader_.entry(seq));
    TRY(write(name + ".json", entry));
    TRY(write(name + ".tlog-proof", proof.to_string()));
    ++summary_.proofs;
    return {};
  }

  EpochReader& reader_;
  const ExportOptions& options_;
  SignedCheckpoint tree_;
  ExportSummary summary_;
};

}  // namespace

Result<ExportSummary> export_epoch(EpochReader& reader, const ExportOptions& options) {
  if (options.proofs_from > options.proofs_to) {
    return fail(Code::kInvalid, "the range of entries is backwards");
  }
  return Exporter(reader, options).run();
}

}  // namespace coff::trail
