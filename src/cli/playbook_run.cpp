// cofferdam playbook run, resume, answer and runs: executes playbooks on this host.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/json_writer.hpp"
#include "cli/playbook.hpp"
#include "cli/playbook_act.hpp"
#include "playbook/local_effects.hpp"
#include "playbook/signature.hpp"

namespace coff::cli {
namespace {

struct Arguments {
  std::string file;
  std::string run;
  std::string folder;
  std::string library;
  std::string user = "nobody";
  std::string note;
  std::vector<std::string> allowed;
  std::vector<std::string> values;
  std::vector<std::string> trusted;
  std::uint64_t number = 0;
  bool failed = false;
  ActOptions act;
};

Result<std::map<std::string, std::string>> values_of(const std::vector<std::string>& given) {
  std::map<std::string, std::string> values;
  for (const std::string& each : given) {
    const size_t equal = each.find('=');
    if (equal == each.npos) return fail(Code::kInvalid, "--set needs NAME=VALUE: " + each);
    std::string name = each.substr(0, equal);
    if (!name.starts_with("__")) name = "__" + name + "__";
    values[name] = each.substr(equal + 1);
  }
  return values;
}

Result<playbook::LocalRuns> open_runs(const Arguments& arguments, const Global& global) {
  playbook::LocalOptions options;
  const std::string folder = TRY(playbook_folder(global, arguments.folder));
  options.folder = folder + "/runs";
  options.library = arguments.library;
  options.allowed.insert(arguments.allowed.begin(), arguments.allowed.end());
  if (!arguments.allowed.empty() && ::geteuid() == 0) {
    options.limits = TRY(playbook::limits_of_user(arguments.user));
  } else {
    options.limits = {.uid = ::getuid(), .gid = ::getgid()};
  }
  options.act = make_act(global, arguments.act, folder + "/approvals");
  return playbook::LocalRuns(std::move(options));
}

void print_state(const playbook::RunState& state, const playbook::Playbook& playbook,
                 const Global& global) {
  if (global.json) {
    boost::json::value record = playbook::execution_record(state);
    boost::json::array waiting;
    for (const playbook::Effect& effect : state.effects) {
      waiting.push_back({{"number", effect.number},
                         {"kind", playbook::effect_name(effect.kind)},
                         {"step", effect.step},
                         {"text", effect.text}});
    }
    record.as_object()["waiting"] = std::move(waiting);
    std::printf("%s\n", boost::json::serialize(record).c_str());
    return;
  }
  std::printf("%s: %s, %s\n", state.run.c_str(), printable(playbook.name).c_str(),
              std::string(playbook::status_name(state.status)).c_str());
  for (const playbook::StepRecord& record : state.records) {
    const playbook::Step* step = playbook.step(record.step);
    const std::string name = step == nullptr || step->name.empty() ? record.step : step->name;
    const std::string text = record.text.substr(0, record.text.find('\n'));
    std::printf("  %-28s %s%s%s\n", record.status.c_str(), printable(name).c_str(),
                text.empty() ? "" : ": ", printable(text).c_str());
  }
  for (const playbook::Effect& effect : state.effects) {
    const bool person = effect.kind == playbook::EffectKind::kManual;
    std::printf("%s %llu: %s\n", person ? "waits for a person," : "waits,",
                static_cast<unsigned long long>(effect.number), printable(effect.text).c_str());
    if (person) {
      std::printf("  cofferdam playbook answer %s %llu\n", state.run.c_str(),
                  static_cast<unsigned long long>(effect.number));
    }
  }
  if (!state.problem.empty()) std::printf("problem: %s\n", printable(state.problem).c_str());
}

void print_report(const Result<playbook::RunReport>& done, Global& global) {
  if (!done) {
    global.exit_code = report(global, done.error());
    if (done.error().code == Code::kInvalid) global.exit_code = kUsage;
    return;
  }
  print_state(done->state, done->playbook, global);
  if (done->state.status != playbook::RunStatus::kCompleted) global.exit_code = kFound;
}

Result<playbook::RunReport> begin(const Arguments& arguments, const Global& global) {
  const playbook::Playbook playbook = TRY(read_playbook(arguments.file));
  if (!arguments.trusted.empty()) {
    const auto checks = playbook::check_signatures(playbook.document, format_time(wall_now_ns()),
                                                   arguments.trusted);
    if (!std::ranges::any_of(checks, &playbook::SignatureCheck::trusted)) {
      return fail(Code::kDenied, "the playbook has no good signature of a trusted key");
    }
  }
  auto runs = TRY(open_runs(arguments, global));
  return runs.begin(playbook, TRY(values_of(arguments.values)));
}

Result<playbook::RunReport> answer(const Arguments& arguments, const Global& global) {
  auto runs = TRY(open_runs(arguments, global));
  const char* name = ::getlogin();
  playbook::Outcome outcome;
  outcome.ok = !arguments.failed;
  outcome.text = arguments.note;
  outcome.outputs = TRY(values_of(arguments.values));
  outcome.executed_by = name != nullptr ? name : "uid " + std::to_string(::getuid());
  return runs.answer(arguments.run, arguments.number, outcome);
}

void list(const Arguments& arguments, Global& global) {
  const auto runs = open_runs(arguments, global);
  const auto names =
      runs ? runs->list() : Result<std::vector<std::string>>(std::unexpected(runs.error()));
  if (!names) {
    global.exit_code = report(global, names.error());
    return;
  }
  for (const std::string& name : *names) {
    const auto read = runs->read(name);
    if (read) print_state(read->state, read->playbook, global);
    else global.exit_code = report(global, read.error());
  }
}

void add_common(CLI::App* command, const std::shared_ptr<Arguments>& arguments) {
  command->add_option("--dir", arguments->folder, "Folder of runs, instead of playbook in data_dir")
      ->type_name("DIR");
  command->add_option("--library", arguments->library, "Folder of playbooks that may be called")
      ->type_name("DIR");
  command->add_option("--allow", arguments->allowed, "Types of commands that may be executed: bash")
      ->type_name("TYPE");
  command->add_option("--user", arguments->user, "As whom root executes commands")
      ->type_name("NAME")
      ->capture_default_str();
  add_act_options(*command, arguments->act);
}

}  // namespace

void add_playbook_run(CLI::App& app, Global& global) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* run = app.add_subcommand(
      "run", "Execute a playbook until it ends or waits (exit 1: it waits or failed)");
  run->add_option("FILE", arguments->file, "A playbook")->required();
  run->add_option("--set", arguments->values, "Value of a variable")->type_name("NAME=VALUE");
  run->add_option("--trust", arguments->trusted,
                  "Execute it only with a good signature of this key (SHA-256 of its DER)")
      ->type_name("SHA256");
  add_common(run, arguments);
  run->callback([&global, arguments] { print_report(begin(*arguments, global), global); });
  CLI::App* resume = app.add_subcommand("resume", "Go on with a run that was interrupted or waits");
  resume->add_option("RUN", arguments->run, "As printed by run")->required();
  add_common(resume, arguments);
  resume->callback([&global, arguments] {
    auto runs = open_runs(*arguments, global);
    if (!runs) return print_report(std::unexpected(runs.error()), global);
    print_report(runs->resume(arguments->run), global);
  });
  CLI::App* answering =
      app.add_subcommand("answer", "Say how a step went that waits for a person, and go on");
  answering->add_option("RUN", arguments->run, "As printed by run")->required();
  answering->add_option("NUMBER", arguments->number, "Which step, as printed")->required();
  answering->add_flag("--failed", arguments->failed, "It failed");
  answering->add_option("--note", arguments->note, "What there is to say")->type_name("TEXT");
  answering->add_option("--set", arguments->values, "Value of a variable of the step")
      ->type_name("NAME=VALUE");
  add_common(answering, arguments);
  answering->callback([&global, arguments] { print_report(answer(*arguments, global), global); });
  CLI::App* listing = app.add_subcommand("runs", "List runs and what they wait for");
  add_common(listing, arguments);
  listing->callback([&global, arguments] { list(*arguments, global); });
}

}  // namespace coff::cli
