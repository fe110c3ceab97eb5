// The target of an action, pinned: which container, and by what it is recognised before each step.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "schema/event.hpp"

namespace coff::response {

/// A running container and what pins it. Move-only.
struct Target {
  Container about;            ///< As the engine describes it; `id` is always there.
  std::string engine_socket;  ///< "" when no engine answered for it.
  pid_t init_pid = 0;
  std::uint64_t start_ticks = 0;  ///< Of the first process, in clock ticks since boot.
  Fd init;                        ///< pidfd of it.
  Fd netns;                       ///< Its network namespace.
  std::uint64_t netns_inode = 0;
  bool host_network = false;             ///< It is the host's own.
  std::vector<std::string> netns_peers;  ///< Ids of other containers in the same namespace.
  std::string cgroup;                    ///< Directory of its version 2 control group, or "".
  std::uint64_t cgroup_id = 0;
  std::string freezer;  ///< Directory of its version 1 freezer group, or "".
};

/// Where this host mounts control groups.
struct CgroupMounts {
  std::string unified;  ///< Version 2; "" for none.
  std::string freezer;  ///< Version 1 freezer; "" for none.
};
CgroupMounts cgroup_mounts();

/// Finds the container by id, beginning of an id (12 digits at least) or name, asks the first
/// engine that knows it, and pins it. Without an engine's answer an id is looked for among the
/// control groups. kNotFound: nobody knows it, or it doesn't run.
Result<Target> pin(const std::string& container, const std::vector<std::string>& engine_sockets);

/// An error unless the pinned process still lives and is still the container's.
Result<void> check_pinned(const Target& target);

/// Processes in a control group and below it, first ones first; at most kProcessesMax.
inline constexpr std::size_t kProcessesMax = 32'768;
std::vector<pid_t> processes_in(const std::string& cgroup);
/// Control group of this container now, whichever of the two hierarchies has processes of it; "".
std::string find_cgroup(const std::string& container_id);
/// Clock ticks since boot at which the process started.
Result<std::uint64_t> start_ticks_of(pid_t pid);
/// Clock ticks of CPU time that the process has used.
Result<std::uint64_t> cpu_ticks_of(pid_t pid);
/// Inode number of the network namespace; 0 when it can't be read.
std::uint64_t netns_inode_of(pid_t pid);
/// The same of a descriptor.
std::uint64_t inode_of(const Fd& file);

}  // namespace coff::response
