// What each step of a collection gets, and the steps.
#pragma once

#include <string>
#include <vector>

#include "evidence/collect/collect.hpp"

namespace coff::evidence {

/// Read of one file in /proc at most.
inline constexpr std::size_t kProcFileBytesMax = std::size_t{64} << 20U;

struct Collection {
  OpenBundle& bundle;
  const Target& target;
  const CollectOptions& options;
  Reader& reader;
  std::vector<Pinned> processes;
  Collected collected;

  /// Copies a file of /proc into an item; what can't be read is a gap.
  Result<void> copy_text(const std::string& from, const std::string& item);
  /// A gap that ends nothing; an Error is one of the bundle itself (full, or not writable).
  Result<void> gap_unless_full(const std::string& what, const Error& error) const;
  void progress(std::uint64_t done, std::uint64_t total) const;
  std::string step;
};

Result<void> collect_clock(Collection& collection);
Result<void> collect_processes(Collection& collection);
Result<void> collect_network(Collection& collection);
Result<void> collect_memory(Collection& collection);
Result<void> collect_mounts(Collection& collection);
Result<void> collect_open_files(Collection& collection);
Result<void> collect_upper_layer(Collection& collection);
Result<void> collect_volumes(Collection& collection);
Result<void> collect_engine(Collection& collection);
Result<void> collect_supplied(Collection& collection);
Result<void> collect_packets(Collection& collection);

}  // namespace coff::evidence
