// The world of runs on this host: states in a folder, commands by policy, actions by whoever acts.
#include "playbook/local_effects.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "playbook/names.hpp"
#include "playbook/variables.hpp"

namespace coff::playbook {
namespace {

constexpr size_t kStateBytesMax = size_t{16} << 20;
constexpr size_t kRunsMax = 10'000;
constexpr size_t kLibraryMax = 1000;

std::uint64_t wall_now_ms() { return static_cast<std::uint64_t>(wall_now_ns() / 1'000'000); }

// "run--UUID", and ".N" behind it for each playbook that was called.
bool is_run_name(const std::string& run) {
  const size_t dot = std::min(run.find('.'), run.size());
  return is_identifier(std::string_view(run).substr(0, dot)) && run.starts_with("run--") &&
         run.find_first_not_of("0123456789.", dot) == run.npos && run.size() < 100;
}

}  // namespace

/// The world as one run sees it.
class LocalRuns::World : public Effects {
 public:
  World(LocalRuns& runs, std::string run, const Playbook& playbook)
      : runs_(runs), run_(std::move(run)), playbook_(playbook) {}

  std::optional<Outcome> perform(const Effect& effect) override {
    switch (effect.kind) {
      case EffectKind::kManual: return std::nullopt;
      case EffectKind::kCommand: return runs_.execute(effect);
      case EffectKind::kAction:
        if (runs_.options_.act) return runs_.options_.act(state_, effect, playbook_);
        return Outcome{.ok = false, .text = "policy: actions are not allowed here"};
      case EffectKind::kPlaybook:
        return runs_.call_playbook(run_, effect, *playbook_.step(effect.step));
    }
    return Outcome{.ok = false, .text = "unknown"};
  }
  std::uint64_t now_ms() override { return wall_now_ms(); }
  void wait_until(std::uint64_t wall_ms) override {
    const std::uint64_t now = wall_now_ms();
    if (wall_ms <= now) return;
    // In parts, because the wall clock may be set meanwhile.
    const std::uint64_t part_ms = std::min<std::uint64_t>(wall_ms - now, 1000);
    const timespec part = {.tv_sec = static_cast<time_t>(part_ms / 1000),
                           .tv_nsec = static_cast<long>(part_ms % 1000) * 1'000'000};
    ::nanosleep(&part, nullptr);
  }
  Result<void> save(const RunState& state) override {
    state_ = state;
    const std::string path = TRY(runs_.path_of(run_, ".json"));
    return replace_file(path, pretty(to_json(state)), 0600);
  }

 private:
  LocalRuns& runs_;
  std::string run_;
  const Playbook& playbook_;
  RunState state_;
};

Result<std::string> LocalRuns::path_of(const std::string& run, std::string_view suffix) const {
  if (!is_run_name(run)) return fail(Code::kInvalid, "not the name of a run: " + run);
  return options_.folder + '/' + run + std::string(suffix);
}

// A run and the playbooks that it called move together.
Result<void> LocalRuns::lock(const std::string& run) {
  const std::string whole = run.substr(0, run.find('.'));
  if (lock_.valid() && locked_ == whole) return {};
  Fd file = TRY(open_file(TRY(path_of(whole, ".lock")), O_RDWR | O_CREAT, 0600));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Code::kBusy, whole + ": another process moves this run");
  }
  lock_ = std::move(file);
  locked_ = whole;
  return {};
}

Result<RunReport> LocalRuns::begin(const Playbook& playbook,
                                   std::map<std::string, std::string> values) {
  const std::string run = TRY(new_identifier("run"));
  std::error_code problem;
  const std::filesystem::path folder = options_.folder;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), problem);
  if (::mkdir(options_.folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno("cannot make " + options_.folder);
  }
  TRY(lock(run));
  TRY(replace_file(TRY(path_of(run, ".playbook.json")), pretty(playbook.document), 0600));
  auto executor = TRY(Executor::begin(
      playbook, {.run = run, .values = std::move(values), .now_ms = wall_now_ms()}));
  return go_on(run, std::move(executor), playbook);
}

