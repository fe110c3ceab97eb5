// Runs of playbooks against golden traces, and against a crash after every state that was saved.
#include "playbook/executor.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "playbook/variables.hpp"

namespace coff::playbook {
namespace {

// Steps are named by one letter in these tests: id("action", 'a') is its identifier.
std::string id(std::string_view type, char letter) {
  return fmt::format("{}--{:08x}-0000-4000-8000-000000000000", type, static_cast<int>(letter));
}

/// A playbook from steps as JSON texts; "action:a" in them stands for an identifier.
std::string identifiers(std::string text) {
  for (const std::string_view type :
       {"playbook-action", "if-condition", "while-condition", "switch-condition", "start", "end",
        "action", "parallel", "group", "linux", "http-api"}) {
    const std::string mark = std::string(type) + ":";
    for (size_t at = text.find(mark); at != text.npos; at = text.find(mark, at + 1)) {
      if (at > 0 && text[at - 1] != '"') continue;
      text.replace(at, mark.size() + 1, id(type, text[at + mark.size()]));
    }
  }
  return text;
}

Playbook make(const std::string& steps, const std::string& variables = "{}",
              const std::string& exception = "") {
  const std::string text = identifiers(
      R"({"type":"playbook","spec_version":"cacao-2.0",
          "id":"playbook--00000000-0000-4000-8000-000000000000","name":"test",
          "created_by":"identity--00000000-0000-4000-8000-000000000000",
          "created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",
          "workflow_start":"start:s",)" +
      (exception.empty() ? "" : "\"workflow_exception\":\"" + exception + "\",") +
      R"("playbook_variables":)" + variables + R"(,"workflow":{"start:s":{"type":"start",
          "on_completion":")" +
      "action:a" + R"("},)" + steps + R"(},
          "agent_definitions":{"group:g":{"type":"group","name":"people"},
            "http-api:c":{"type":"http-api","name":"Cofferdam","address":{"url":["https://h"]},
              "agent_target_extensions":{")" +
      std::string(kExtensionId) +
      R"(":{"type":"cofferdam-agent"}}}},
          "target_definitions":{"linux:x":{"type":"linux","name":"x","address":{}},
            "linux:y":{"type":"linux","name":"y","address":{}}}})");
  const Checked checked = check_playbook(text);
  for (const Problem& problem : checked.problems.list()) {
    if (problem.kind == Problem::Kind::kWarning) continue;
    ADD_FAILURE() << problem.place << ": " << problem.message;
  }
  return checked.playbook.value_or(Playbook());
}

std::string action(char letter, const std::string& command, const std::string& rest) {
  return fmt::format(R"("action:{}":{{"type":"action","agent":"group:g","commands":[{{"type":"bash",
      "command":"{}"}}],{}}})",
                     letter, command, rest);
}
std::string end(char letter) { return fmt::format(R"("end:{}":{{"type":"end"}})", letter); }

/// A world that answers commands by their text and counts how often it was asked.
class World : public Effects {
 public:
  std::optional<Outcome> perform(const Effect& effect) override {
    performed.push_back(effect.text);
    if (crash_in_effect) return std::nullopt;
    Outcome outcome{.ok = !effect.text.starts_with("fail"),
                    .text = effect.text,
                    .outputs = {},
                    .executed_by = "world"};
    if (effect.text.starts_with("set ")) outcome.outputs["__x__"] = effect.text.substr(4);
    if (effect.text == "hang") return std::nullopt;
    return outcome;
  }
  std::uint64_t now_ms() override { return now; }
  void wait_until(std::uint64_t wall_ms) override { now = wall_ms; }
  Result<void> save(const RunState& state) override {
    const auto again = run_state_from_json(to_json(state));
    EXPECT_TRUE(again && *again == state);
    saved.push_back(state);
    if (saved.size() == crash_at) return fail(Code::kIo, "crash");
    return {};
  }

