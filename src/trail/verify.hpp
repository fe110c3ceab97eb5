// Offline verification of a whole trail: names exactly what is wrong and where.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "trail/checkpoint.hpp"
#include "trail/policy.hpp"

namespace coff::trail {

/// Findings kept in a report; more are only counted.
inline constexpr size_t kFindingsMax = 1000;

struct Finding {
  /// damaged, edited, deleted, reordered, truncated, root_changed, signature, unsigned, policy,
  /// hashes, chain, untrusted_key, not_recorded_retention: damage. pruned, unsigned_tail,
  /// torn_tail, own_key, erased: notices.
  std::string kind;
  bool damage = true;
  unsigned epoch = 0;
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;  ///< Inclusive.
  std::string detail;          ///< A sentence.
};

struct EpochSummary {
  unsigned number = 0;
  std::string origin;
  std::uint64_t first_seq = 0;  ///< Oldest entry that is still there.
  std::uint64_t size = 0;       ///< Entries in the signed tree; 0 when nothing is signed.
  std::uint64_t entries = 0;    ///< Entries read.
  std::uint64_t witnessed_size = 0;
  std::string root;  ///< Base64 of the signed root.
};

struct VerifyReport {
  std::vector<EpochSummary> epochs;
  std::vector<Finding> findings;
  std::uint64_t findings_dropped = 0;
  std::uint64_t entries = 0;
  std::uint64_t entry_bytes = 0;

  [[nodiscard]] bool ok() const;
};

struct VerifyOptions {
  /// Keys of logs that are believed. Empty: the trail's own first key, with a notice.
  std::vector<VerifierKey> trusted;
  /// Checked against the newest witnessed checkpoint of the newest epoch.
  std::optional<Policy> policy;
  /// Checkpoints of this trail that were kept elsewhere.
  std::vector<SignedCheckpoint> known;
  /// Called now and then with the entries done so far.
  std::function<void(std::uint64_t)> progress;
};

/// Verifies every epoch under `dir`. An error means that nothing could be judged; damage is a
/// finding.
Result<VerifyReport> verify_trail(const std::string& dir, const VerifyOptions& options);

/// Verifies a directory that `trail export` made (or any C2SP tlog-tiles directory): every bundle
/// against the tiles and the root of its checkpoint.
Result<VerifyReport> verify_tiles(const std::string& dir, const VerifyOptions& options);

}  // namespace coff::trail
