// Verification of one epoch: private to verify*.cpp.
#pragma once

#include <map>
#include <optional>

#include "trail/hash_store.hpp"
#include "trail/reader.hpp"
#include "trail/segment.hpp"
#include "trail/tree_edge.hpp"
#include "trail/verify.hpp"

namespace coff::trail {

/// Adds findings to a report; a finding that continues the last one is joined with it.
void add_finding(VerifyReport& report, Finding finding);

/// A root that the tree must have at a size, and who says so.
struct ExpectedRoot {
  std::uint64_t size = 0;
  Hash root{};
  std::string who;
};

/// What the entries of an epoch say about the trail itself.
struct EpochStatements {
  std::optional<std::string> previous;          ///< Of the genesis entry.
  std::map<unsigned, std::uint64_t> kept_from;  ///< Of retention entries: epoch to first_kept.
  std::vector<std::pair<std::string, std::string>> rotations;  ///< New vkey, possession.
};

class EpochVerifier {
 public:
  EpochVerifier(VerifyReport& report, const VerifyOptions& options, EpochPlace place)
      : report_(report), options_(options), place_(std::move(place)),
        stored_(place_.path + "/" + std::string(kHashDir)) {}

  /// Walks every segment. `expected` are roots to meet, in any order.
  Result<EpochStatements> run(std::vector<ExpectedRoot> expected, std::uint64_t signed_size);
  [[nodiscard]] std::uint64_t first_seq() const { return first_; }
  [[nodiscard]] std::uint64_t end_seq() const { return next_; }

 private:
  Result<void> walk_segment(const SegmentPlace& place, std::uint64_t end_seq, bool last);
  Result<void> start_at(std::uint64_t first_seq);
  void take(std::string_view entry, bool sum_is_good);
  /// Judges an entry that says it has another number than its place.
  void take_misplaced(std::uint64_t seq, std::optional<std::uint64_t> following);
  void take_missing(std::uint64_t until, std::string_view kind, std::string_view why);
  void add_leaf(const Hash& leaf);
  void meet_roots();
  void note_statement(std::string_view entry);
  std::optional<Hash> stored_leaf(std::uint64_t seq);
  void find(std::string_view kind, bool damage, std::uint64_t first, std::uint64_t last,
            std::string detail);

  VerifyReport& report_;
  const VerifyOptions& options_;
  EpochPlace place_;
  HashReader stored_;
  EpochStatements statements_;
  std::vector<ExpectedRoot> expected_;  ///< Largest size first; the end is met next.
  std::uint64_t signed_size_ = 0;
  std::uint64_t met_size_ = 0;  ///< Largest size whose root was as expected.
  std::uint64_t first_ = 0;
  std::uint64_t next_ = 0;  ///< Sequence number of the next record.
  TreeEdge tree_;
  bool tree_broken_ = false;  ///< A leaf is missing, so roots can't be told any more.
  std::vector<Hash> tile_;  ///< Stored leaf hashes around the last one asked for.
  std::uint64_t tile_start_ = 0;
};

/// The "previous" checkpoint note of a genesis entry; nothing when it has none or isn't one.
std::optional<std::string> read_genesis(std::string_view entry);

/// The sequence number that an entry says it has, if it begins as every entry must.
std::optional<std::uint64_t> stated_seq(std::string_view entry);

}  // namespace coff::trail
