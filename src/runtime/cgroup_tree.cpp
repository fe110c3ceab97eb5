// Reads the mounted control group hierarchies and walks one of them.
#include "runtime/cgroup_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <sstream>

#include "base/fd.hpp"
#include "runtime/cgroup.hpp"

namespace coff::runtime {
namespace {

constexpr size_t kTextBytesMax = 16U << 20U;
constexpr size_t kHandleBytesMax = 128;

// Controllers in which every engine makes a group for each container, most common first: memory
// can be switched off on the kernel's command line, and pids is younger than the others.
constexpr std::array<std::string_view, 6> kControllers = {"memory",  "pids",    "cpu",
                                                          "devices", "freezer", "cpuset"};

struct Mount {
  std::string root;
  std::string mount_point;
  std::string type;
  std::string super_options;
};

// The octal escapes of mountinfo (proc(5)): space, tab, newline, backslash.
std::string unescape(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size()) {
      plain += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 +
                                 (text[at + 3] - '0'));
      at += 3;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

std::vector<Mount> cgroup_mounts(const std::string& mountinfo) {
  std::vector<Mount> mounts;
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before(line.substr(0, dash));
    std::istringstream after(line.substr(dash + 3));
    std::string skipped;
    Mount mount;
    before >> skipped >> skipped >> skipped >> mount.root >> mount.mount_point;
    after >> mount.type >> skipped >> mount.super_options;
    if (mount.type != "cgroup" && mount.type != "cgroup2") continue;
    mount.mount_point = unescape(mount.mount_point);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const size_t comma = options.find(',');
    if (options.substr(0, comma) == wanted) return true;
    options.remove_prefix(comma == std::string_view::npos ? options.size() : comma + 1);
  }
  return false;
}

// Column 2 of /proc/cgroups.
std::uint32_t hierarchy_number(const std::string& controllers, std::string_view controller) {
  std::istringstream lines(controllers);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint32_t number = 0;
    if (words >> name >> number && name == controller) return number;
  }
  return 0;
}

Result<std::uint64_t> id_of(int directory, const char* name) {
  struct Handle {
    alignas(file_handle) std::array<unsigned char, sizeof(file_handle) + kHandleBytesMax> bytes{};
  } storage;
  auto* handle = reinterpret_cast<file_handle*>(storage.bytes.data());
  handle->handle_bytes = kHandleBytesMax;
  int mount_id = 0;
  if (::name_to_handle_at(directory, name, handle, &mount_id, *name == '\0' ? AT_EMPTY_PATH : 0) <
      0)
    return fail_errno("cannot read the id of a control group");
  std::uint64_t id = 0;
  if (handle->handle_bytes != sizeof id)
    return fail(Code::kUnsupported, "this kernel gives no 64-bit ids of control groups");
  std::memcpy(&id, storage.bytes.data() + sizeof(file_handle), sizeof id);
  return id;
}

using Directory = std::unique_ptr<DIR, decltype([](DIR* open) { ::closedir(open); })>;

struct Walk {
  CgroupScan scan;

  // Takes the directory's descriptor over; `path` is its own, without a slash at the end.
  void enter(Fd fd, const std::string& path, size_t depth) {
    const auto id = id_of(fd.get(), "");
    if (!id || scan.groups.size() >= kCgroupsMax || depth > kCgroupDepthMax) {
      ++scan.unread;
      return;
    }
    scan.groups.push_back({.id = *id, .path = path.empty() ? "/" : path});
    const Directory open(::fdopendir(fd.get()));
    if (!open) {
      ++scan.unread;
      return;
    }
    const int number = fd.release();
    while (const dirent* entry = ::readdir(open.get())) {
      if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
      Fd below(::openat(number, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (below.valid()) enter(std::move(below), path + "/" + entry->d_name, depth + 1);
      else ++scan.unread;
    }
  }
};

size_t container_count(const CgroupScan& scan) {
  return static_cast<size_t>(std::ranges::count_if(scan.groups, [](const CgroupSeen& group) {
    const auto container = parse_cgroup(group.path);
    return container && container->below.empty();
  }));
}

}  // namespace

std::vector<Hierarchy> candidate_hierarchies(const CgroupTexts& texts) {
  std::vector<Hierarchy> found;
  const auto mounts = cgroup_mounts(texts.mountinfo);
  const auto unified = std::ranges::find_if(
      mounts, [](const Mount& mount) { return mount.type == "cgroup2" && mount.root == "/"; });
  const bool legacy = std::ranges::any_of(mounts, [](const Mount& mount) {
    return mount.type == "cgroup" && std::ranges::any_of(kControllers, [&](auto controller) {
             return has_option(mount.super_options, controller);
           });
  });
  const bool has_unified = unified != mounts.end();
  const CgroupMode mode = !legacy       ? CgroupMode::kUnified
                          : has_unified ? CgroupMode::kHybrid
                                        : CgroupMode::kLegacy;
  if (has_unified)
    found.push_back({.mode = mode,
                     .mount_point = unified->mount_point,
                     .reason = "control group ids come from the version 2 hierarchy"});
  for (const std::string_view controller : kControllers) {
    const auto mount = std::ranges::find_if(mounts, [&](const Mount& candidate) {
      return candidate.type == "cgroup" && candidate.root == "/" &&
             has_option(candidate.super_options, controller);
    });
    const std::uint32_t number = hierarchy_number(texts.controllers, controller);
    if (mount == mounts.end() || number == 0) continue;
    found.push_back({.mode = mode,
                     .mount_point = mount->mount_point,
                     .controller = std::string(controller),
                     .number = number,
                     .reason = "there is no version 2 hierarchy; control group ids come from the "
                               "version 1 controller " +
                               std::string(controller)});
  }
  return found;
}

Result<Hierarchy> choose_hierarchy(const CgroupTexts& texts) {
  auto candidates = candidate_hierarchies(texts);
  if (candidates.empty())
    return fail(Code::kUnsupported,
                "no control group hierarchy is mounted: containers can't be "
                "told apart; mount one at /sys/fs/cgroup");
  Hierarchy& best = candidates.front();
  if (best.mode != CgroupMode::kHybrid || candidates.size() == 1) return std::move(best);
  Hierarchy& controller = candidates[1];
  const auto in_default = scan_cgroups(best);
  const auto in_controller = scan_cgroups(controller);
  if (!in_default || !in_controller) return std::move(best);
  if (container_count(*in_controller) > container_count(*in_default)) {
    controller.reason =
        "containers of this host have no group of their own in the version 2 "
        "hierarchy; control group ids come from the version 1 controller " +
        controller.controller;
    return std::move(controller);
  }
  return std::move(best);
}

Result<Hierarchy> choose_hierarchy() {
  CgroupTexts texts;
  texts.mountinfo = TRY(read_file("/proc/self/mountinfo", kTextBytesMax));
  // Gone from kernels without version 1.
  texts.controllers = read_file("/proc/cgroups", kTextBytesMax).value_or("");
  return choose_hierarchy(texts);
}

Result<CgroupScan> scan_cgroups(const Hierarchy& hierarchy) {
  Fd root = TRY(open_file(hierarchy.mount_point, O_RDONLY | O_DIRECTORY));
  TRY(id_of(root.get(), ""));
  Walk walk;
  walk.enter(std::move(root), "", 0);
  return std::move(walk.scan);
}

Result<std::uint64_t> cgroup_id(const std::string& directory) {
  return id_of(AT_FDCWD, directory.c_str());
}

}  // namespace coff::runtime
