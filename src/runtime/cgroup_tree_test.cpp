// Which hierarchy is chosen on which host, and a scan of this one.
#include "runtime/cgroup_tree.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <gtest/gtest.h>

namespace coff::runtime {
namespace {

constexpr const char* kUnifiedMounts =
    "24 1 0:22 / /proc rw - proc proc rw\n"
    "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kLegacyMounts =
    "30 24 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
    "31 30 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "34 30 0:31 / /sys/fs/cgroup/pids\\040here rw - cgroup cgroup rw,pids\n";
constexpr const char* kControllers =
    "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t3\t60\t1\nmemory\t0\t90\t0\n"
    "pids\t7\t80\t1\n";

TEST(Hierarchy, VersionTwoAloneIsTheDefaultHierarchy) {
  const auto chosen = choose_hierarchy({.mountinfo = kUnifiedMounts, .controllers = ""});
  ASSERT_TRUE(chosen) << chosen.error().message();
  EXPECT_EQ(chosen->mode, CgroupMode::kUnified);
  EXPECT_EQ(chosen->mount_point, "/sys/fs/cgroup");
  EXPECT_EQ(chosen->controller, "");
  EXPECT_EQ(chosen->number, 0U);
}

TEST(Hierarchy, VersionOneAloneIsTheFirstUsableController) {
  const auto chosen = choose_hierarchy({.mountinfo = kLegacyMounts, .controllers = kControllers});
  ASSERT_TRUE(chosen) << chosen.error().message();
  EXPECT_EQ(chosen->mode, CgroupMode::kLegacy);
  EXPECT_EQ(chosen->controller, "pids");
  EXPECT_EQ(chosen->mount_point, "/sys/fs/cgroup/pids here");
  EXPECT_EQ(chosen->number, 7U);
  EXPECT_FALSE(chosen->reason.empty());
}

TEST(Hierarchy, HybridOffersTheDefaultHierarchyFirst) {
  const std::string mounts =
      std::string(kLegacyMounts) + "32 30 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
  const auto all = candidate_hierarchies({.mountinfo = mounts, .controllers = kControllers});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].mode, CgroupMode::kHybrid);
  EXPECT_EQ(all[0].mount_point, "/sys/fs/cgroup/unified");
  EXPECT_EQ(all[1].controller, "pids");
  EXPECT_EQ(all[2].controller, "cpu");
}

TEST(Hierarchy, PartOfAHierarchyIsNotTakenForTheWhole) {
  const char* mounts =
      "35 24 0:30 /docker/box /sys/fs/cgroup rw - cgroup2 cgroup2 rw\nbroken line\n - \n";
  const auto chosen = choose_hierarchy({.mountinfo = mounts, .controllers = ""});
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, Code::kUnsupported);
}

// Needs any mounted hierarchy; container and build hosts have one.
TEST(ScanCgroups, FindsAFreshGroupWithTheKernelsId) {
  const auto chosen = choose_hierarchy();
  if (!chosen) GTEST_SKIP() << chosen.error().message();
  const std::string name = "/coff-test-" + std::to_string(::getpid());
  const std::string directory = chosen->mount_point + name;
  if (::mkdir(directory.c_str(), 0755) < 0) GTEST_SKIP() << "cannot make a control group here";
  const auto id = cgroup_id(directory);
  const auto scan = scan_cgroups(*chosen);
  struct stat status{};
  ::stat(directory.c_str(), &status);
  ::rmdir(directory.c_str());
  ASSERT_TRUE(id) << id.error().message();
  ASSERT_TRUE(scan) << scan.error().message();
  const auto seen = std::ranges::find(scan->groups, name, &CgroupSeen::path);
  ASSERT_NE(seen, scan->groups.end());
  EXPECT_EQ(seen->id, *id);
  EXPECT_EQ(*id, status.st_ino);  // On 64-bit kernels of today they agree.
  EXPECT_EQ(scan->groups.front().path, "/");
  const auto gone = cgroup_id(directory);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace coff::runtime