  std::uint64_t now = 1000;
  size_t crash_at = 0;
  bool crash_in_effect = false;
  std::vector<RunState> saved;
  std::vector<std::string> performed;
};

char letter_of(const std::string& step) {
  return static_cast<char>(std::stoul(step.substr(step.find("--") + 2, 8), nullptr, 16));
}

/// "s a e: completed", with ! behind a step that failed, ? behind one that timed out.
std::string trace(const RunState& state) {
  std::string text;
  for (const StepRecord& record : state.records) {
    text += letter_of(record.step);
    if (record.status == "failed") text += '!';
    if (record.status == "timeout_error") text += '?';
    if (record.status == "exception_condition_invoked") text += '*';
    if (record.status == "ongoing") text += '~';
    text += ' ';
  }
  return text + std::string(status_name(state.status));
}

std::string run(const Playbook& playbook, World& world,
                std::map<std::string, std::string> values = {}) {
  auto executor = Executor::begin(
      playbook, {.run = "run--1", .values = std::move(values), .now_ms = world.now});
  if (!executor) return "refused: " + executor.error().what;
  EXPECT_TRUE(drive(*executor, world));
  // After every state that was saved, a new process comes to the same end.
  for (const RunState& state : world.saved) {
    if (state.status != RunStatus::kRunning) continue;
    World after;
    after.now = world.now;
    auto resumed = Executor::resume(playbook, state, after.now);
    EXPECT_TRUE(resumed) << (resumed ? "" : resumed.error().what);
    EXPECT_TRUE(drive(*resumed, after));
  }
  return trace(executor->state());
}
std::string run(const Playbook& playbook) {
  World world;
  return run(playbook, world);
}

const std::string kNext = R"("on_completion":"end:e")";

TEST(Executor, TakesStepsInOrder) {
  World world;
  const auto playbook = make(action('a', "one", R"("on_completion":"action:b")") + ',' +
                             action('b', "two", kNext) + ',' + end('e'));
  EXPECT_EQ(run(playbook, world), "s a b e completed");
  EXPECT_EQ(world.performed, (std::vector<std::string>{"one", "two"}));
  const json::value record = execution_record(world.saved.back());
  EXPECT_EQ(record.at("steps").as_array().size(), 4U);
  EXPECT_EQ(record.at("steps").at(1).at("command_b64").at(0), "b25l");
}

TEST(Executor, FailuresGoToOnFailureThenOutwards) {
  EXPECT_EQ(
      run(make(action('a', "fail", R"("on_success":"end:e","on_failure":"action:b")") + ',' +
               action('b', "two", R"("on_completion":"end:f")") + ',' + end('e') + ',' + end('f'))),
      "s a! b f completed");
  EXPECT_EQ(run(make(action('a', "fail", kNext) + ',' + end('e'))), "s a! failed");
  EXPECT_EQ(run(make(action('a', "fail", kNext) + ',' + end('e') + ',' +
                         action('x', "tidy", R"("on_completion":"end:f")") + ',' + end('f'),
                     "{}", "action:x")),
            "s a* x f failed");
  // An exception within the exception is the end.
  EXPECT_EQ(run(make(action('a', "fail", kNext) + ',' + end('e') + ',' +
                         action('x', "fail", R"("on_completion":"end:f")") + ',' + end('f'),
                     "{}", "action:x")),
            "s a* x! failed");
}

std::string parallel(const std::string& rest) {
  return R"("parallel:p":{"type":"parallel","next_steps":["action:b","action:c"],)" + rest + "}";
}

