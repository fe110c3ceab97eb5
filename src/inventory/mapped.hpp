// What each running process maps now: programs and libraries, deleted files included.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::inventory {

/// A file as the kernel tells it apart, at one moment of its life: writing to it or to its inode
/// changes `changed_ns`, so what was once read from the same identity still holds.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t changed_ns = 0;  ///< ctime.
  std::uint64_t size_bytes = 0;
  friend auto operator<=>(const FileIdentity&, const FileIdentity&) = default;
};

/// One line of /proc/PID/maps that maps a file.
struct MapLine {
  std::string range;         ///< As the entry of /proc/PID/map_files is called: no leading zeros.
  std::uint32_t device = 0;  ///< Major << 20 | minor, as maps shows it.
  std::uint64_t inode = 0;
  bool executable = false;
  bool deleted = false;  ///< The file has no name any more.
  std::string path;      ///< In the mount namespace of the process, without " (deleted)".
};
/// Reads one line (proc_pid_maps(5)); false for anonymous memory and for what is malformed.
/// Octal escapes of line breaks in the path are undone.
bool read_map_line(std::string_view line, MapLine& mapped);

/// A file that processes of one root map.
struct MappedFile {
  std::string path;
  bool deleted = false;
  std::uint32_t device = 0;
  std::uint64_t inode = 0;
  std::vector<std::size_t> processes;  ///< Indexes into MappedRoot::processes.
  /// Where to open it: "/proc/PID/map_files/RANGE" of some of those processes.
  std::vector<std::string> sources;
};

struct MappedProcess {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< Clock ticks after boot; with the pid its name for ever.
  uid_t user = 0;                 ///< Effective, in the host's numbers.
  std::string name;               ///< comm: chosen by the process.
  std::string cgroup;             ///< Path in the control group hierarchy.
};

/// Processes that see the same root file system, of one container or of the host.
struct MappedRoot {
  std::string container;  ///< Given by the caller's classification; "" for the host.
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::vector<MappedProcess> processes;
  std::vector<MappedFile> files;
};

struct MappedSweep {
  std::vector<MappedRoot> roots;
  std::size_t lines = 0;       ///< Lines of maps that were read.
  std::size_t unreadable = 0;  ///< Processes whose maps could not be read, but exist.
  bool truncated = false;      ///< A limit was reached: there are more processes or files.
};

inline constexpr std::size_t kMapsBytesMax = std::size_t{16} << 20U;
inline constexpr std::size_t kProcessesMax = 100'000;
inline constexpr std::size_t kFilesOfRootMax = 20'000;

/// Reads /proc of every process: files that are mapped for execution. Kernel threads and processes
/// that end meanwhile are left out without a word. `container_of` names the container of a control
/// group's path. Needs CAP_SYS_PTRACE (or root) for other users' processes.
Result<MappedSweep> sweep_processes(std::string (*container_of)(std::string_view cgroup));

/// Opens a mapped file for reading, whether it is deleted or not, and tells its identity. Only
/// regular files are opened. Needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE.
struct OpenedFile {
  Fd file;
  FileIdentity identity;
};
Result<OpenedFile> open_mapped(const MappedFile& file);

}  // namespace coff::inventory
