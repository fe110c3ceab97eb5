// What each running process maps now: programs and libraries, deleted files included.
#include "inventory/mapped.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>
#include <memory>

#include "inventory/packages/text_lines.hpp"

namespace coff::inventory {
namespace {

constexpr std::size_t kSmallFileBytesMax = 65'536;
/// Processes of which a file's place is kept: if the first has ended, another may still run.
constexpr std::size_t kSourcesMax = 4;
constexpr std::string_view kDeleted = " (deleted)";

std::string_view take_word(std::string_view& text) {
  const std::size_t space = text.find(' ');
  const std::string_view word = text.substr(0, space);
  text = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
  return word;
}

template <typename T>
bool read_number(std::string_view text, T& value, int base) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return problem == std::errc() && end == text.data() + text.size();
}

std::string_view without_zeros(std::string_view number) {
  const std::size_t first = number.find_first_not_of('0');
  return first == std::string_view::npos ? "0" : number.substr(first);
}

/// "\012" is the only escape of maps.
std::string unescaped(std::string_view path) {
  std::string plain;
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (path.substr(at).starts_with("\\012")) {
      plain += '\n';
      at += 3;
    } else {
      plain += path[at];
    }
  }
  return plain;
}

struct RootKey {
  std::string container;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend auto operator<=>(const RootKey&, const RootKey&) = default;
};
struct FileKey {
  std::uint32_t device = 0;
  std::uint64_t inode = 0;
  std::string path;
  bool deleted = false;
  friend auto operator<=>(const FileKey&, const FileKey&) = default;
};

/// State, start time and kernel thread flag of /proc/PID/stat, whose second field may contain
/// anything.
bool read_stat(const std::string& text, MappedProcess& process, bool& kernel_thread) {
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return false;
  process.name = text.substr(open + 1, close - open - 1);
  std::string_view rest = std::string_view(text).substr(std::min(close + 2, text.size()));
  constexpr std::size_t kFlagsAt = 6;
  constexpr std::size_t kStartAt = 19;
  constexpr std::uint64_t kKernelThread = 0x00200000;  // PF_KTHREAD
  std::uint64_t flags = 0;
  for (std::size_t at = 0; at <= kStartAt; ++at) {
    const std::string_view word = take_word(rest);
    if (at == kFlagsAt && !read_number(word, flags, 10)) return false;
    if (at == kStartAt && !read_number(word, process.start_ticks, 10)) return false;
  }
  kernel_thread = (flags & kKernelThread) != 0;
  return true;
}

/// The most telling path: version 2 alone, else the first that names a container.
std::string cgroup_of(std::string_view text, std::string (*container_of)(std::string_view)) {
  std::string_view unified = "/";
  TextLines lines(text);
  for (std::string_view line; lines.next(line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view path = line.substr(second + 1);
    if (!container_of(path).empty()) return std::string(path);
    if (line.starts_with("0:")) unified = path;
  }
  return std::string(unified);
}

class Sweep {
 public:
  explicit Sweep(std::string (*container_of)(std::string_view)) : container_of_(container_of) {}

  void take(pid_t pid) {
    const std::string folder = "/proc/" + std::to_string(pid);
    MappedProcess process{.pid = pid};
    bool kernel_thread = false;
    const auto stat = read_file(folder + "/stat", kSmallFileBytesMax);
    if (!stat || !read_stat(*stat, process, kernel_thread) || kernel_thread) return;
    const auto maps = read_file(folder + "/maps", kMapsBytesMax);
    struct stat root{};
    struct stat self{};
    if (!maps || ::stat((folder + "/root/.").c_str(), &root) != 0) {
      // It may have ended meanwhile.
      result_.unreadable += ::stat(folder.c_str(), &self) == 0 ? 1 : 0;
      return;
    }
    if (maps->empty()) return;  // a zombie
    if (::stat(folder.c_str(), &self) == 0) process.user = self.st_uid;
    if (const auto cgroup = read_file(folder + "/cgroup", kSmallFileBytesMax)) {
      process.cgroup = cgroup_of(*cgroup, container_of_);
    }
    const RootKey key{container_of_(process.cgroup), root.st_dev, root.st_ino};
    const auto [place, fresh] = roots_.try_emplace(key, result_.roots.size());
    if (fresh) {
      result_.roots.push_back(
          {.container = key.container, .device = key.device, .inode = key.inode});
      files_.emplace_back();
    }
    take_maps(*maps, folder, place->second, std::move(process));
  }

  MappedSweep finish() { return std::move(result_); }
  [[nodiscard]] bool full() const { return processes_ >= kProcessesMax; }
  void truncated() { result_.truncated = true; }

 private:
  void take_maps(std::string_view maps, const std::string& folder, std::size_t root_at,
                 MappedProcess process) {
    MappedRoot& root = result_.roots[root_at];
    const std::size_t process_at = root.processes.size();
    root.processes.push_back(std::move(process));
    ++processes_;
    TextLines lines(maps);
    MapLine mapped;
    for (std::string_view line; lines.next(line);) {
      ++result_.lines;
      if (!read_map_line(line, mapped) || !mapped.executable) continue;
      take_file(root, files_[root_at], mapped, folder, process_at);
    }
  }

  void take_file(MappedRoot& root, std::map<FileKey, std::size_t>& known, const MapLine& mapped,
                 const std::string& folder, std::size_t process_at) {
    const FileKey key{mapped.device, mapped.inode, mapped.path, mapped.deleted};
    const auto [place, fresh] = known.try_emplace(key, root.files.size());
    if (fresh) {
      if (root.files.size() >= kFilesOfRootMax) {
        known.erase(place);
        result_.truncated = true;
        return;
      }
      root.files.push_back({.path = mapped.path,
                            .deleted = mapped.deleted,
                            .device = mapped.device,
                            .inode = mapped.inode});
    }
    MappedFile& file = root.files[place->second];
    if (!file.processes.empty() && file.processes.back() == process_at) return;
    file.processes.push_back(process_at);
    if (file.sources.size() < kSourcesMax) {
      file.sources.push_back(folder + "/map_files/" + mapped.range);
    }
  }

  std::string (*container_of_)(std::string_view);
  MappedSweep result_;
  std::map<RootKey, std::size_t> roots_;
  std::vector<std::map<FileKey, std::size_t>> files_;  ///< Of each root.
  std::size_t processes_ = 0;
};

}  // namespace