TEST(Executor, ParallelBranchesComeBack) {
  const std::string first = action('a', "one", R"("on_completion":"parallel:p")") + ',';
  const std::string good = action('b', "two", R"("on_completion":"end:f")") + ',' +
                           action('c', "three", R"("on_completion":"end:g")") + ',' + end('f') +
                           ',' + end('g') + ',' + end('e');
  EXPECT_EQ(run(make(first + parallel(kNext) + ',' + good)), "s a p b c f g e completed");
  const std::string bad = action('b', "fail", R"("on_completion":"end:f")") + ',' +
                          action('c', "three", R"("on_completion":"end:g")") + ',' + end('f') +
                          ',' + end('g') + ',' + end('e');
  EXPECT_EQ(run(make(first + parallel(kNext) + ',' + bad)), "s a p! b! c g failed");
  EXPECT_EQ(
      run(make(first + parallel(R"("on_success":"end:e","on_failure":"action:d")") + ',' + bad +
               ',' + action('d', "four", R"("on_completion":"end:h")") + ',' + end('h'))),
      "s a p! b! c g d h completed");
}

TEST(Executor, DecidesByVariables) {
  const std::string variables =
      R"({"__x__":{"type":"integer","value":"0"},"__who__":{"type":"string","external":true}})";
  const std::string set = R"("out_args":["__x__"],)";
  const std::string steps =
      action('a', "set 3", set + R"("on_completion":"if-condition:i")") +
      R"(,"if-condition:i":{"type":"if-condition","condition":"__x__:value > 2",
          "on_true":"action:b","on_false":"action:c","on_completion":"switch-condition:w"},)" +
      action('b', "echo __who__:value", R"("on_completion":"end:f")") + ',' +
      action('c', "three", R"("on_completion":"end:g")") + ',' + end('f') + ',' + end('g') +
      R"(,"switch-condition:w":{"type":"switch-condition","switch":"__who__:value",
          "cases":{"bob":"action:d","default":"action:h"},"on_completion":"end:e"},)" +
      action('d', "four", R"("on_completion":"end:j")") + ',' +
      action('h', "five", R"("on_completion":"end:k")") + ',' + end('j') + ',' + end('k') + ',' +
      end('e');
  const auto playbook = make(steps, variables);
  World bob;
  EXPECT_EQ(run(playbook, bob, {{"__who__", "bob"}}), "s a i b f w d j e completed");
  EXPECT_EQ(bob.performed[1], "echo bob");
  World other;
  EXPECT_EQ(run(playbook, other, {{"__who__", "eve"}}), "s a i b f w h k e completed");
  World hostile;
  EXPECT_EQ(run(playbook, hostile, {{"__who__", "x;reboot"}}), "s a i! b! failed");
  World none;
  EXPECT_EQ(run(playbook, none), "refused: __who__ is external: give its value");
  EXPECT_TRUE(run(playbook, none, {{"__y__", "1"}}).starts_with("refused: __y__"));
}

TEST(Executor, RepeatsWhileAConditionHolds) {
  const std::string variables = R"({"__x__":{"type":"string","value":"go"}})";
  const std::string loop =
      action('a', "one", R"("on_completion":"while-condition:w")") +
      R"(,"while-condition:w":{"type":"while-condition","condition":"__x__:value = 'go'",
          "on_true":"action:b","on_completion":"end:e"},)";
  const std::string rest = "," + end('f') + ',' + end('e');
  EXPECT_EQ(
      run(make(
          loop + action('b', "set stop", R"("out_args":["__x__"],"on_completion":"end:f")") + rest,
          variables)),
      "s a w b f e completed");
  World endless;
  const auto playbook =
      make(loop + action('b', "two", R"("on_completion":"end:f")") + rest, variables);
  auto executor = Executor::begin(playbook, {.run = "run--1", .values = {}, .now_ms = 1000});
  ASSERT_TRUE(executor);
  class Quiet : public World {
    Result<void> save(const RunState&) override { return {}; }
  } quiet;
  ASSERT_TRUE(drive(*executor, quiet));
  EXPECT_EQ(quiet.performed.size(), kRoundsMax + 1);
  EXPECT_EQ(executor->state().status, RunStatus::kFailed);
}

