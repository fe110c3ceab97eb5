// Clocks: wall time for people, boot time for order.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace coff {

/// Nanoseconds since 1970-01-01 UTC (CLOCK_REALTIME).
std::int64_t wall_now_ns();
/// Nanoseconds since boot, suspend included (CLOCK_BOOTTIME): the kernel's own event clock.
std::int64_t boot_now_ns();
/// Kernel's random id of this boot, 36 characters; zeros when it could not be read the first time.
const std::string& boot_id();

/// RFC 3339 in UTC with nanoseconds, e.g. "2026-01-31T12:00:00.000000001Z".
std::string format_time(std::int64_t wall_ns);
/// Appends the same to `out` without allocating a string.
void append_time(std::string& out, std::int64_t wall_ns);
/// Reads RFC 3339 with "Z" or an offset, 0 to 9 fraction digits.
Result<std::int64_t> parse_time(std::string_view text);

}  // namespace coff
