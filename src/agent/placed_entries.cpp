// Where a producer's entries came to stand in the trail, and references to them in later entries.
#include "agent/placed_entries.hpp"

#include <algorithm>

namespace coff::agent {

void PlacedEntries::add(std::uint64_t first, std::uint64_t count, std::uint64_t sequence) {
  runs_.push_back({first, count, sequence});
  if (runs_.size() > kRunsMax) runs_.pop_front();
}

std::optional<std::uint64_t> PlacedEntries::find(std::uint64_t number) const {
  const auto after =
      std::ranges::upper_bound(runs_, number, {}, [](const Run& run) { return run.first; });
  if (after == runs_.begin()) return {};
  const Run& run = *std::prev(after);
  if (number - run.first >= run.count) return {};
  return run.sequence + (number - run.first);
}

bool put_reference(std::string& object, std::size_t offset, std::uint64_t sequence) {
  if (offset == 0 || offset >= object.size()) return false;
  if (object[offset - 1] != '{' || object[offset] != '"') return false;
  object.insert(offset, "\"entry\":" + std::to_string(sequence) + ",");
  return true;
}

}  // namespace coff::agent
