// Exports: a directory that a stranger can check with openssl and sha256sum, or with any tlog-tiles
// client.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "trail/reader.hpp"

namespace coff::trail {

struct ExportOptions {
  std::string out_dir;  ///< Must not exist, or be empty.
  /// Entries that get a file and a proof of their own, [first, last).
  std::uint64_t proofs_from = 0;
  std::uint64_t proofs_to = 0;
  bool tiles = true;  ///< Also write every tile and bundle of the signed tree.
  std::function<void(std::uint64_t)> progress;
};

struct ExportSummary {
  std::uint64_t tree_size = 0;
  std::uint64_t entries = 0;  ///< In bundles.
  std::uint64_t proofs = 0;
  std::uint64_t bytes = 0;
};

/// Writes `checkpoint`, `vkey`, `public-key.pem`, `tile/…`, `entries/<seq>.json` with
/// `entries/<seq>.tlog-proof`, and `check.sh`, which states every step of checking by hand.
Result<ExportSummary> export_epoch(EpochReader& reader, const ExportOptions& options);

}  // namespace coff::trail