TEST(Executor, TimeoutsAndDelaysFollowTheClock) {
  World world;
  const auto playbook = make(action('a', "hang", R"("timeout":50,"delay":20,"on_success":"end:e",
                                  "on_failure":"action:b")") +
                             ',' + action('b', "two", R"("on_completion":"end:f")") + ',' +
                             end('e') + ',' + end('f'));
  auto executor = Executor::begin(playbook, {.run = "run--1", .values = {}, .now_ms = world.now});
  ASSERT_TRUE(executor);
  ASSERT_TRUE(drive(*executor, world));
  EXPECT_EQ(world.now, 1020U);
  EXPECT_TRUE(executor->running());
  ASSERT_EQ(executor->state().effects.size(), 1U);
  EXPECT_EQ(executor->next_wake_ms(), 1070U);
  const std::uint64_t number = executor->state().effects.front().number;
  world.now = 1070;
  ASSERT_TRUE(drive(*executor, world));
  EXPECT_EQ(trace(executor->state()), "s a? b f completed");
  EXPECT_EQ(executor->state().records[1].text, "ACTION_TIMEOUT " + id("action", 'a'));
  EXPECT_FALSE(executor->finish(number, {.ok = true}, world.now));
}

TEST(Executor, StepVariablesEndWithTheirStep) {
  World world;
  const auto playbook = make(
      action('a', "echo __x__:value", R"("step_variables":{"__x__":{"type":"string",
             "value":"__y__:value","constant":true}},"on_completion":"parallel:p")") +
          ',' +
          R"("parallel:p":{"type":"parallel","step_variables":{"__x__":{"type":"string",
             "value":"inner"}},"next_steps":["action:b","action:c"],"on_completion":"action:d"},)" +
          action('b', "echo __x__:value", R"("on_completion":"end:f")") + ',' +
          action('c', "set new", R"("out_args":["__x__"],"on_completion":"end:g")") + ',' +
          action('d', "echo __x__:value", kNext) + ',' + end('e') + ',' + end('f') + ',' + end('g'),
      R"({"__x__":{"type":"string","value":"outer"},"__y__":{"type":"string","value":"own"}})");
  EXPECT_EQ(run(playbook, world), "s a p b c f g d e completed");
  EXPECT_EQ(world.performed,
            (std::vector<std::string>{"echo own", "echo inner", "set new", "echo outer"}));
  EXPECT_EQ(world.saved.back().scopes.size(), 1U);
}

TEST(Executor, ConstantsAndTypesAreKept) {
  const auto playbook =
      make(action('a', "set no-number", R"("out_args":["__x__"],)" + kNext) + ',' + end('e'),
           R"({"__x__":{"type":"integer","value":"1"}})");
  EXPECT_EQ(run(playbook), "s a! failed");
  const auto constant = make(action('a', "one", kNext) + ',' + end('e'),
                             R"({"__x__":{"type":"integer","value":"1","constant":true}})");
  World world;
  EXPECT_EQ(run(constant, world, {{"__x__", "2"}}), "refused: __x__ is constant");
}

TEST(Executor, OurActionsAreStandardHttpCommands) {
  World world;
  const auto playbook = make(
      R"("action:a":{"type":"action","agent":"http-api:c","targets":["linux:x","linux:y"],
          "commands":[{"type":"http-api","command":"POST /v1/actions/quarantine HTTP/1.1",
          "content":"{\"container\":\"__x__:value\"}"}],"on_completion":"end:e"},)" +
          end('e'),
      R"({"__x__":{"type":"string","value":"a\"b"}})");
  auto executor = Executor::begin(playbook, {.run = "run--1", .values = {}, .now_ms = 1});
  ASSERT_TRUE(executor);
  executor->advance(1);
  ASSERT_EQ(executor->state().effects.size(), 1U);
  const Effect& effect = executor->state().effects.front();
  EXPECT_EQ(effect.kind, EffectKind::kAction);
  EXPECT_EQ(effect.type, "quarantine");
  EXPECT_EQ(effect.content, R"({"container":"a\"b"})");
  EXPECT_EQ(effect.target, id("linux", 'x'));
  ASSERT_TRUE(drive(*executor, world));
  EXPECT_EQ(world.performed.size(), 2U);
}

