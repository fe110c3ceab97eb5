// Notices when the wall clock was set: its distance from the boot clock jumps.
#pragma once

#include <cstdint>
#include <optional>

namespace coff::agent {

/// A smaller change between two looks is drift or slewing.
inline constexpr std::int64_t kClockStepNs = 1'000'000'000;

/// Compares the two clocks at each look.
class ClockWatch {
 public:
  /// How far the wall clock was set forward (or back, negative) since the last look, in ns; nothing
  /// when it was not, and at the first look.
  std::optional<std::int64_t> look(std::int64_t wall_ns, std::int64_t boot_ns) {
    const std::int64_t offset_ns = wall_ns - boot_ns;
    const auto before_ns = offset_ns_;
    offset_ns_ = offset_ns;
    if (!before_ns) return std::nullopt;
    const std::int64_t step_ns = offset_ns - *before_ns;
    if (step_ns > -kClockStepNs && step_ns < kClockStepNs) return std::nullopt;
    return step_ns;
  }

 private:
  std::optional<std::int64_t> offset_ns_;
};

}  // namespace coff::agent
