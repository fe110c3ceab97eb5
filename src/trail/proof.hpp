// Proofs that stand alone in a file: entry, path to the root, signed checkpoint (C2SP tlog-proof).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trail/checkpoint.hpp"
#include "trail/merkle.hpp"
#include "trail/policy.hpp"
#include "trail/reader.hpp"

namespace coff::trail {

/// Longest proof file that is read.
inline constexpr size_t kProofBytesMax = 512 * 1024;

struct LogProof {
  std::string extra;  ///< Opaque; empty means no extra line.
  std::uint64_t index = 0;
  std::vector<Hash> path;  ///< Leaf's sibling first.
  SignedCheckpoint checkpoint;

  [[nodiscard]] std::string to_string() const;
  static Result<LogProof> parse(std::string_view text);
  /// Success when `entry` is in the tree and the policy believes its checkpoint.
  [[nodiscard]] Result<void> verify(std::string_view entry, const Policy& policy) const;
};

/// Proves an entry under the newest witnessed checkpoint that covers it, else under the newest.
/// kNotFound when no checkpoint covers it yet.
Result<LogProof> prove_entry(EpochReader& reader, std::uint64_t seq);

}  // namespace coff::trail
