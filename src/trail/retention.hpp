// Retention: lets the oldest segments go by size and age, on the record, and keeps the tree whole.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "trail/entries.hpp"
#include "trail/log.hpp"

namespace coff::trail {

struct RetentionLimits {
  std::uint64_t bytes_max = 0;  ///< Of all segments together; 0: no limit.
  std::int64_t age_max_ns = 0;  ///< Of a segment's newest entry; 0: no limit.
};

/// Removes what exceeds the limits, whole segments, oldest first; never the newest one. For each
/// epoch that loses entries a `retention` entry is signed before anything is removed. What remains
/// verifies as before, except that the entries named there are gone. Returns what was removed.
Result<std::vector<Removal>> apply_retention(Log& log, const RetentionLimits& limits,
                                             std::int64_t now_wall_ns);

}  // namespace coff::trail
