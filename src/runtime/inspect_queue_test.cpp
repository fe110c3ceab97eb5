// The order in which containers are asked about, and which events count as told.
#include "runtime/inspect_queue.hpp"

#include <gtest/gtest.h>

#include "runtime/recent_events.hpp"

namespace coff::runtime {
namespace {

TEST(InspectQueue, TakesUrgentOnesFirstAndEachOnce) {
  InspectQueue queue(10);
  EXPECT_TRUE(queue.add("a", Urgency::kRefresh));
  EXPECT_TRUE(queue.add("b", Urgency::kRefresh));
  EXPECT_TRUE(queue.add("c", Urgency::kNow));
  EXPECT_TRUE(queue.add("b", Urgency::kNow));
  EXPECT_EQ(queue.next(0), "c");
  EXPECT_EQ(queue.next(0), "b");
  EXPECT_EQ(queue.next(0), "a");
  EXPECT_EQ(queue.next(0), std::nullopt);
  for (const char* id : {"a", "b", "c"}) queue.done(id);
  EXPECT_EQ(queue.size(), 0U);
}

TEST(InspectQueue, AsksAgainWhatChangedMeanwhile) {
  InspectQueue queue(10);
  EXPECT_TRUE(queue.add("a", Urgency::kNow));
  EXPECT_EQ(queue.next(0), "a");
  EXPECT_TRUE(queue.add("a", Urgency::kNow));
  EXPECT_EQ(queue.next(0), std::nullopt);
  queue.done("a");
  EXPECT_EQ(queue.next(0), "a");
}

TEST(InspectQueue, PausesLongerAfterEachFailureAndGivesUp) {
  InspectQueue queue(10);
  EXPECT_TRUE(queue.add("a", Urgency::kNow));
  std::int64_t now_ns = 0;
  for (int attempt = 1; attempt < InspectQueue::kAttemptsMax; ++attempt) {
    ASSERT_EQ(queue.next(now_ns), "a");
    EXPECT_TRUE(queue.failed("a", now_ns));
    const std::int64_t pause_ns = InspectQueue::kPauseNs << (attempt - 1);
    EXPECT_EQ(queue.next(now_ns + pause_ns - 1), std::nullopt);
    now_ns += pause_ns;
  }
  ASSERT_EQ(queue.next(now_ns), "a");
  EXPECT_FALSE(queue.failed("a", now_ns));
  EXPECT_EQ(queue.size(), 0U);
}

TEST(InspectQueue, IsBoundedAndSurvivesALostConnection) {
  InspectQueue queue(2);
  EXPECT_TRUE(queue.add("a", Urgency::kNow));
  EXPECT_TRUE(queue.add("b", Urgency::kRefresh));
  EXPECT_FALSE(queue.add("c", Urgency::kNow));
  EXPECT_EQ(queue.next(0), "a");
  EXPECT_EQ(queue.next(0), "b");
  queue.restart();
  EXPECT_EQ(queue.next(0), "a");
  EXPECT_EQ(queue.next(0), "b");
}

TEST(RecentEvents, ForgetsOnlyTheOldest) {
  RecentEvents recent;
  EngineEvent event{.action = "start", .id = "a"};
  for (size_t number = 0; number < RecentEvents::kKept; ++number) {
    event.wall_ns = static_cast<std::int64_t>(number);
    EXPECT_TRUE(recent.insert(event));
    EXPECT_FALSE(recent.insert(event));
  }
  event.wall_ns = 0;
  EXPECT_FALSE(recent.insert(event));
  event.wall_ns = static_cast<std::int64_t>(RecentEvents::kKept);
  EXPECT_TRUE(recent.insert(event));
  event.wall_ns = 0;
  EXPECT_TRUE(recent.insert(event));
}

}  // namespace
}  // namespace coff::runtime
