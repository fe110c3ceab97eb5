// Processes as evidence names them: pinned, so that a pid that is used again is noticed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::evidence {

/// Processes of one target that are listed at most.
inline constexpr std::size_t kProcessesMax = 20'000;
/// Threads of one process that are listed at most.
inline constexpr std::size_t kThreadsMax = 65'536;

/// A process that was there when it was pinned.
class Pinned {
 public:
  /// kNotFound when there is no such process.
  static Result<Pinned> pin(pid_t pid);
  /// True as long as /proc/PID is still this process (a zombie is not alive).
  [[nodiscard]] bool alive() const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Clock ticks after boot; with the pid its name for ever.
  [[nodiscard]] std::uint64_t start_ticks() const { return start_ticks_; }
  [[nodiscard]] const Fd& handle() const { return handle_; }
  /// "/proc/PID/" + name.
  [[nodiscard]] std::string proc(std::string_view name) const;

 private:
  Fd handle_;
  pid_t pid_ = 0;
  std::uint64_t start_ticks_ = 0;
};

/// What evidence is collected of. The caller finds it once; every collector takes it as it is.
struct Target {
  std::string container;  ///< Full id; "" when `pids` are meant.
  pid_t init_pid = 0;     ///< Its first process, in the host's numbers; 0: none runs.
  std::uint64_t init_start_ticks = 0;
  std::string cgroups;      ///< /proc/PID/cgroup of the first process.
  std::vector<pid_t> pids;  ///< Without a container: these processes and no others.
};

/// The container whose id begins so and that has running processes; kInvalid when there are two.
Result<Target> find_target(std::string_view id_or_beginning);
/// One process and nothing else.
Result<Target> target_of_process(pid_t pid);
/// The processes of a target now. One that forks while they are listed is looked at again, a few
/// times; `cut` says that new ones still came, or that there are more than kProcessesMax.
std::vector<pid_t> processes_of(const Target& target, bool& cut);

/// Field `number` (from 1) of /proc/PID/stat behind the name, as proc(5) counts; "" when absent.
std::string stat_field(std::string_view stat, unsigned number);
/// Value of a line "Name:\tvalue" of /proc/PID/status; "" when absent.
std::string status_field(std::string_view status, std::string_view name);
/// Threads of a process, in the host's numbers, ascending.
std::vector<pid_t> threads_of(pid_t pid);
/// Whether the control group of a process is frozen, and by which version: 0, 1 or 2.
int frozen_by(pid_t pid);

}  // namespace coff::evidence
