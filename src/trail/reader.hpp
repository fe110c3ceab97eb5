// Reading one epoch of a trail: its entries, its checkpoints, its proofs. Needs no lock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "trail/checkpoint.hpp"
#include "trail/hash_store.hpp"
#include "trail/segment.hpp"

namespace coff::trail {

/// Most epochs, segments and key files that a directory may hold before it is refused.
inline constexpr size_t kEpochsMax = 1'000'000;
inline constexpr size_t kSegmentsMax = 1'000'000;

/// An epoch's directory name, "epoch-000001".
std::string epoch_name(unsigned number);
struct EpochPlace {
  unsigned number = 0;
  std::string path;
};
/// The epochs under a trail directory, oldest first; empty when there are none.
Result<std::vector<EpochPlace>> list_epochs(const std::string& dir);

/// The segments of an epoch by first sequence number.
struct SegmentPlace {
  std::uint64_t first_seq = 0;
  std::string path;
};
Result<std::vector<SegmentPlace>> list_segments(const std::string& epoch_dir);

/// One entry with its place. `entry` is valid until the cursor moves.
struct EntryAt {
  std::uint64_t seq = 0;
  std::uint64_t segment_first_seq = 0;
  std::uint64_t offset = 0;  ///< Of its record in the segment.
  std::string_view entry;
};

class EpochReader {
 public:
  static Result<EpochReader> open(const std::string& epoch_dir);

  [[nodiscard]] const std::string& dir() const { return dir_; }
  /// Sees segments that were added or removed since.
  Result<void> refresh();
  /// Entries from here on are not shown; a writer's own reader stops at what is durable.
  void set_end(std::uint64_t end_seq) { end_seq_ = end_seq; }

  /// Sequence number of the oldest entry still here.
  [[nodiscard]] std::uint64_t first_seq() const;
  /// Number after the last whole entry, as far as the files go (or the end that was set).
  Result<std::uint64_t> end_seq();

  /// The exact bytes of an entry; kNotFound before first_seq() or from end_seq() on.
  Result<std::string> entry(std::uint64_t seq);
  /// Calls `visit` for entries [from, to) in order until it returns false. Stops early without an
  /// error at the end; kCorrupt at damage. The first one is looked for at the byte `offset_hint` of
  /// its segment first, where the caller knows it; a search for it begins at the segment's start.
  Result<void> scan(std::uint64_t from, std::uint64_t to,
                    const std::function<bool(const EntryAt&)>& visit,
                    std::uint64_t offset_hint = 0);

  /// The key that the epoch says it is signed with.
  Result<VerifierKey> key() const;
  /// The newest checkpoint; kNotFound before the first.
  Result<SignedCheckpoint> checkpoint() const;
  /// The newest checkpoint that a witness signed; kNotFound when there is none.
  Result<SignedCheckpoint> witnessed() const;

  /// Hashes of full subtrees, for prove_inclusion() and prove_consistency().
  NodeSource& nodes() { return *hashes_; }
  HashReader& hashes() { return *hashes_; }

 private:
  struct OpenSegment {
    SegmentFile file;
    std::uint64_t end_seq = 0;          ///< First number of the next segment.
    std::vector<std::uint64_t> sparse;  ///< Offset of every kSparseStep-th record found so far.
    std::uint64_t last_used = 0;
  };
  Result<OpenSegment*> segment_of(std::uint64_t seq);
  Result<std::uint64_t> seek(OpenSegment& segment, std::uint64_t seq, std::uint64_t hint);

  std::string dir_;
  std::vector<SegmentPlace> segments_;
  std::map<std::uint64_t, OpenSegment> open_;
  std::uint64_t use_count_ = 0;
  std::uint64_t end_seq_ = UINT64_MAX;
  std::unique_ptr<HashReader> hashes_;
};

// File names within an epoch.
inline constexpr std::string_view kSegmentDir = "segments";
inline constexpr std::string_view kHashDir = "hash";
inline constexpr std::string_view kCheckpointFile = "checkpoint";
inline constexpr std::string_view kWitnessedFile = "checkpoint.witnessed";
inline constexpr std::string_view kIntentFile = "signed.intent";
inline constexpr std::string_view kVkeyFile = "vkey";
inline constexpr std::string_view kKeyFile = "key.pem";

}  // namespace coff::trail
