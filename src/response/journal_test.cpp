// The journal: what is written reads back, damage is told, nothing that is in force is forgotten.
#include "response/journal.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "response/plan.hpp"

namespace coff::response {
namespace {

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "journal-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    top_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(top_); }
  [[nodiscard]] Journal open() const {
    auto journal = Journal::open(top_ + "/response");
    EXPECT_TRUE(journal);
    return std::move(*journal);
  }
  static Record record(const std::string& action) {
    return {.action = action,
            .container_id = std::string(64, 'b'),
            .container_name = "web \"1\"",
            .stage = Stage::kApplied,
            .since_wall_ns = 1'700'000'000'000'000'001,
            .until_wall_ns = 1'700'000'600'000'000'000,
            .who = R"({"uid":0})",
            .reason = "line\nof text",
            .break_glass = "night",
            .allowed = {"10.0.0.1", "2001:db8::/32"},
            .before = {{"devices", "veth1, veth2"}, {"state", "0"}}};
  }
  std::string top_;
};

TEST_F(JournalTest, RecordsReadBackAndGo) {
  const Journal journal = open();
  ASSERT_TRUE(journal.put(record("quarantine")));
  ASSERT_TRUE(journal.put(record("freeze")));
  const auto list = journal.list();
  ASSERT_TRUE(list) << list.error().message();
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ(to_json((*list)[1]), to_json(record("quarantine")));
  EXPECT_EQ((*list)[0].before.at("devices"), "veth1, veth2");
  ASSERT_TRUE(journal.erase(record("freeze")));
  ASSERT_TRUE(journal.erase(record("freeze")));
  EXPECT_EQ(journal.list()->size(), 1U);
}

TEST_F(JournalTest, OnlyItsOwnerReadsIt) {
  const Journal journal = open();
  ASSERT_TRUE(journal.put(record("freeze")));
  struct stat status{};
  ASSERT_EQ(::stat((top_ + "/response").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(JournalTest, DamageIsToldAndNotForgotten) {
  const Journal journal = open();
  ASSERT_TRUE(journal.put(record("freeze")));
  const std::string good = to_json(record("freeze"));
  for (const std::string& bad :
       {std::string(), std::string("{}"), good.substr(0, good.size() / 2), std::string("[1]"),
        R"({"version":2)" + good.substr(good.find(',')),
        R"({"version":1,"stage":"applied"})" + std::string()}) {
    std::ofstream(top_ + "/response/" + std::string(64, 'b') + ".freeze.json") << bad;
    EXPECT_FALSE(journal.list()) << bad;
  }
}

TEST_F(JournalTest, UsesCountEachContainerOnce) {
  const Journal journal = open();
  EXPECT_TRUE(journal.used_since(0)->empty());
  ASSERT_TRUE(journal.note_use(100, "a"));
  ASSERT_TRUE(journal.note_use(200, "b"));
  ASSERT_TRUE(journal.note_use(300, "b"));
  EXPECT_EQ(journal.used_since(0)->size(), 2U);
  EXPECT_EQ(*journal.used_since(150), std::vector<std::string>{"b"});
  EXPECT_TRUE(journal.used_since(301)->empty());
}

TEST_F(JournalTest, OneActsAtATime) {
  const Journal journal = open();
  const auto first = journal.lock(0);
  ASSERT_TRUE(first);
  const auto second = journal.lock(20);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kBusy);
}

TEST(Plan, EqualPlansHaveEqualHashes) {
  Plan plan{.action = "quarantine", .container_id = "x", .steps = {{"close", "open"}}};
  const std::string one = to_json(plan);
  EXPECT_EQ(one, to_json(plan));
  plan.steps[0].change = "close all";
  const std::string other = to_json(plan);
  EXPECT_NE(one.substr(one.find("\"sha256\"")), other.substr(other.find("\"sha256\"")));
}

TEST(Plan, ChannelsThatNoFilterClosesAreNamed) {
  Target target;
  target.engine_socket = "/run/docker.sock";
  target.about.restart_policy = "always";
  target.about.health_check = "curl localhost";
  target.about.privileged = true;
  target.about.host_pid = true;
  target.about.mounts = {
      {.type = "bind", .source = "/run/docker.sock", .destination = "/d"},
      {.type = "volume", .source = "data", .destination = "/v", .writable = true},
      {.type = "tmpfs", .destination = "/tmp"}};
  Plan plan;
  add_open_channels(target, plan);
  add_restart_warnings(target, true, plan);
  std::string kinds;
  for (const Channel& channel : plan.open_channels) kinds += channel.kind + " ";
  EXPECT_EQ(kinds, "engine_socket shared_mount privileged host_pid ");
  EXPECT_EQ(plan.warnings.size(), 2U);
}

TEST(Plan, RawSocketsFollowTheCapabilities) {
  Container container;
  EXPECT_TRUE(has_raw_sockets(container));
  container.capabilities_dropped = {"ALL"};
  EXPECT_FALSE(has_raw_sockets(container));
  container.capabilities_added = {"CAP_NET_RAW"};
  EXPECT_TRUE(has_raw_sockets(container));
}

}  // namespace
}  // namespace coff::response
