// The container's own changes to its file system, and what is mounted into it from outside.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "evidence/collect/mount_line.hpp"
#include "evidence/collect/tree_archive.hpp"

namespace coff::evidence {
namespace {

/// File systems of this host's own kernel, which answer by themselves.
constexpr std::string_view kLocal[] = {"ext2", "ext3",  "ext4",    "xfs",   "btrfs",
                                       "f2fs", "tmpfs", "overlay", "ramfs", "zfs"};
constexpr std::size_t kMountsMax = 4096;

Result<std::vector<MountLine>> mounts_of(Collection& collection) {
  const std::string path = "/proc/" + std::to_string(collection.target.init_pid) + "/mountinfo";
  return parse_mountinfo(TRY(collection.reader.read_file(path, kProcFileBytesMax)), kMountsMax);
}

bool is_local(const MountLine& mount) {
  return std::ranges::find(kLocal, mount.type) != std::end(kLocal);
}

bool is_below(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) &&
         (folder == "/" || path[folder.size()] == '/');
}

/// Way to the mount leads through nothing that may hang.
bool is_reachable(const MountLine& mount, const std::vector<MountLine>& all) {
  return std::ranges::none_of(all, [&](const MountLine& other) {
    return !is_local(other) && is_below(mount.point, other.point);
  });
}

Result<Fd> open_in_root(pid_t init, const std::string& point) {
  const Fd root = TRY(open_file("/proc/" + std::to_string(init) + "/root", O_PATH | O_DIRECTORY));
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long number = ::syscall(SYS_openat2, root.get(), point.c_str(), &how, sizeof how);
  if (number < 0) return fail_errno("cannot open " + point);
  return Fd(static_cast<int>(number));
}

}  // namespace

Result<void> collect_upper_layer(Collection& collection) {
  const auto mounts = mounts_of(collection);
  if (!mounts) {
    collection.bundle.gap("upper layer", mounts.error().message());
    return {};
  }
  const auto root = std::ranges::find(mounts->rbegin(), mounts->rend(), "/", &MountLine::point);
  const std::string upper =
      root == mounts->rend() ? std::string() : overlay_option(root->options, "upperdir");
  if (upper.empty()) {
    collection.bundle.gap("upper layer",
                          "the root is no overlay: its changes can't be told from its image");
    return {};
  }
  Tree tree{.layer = true, .item = "files/upper", .source = upper};
  auto folder = open_file(upper, O_RDONLY | O_DIRECTORY | O_NOATIME);
  if (!folder) {
    collection.bundle.gap(upper, folder.error().message());
    return {};
  }
  tree.folder = std::move(*folder);
  for (const std::string& lower : overlay_lowers(root->options)) {
    auto layer = open_file(lower, O_PATH | O_DIRECTORY);
    if (layer) tree.below.push_back(std::move(*layer));
    else collection.bundle.gap(lower, layer.error().message());
  }
  return archive_tree(collection, std::move(tree));
}

Result<void> collect_volumes(Collection& collection) {
  const auto mounts = mounts_of(collection);
  if (!mounts) {
    collection.bundle.gap("volumes", mounts.error().message());
    return {};
  }
  std::size_t number = 0;
  for (const MountLine& mount : *mounts) {
    constexpr std::string_view kKernels[] = {"proc",   "sysfs",   "devpts",   "cgroup",
                                             "mqueue", "cgroup2", "devtmpfs", "securityfs"};
    if (mount.point == "/" || std::ranges::find(kKernels, mount.type) != std::end(kKernels)) {
      continue;
    }
    const bool memory = mount.type == "tmpfs" || mount.type == "ramfs";
    if (!memory && !collection.options.volumes) {
      collection.bundle.gap(mount.point, "a volume: it was not asked for");
      continue;
    }
    if (!is_local(mount) || !is_reachable(mount, *mounts)) {
      collection.bundle.gap(mount.point, "on a file system (" + mount.type +
                                             ") whose answers somebody else can withhold");
      continue;
    }
    auto folder = open_in_root(collection.target.init_pid, mount.point);
    if (!folder) {
      collection.bundle.gap(mount.point, folder.error().message());
      continue;
    }
    Tree tree{.item = "files/volume-" + std::to_string(++number), .source = mount.point};
    tree.folder = std::move(*folder);
    const auto archived = archive_tree(collection, std::move(tree));
    if (!archived) TRY(collection.gap_unless_full(mount.point, archived.error()));
  }
  return {};
}

}  // namespace coff::evidence
