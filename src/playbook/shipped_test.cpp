// The playbooks that we ship: sound, complete, executed along every way, and begun when they
// should.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/fd.hpp"
#include "playbook/executor.hpp"
#include "playbook/show.hpp"
#include "playbook/triggers.hpp"

namespace coff::playbook {
namespace {

std::vector<Playbook> shipped() {
  std::vector<Playbook> playbooks;
  for (const auto& entry : std::filesystem::directory_iterator(COFF_SOURCE_DIR "/playbooks")) {
    const auto text = read_file(entry.path().string(), kDocumentBytesMax);
    EXPECT_TRUE(text);
    const Checked checked = check_playbook(text.value_or(""));
    for (const Problem& problem : checked.problems.list()) {
      ADD_FAILURE() << entry.path() << ' ' << problem.place << ": " << problem.message;
    }
    if (checked.playbook) playbooks.push_back(*checked.playbook);
  }
  return playbooks;
}

/// Everything succeeds, but for one effect; people answer `decision`.
class Drill : public Effects {
 public:
  std::optional<Outcome> perform(const Effect& effect) override {
    const bool ok = ++count != fail_at;
    if (effect.kind == EffectKind::kAction) actions.insert(effect.type);
    return Outcome{
        .ok = ok,
        .text = "",
        .outputs = {{"__decision__", decision}, {"__stop__", truth}, {"__allowed__", truth}},
        .executed_by = "drill"};
  }
  std::uint64_t now_ms() override { return now; }
  void wait_until(std::uint64_t wall_ms) override { now = wall_ms; }
  Result<void> save(const RunState&) override { return {}; }

  std::uint64_t now = 1000;
  size_t count = 0;
  size_t fail_at = 0;
  std::string decision = "keep";
  std::string truth = "false";
  std::set<std::string> actions;
};

TEST(ShippedPlaybooks, EveryStepIsReachedAndEveryWayEnds) {
  const auto playbooks = shipped();
  ASSERT_EQ(playbooks.size(), 4U);
  std::set<std::string> actions;
  for (const Playbook& playbook : playbooks) {
    std::set<std::string> reached;
    for (const std::string decision : {"release", "rebuild", "keep"}) {
      for (const std::string truth : {"false", "true"}) {
        for (size_t fail_at = 0; fail_at < 16; ++fail_at) {
          Drill drill;
          drill.decision = decision;
          drill.truth = truth;
          drill.fail_at = fail_at;
          std::map<std::string, std::string> values = {{"__container__", std::string(64, 'a')}};
          if (playbook.variables.contains("__case__")) {
            values.insert({{"__case__", "42"}, {"__recipient__", "a court"}});
          }
          auto executor =
              Executor::begin(playbook, {.run = "run--1", .values = values, .now_ms = drill.now});
          ASSERT_TRUE(executor) << executor.error().what;
          ASSERT_TRUE(drive(*executor, drill));
          EXPECT_FALSE(executor->running()) << playbook.name;
          if (fail_at == 0) {
            EXPECT_EQ(executor->state().status, RunStatus::kCompleted);
          }
          for (const StepRecord& record : executor->state().records) reached.insert(record.step);
          actions.merge(drill.actions);
        }
      }
    }
    for (const auto& [id, step] : playbook.steps) {
      EXPECT_TRUE(reached.contains(id)) << playbook.name << ": " << id << ' ' << step.name;
    }
    EXPECT_NE(outline(playbook).find(playbook.name), std::string::npos);
    EXPECT_NE(mermaid(playbook).find("-->"), std::string::npos);
  }
  EXPECT_EQ(actions, (std::set<std::string>{"collect", "cut", "dump_memory", "freeze", "kill",
                                            "protect", "quarantine", "release"}));
}

TEST(Triggers, BeginOnceAndNotTooOften) {
  TriggerPolicy policy;
  policy.triggers = {{.rule = "*shell*", .priority = "Warning"}, {.tag = "T1496"}};
  policy.runs_per_hour = 2;
  TriggerDesk desk;
  Occasion occasion = {.rule = "A shell in a container",
                       .tags = {"x"},
                       .priority = "Error",
                       .container = "web",
                       .target = "c1",
                       .now_ms = 1'000'000};
  EXPECT_EQ(desk.ask("p", policy, occasion), Verdict::kStart);
  EXPECT_EQ(desk.ask("p", policy, occasion), Verdict::kRepeated);
  EXPECT_EQ(desk.ask("q", policy, occasion), Verdict::kLocked);
  EXPECT_EQ(desk.ask_by_hand("c1"), Verdict::kLocked);
  desk.ended("c1");
  occasion.target = "c2";
  EXPECT_EQ(desk.ask("p", policy, occasion), Verdict::kStart);
  occasion.target = "c3";
  EXPECT_EQ(desk.ask("p", policy, occasion), Verdict::kRateLimited);
  occasion.now_ms += 3600ULL * 1000;
  EXPECT_EQ(desk.ask("p", policy, occasion), Verdict::kStart);
  occasion.target = "c1";
  EXPECT_EQ(desk.ask("p", policy, occasion), Verdict::kStart);
  occasion.priority = "Notice";
  EXPECT_EQ(desk.ask("p", policy, occasion), Verdict::kNoTrigger);
  occasion.tags = {"T1496"};
  EXPECT_TRUE(fits(policy.triggers[1], occasion));
  EXPECT_FALSE(fits({}, occasion));
  policy.triggers = {{.every_s = 60}};
  EXPECT_TRUE(desk.due("p", policy, 1000));
  EXPECT_FALSE(desk.due("p", policy, 60'999));
  EXPECT_TRUE(desk.due("p", policy, 61'000));
}

TEST(Triggers, AreReadFromThePlaybook) {
  size_t with_triggers = 0;
  for (const Playbook& playbook : shipped()) {
    const auto policy = triggers_of(playbook);
    ASSERT_TRUE(policy) << policy.error().what;
    with_triggers += policy->triggers.empty() ? 0 : 1;
    Playbook bad = playbook;
    bad.document.at("playbook_extensions").at(std::string(kExtensionId)).as_object()["triggers"] =
        json::array{json::object{}};
    EXPECT_FALSE(triggers_of(bad));
  }
  EXPECT_EQ(with_triggers, 3U);
}

}  // namespace
}  // namespace coff::playbook
