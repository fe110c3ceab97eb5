// The target of an action, pinned: which container, and by what it is recognised before each step.
#include "response/target.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>

#include "response/engine_client.hpp"
#include "runtime/cgroup.hpp"
#include "runtime/cgroup_tree.hpp"

namespace coff::response {
namespace {

constexpr std::size_t kProcBytesMax = 1U << 20U;
/// Fields of /proc/PID/stat (proc(5)), counted behind the name: 1 is the state.
constexpr int kFieldUserTicks = 12;
constexpr int kFieldSystemTicks = 13;
constexpr int kFieldStartTicks = 20;

std::string proc_of(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

Result<std::vector<std::string>> stat_fields(pid_t pid) {
  const std::string text = TRY(read_file(proc_of(pid, "stat"), kProcBytesMax));
  // The name may hold anything, ')' included.
  const std::size_t close = text.rfind(')');
  if (close == std::string::npos) return fail(Code::kInvalid, "a malformed /proc/PID/stat");
  std::istringstream words(text.substr(close + 1));
  std::vector<std::string> fields{""};
  for (std::string word; words >> word;) fields.push_back(word);
  if (fields.size() <= kFieldStartTicks) return fail(Code::kInvalid, "a short /proc/PID/stat");
  return fields;
}

std::uint64_t number_of(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Path of a process in the hierarchy: of version 2 for "", else of that controller.
std::string group_of(pid_t pid, std::string_view controller) {
  const auto text = read_file(proc_of(pid, "cgroup"), kProcBytesMax);
  if (!text) return {};
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool wanted = controller.empty()
                            ? names == ",,"
                            : names.find("," + std::string(controller) + ",") != std::string::npos;
    if (wanted) return line.substr(second + 1);
  }
  return {};
}

/// The directory of the container's own group, which nested ones of it lie below.
std::string own_directory(const std::string& mount, const std::string& path,
                          const std::string& id) {
  const auto seen = runtime::parse_cgroup(path);
  if (mount.empty() || !seen || seen->id != id) return {};
  return mount + path.substr(0, path.size() - seen->below.size());
}

std::vector<std::string> netns_peers(const Target& target) {
  std::vector<std::string> peers;
  const auto hierarchy = runtime::choose_hierarchy();
  if (!hierarchy) return peers;
  const auto scan = runtime::scan_cgroups(*hierarchy);
  if (!scan) return peers;
  for (const runtime::CgroupSeen& group : scan->groups) {
    const auto seen = runtime::parse_cgroup(group.path);
    if (!seen || seen->id == target.about.id || !seen->below.empty()) continue;
    const auto pids = processes_in(hierarchy->mount_point + group.path);
    const bool same = std::ranges::any_of(
        pids, [&](pid_t pid) { return netns_inode_of(pid) == target.netns_inode; });
    if (same && std::ranges::find(peers, seen->id) == peers.end()) peers.push_back(seen->id);
  }
  return peers;
}

/// By control group alone: no engine answers.
Result<Container> find_by_group(const std::string& wanted) {
  if (wanted.size() < 12) return fail(Code::kNotFound, "no engine knows a container " + wanted);
  const auto hierarchy = TRY(runtime::choose_hierarchy());
  const auto scan = TRY(runtime::scan_cgroups(hierarchy));
  Container found;
  for (const runtime::CgroupSeen& group : scan.groups) {
    const auto seen = runtime::parse_cgroup(group.path);
    if (!seen || !seen->id.starts_with(wanted) || seen->id == found.id) continue;
    if (!found.id.empty()) return fail(Code::kInvalid, "several containers begin with " + wanted);
    const auto pids = processes_in(hierarchy.mount_point + group.path);
    if (pids.empty()) continue;
    found.id = seen->id;
    found.engine = seen->engine;
    found.init_pid = static_cast<std::uint32_t>(pids.front());
    found.metadata_reason = "no engine answered; found by its control group";
  }
  if (found.id.empty()) return fail(Code::kNotFound, "no engine knows a container " + wanted);
  return found;
}

Result<void> pin_process(Target& target) {
  target.init_pid = static_cast<pid_t>(target.about.init_pid);
  if (target.init_pid <= 0) {
    return fail(Code::kNotFound, "the container doesn't run, so there is nothing to act on");
  }
  target.init.reset(static_cast<int>(::syscall(SYS_pidfd_open, target.init_pid, 0U)));
  if (!target.init.valid()) return fail_errno("the container's first process is gone");
  const CgroupMounts mounts = cgroup_mounts();
  const std::string unified = group_of(target.init_pid, "");
  const std::string freezer = group_of(target.init_pid, "freezer");
  target.cgroup = own_directory(mounts.unified, unified, target.about.id);
  target.freezer = own_directory(mounts.freezer, freezer, target.about.id);
  if (target.cgroup.empty() && target.freezer.empty()) {
    return fail(Code::kDenied, "process " + std::to_string(target.init_pid) +
                                   " isn't in a control group of the container that the engine "
                                   "says it is of; nothing was done");
  }
  if (!target.cgroup.empty()) target.cgroup_id = TRY(runtime::cgroup_id(target.cgroup));
  target.start_ticks = TRY(start_ticks_of(target.init_pid));
  target.netns = TRY(open_file(proc_of(target.init_pid, "ns/net"), O_RDONLY));
  target.netns_inode = inode_of(target.netns);
  target.host_network = target.netns_inode == netns_inode_of(::getpid());
  target.netns_peers = netns_peers(target);
  return check_pinned(target);
}

}  // namespace

CgroupMounts cgroup_mounts() {
  CgroupMounts mounts;
  const auto text = read_file("/proc/self/mountinfo", kProcBytesMax);
  if (!text) return mounts;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    // Optional fields end with " - "; type, source and options follow (proc(5)).
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream front(line);
    std::istringstream back(line.substr(dash + 3));
    std::string skip;
    std::string point;
    std::string type;
    std::string source;
    std::string options;
    front >> skip >> skip >> skip >> skip >> point;
    back >> type >> source >> options;
    if (type == "cgroup2" && mounts.unified.empty()) mounts.unified = point;
    if (type == "cgroup" && ("," + options + ",").find(",freezer,") != std::string::npos) {
      mounts.freezer = point;
    }
  }
  return mounts;
}

Result<Target> pin(const std::string& container, const std::vector<std::string>& engine_sockets) {
  if (!is_container_word(container)) {
    return fail(Code::kInvalid, "a container is named by its id or its name");
  }
  Target target;
  bool answered = false;
  for (const std::string& socket : engine_sockets) {
    auto about = inspect(socket, container);
    if (about) {
      target.about = std::move(*about);
      target.engine_socket = socket;
      break;
    }
    answered |= about.error().code == Code::kNotFound;
  }
  if (target.engine_socket.empty()) {
    if (answered) return fail(Code::kNotFound, "no engine knows a container " + container);
    target.about = TRY(find_by_group(container));
  }
  TRY(pin_process(target));
  return target;
}

Result<void> check_pinned(const Target& target) {
  pollfd ended{target.init.get(), POLLIN, 0};
  if (::poll(&ended, 1, 0) != 0) {
    return fail(Code::kNotFound, "the container ended or was started anew; nothing more was done");
  }
  if (TRY(start_ticks_of(target.init_pid)) != target.start_ticks) {
    return fail(Code::kNotFound, "the container's first process is another one now");
  }
  return {};
}

std::vector<pid_t> processes_in(const std::string& cgroup) {
  std::vector<pid_t> found;
  const auto read = [&](const std::string& directory) {
    const auto text = read_file(directory + "/cgroup.procs", 4U << 20U);
    if (!text) return;
    std::istringstream lines(*text);
    for (pid_t pid = 0; lines >> pid && found.size() < kProcessesMax;) {
      if (pid > 0) found.push_back(pid);
    }
  };
  read(cgroup);
  std::error_code problem;
  for (auto entry = std::filesystem::recursive_directory_iterator(cgroup, problem);
       !problem && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(problem)) {
    if (entry->is_directory(problem)) read(entry->path().string());
  }
  return found;
}

std::string find_cgroup(const std::string& container_id) {
  const auto hierarchy = runtime::choose_hierarchy();
  if (!hierarchy) return {};
  const auto scan = runtime::scan_cgroups(*hierarchy);
  if (!scan) return {};
  for (const runtime::CgroupSeen& group : scan->groups) {
    const auto seen = runtime::parse_cgroup(group.path);
    if (seen && seen->id == container_id && seen->below.empty()) {
      return hierarchy->mount_point + group.path;
    }
  }
  return {};
}

Result<std::uint64_t> start_ticks_of(pid_t pid) {
  const auto fields = TRY(stat_fields(pid));
  return number_of(fields[kFieldStartTicks]);
}

Result<std::uint64_t> cpu_ticks_of(pid_t pid) {
  const auto fields = TRY(stat_fields(pid));
  return number_of(fields[kFieldUserTicks]) + number_of(fields[kFieldSystemTicks]);
}

std::uint64_t netns_inode_of(pid_t pid) {
  struct stat status{};
  return ::stat(proc_of(pid, "ns/net").c_str(), &status) == 0 ? status.st_ino : 0;
}

std::uint64_t inode_of(const Fd& file) {
  struct stat status{};
  return ::fstat(file.get(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace coff::response
