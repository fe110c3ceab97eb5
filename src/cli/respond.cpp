// cofferdam respond: act on a container, see what is in force, and undo it.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <memory>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "cli/approval_ask.hpp"
#include "cli/cli.hpp"
#include "cli/control.hpp"
#include "cli/json_read.hpp"
#include "cli/playbook.hpp"
#include "response/catalogue.hpp"

namespace coff::cli {
namespace {

namespace json = boost::json;

/// An action may wait for another one, for processes to stop, for an engine.
constexpr int kAnswerTimeoutMs = 130'000;

struct Options {
  std::string socket;
  std::string action;
  std::string container;
  std::string reason;
  std::string break_glass;
  std::string ttl;
  std::string approval;
  std::string signers;  ///< "": approvers_file().
  std::vector<std::string> allowed;
  std::uint64_t pid = 0;
  bool dry_run = false;
};

/// Seconds of "90s", "15m", "2h", "3d" or a plain number.
Result<std::uint64_t> duration(const std::string& given) {
  std::uint64_t unit = 1;
  std::string_view digits = given;
  if (!given.empty()) {
    switch (given.back()) {
      case 's': break;
      case 'm': unit = 60; break;
      case 'h': unit = 3600; break;
      case 'd': unit = 86'400; break;
      default: unit = 0;
    }
    if (unit != 0) digits.remove_suffix(1);
    else unit = 1;
  }
  std::uint32_t count = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (digits.empty() || problem != std::errc() || end != digits.data() + digits.size()) {
    return fail(Code::kInvalid, "--ttl must be a time like 90s, 15m, 2h or 3d");
  }
  return count * unit;
}

void print_list(const json::object& from, std::string_view name, const char* label,
                std::string_view member) {
  const json::value* list = from.if_contains(name);
  if (list == nullptr || !list->is_array()) return;
  for (const json::value& each : list->get_array()) {
    std::string line;
    if (each.is_string()) line = printable(std::string_view(each.get_string()));
    else if (each.is_object()) {
      line = shown_in(each.get_object(), member);
      if (const std::string kind = shown_in(each.get_object(), "kind"); !kind.empty()) {
        line.insert(0, kind + ": ");
      }
      if (member == "change") {
        const std::string undo = shown_in(each.get_object(), "undo");
        line += undo.empty() ? "  (cannot be undone)" : "  (release: " + undo + ")";
      }
    }
    std::printf("  %-8s %s\n", label, line.c_str());
  }
}

void print_plan(const json::object& stage) {
  const json::value* found = stage.if_contains("plan");
  if (found == nullptr || !found->is_object()) return;
  const json::object& plan = found->get_object();
  std::printf("plan: %s of %s (%.12s, %s), class %s\n", shown_in(plan, "action").c_str(),
              shown_in(plan, "container_name").c_str(), shown_in(plan, "container_id").c_str(),
              shown_in(plan, "image").c_str(), shown_in(plan, "approval_class").c_str());
  print_list(plan, "steps", "change", "change");
  print_list(plan, "open_channels", "open", "what");
  print_list(plan, "warnings", "warning", "");
  print_list(plan, "refusals", "refused", "");
}

void print_stage(std::string_view item) {
  json::error_code problem;
  const json::value value = json::parse(item, problem);
  if (problem || !value.is_object()) return;
  const json::object& stage = value.get_object();
  const std::string name = shown_in(stage, "stage");
  if (name == "planned") return print_plan(stage);
  std::string more;
  for (const char* member : {"took_us", "as_planned", "measured", "cause", "error", "outcome"}) {
    const std::string shown = shown_in(stage, member);
    if (!shown.empty()) more += std::string("  ") + member + " " + shown;
  }
  std::string container;
  if (const json::value* about = stage.if_contains("container"); about && about->is_object()) {
    container = shown_in(about->get_object(), "name");
  }
  std::printf("%s: %s of %s%s\n", name.c_str(), shown_in(stage, "action").c_str(),
              container.c_str(), more.c_str());
}

void print_record(const json::object& record) {
  const auto wall_ns = [&](std::string_view name) -> std::int64_t {
    const json::value* value = record.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
  };
  const std::string since = format_time(wall_ns("since_ns"));
  const std::string until = wall_ns("until_ns") == 0 ? "-" : format_time(wall_ns("until_ns"));
  std::printf("%-12.12s %-20s %-12s %-9s %.19sZ  %-19.19s  %s%s\n",
              shown_in(record, "container_id").c_str(), shown_in(record, "container_name").c_str(),
              shown_in(record, "action").c_str(), shown_in(record, "stage").c_str(), since.c_str(),
              until.c_str(), shown_in(record, "reason").c_str(),
              shown_in(record, "break_glass").empty() ? "" : "  [review required]");
}

/// A guard rail, a missing approval, nothing to release: the answer is "no".
void refuse(Global& global, const Error& error) {
  global.exit_code = report(global, error);
  if (error.code == Code::kDenied || error.code == Code::kNotFound) global.exit_code = kFound;
}

bool call(Global& global, const Options& options, const std::string& name,
          const std::string& arguments, const std::function<void(std::string_view)>& use) {
  auto client = connect_to_agent(global, options.socket);
  Result<void> asked = client ? Result<void>() : Result<void>(std::unexpected(client.error()));
  if (client) {
    asked = client->call(
        name, arguments,
        [&](std::string_view item) {
          use(item);
          std::fflush(stdout);
          return std::ferror(stdout) == 0;
        },
        kAnswerTimeoutMs);
  }
  if (asked) return true;
  refuse(global, asked.error());
  return false;
}

Result<json::object> arguments_from(const Options& options) {
  json::object arguments{{"container", options.container}, {"reason", options.reason}};
  if (!options.action.empty()) arguments["action"] = options.action;
  if (!options.break_glass.empty()) arguments["break_glass"] = options.break_glass;
  if (!options.ttl.empty()) arguments["ttl_s"] = TRY(duration(options.ttl));
  if (options.pid != 0) arguments["pid"] = options.pid;
  if (!options.allowed.empty()) {
    arguments["allow"] = json::array(options.allowed.begin(), options.allowed.end());
  }
  return arguments;
}

/// Puts the approval into the arguments; false when it waits for people.
Result<bool> add_approval(Global& global, const Options& options, json::object& arguments) {
  const std::string folder = TRY(playbook_folder(global, "")) + "/approvals";
  ApprovalAnswer answer = TRY(ask_approval(global, options.socket, folder, options.signers,
                                           {.id = options.approval, .arguments = arguments}));
  if (answer.waits) return false;
  if (!answer.approval.is_null()) arguments["approval"] = std::move(answer.approval);
  return true;
}

void run_action(Global& global, const Options& options, const std::string& name) {
  auto arguments = arguments_from(options);
  if (!arguments) {
    report(global, arguments.error());
    global.exit_code = kUsage;
    return;
  }
  if (!options.approval.empty() && !options.dry_run) {
    const auto approved = add_approval(global, options, *arguments);
    if (!approved) {
      refuse(global, approved.error());
      return;
    }
    if (!*approved) {
      global.exit_code = kFound;
      std::fprintf(stderr, "waits for approval: cofferdam playbook approve %s; then again\n",
                   printable(options.approval).c_str());
      return;
    }
  }
  const std::string chosen = options.dry_run ? "respond.plan" : name;
  call(global, options, chosen, json::serialize(*arguments), [&](std::string_view item) {
    if (global.json) std::printf("%.*s\n", static_cast<int>(item.size()), item.data());
    else print_stage(item);
  });
}

void run_list(Global& global, const Options& options) {
  std::size_t count = 0;
  const bool asked = call(global, options, "respond.list", "{}", [&](std::string_view item) {
    if (global.json) {
      std::printf("%.*s\n", static_cast<int>(item.size()), item.data());
      return;
    }
    if (count++ == 0) {
      std::printf("%-12s %-20s %-12s %-9s %-20s  %-19s  %s\n", "ID", "NAME", "ACTION", "STAGE",
                  "SINCE", "UNTIL", "REASON");
    }
    json::error_code problem;
    const json::value value = json::parse(item, problem);
    if (!problem && value.is_object()) print_record(value.get_object());
  });
  if (asked && count == 0 && !global.json) std::printf("nothing is in force\n");
}

void add_common(CLI::App& command, const std::shared_ptr<Options>& options) {
  command.add_option("container", options->container, "Id, beginning of one, or name")->required();
  command.add_option("--reason", options->reason, "Why, for the trail")->type_name("TEXT");
  command.add_option("--socket", options->socket, "The agent's control socket")->type_name("PATH");
}

void add_action(CLI::App& app, Global& global, const char* command_name, const char* action,
                const char* sentence) {
  CLI::App* command = app.add_subcommand(command_name, sentence);
  auto options = std::make_shared<Options>();
  options->action = action;
  add_common(*command, options);
  const response::Action* row = response::find_action(action);
  command->add_flag("--dry-run", options->dry_run, "Show the plan, change nothing");
  command
      ->add_option("--break-glass", options->break_glass,
                   "Pass over guard rails and approvals, for this reason")
      ->type_name("TEXT");
  command
      ->add_option("--approval", options->approval,
                   "Have it approved under this name: asked for at first, done once people signed")
      ->type_name("NAME");
  command
      ->add_option("--signers", options->signers,
                   "Who may approve: an allowed-signers file, instead of response.approvers")
      ->type_name("FILE");
  if (row != nullptr && row->stays) {
    command->add_option("--ttl", options->ttl, "Release by itself after so long, e.g. 30m")
        ->type_name("TIME");
  }
  if (std::string_view(action) == response::kQuarantine.name) {
    command->add_option("--allow", options->allowed, "Address or prefix that stays reachable")
        ->type_name("ADDRESS");
  }
  if (std::string_view(action) == response::kKill.name) {
    command->add_option("--pid", options->pid, "Only this process, by its pid on the host");
  }
  command->callback([&global, options] {
    if (options->pid != 0) options->action = response::kKillProcess.name;
    run_action(global, *options, "respond.run");
  });
}

void add_plan(CLI::App& app, Global& global) {
  CLI::App* command = app.add_subcommand("plan", "Show what an action would change and leave open");
  auto options = std::make_shared<Options>();
  command->add_option("action", options->action, "Name of the action")->required();
  add_common(*command, options);
  command->add_option("--pid", options->pid, "For kill_process: its pid on the host");
  command->callback([&global, options] { run_action(global, *options, "respond.plan"); });
}

void add_release(CLI::App& app, Global& global) {
  CLI::App* release = app.add_subcommand("release", "Undo what is in force on a container");
  auto options = std::make_shared<Options>();
  add_common(*release, options);
  release->add_option("--action", options->action, "Only this action")->type_name("NAME");
  release->callback([&global, options] { run_action(global, *options, "respond.release"); });
  CLI::App* thaw = app.add_subcommand("thaw", "Undo freeze");
  auto thawing = std::make_shared<Options>();
  thawing->action = response::kFreeze.name;
  add_common(*thaw, thawing);
  thaw->callback([&global, thawing] { run_action(global, *thawing, "respond.release"); });
}

void add_allow(CLI::App& app, Global& global) {
  CLI::App* command = app.add_subcommand(
      "allow", "Replace the addresses that a quarantine lets through; none: nobody");
  auto options = std::make_shared<Options>();
  add_common(*command, options);
  command->add_option("addresses", options->allowed, "Addresses or prefixes");
  command->callback([&global, options] { run_action(global, *options, "respond.allow"); });
}

}  // namespace

void add_respond(CLI::App& app, Global& global) {
  CLI::App* respond = app.add_subcommand("respond", "Act on a container, and undo it");
  respond->require_subcommand(1);
  add_plan(*respond, global);
  add_action(*respond, global, "quarantine", "quarantine", "Cut a container off every network");
  add_allow(*respond, global);
  add_action(*respond, global, "cut", "cut", "End a container's open connections");
  add_action(*respond, global, "freeze", "freeze", "Stop every process where it is, in memory");
  add_action(*respond, global, "protect", "protect", "Keep the engine from starting it anew");
  add_action(*respond, global, "kill", "kill", "Kill a process of a container, or all");
  add_release(*respond, global);
  CLI::App* list = respond->add_subcommand("list", "Show what is in force");
  auto options = std::make_shared<Options>();
  list->add_option("--socket", options->socket, "The agent's control socket")->type_name("PATH");
  list->callback([&global, options] { run_list(global, *options); });
}

}  // namespace coff::cli
