// From when to when nobody watched the kernel, told from what the sensor has put into the trail.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "trail/reader.hpp"

namespace coff::agent {

/// The keeper shows it every entry of the sensor. The sensor says `watch` when its programs are
/// attached and when it ends in order; its events and heartbeats in between are signs that it
/// watched. Belongs to one thread.
class WatchRecord {
 public:
  /// Entries at the end of the newest epoch that are searched for the last sign: hours of a quiet
  /// host, and half a minute of one that writes 2,000 entries a second (a heartbeat is due every
  /// 10 s).
  static constexpr std::uint64_t kTailEntries = 60'000;
  /// Bytes from an entry's beginning in which its type and the sensor's state stand.
  static constexpr std::size_t kHeadBytes = 256;

  /// What an earlier agent left: reads the end of an epoch, up to `end_seq`.
  Result<void> read_tail(trail::EpochReader& reader, std::uint64_t end_seq);
  /// The next entry of the sensor, with or without the members that the trail puts in front.
  void take(std::string_view entry);
  /// Members of a `gap` entry when `entry` says that watching begins and somebody had watched
  /// before. Call it before take() of the same entry.
  [[nodiscard]] std::optional<std::string> gap_before(std::string_view entry) const;

 private:
  std::string sign_;  ///< The newest entry that shows that the kernel was watched; empty: none.
  std::string mark_;  ///< The newest one among them with boot id and version.
  std::uint64_t since_mark_ = 0;  ///< Signs after mark_; 0: they are the same entry.
};

/// Members of the sensor's `watch` entries; `begins` or ends.
std::string watch_members(bool begins);

}  // namespace coff::agent
