// Where a producer's entries came to stand in the trail, and references to them in later entries.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "agent/trail_writer.hpp"

namespace coff::agent {

/// The newest entries of one producer. Belongs to one thread.
class PlacedEntries {
 public:
  /// Runs that are remembered: a run is one batch of a producer.
  static constexpr std::size_t kRunsMax = 4096;

  /// `count` entries from number `first` on stand in the trail from `sequence` on. Rising numbers.
  void add(std::uint64_t first, std::uint64_t count, std::uint64_t sequence);
  /// Nothing when it was never added or is forgotten.
  [[nodiscard]] std::optional<std::uint64_t> find(std::uint64_t number) const;

 private:
  struct Run {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t sequence = 0;
  };
  std::deque<Run> runs_;
};

/// Puts `"entry":SEQUENCE,` at `offset` into an object. False, and nothing is done, where that is
/// no place behind a `{` with a member after it.
bool put_reference(std::string& object, std::size_t offset, std::uint64_t sequence);

}  // namespace coff::agent
