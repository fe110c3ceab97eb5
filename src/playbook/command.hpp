// Runs the command of a playbook as an unprivileged user, bounded in time, memory and output.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace coff::playbook {

/// Most output of a command that is kept; more is read and dropped.
inline constexpr size_t kOutputBytesMax = size_t{64} << 10;

struct CommandLimits {
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t timeout_ms = 60'000;
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;
};
struct CommandResult {
  int status = -1;  ///< Exit status; 128 + signal when it was killed.
  bool timed_out = false;
  bool cut = false;    ///< There was more output.
  std::string output;  ///< Standard output and standard error.
};

/// Looks a user up by name. kInvalid: it does not exist, or it is root.
Result<CommandLimits> limits_of_user(const std::string& name);

/// Executes `arguments` (the first is the program's path) without a shell of ours, with an empty
/// environment but for PATH and LANG, in /, without input. A caller who is root becomes the user of
/// the limits, gives up every group and capability, and can gain nothing by set-user-id programs;
/// another caller stays who it is. Everything that the command started is killed at the end.
Result<CommandResult> run_command(const std::vector<std::string>& arguments,
                                  const CommandLimits& limits);

}  // namespace coff::playbook
