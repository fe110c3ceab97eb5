// Rules are loaded, asked, reloaded; what repeats is told once and then with its number.
#include "agent/detector.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "agent/test_agent.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::agent {
namespace {

constexpr std::string_view kRule = R"(
- rule: Program runs
  desc: Any program.
  condition: evt.type in (execve, execveat) and proc.name = "sh"
  output: "%proc.name ran"
  priority: WARNING
  tags: [one, two]
)";

class DetectorTest : public ::testing::Test {
 protected:
  void write(std::string_view text) const { std::ofstream(file()) << text; }
  [[nodiscard]] std::string file() const { return directory_.path() + "/rules.yaml"; }
  [[nodiscard]] config::RulesSettings settings() const {
    config::RulesSettings settings;
    settings.files = {file(), directory_.path() + "/not-there.yaml"};
    settings.sigma_files = {};
    return settings;
  }
  // An exec of `name` in container `id`, "" for the host.
  static Event exec(const std::string& name, const std::string& id = "") {
    schema::testing::RecordBuilder builder(COFF_KIND_exec);
    Event event = schema::testing::sample_event(builder);
    auto process = std::make_shared<Process>(*event.process);
    process->name = name;
    event.process = std::move(process);
    event.container = nullptr;
    if (!id.empty()) {
      auto container = std::make_shared<Container>();
      container->id = id;
      event.container = std::move(container);
    }
    return event;
  }
  void ask(const Event& event) {
    detector_.ask(
        event, names_,
        [](const Found& found) {
          return FindingEntry{.json = "{\"rule\":\"" + found.finding.rule + "\"}",
                              .references = {}};
        },
        [this](const FindingEntry& entry) { told_.push_back(entry.json); });
  }

  agent::test::TemporaryDirectory directory_;
  schema::UserNames names_;
  Detector detector_;
  std::vector<std::string> told_;
};

