// Gaps between sensors: their reason and their two ends.
#include "agent/watch_record.hpp"

#include <gtest/gtest.h>

#include "trail/entries.hpp"

namespace coff::agent {
namespace {

constexpr std::int64_t kDay = 1'700'000'000'000'000'000;

std::string entry(std::int64_t second, std::string_view type, std::string_view members,
                  const std::string& boot_id = "boot-1") {
  const trail::EntryTime time{kDay + second * 1'000'000'000,
                              static_cast<std::uint64_t>(second) * 1'000'000'000, boot_id};
  return trail::make_entry(time, type, members);
}

std::string event(std::int64_t second) {
  return R"({"type":"event","kind":"exec","time":"2023-11-14T22:13:40Z","boot":)" +
         std::to_string(second * 1'000'000'000) + "}";
}

constexpr std::string_view kOther = R"("action":"begin","version":"0.0.1")";
constexpr std::string_view kWatching = R"("sensor":{"watching":true,"version":"0.0.1"})";
constexpr std::string_view kIdle = R"("sensor":{"watching":false,"version":"0.0.1"})";

TEST(WatchRecord, TheFirstWatchHasNoGap) {
  WatchRecord record;
  record.take(entry(1, "heartbeat", kIdle));
  EXPECT_FALSE(record.gap_before(entry(2, "watch", watch_members(true))));
}

TEST(WatchRecord, AnOrderlyRestartIsTheTimeBetweenEndAndBegin) {
  WatchRecord record;
  record.take(entry(1, "watch", watch_members(true)));
  record.take(event(5));
  record.take(entry(7, "watch", watch_members(false)));
  record.take(entry(8, "heartbeat", kIdle));
  const auto gap = record.gap_before(entry(9, "watch", watch_members(true)));
  ASSERT_TRUE(gap);
  EXPECT_TRUE(gap->contains(R"("reason":"restart")")) << *gap;
  EXPECT_TRUE(gap->contains(R"("in_order":true)")) << *gap;
  EXPECT_TRUE(gap->contains(R"("duration_ns":2000000000,)")) << *gap;
  EXPECT_TRUE(gap->contains(R"("boot":7000000000,"boot_id":"boot-1")")) << *gap;
  EXPECT_TRUE(gap->contains(R"("boot":9000000000,"boot_id":"boot-1")")) << *gap;
}

TEST(WatchRecord, AKilledSensorWatchedUntilItsLastSign) {
  WatchRecord record;
  record.take(entry(1, "watch", watch_members(true)));
  record.take(event(5));
  const auto gap = record.gap_before(entry(9, "watch", watch_members(true)));
  ASSERT_TRUE(gap);
  EXPECT_TRUE(gap->contains(R"("reason":"crash")")) << *gap;
  EXPECT_TRUE(gap->contains(R"("duration_ns":4000000000,)")) << *gap;
}

TEST(WatchRecord, AnotherVersionIsAnUpgradeAndAnotherBootAReboot) {
  WatchRecord record;
  record.take(entry(1, "watch", kOther));
  record.take(entry(2, "heartbeat", kWatching));
  const auto upgrade = record.gap_before(entry(4, "watch", watch_members(true)));
  ASSERT_TRUE(upgrade);
  EXPECT_TRUE(upgrade->contains(R"("reason":"upgrade")")) << *upgrade;
  EXPECT_TRUE(upgrade->contains(R"("version":"0.0.1")")) << *upgrade;
  EXPECT_TRUE(upgrade->contains(R"("version":")" COFF_VERSION R"(")")) << *upgrade;
  // The boot clock starts again: the wall clock tells.
  const std::string begin =
      trail::make_entry({kDay + 60'000'000'000, 1, "boot-2"}, "watch", watch_members(true));
  const auto reboot = record.gap_before(begin);
  ASSERT_TRUE(reboot);
  EXPECT_TRUE(reboot->contains(R"("reason":"reboot")")) << *reboot;
  EXPECT_TRUE(reboot->contains(R"("duration_ns":58000000000,)")) << *reboot;
}

TEST(WatchRecord, ABeginThatIsSentAgainIsNoGap) {
  WatchRecord record;
  const std::string begin = entry(1, "watch", watch_members(true));
  record.take(begin);
  EXPECT_FALSE(record.gap_before(begin));
  // As the trail shows it, with its number in front.
  record.take(R"({"v":1,"seq":1099511627775,)" + begin.substr(1));
  EXPECT_FALSE(record.gap_before(begin));
}

}  // namespace
}  // namespace coff::agent
