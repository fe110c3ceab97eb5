// The window before findings: the newest events of a place, within its limits, and what it forgot.
#include "agent/event_window.hpp"

#include <gtest/gtest.h>

#include "schema/testing/sample_events.hpp"

namespace coff::agent {
namespace {

Event exec_in(const std::string& container, std::uint64_t boot_ns) {
  schema::testing::RecordBuilder builder(COFF_KIND_exec);
  Event event = schema::testing::sample_event(builder);
  event.boot_ns = boot_ns;
  event.container = nullptr;
  if (!container.empty()) {
    auto made = std::make_shared<Container>();
    made->id = container;
    event.container = std::move(made);
  }
  return event;
}

TEST(EventWindow, GivesTheNewestOfTheSamePlaceOldestFirst) {
  EventWindow window;
  window.set_bytes_max(size_t{1} << 20);
  for (std::uint64_t at = 1; at <= 10; ++at) {
    window.add(exec_in("a", at), at);
    window.add(exec_in("b", at), std::nullopt);
  }
  window.note_lost(3);
  const Before before = window.before(exec_in("a", 9), 4);
  ASSERT_EQ(before.events.size(), 4U);
  EXPECT_EQ(before.events.front()->number, 6U);
  EXPECT_EQ(before.events.back()->number, 9U) << "not what came after";
  EXPECT_EQ(before.forgotten, 0U);
  EXPECT_EQ(before.lost, 3U);
  EXPECT_EQ(before.since_boot_ns, 1U);
  EXPECT_TRUE(window.before(exec_in("c", 9), 4).events.empty());
}

TEST(EventWindow, SaysWhatItForgot) {
  EventWindow window;
  window.set_bytes_max(size_t{1} << 20);
  for (std::uint64_t at = 1; at <= EventWindow::kEventsMax + 5; ++at) {
    window.add(exec_in("a", at), at);
  }
  const Before before = window.before(exec_in("a", 1000), 1000);
  EXPECT_EQ(before.events.size(), EventWindow::kEventsMax);
  EXPECT_EQ(before.forgotten, 5U);
}

TEST(EventWindow, ABusyPlaceCostsAQuietOneNothing) {
  EventWindow window;
  const size_t one = EventWindow::estimate(exec_in("a", 1));
  window.set_bytes_max(10 * one);
  window.add(exec_in("quiet", 1), 1);
  for (std::uint64_t at = 2; at < 40; ++at) window.add(exec_in("busy", at), at);
  EXPECT_LE(window.bytes(), 10 * one);
  EXPECT_EQ(window.before(exec_in("quiet", 99), 9).events.size(), 1U);
  EXPECT_EQ(window.before(exec_in("busy", 99), 99).events.size(), 9U);
  window.set_bytes_max(0);
  EXPECT_EQ(window.bytes(), 0U);
  EXPECT_FALSE(window.keeps(Kind::exec));
}

TEST(EventWindow, PlacesAreBoundedAndGoWithTheirContainer) {
  EventWindow window;
  window.set_bytes_max(size_t{64} << 20);
  for (std::uint64_t at = 0; at < EventWindow::kPlacesMax + 10; ++at) {
    window.add(exec_in("c" + std::to_string(at), at + 1), at);
  }
  EXPECT_TRUE(window.before(exec_in("c0", 99999), 9).events.empty());
  Event removed = exec_in("c900", 99999);
  removed.kind = Kind::container_remove;
  window.add(removed, std::nullopt);
  EXPECT_TRUE(window.before(exec_in("c900", 999999), 9).events.empty());
  EXPECT_FALSE(window.before(exec_in("c901", 999999), 9).events.empty());
}

TEST(EventWindow, OnTheHostOnlyTheSameSessionAndAncestorsAreQuoted) {
  EventWindow window;
  window.set_bytes_max(size_t{1} << 20);
  const auto of_session = [](std::uint32_t sid, std::uint64_t id, std::uint64_t boot_ns) {
    Event event = exec_in("", boot_ns);
    auto process = std::make_shared<Process>(*event.process);
    process->sid = sid;
    process->id = id;
    process->parent = nullptr;
    event.process = std::move(process);
    return event;
  };
  window.add(of_session(5, 50, 1), 1);
  window.add(of_session(6, 60, 2), 2);
  const Before before = window.before(of_session(5, 51, 3), 9);
  ASSERT_EQ(before.events.size(), 1U);
  EXPECT_EQ(before.events[0]->number, 1U);
}

}  // namespace
}  // namespace coff::agent