Result<RunReport> LocalRuns::read(const std::string& run) const {
  const std::string text =
      TRY(read_file(TRY(path_of(run, ".playbook.json")), kDocumentBytesMax * 4));
  const std::string state = TRY(read_file(TRY(path_of(run, ".json")), kStateBytesMax));
  json::error_code problem;
  const json::value value = json::parse(state, problem);
  if (problem) return fail(Code::kCorrupt, "the state of " + run + " is damaged");
  return RunReport{.state = TRY(run_state_from_json(value)), .playbook = TRY(load_playbook(text))};
}

Result<RunReport> LocalRuns::go_on(const std::string& run, Executor executor,
                                   const Playbook& playbook) {
  World world(*this, run, playbook);
  TRY(drive(executor, world));
  // The playbook that called this one waits for it, and finds its end in its state.
  const size_t dot = run.rfind('.');
  if (!executor.running() && dot != run.npos) {
    const std::string caller = run.substr(0, dot);
    const auto waiting = read(caller);
    if (waiting && waiting->state.status == RunStatus::kRunning &&
        std::ranges::any_of(waiting->state.effects, [&](const Effect& effect) {
          return effect.kind == EffectKind::kPlaybook && effect.started &&
                 fmt::format("{}.{}", caller, effect.number) == run;
        })) {
      if (!in_call_) TRY(resume(caller));
    }
  }
  return RunReport{.state = executor.state(), .playbook = playbook};
}

Result<RunReport> LocalRuns::resume(const std::string& run) {
  TRY(read(run));
  TRY(lock(run));
  RunReport report = TRY(read(run));
  if (report.state.status != RunStatus::kRunning) return report;
  auto executor = TRY(Executor::resume(report.playbook, std::move(report.state), wall_now_ms()));
  return go_on(run, std::move(executor), report.playbook);
}

Result<RunReport> LocalRuns::answer(const std::string& run, std::uint64_t number,
                                    const Outcome& outcome) {
  TRY(read(run));
  TRY(lock(run));
  RunReport report = TRY(read(run));
  const auto effect = std::ranges::find(report.state.effects, number, &Effect::number);
  if (effect == report.state.effects.end() || effect->kind != EffectKind::kManual) {
    return fail(Code::kNotFound, "the run does not wait for a person with that number");
  }
  const Step* step = report.playbook.step(effect->step);
  for (const auto& [name, value] : outcome.outputs) {
    if (step == nullptr || std::ranges::find(step->out_args, name) == step->out_args.end()) {
      return fail(Code::kInvalid, name + " is no variable that the step gives");
    }
    // A slip of the hand is to be typed again; it must not fail the step.
    const auto variable = report.playbook.variables.find(name);
    if (variable != report.playbook.variables.end() && !value_fits(variable->second.type, value)) {
      return fail(Code::kInvalid, fmt::format("{} must be a {}", name, variable->second.type));
    }
  }
  auto executor = TRY(Executor::resume(report.playbook, std::move(report.state), wall_now_ms()));
  // A step whose time is over is over, whatever the answer.
  executor.advance(wall_now_ms());
  TRY(executor.finish(number, outcome, wall_now_ms()));
  return go_on(run, std::move(executor), report.playbook);
}

Result<std::vector<std::string>> LocalRuns::list() const {
  std::vector<std::string> runs;
  std::error_code problem;
  for (std::filesystem::directory_iterator at(options_.folder, problem), end;
       !problem && at != end && runs.size() < kRunsMax; at.increment(problem)) {
    std::string name = at->path().filename().string();
    constexpr std::string_view kSuffix = ".json";
    if (!name.ends_with(kSuffix)) continue;
    name.resize(name.size() - kSuffix.size());
    if (is_run_name(name)) runs.push_back(std::move(name));
  }
  if (problem) return fail(Code::kIo, "cannot read " + options_.folder);
  std::ranges::sort(runs);
  return runs;
}

