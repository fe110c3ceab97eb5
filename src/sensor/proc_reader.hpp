// What /proc tells of a process that is older than the agent: the texts that no iterator gives.
#pragma once

#include <cstdint>

#include "schema/event.hpp"

namespace coff::sensor {

/// Fills program (exe, argv, env, inode) and cwd of `process` from /proc/<pid>. Does nothing when
/// the process is gone or its pid now belongs to another one (start time differs). Returns
/// whether it was there. Reads at most COFF_ARGV_MAX and COFF_ENV_MAX bytes.
bool read_texts(Process& process);

/// Start time of a pid in clock ticks (1/100 s) as /proc/<pid>/stat has it; 0 when it is gone.
std::uint64_t start_ticks(std::uint32_t pid);

}  // namespace coff::sensor
