// The control groups of this host: which hierarchy to use, and what it holds at start.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace coff::runtime {

/// How this host mounts control groups.
enum class CgroupMode : unsigned char {
  kUnified,  ///< Version 2 alone.
  kHybrid,   ///< Version 1 controllers beside a version 2 hierarchy.
  kLegacy,   ///< Version 1 alone.
};

/// The one hierarchy whose control group ids identify containers, in the kernel and here.
struct Hierarchy {
  CgroupMode mode = CgroupMode::kUnified;
  std::string mount_point;
  /// "" = the default hierarchy (version 2): bpf_get_current_cgroup_id() tells its ids. Else a
  /// version 1 controller, e.g. "memory": the program reads that subsystem's group of a task.
  std::string controller;
  /// The number that the kernel's control group tracepoints give for it; 0 = default.
  std::uint32_t number = 0;
  std::string reason;  ///< Why this one, a sentence for `doctor`.
};

/// What choose_hierarchy() decides from: the texts of /proc/self/mountinfo and /proc/cgroups.
struct CgroupTexts {
  std::string mountinfo;
  std::string controllers;
};

/// Every hierarchy that could be used, best first; empty when no control groups are mounted.
/// Version 2 before version 1; of version 1 the controllers that every engine uses, most common
/// first. Named hierarchies without a controller can't be read by a kernel program: left out.
std::vector<Hierarchy> candidate_hierarchies(const CgroupTexts& texts);

/// The hierarchy to use on this host. In hybrid mode old engines (runc before 1.1 with the
/// cgroupfs driver) leave containers' version 2 group at the root; where such a container runs,
/// its version 1 controller is taken instead of the default hierarchy, and `reason` says so.
Result<Hierarchy> choose_hierarchy();
/// The same with given texts, for hosts mounted elsewhere and for tests.
Result<Hierarchy> choose_hierarchy(const CgroupTexts& texts);

struct CgroupSeen {
  std::uint64_t id = 0;  ///< The kernel's id of it (kernfs node id), as its events carry.
  std::string path;      ///< Within the hierarchy, "/" for the root.
};

struct CgroupScan {
  std::vector<CgroupSeen> groups;
  std::uint64_t unread = 0;  ///< Groups left out: over a limit, or no longer or not readable.
};

/// Limits of a scan; a host beyond them is reported in CgroupScan::unread.
inline constexpr size_t kCgroupsMax = 65'536;
inline constexpr size_t kCgroupDepthMax = 64;

/// All control groups that exist now, parents before children. A group that goes away meanwhile
/// is no error.
Result<CgroupScan> scan_cgroups(const Hierarchy& hierarchy);

/// The kernel's id of the control group at `directory` (64 bits, by name_to_handle_at(2); the
/// inode number has only 32 of them on some kernels).
Result<std::uint64_t> cgroup_id(const std::string& directory);

}  // namespace coff::runtime
