// Runs in a folder: commands by policy, playbooks that call playbooks, one mover at a time.
#include "playbook/local_effects.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/fd.hpp"

namespace coff::playbook {
namespace {

std::string identifier(std::string_view type, int number) {
  return fmt::format("{}--{:08x}-0000-4000-8000-000000000000", type, number);
}

/// A playbook with one step between start and end; `step` is its members.
std::string document(int number, const std::string& type, const std::string& step,
                     const std::string& variables) {
  return fmt::format(
      R"({{"type":"playbook","spec_version":"cacao-2.0","id":"{}","name":"p{}","created_by":"{}",
          "created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",
          "playbook_variables":{},"workflow_start":"{}","agent_definitions":{{"{}":{{
          "type":"group","name":"people"}}}},"workflow":{{"{}":{{"type":"start","on_completion":
          "{}"}},"{}":{{"type":"{}","on_completion":"{}",{}}},"{}":{{"type":"end"}}}}}})",
      identifier("playbook", number), number, identifier("identity", 1), variables,
      identifier("start", 1), identifier("group", 1), identifier("start", 1), identifier(type, 2),
      identifier(type, 2), type, identifier("end", 3), step, identifier("end", 3));
}
std::string command(const std::string& type, const std::string& text) {
  return fmt::format(
      R"("agent":"{}","out_args":["__x__"],"commands":[{{"type":"{}","command":"{}"}}])",
      identifier("group", 1), type, text);
}

class LocalRunsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "/runs-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    options_.folder = dir_ + "/runs";
    options_.library = dir_;
    options_.limits.uid = options_.limits.gid = 65534;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  static Playbook load(const std::string& text) {
    auto playbook = load_playbook(text);
    EXPECT_TRUE(playbook) << playbook.error().what;
    return playbook ? std::move(*playbook) : Playbook();
  }

  std::string dir_;
  LocalOptions options_;
};

const std::string kVariable = R"({"__x__":{"type":"string","value":"old"}})";

TEST_F(LocalRunsTest, CommandsAreExecutedWhereThePolicySaysSo) {
  const Playbook playbook =
      load(document(1, "action", command("bash", "id -u; echo more"), kVariable));
  LocalRuns strict(options_);
  const auto refused = strict.begin(playbook, {});
  ASSERT_TRUE(refused) << refused.error().message();
  EXPECT_EQ(refused->state.status, RunStatus::kFailed);
  EXPECT_NE(refused->state.problem.find("policy: commands of type bash"), std::string::npos);
  options_.allowed = {"bash", "ssh"};
  LocalRuns runs(options_);
  const auto done = runs.begin(playbook, {});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->state.status, RunStatus::kCompleted) << done->state.problem;
  EXPECT_EQ(done->state.scopes.front().variables.at("__x__").value,
            ::geteuid() == 0 ? "65534" : std::to_string(::getuid()));
  const auto other = runs.begin(load(document(1, "action", command("ssh", "x"), kVariable)), {});
  ASSERT_TRUE(other);
  EXPECT_NE(other->state.problem.find("not executed here"), std::string::npos);
  EXPECT_EQ(runs.list()->size(), 3U);
}

TEST_F(LocalRunsTest, ACalledPlaybookMayWaitForAPerson) {
  ASSERT_TRUE(replace_file(dir_ + "/inner.json",
                           document(2, "action", command("manual", "look"), kVariable)));
  const Playbook outer = load(
      document(1, "playbook-action",
               fmt::format(R"("playbook_id":"{}","out_args":["__x__"])", identifier("playbook", 2)),
               kVariable));
  LocalRuns runs(options_);
  const auto begun = runs.begin(outer, {});
  ASSERT_TRUE(begun) << begun.error().message();
  EXPECT_EQ(begun->state.status, RunStatus::kRunning);
  const auto names = runs.list();
  ASSERT_TRUE(names);
  ASSERT_EQ(names->size(), 2U);
  const std::string inner = names->at(0).size() > names->at(1).size() ? names->at(0) : names->at(1);
  const auto waiting = runs.read(inner);
  ASSERT_TRUE(waiting) << waiting.error().message();
  ASSERT_EQ(waiting->state.effects.size(), 1U);
  const std::uint64_t number = waiting->state.effects.front().number;
  EXPECT_FALSE(runs.answer(inner, number, {.ok = true, .outputs = {{"__y__", "1"}}}));
  // A process of its own, as after a crash; another that moves the run is told so.
  LocalRuns later(options_);
  EXPECT_EQ(later.answer(inner, number, {.ok = true}).error().code, Code::kBusy);
  const auto answered = runs.answer(inner, number, {.ok = true, .outputs = {{"__x__", "new"}}});
  ASSERT_TRUE(answered) << answered.error().message();
  const auto ended = runs.read(begun->state.run);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->state.status, RunStatus::kCompleted) << ended->state.problem;
  EXPECT_EQ(ended->state.scopes.front().variables.at("__x__").value, "new");
}

TEST_F(LocalRunsTest, PlaybooksThatCallThemselvesEnd) {
  const std::string text = document(
      1, "playbook-action", fmt::format(R"("playbook_id":"{}")", identifier("playbook", 1)), "{}");
  ASSERT_TRUE(replace_file(dir_ + "/self.json", text));
  LocalRuns runs(options_);
  const auto done = runs.begin(load(text), {});
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(done->state.status, RunStatus::kFailed);
  EXPECT_NE(done->state.problem.find("too deeply"), std::string::npos) << done->state.problem;
}

}  // namespace
}  // namespace coff::playbook