Result<Playbook> LocalRuns::find_playbook(const std::string& id, const std::string& version) const {
  std::optional<Playbook> best;
  std::error_code problem;
  size_t files = 0;
  for (std::filesystem::directory_iterator at(options_.library, problem), end;
       !options_.library.empty() && !problem && at != end && files < kLibraryMax;
       at.increment(problem), ++files) {
    if (at->path().extension() != ".json") continue;
    const auto text = read_file(at->path().string(), kDocumentBytesMax);
    if (!text) continue;
    auto playbook = load_playbook(*text);
    if (!playbook || playbook->id != id) continue;
    if (!version.empty() && playbook->modified != version) continue;
    if (!best || best->modified < playbook->modified) best = std::move(*playbook);
  }
  if (best) return std::move(*best);
  return fail(Code::kNotFound,
              "the library has no " + id + (version.empty() ? "" : " of version " + version));
}

std::optional<Outcome> LocalRuns::call_playbook(const std::string& run, const Effect& effect,
                                                const Step& step) {
  const std::string inner = fmt::format("{}.{}", run, effect.number);
  const auto called = [&]() -> Result<RunReport> {
    if (std::ranges::count(inner, '.') > static_cast<std::ptrdiff_t>(kPlaybookDepthMax)) {
      return fail(Code::kLimit, "playbooks call each other too deeply");
    }
    if (read(inner)) return resume(inner);
    const Playbook playbook = TRY(find_playbook(effect.type, effect.text));
    TRY(replace_file(TRY(path_of(inner, ".playbook.json")), pretty(playbook.document), 0600));
    auto executor = TRY(Executor::begin(
        playbook, {.run = inner, .values = effect.inputs, .now_ms = wall_now_ms()}));
    return go_on(inner, std::move(executor), playbook);
  };
  const bool before = std::exchange(in_call_, true);
  const auto report = called();
  in_call_ = before;
  if (!report) return Outcome{.ok = false, .text = report.error().what};
  if (report->state.status == RunStatus::kRunning) return std::nullopt;
  Outcome outcome{.ok = report->state.status == RunStatus::kCompleted,
                  .text = report->state.problem};
  const Variables& variables = report->state.scopes.front().variables;
  for (const std::string& name : step.out_args) {
    const auto found = variables.find(name);
    if (found != variables.end() && found->second.value) {
      outcome.outputs[name] = *found->second.value;
    }
  }
  return outcome;
}

Outcome LocalRuns::execute(const Effect& effect) const {
  if (!options_.allowed.contains(effect.type)) {
    return {.ok = false, .text = "policy: commands of type " + effect.type + " are not allowed"};
  }
  if (effect.type != "bash") {
    return {.ok = false, .text = "commands of type " + effect.type + " are not executed here"};
  }
  CommandLimits limits = options_.limits;
  const std::uint64_t now = wall_now_ms();
  limits.timeout_ms = effect.deadline_ms > now ? effect.deadline_ms - now : 1;
  const auto result =
      run_command({"/bin/bash", "--noprofile", "--norc", "-c", effect.text}, limits);
  if (!result) return {.ok = false, .text = result.error().message()};
  Outcome outcome{.ok = result->status == 0 && !result->timed_out, .text = result->output};
  outcome.executed_by = fmt::format("uid {}", limits.uid);
  if (result->timed_out) outcome.text = "ACTION_TIMEOUT " + effect.step;
  else if (!outcome.ok) outcome.text = fmt::format("exit {}: {}", result->status, result->output);
  // The first line is what a step with one variable to fill asked for.
  outcome.outputs["stdout"] = result->output.substr(0, result->output.find('\n'));
  return outcome;
}

}  // namespace coff::playbook
