// Registers of every thread of a process, by a stop that is as short as it can be.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace coff::evidence {

struct ThreadState {
  pid_t tid = 0;         ///< In the host's numbers.
  pid_t tid_inside = 0;  ///< In its own pid namespace: what gdb must see.
  std::string method;    ///< "ptrace", "syscall" (what /proc tells of a frozen one) or "none".
  std::string general;   ///< NT_PRSTATUS' registers as the kernel gives them; "" when not read.
  /// Other register sets by their note type: NT_FPREGSET, NT_X86_XSTATE, …
  std::vector<std::pair<std::uint32_t, std::string>> sets;
  std::string signal;  ///< siginfo_t of the stop, "" when there is none.
};

struct Registers {
  std::vector<ThreadState> threads;  ///< The first thread first.
  std::int64_t stop_ns = 0;  ///< From the first interrupt to the last release; 0: nobody stopped.
  std::string problem;       ///< Why not all came by ptrace; "" when they did.
};

struct RegisterOptions {
  std::int64_t stop_ms_max = 200;  ///< Threads that have not stopped by then are let go.
  int frozen = 0;                  ///< frozen_by(): ptrace does not reach version 1.
  /// Called while all threads are stopped: for freezing with version 1, which must come between.
  std::function<void()> while_stopped;
};

/// Never changes what the process does next: signals that arrive meanwhile are delivered. A process
/// of ours does the tracing, so that whatever hangs there is let go with it.
Result<Registers> capture_registers(pid_t pid, const RegisterOptions& options);

}  // namespace coff::evidence