bool read_map_line(std::string_view line, MapLine& mapped) {
  // "7f00-7f01 r-xp 00001000 fe:01 1234    /usr/lib/x.so": the path begins after spaces.
  const std::string_view range = take_word(line);
  const std::string_view rights = take_word(line);
  take_word(line);  // offset
  const std::string_view device = take_word(line);
  const std::string_view inode = take_word(line);
  const std::size_t dash = range.find('-');
  const std::size_t colon = device.find(':');
  if (dash == std::string_view::npos || colon == std::string_view::npos || rights.size() != 4) {
    return false;
  }
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  if (!read_number(device.substr(0, colon), major, 16) ||
      !read_number(device.substr(colon + 1), minor, 16) || !read_number(inode, mapped.inode, 10) ||
      mapped.inode == 0) {
    return false;
  }
  const std::size_t begin = line.find_first_not_of(' ');
  if (begin == std::string_view::npos || line[begin] != '/') return false;
  std::string_view path = line.substr(begin);
  mapped.deleted = path.ends_with(kDeleted);
  if (mapped.deleted) path.remove_suffix(kDeleted.size());
  mapped.range = std::string(without_zeros(range.substr(0, dash))) + "-" +
                 std::string(without_zeros(range.substr(dash + 1)));
  mapped.device = major << 20U | minor;
  mapped.executable = rights[2] == 'x';
  mapped.path = unescaped(path);
  return true;
}

Result<MappedSweep> sweep_processes(std::string (*container_of)(std::string_view)) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), &::closedir);
  if (!folder) return fail_errno("cannot list /proc");
  Sweep sweep(container_of);
  while (const dirent* entry = ::readdir(folder.get())) {
    pid_t pid = 0;
    if (!read_number(std::string_view(entry->d_name), pid, 10)) continue;
    if (sweep.full()) {
      sweep.truncated();
      break;
    }
    sweep.take(pid);
  }
  return sweep.finish();
}

Result<OpenedFile> open_mapped(const MappedFile& file) {
  Error last{Code::kNotFound, "no process maps " + file.path + " any more"};
  for (const std::string& source : file.sources) {
    auto place = open_file(source, O_PATH);
    if (!place) {
      last = place.error();
      continue;
    }
    struct stat status{};
    if (::fstat(place->get(), &status) != 0) return fail_errno("cannot stat " + file.path);
    if (!S_ISREG(status.st_mode)) return fail(Code::kInvalid, file.path + " is no regular file");
    OpenedFile opened;
    opened.file =
        TRY(open_file("/proc/self/fd/" + std::to_string(place->get()), O_RDONLY | O_NONBLOCK));
    opened.identity = {
        .device = status.st_dev,
        .inode = status.st_ino,
        .changed_ns = status.st_ctim.tv_sec * std::int64_t{1'000'000'000} + status.st_ctim.tv_nsec,
        .size_bytes = static_cast<std::uint64_t>(status.st_size)};
    return opened;
  }
  return std::unexpected(last);
}

}  // namespace coff::inventory