TEST_F(DetectorTest, TellsAFindingOnceAndThenItsNumber) {
  write(kRule);
  auto wanted = settings();
  wanted.repeat_seconds = 1;
  ASSERT_TRUE(detector_.load(wanted, false));
  EXPECT_TRUE(detector_.wants(Kind::exec));
  EXPECT_FALSE(detector_.wants(Kind::open));
  ask(exec("sh"));
  ask(exec("other"));
  for (int at = 0; at < 4; ++at) ask(exec("sh"));
  ask(exec("sh", "another container"));
  EXPECT_EQ(told_.size(), 2U);
  EXPECT_EQ(detector_.counters().repeats, 4U);
  const auto tell = [this](const FindingEntry& entry) { told_.push_back(entry.json); };
  detector_.tell_repeats(tell);
  EXPECT_EQ(told_.size(), 2U) << "its time is not over";
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  detector_.tell_repeats(tell);
  ASSERT_EQ(told_.size(), 3U);
  EXPECT_NE(told_[2].find(R"({"rule":"Program runs","repeats":4,"last":")"), std::string::npos)
      << told_[2];
  ask(exec("sh"));
  EXPECT_EQ(told_.size(), 4U) << "a new time begins";
}

TEST_F(DetectorTest, RulesThatRunStayWhenNewOnesAreWrong) {
  write(kRule);
  ASSERT_TRUE(detector_.load(settings(), false));
  write("- rule: Broken\n  desc: x\n  condition: evt.type = \n  output: x\n  priority: INFO\n");
  EXPECT_FALSE(detector_.load(settings(), true));
  EXPECT_FALSE(detector_.problems().empty());
  EXPECT_NE(detector_.report().find("\"used\":false"), std::string::npos) << detector_.report();
  ask(exec("sh"));
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(DetectorTest, WhatIsDisabledIsNotAsked) {
  write(kRule);
  auto wanted = settings();
  wanted.disable = {"Program *"};
  ASSERT_TRUE(detector_.load(wanted, false));
  ask(exec("sh"));
  EXPECT_TRUE(told_.empty());
  wanted.disable.clear();
  wanted.disable_tags = {"two"};
  ASSERT_TRUE(detector_.load(wanted, false));
  ask(exec("sh"));
  wanted.disable_tags.clear();
  wanted.priority = "error";
  ASSERT_TRUE(detector_.load(wanted, false));
  ask(exec("sh"));
  EXPECT_TRUE(told_.empty());
}

TEST_F(DetectorTest, EnablingAndDisablingByNameAndTag) {
  write(kRule);
  auto wanted = settings();
  wanted.repeat_seconds = 0;
  wanted.disable_tags = {"one"};
  wanted.enable_tags = {"two"};
  ASSERT_TRUE(detector_.load(wanted, false));
  ask(exec("sh"));
  EXPECT_EQ(told_.size(), 1U);
  wanted.disable = {"*"};
  ASSERT_TRUE(detector_.load(wanted, false));
  ask(exec("sh"));
  EXPECT_EQ(told_.size(), 1U);
  wanted.enable = {"Program r*"};
  ASSERT_TRUE(detector_.load(wanted, false));
  ask(exec("sh"));
  EXPECT_EQ(told_.size(), 2U);
}

TEST_F(DetectorTest, WhatIsSuppressedIsCounted) {
  write(kRule);
  auto wanted = settings();
  wanted.repeat_seconds = 0;
  wanted.suppress = {{.rule = "Program *", .container = "build-*", .reason = "builds"}};
  ASSERT_TRUE(detector_.load(wanted, false));
  Event inside = exec("sh", "c1");
  auto container = std::make_shared<Container>(*inside.container);
  container->name = "build-7";
  inside.container = container;
  ask(inside);
  EXPECT_TRUE(told_.empty());
  EXPECT_EQ(detector_.counters().suppressed, 1U);
  ask(exec("sh", "c2"));
  ask(exec("sh"));
  EXPECT_EQ(told_.size(), 2U);
}

TEST_F(DetectorTest, ARuleTellsSoManyAMinuteAndCountsTheRest) {
  write(kRule);
  auto wanted = settings();
  wanted.findings_per_minute = 3;
  ASSERT_TRUE(detector_.load(wanted, false));
  for (int at = 0; at < 1000; ++at) ask(exec("sh", "container " + std::to_string(at)));
  EXPECT_EQ(told_.size(), 3U);
  EXPECT_EQ(detector_.counters().limited, 997U);
  const auto activity = detector_.activity();
  ASSERT_EQ(activity.size(), 1U);
  EXPECT_EQ(activity[0].told, 3U);
  EXPECT_EQ(activity[0].limited, 997U);
}

TEST_F(DetectorTest, AReloadKeepsCountsAndRepeats) {
  write(kRule);
  ASSERT_TRUE(detector_.load(settings(), false));
  for (int at = 0; at < 5; ++at) ask(exec("sh"));
  write(std::string(kRule) + "\n# changed\n");
  ASSERT_TRUE(detector_.load(settings(), true));
  for (int at = 0; at < 5; ++at) ask(exec("sh"));
  EXPECT_EQ(told_.size(), 1U) << "still a repeat of what was told before the reload";
  EXPECT_EQ(detector_.counters().repeats, 9U);
  const auto activity = detector_.activity();
  ASSERT_EQ(activity.size(), 1U);
  EXPECT_EQ(activity[0].matched, 10U);
  EXPECT_EQ(activity[0].repeats, 9U);
}

TEST_F(DetectorTest, WithoutPushDownTheKernelForwardsWholeKinds) {
  write(kRule);
  auto wanted = settings();
  wanted.push_down = "off";
  ASSERT_TRUE(detector_.load(wanted, false));
  ASSERT_EQ(detector_.kernel_clauses().size(), 1U);
  EXPECT_EQ(detector_.kernel_clauses()[0].kinds, std::vector<unsigned>{COFF_KIND_exec});
  EXPECT_FALSE(detector_.kernel_clauses()[0].only_success);
}

}  // namespace
}  // namespace coff::agent
