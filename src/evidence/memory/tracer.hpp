// The tracing process: stops all threads of another one, reads their registers, lets them go.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "base/fd.hpp"

namespace coff::evidence {

/// Head of each piece that the tracer writes; `size` bytes follow.
struct TracedPiece {
  enum class What : std::uint32_t { kGeneral, kSet, kSignal, kStop, kIncomplete };
  What what = What::kGeneral;
  std::int32_t tid = 0;
  std::uint32_t note = 0;  ///< Note type of a register set.
  std::uint32_t size = 0;
};

/// Traces `pid` and writes pieces to `out`. Runs in a process of its own, whose end releases all.
void trace_process(pid_t pid, std::int64_t stop_ms_max, const std::function<void()>& while_stopped,
                   const Fd& out);

}  // namespace coff::evidence
