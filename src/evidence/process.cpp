// Processes as evidence names them: pinned, so that a pid that is used again is noticed.
#include "evidence/process.hpp"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>

#include "runtime/cgroup.hpp"

namespace coff::evidence {
namespace {

constexpr std::size_t kSmallFileBytesMax = 65536;
/// Rounds of listing while new processes come.
constexpr int kRounds = 4;

std::string proc_text(pid_t pid, const char* name) {
  return read_file("/proc/" + std::to_string(pid) + "/" + name, kSmallFileBytesMax).value_or("");
}

std::vector<pid_t> numbers_in(const std::string& folder, std::size_t count_max) {
  std::vector<pid_t> numbers;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(folder.c_str()), &::closedir);
  if (!stream) return numbers;
  while (numbers.size() < count_max) {
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    pid_t number = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (problem == std::errc() && end == name.data() + name.size()) numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

std::string container_of(pid_t pid) {
  const std::string text = proc_text(pid, "cgroup");
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t colon = line.find(':', line.find(':') + 1);
    if (colon == line.npos) continue;
    if (auto seen = runtime::parse_cgroup(line.substr(colon + 1))) return seen->id;
  }
  return {};
}

std::uint64_t start_of(pid_t pid) {
  const std::string text = stat_field(proc_text(pid, "stat"), 22);
  std::uint64_t ticks = 0;
  std::from_chars(text.data(), text.data() + text.size(), ticks);
  return ticks;
}

Result<void> fill_target(Target& target, pid_t init) {
  target.init_pid = init;
  target.init_start_ticks = start_of(init);
  target.cgroups = proc_text(init, "cgroup");
  if (target.init_start_ticks == 0) return fail(Code::kNotFound, "its first process has ended");
  return {};
}

constexpr std::size_t kPidsMax = 4U << 20U;

}  // namespace

std::string stat_field(std::string_view stat, unsigned number) {
  // The name may hold anything, closing brackets too: the last one ends it.
  const std::size_t bracket = stat.rfind(')');
  if (bracket == stat.npos || number < 3) return {};
  std::string_view rest = stat.substr(std::min(bracket + 2, stat.size()));
  for (unsigned at = 3; at < number; ++at) {
    const std::size_t space = rest.find(' ');
    if (space == rest.npos) return {};
    rest.remove_prefix(space + 1);
  }
  return std::string(rest.substr(0, rest.find_first_of(" \n")));
}

std::string status_field(std::string_view status, std::string_view name) {
  while (!status.empty()) {
    const std::string_view line = status.substr(0, status.find('\n'));
    status.remove_prefix(std::min(line.size() + 1, status.size()));
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':') {
      const std::size_t begin = line.find_first_not_of(" \t", name.size() + 1);
      return begin == line.npos ? std::string() : std::string(line.substr(begin));
    }
  }
  return {};
}

Result<Pinned> Pinned::pin(pid_t pid) {
  Pinned pinned;
  pinned.pid_ = pid;
  const long handle = ::syscall(SYS_pidfd_open, pid, 0);
  if (handle < 0) {
    if (errno == ESRCH) return fail(Code::kNotFound, "process " + std::to_string(pid) + " ended");
    return fail_errno("cannot pin process " + std::to_string(pid));
  }
  pinned.handle_ = Fd(static_cast<int>(handle));
  pinned.start_ticks_ = start_of(pid);
  // Read after the handle was there, and alive afterwards: it is that very process's.
  if (pinned.start_ticks_ == 0 || !pinned.alive()) {
    return fail(Code::kNotFound, "process " + std::to_string(pid) + " ended");
  }
  return pinned;
}

bool Pinned::alive() const {
  pollfd entry{handle_.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 0;
}

std::string Pinned::proc(std::string_view name) const {
  return "/proc/" + std::to_string(pid_) + "/" + std::string(name);
}

Result<Target> find_target(std::string_view wanted) {
  if (wanted.empty()) return fail(Code::kInvalid, "a container's id or its beginning is needed");
  Target target;
  std::uint64_t earliest = UINT64_MAX;
  pid_t init = 0;
  for (const pid_t pid : numbers_in("/proc", kPidsMax)) {
    const std::string id = container_of(pid);
    if (!id.starts_with(wanted)) continue;
    if (!target.container.empty() && target.container != id) {
      return fail(Code::kInvalid,
                  std::string(wanted) + " is the beginning of more than one container's id");
    }
    target.container = id;
    const std::uint64_t start = start_of(pid);
    if (start == 0 || start >= earliest) continue;
    earliest = start;
    init = pid;
  }
  if (init == 0) {
    return fail(Code::kNotFound, "no process of a container " + std::string(wanted) + " runs here");
  }
  TRY(fill_target(target, init));
  return target;
}

Result<Target> target_of_process(pid_t pid) {
  Target target;
  target.pids = {pid};
  TRY(fill_target(target, pid));
  return target;
}

std::vector<pid_t> processes_of(const Target& target, bool& cut) {
  cut = false;
  if (target.container.empty()) return target.pids;
  std::set<pid_t> found;
  std::set<pid_t> seen;
  for (int round = 0; round < kRounds; ++round) {
    bool fresh = false;
    for (const pid_t pid : numbers_in("/proc", kPidsMax)) {
      if (!seen.insert(pid).second || container_of(pid) != target.container) continue;
      if (found.size() >= kProcessesMax) {
        cut = true;
        return {found.begin(), found.end()};
      }
      found.insert(pid);
      fresh = true;
    }
    if (!fresh) return {found.begin(), found.end()};
  }
  cut = true;
  return {found.begin(), found.end()};
}

std::vector<pid_t> threads_of(pid_t pid) {
  return numbers_in("/proc/" + std::to_string(pid) + "/task", kThreadsMax);
}

int frozen_by(pid_t pid) {
  const std::string text = proc_text(pid, "cgroup");
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    if (controllers == "freezer") {
      const auto state = read_file("/sys/fs/cgroup/freezer" + path + "/freezer.state", 64);
      if (state && state->starts_with("FROZEN")) return 1;
    } else if (controllers.empty()) {
      for (const char* mount : {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
        const auto events = read_file(mount + path + "/cgroup.events", 4096);
        if (events && events->find("frozen 1") != events->npos) return 2;
      }
    }
  }
  return 0;
}

}  // namespace coff::evidence