TEST(Executor, AfterACrashCommandsAreNotRepeatedAndPeopleAreAskedAgain) {
  const auto playbook =
      make(action('a', "one", R"("on_success":"action:b","on_failure":"end:f")") +
           R"(,"action:b":{"type":"action","agent":"group:g","commands":[{"type":"manual",
          "command":"look"}],"on_completion":"end:e"},)" +
           end('e') + ',' + end('f'));
  World world;
  run(playbook, world);
  size_t in_command = 0;
  size_t in_manual = 0;
  for (const RunState& state : world.saved) {
    if (state.effects.empty() || !state.effects.front().started) continue;
    World after;
    auto resumed = Executor::resume(playbook, state, after.now);
    ASSERT_TRUE(resumed);
    ASSERT_TRUE(drive(*resumed, after));
    if (state.effects.front().kind == EffectKind::kCommand) {
      EXPECT_TRUE(after.performed.empty());
      EXPECT_EQ(trace(resumed->state()), "s a! f completed");
      ++in_command;
    } else {
      EXPECT_EQ(after.performed, std::vector<std::string>{"look"});
      EXPECT_EQ(trace(resumed->state()), "s a b e completed");
      ++in_manual;
    }
  }
  EXPECT_EQ(in_command, 1U);
  EXPECT_EQ(in_manual, 1U);
  RunState other = world.saved.front();
  other.playbook_hash = "0";
  EXPECT_FALSE(Executor::resume(playbook, other, 1));
}

TEST(Semantics, RefusesWhatCannotBeExecuted) {
  const auto problems = [](const std::string& steps) {
    const std::string text = identifiers(
        R"({"type":"playbook","spec_version":"cacao-2.0",
            "id":"playbook--00000000-0000-4000-8000-000000000000","name":"test",
            "created_by":"identity--00000000-0000-4000-8000-000000000000",
            "created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",
            "workflow_start":"start:s","agent_definitions":{"group:g":{"type":"group","name":"x"}},
            "workflow":{"start:s":{"type":"start","on_completion":"action:a"},)" +
        steps + "}}");
    const Checked checked = check_playbook(text);
    EXPECT_TRUE(checked.valid());
    return checked.problems.count(Problem::Kind::kSemantic);
  };
  EXPECT_EQ(problems(action('a', "x", kNext) + ',' + end('e')), 0U);
  EXPECT_GT(problems(action('a', "x", kNext)), 0U);
  EXPECT_GT(problems(action('a', "x", R"("on_completion":"action:a")")), 0U);
  EXPECT_GT(problems(action('a', "x", R"("on_completion":"end:e","on_failure":"end:e")") + ',' +
                     end('e')),
            0U);
  EXPECT_GT(problems(action('a', "echo __x__:value", kNext) + ',' + end('e')), 0U);
  EXPECT_GT(problems(R"("action:a":{"type":"action","agent":"group:h","commands":[{"type":"bash",
      "command":"x"}],"on_completion":"end:e"},)" +
                     end('e')),
            0U);
  EXPECT_GT(
      problems(action('a', "x", R"("on_completion":"parallel:p")") +
               R"(,"parallel:p":{"type":"parallel","next_steps":["action:b","action:c"],
                         "on_completion":"end:e"},)" +
               action('b', "x", R"("on_completion":"end:f")") + ',' +
               action('c', "x", R"("on_completion":"end:f")") + ',' + end('e') + ',' + end('f')),
      0U);
  EXPECT_GT(problems(action('a', "x", R"("on_completion":"if-condition:i")") +
                     R"(,"if-condition:i":{"type":"if-condition","condition":"nonsense",
                         "on_true":"end:f","on_completion":"end:e"},)" +
                     end('e') + ',' + end('f')),
            0U);
}

}  // namespace
}  // namespace coff::playbook
