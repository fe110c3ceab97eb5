// A reader whose helper hangs, and the parsers of what /proc tells.
#include "evidence/reader.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "evidence/collect/mount_line.hpp"
#include "evidence/process.hpp"

namespace coff::evidence {
namespace {

pid_t only_child() {
  const std::string self = std::to_string(::getpid());
  const std::string text =
      read_file("/proc/" + self + "/task/" + self + "/children", 4096).value_or("");
  pid_t child = 0;
  std::from_chars(text.data(), text.data() + text.size(), child);
  return child;
}

TEST(Reader, GivesAHangingReadUpAndGoesOn) {
  auto reader = Reader::start(200);
  ASSERT_TRUE(reader);
  const pid_t helper = only_child();
  ASSERT_GT(helper, 0);
  ASSERT_EQ(::kill(helper, SIGSTOP), 0);
  const auto hanging = reader->read_file("/proc/self/status", 4096);
  ASSERT_FALSE(hanging);
  EXPECT_EQ(hanging.error().code, Code::kTimeout);
  EXPECT_EQ(reader->stalls(), 1U);
  const auto text = reader->read_file("/proc/version", 4096);
  ASSERT_TRUE(text) << text.error().message();
  EXPECT_TRUE(text->starts_with("Linux"));
}

TEST(Reader, OpensNoPipesAndNoDevices) {
  auto reader = Reader::start();
  ASSERT_TRUE(reader);
  std::string name = testing::TempDir() + "coff-pipe-" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(name.c_str(), 0600), 0);
  EXPECT_FALSE(reader->open(name));
  EXPECT_FALSE(reader->open("/dev/zero"));
  ::unlink(name.c_str());
}

TEST(Reader, CutsAndLists) {
  auto reader = Reader::start();
  ASSERT_TRUE(reader);
  bool cut = false;
  const auto text = reader->read_file("/proc/self/status", 10, &cut);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->size(), 10U);
  EXPECT_TRUE(cut);
  const auto names = reader->list("/proc/self/ns");
  ASSERT_TRUE(names);
  EXPECT_GE(names->size(), 5U);
  EXPECT_TRUE(reader->read_link("/proc/self/ns/net")->starts_with("net:["));
}

TEST(Process, ReadsHostileNames) {
  const std::string stat = "7 (a) S 1 (b) R 3 4 5) T 42 6";
  EXPECT_EQ(stat_field(stat, 3), "T");
  EXPECT_EQ(stat_field(stat, 4), "42");
  EXPECT_EQ(stat_field("no bracket", 3), "");
  EXPECT_EQ(status_field("Name:\tx\nUid:\t1\t2\n", "Uid"), "1\t2");
  EXPECT_EQ(status_field("Name:\tx\n", "Na"), "");
}

TEST(Mounts, ReadsOverlayOptions) {
  const auto mounts = parse_mountinfo(
      "30 23 0:28 / / rw,relatime - overlay overlay rw,lowerdir=/l/A\\:b:/l/C,upperdir=/u\\040x\n",
      10);
  ASSERT_TRUE(mounts) << mounts.error().message();
  ASSERT_EQ(mounts->size(), 1U);
  EXPECT_EQ(mounts->front().point, "/");
  EXPECT_EQ(overlay_option(mounts->front().options, "upperdir"), "/u x");
  EXPECT_EQ(overlay_lowers(mounts->front().options), (std::vector<std::string>{"/l/A:b", "/l/C"}));
  EXPECT_FALSE(parse_mountinfo("30 23 0:28 / /\n", 10));
}

}  // namespace
}  // namespace coff::evidence
