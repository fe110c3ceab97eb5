// cofferdam incident: findings that belong together, and what people do about them.
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "cli/cli.hpp"
#include "cli/control.hpp"
#include "config/config.hpp"
#include "incident/incident.hpp"

namespace coff::cli {
namespace {

struct Arguments {
  std::string store;
  std::string socket;
  std::uint64_t number = 0;
  std::string text;
  std::string state;
  std::string lessons;
  std::string container;
  std::string format = "markdown";
  bool all = false;
};

std::string who() {
  const char* name = ::getlogin();
  return name != nullptr ? name : "uid " + std::to_string(::getuid());
}

/// Opens the store; only what begins incidents makes it.
Result<incident::Store> open_store(const Arguments& arguments, const Global& global, bool make) {
  std::string path = arguments.store;
  if (path.empty()) {
    const std::string folder = TRY(config::load_config(global.config_path)).data_dir + "/incident";
    if (make && ::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
      return fail_errno("cannot make " + folder);
    }
    path = folder + "/incidents.db";
  }
  if (!make && ::access(path.c_str(), F_OK) != 0) {
    return fail(Code::kNotFound,
                path + ": there are no incidents; cofferdam incident update looks for some");
  }
  ::umask(077);
  return incident::Store::open(path);
}

std::int64_t number_of(const Arguments& arguments) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(arguments.number, INT64_MAX));
}

void print_line(const incident::Incident& each, const Global& global) {
  if (global.json) {
    std::printf("%s\n", incident::to_json(each).c_str());
    return;
  }
  const std::string where =
      each.container.empty() ? "host" : each.name + " " + each.container.substr(0, 12);
  std::printf(
      "%5lld  %-11s %-10s %5lld  %.19sZ  %-12s %s  (%s)\n", static_cast<long long>(each.number),
      std::string(incident::state_name(each.state)).c_str(), printable(each.severity).c_str(),
      static_cast<long long>(each.findings), format_time(each.last_ns).c_str(),
      each.owner.empty() ? "-" : printable(each.owner).c_str(), printable(each.title).c_str(),
      printable(where).c_str());
}

Result<void> run_list(const Arguments& arguments, Global& global) {
  auto store = TRY(open_store(arguments, global, false));
  const auto incidents = TRY(store.list(arguments.all));
  if (incidents.empty()) global.exit_code = kFound;
  for (const incident::Incident& each : incidents) print_line(each, global);
  return {};
}

Result<void> run_show(const Arguments& arguments, Global& global) {
  auto store = TRY(open_store(arguments, global, false));
  const auto incident = TRY(store.read(number_of(arguments)));
  const auto items = TRY(store.timeline(incident.number));
  if (global.json) {
    std::printf("%s\n", incident::to_json(incident, items).c_str());
    return {};
  }
  print_line(incident, global);
  for (const incident::Item& item : items) {
    std::printf("  %.19sZ  %-9s %-10s %s\n", format_time(item.time_ns).c_str(),
                printable(item.sort).c_str(), printable(item.who).c_str(),
                printable(item.text).c_str());
  }
  if (!incident.lessons.empty()) {
    std::printf("  learned: %s\n", printable(incident.lessons).c_str());
  }
  return {};
}

Result<void> run_export(const Arguments& arguments, Global& global) {
  auto store = TRY(open_store(arguments, global, false));
  const auto incident = TRY(store.read(number_of(arguments)));
  const auto items = TRY(store.timeline(incident.number));
  const bool json = global.json || arguments.format == "json";
  const std::string text =
      json ? incident::to_json(incident, items) + "\n" : incident::to_markdown(incident, items);
  std::fputs(text.c_str(), stdout);
  return {};
}

// Actions, approvals and evidence since the oldest incident that is still open.
Result<std::size_t> take_deeds(const Arguments& arguments, const Global& global,
                               incident::Store& store) {
  const auto since_ns = TRY(store.oldest_open_ns());
  if (!since_ns) return 0;
  auto client = TRY(connect_to_agent(global, arguments.socket));
  std::string call;
  JsonWriter(call)
      .begin_object()
      .key("kind")
      .begin_array()
      .string("action")
      .string("evidence")
      .end_array()
      .member("limit", std::uint64_t{10'000})
      .member("since", format_time(*since_ns))
      .end_object();
  std::vector<incident::Deed> deeds;
  TRY(client.call("events.query", call, [&](std::string_view item) {
    auto deed = incident::deed_of(item);
    if (deed) deeds.push_back(std::move(*deed));
    return true;
  }));
  return store.take_deeds(deeds);
}

// The newest findings of the trail since the last one that is known, some time before it again:
// entries of different lanes are not quite in the order of their times.
Result<void> run_update(const Arguments& arguments, Global& global) {
  constexpr std::int64_t kOverlapNs = 60LL * 1'000'000'000;
  auto client = TRY(connect_to_agent(global, arguments.socket));
  auto store = TRY(open_store(arguments, global, true));
  const std::int64_t newest_ns = TRY(store.newest_ns());
  std::string call;
  JsonWriter json(call);
  json.begin_object().key("kind").begin_array().string("finding").end_array();
  json.member("limit", std::uint64_t{10'000});
  if (newest_ns > kOverlapNs) json.member("since", format_time(newest_ns - kOverlapNs));
  json.end_object();
  std::vector<incident::FindingFacts> findings;
  TRY(client.call("events.query", call, [&](std::string_view item) {
    auto facts = incident::finding_facts(item);
    if (facts) findings.push_back(std::move(*facts));
    return true;
  }));
  TRY(store.take(findings));
  const std::size_t deeds = TRY(take_deeds(arguments, global, store));
  const std::uint64_t open = TRY(store.list(false)).size();
  if (global.json) {
    std::string text;
    JsonWriter(text)
        .begin_object()
        .member("findings", std::uint64_t{findings.size()})
        .member("deeds", std::uint64_t{deeds})
        .member("open", open)
        .end_object();
    std::printf("%s\n", text.c_str());
  } else {
    std::printf("%llu findings looked at, %llu incidents open\n",
                static_cast<unsigned long long>(findings.size()),
                static_cast<unsigned long long>(open));
  }
  return {};
}

Result<void> shown_again(incident::Store& store, std::int64_t number, const Global& global) {
  print_line(TRY(store.read(number)), global);
  return {};
}

Result<void> run_open(const Arguments& arguments, Global& global) {
  auto store = TRY(open_store(arguments, global, true));
  const std::int64_t number =
      TRY(store.open_incident(arguments.text, arguments.container, who(), wall_now_ns()));
  return shown_again(store, number, global);
}

Result<void> run_note(const Arguments& arguments, Global& global) {
  auto store = TRY(open_store(arguments, global, false));
  TRY(store.add(number_of(arguments),
                {.time_ns = wall_now_ns(), .sort = "note", .who = who(), .text = arguments.text}));
  return shown_again(store, number_of(arguments), global);
}

Result<void> run_assign(const Arguments& arguments, Global& global) {
  auto store = TRY(open_store(arguments, global, false));
  TRY(store.assign(number_of(arguments), arguments.text, who(), wall_now_ns()));
  return shown_again(store, number_of(arguments), global);
}

Result<void> run_state(const Arguments& arguments, Global& global) {
  const auto state = incident::state_of_name(arguments.state);
  if (!state) return fail(Code::kInvalid, "there is no state " + arguments.state);
  auto store = TRY(open_store(arguments, global, false));
  TRY(store.set_state(number_of(arguments), *state, arguments.lessons, who(), wall_now_ns()));
  return shown_again(store, number_of(arguments), global);
}

using Run = Result<void> (*)(const Arguments&, Global&);

CLI::App* add_one(CLI::App& parent, Global& global, const std::shared_ptr<Arguments>& arguments,
                  const std::string& name, const std::string& help, Run run) {
  CLI::App* command = parent.add_subcommand(name, help);
  command
      ->add_option("--store", arguments->store,
                   "File of incidents, instead of incident/incidents.db in data_dir")
      ->type_name("PATH");
  command->callback([&global, arguments, run] {
    if (const auto done = run(*arguments, global); !done) {
      global.exit_code = report(global, done.error());
      if (done.error().code == Code::kInvalid) global.exit_code = kUsage;
    }
  });
  return command;
}

}  // namespace

void add_incident(CLI::App& app, Global& global) {
  CLI::App* command =
      app.add_subcommand("incident", "Findings that belong together, and what was done about them");
  command->require_subcommand(1);
  const auto arguments = std::make_shared<Arguments>();
  const auto add = [&](const std::string& name, const std::string& help, Run run) {
    return add_one(*command, global, arguments, name, help, run);
  };
  const auto numbered = [&](const std::string& name, const std::string& help, Run run) {
    CLI::App* one = add(name, help, run);
    one->add_option("NUMBER", arguments->number, "As listed")->required();
    return one;
  };
  CLI::App* update =
      add("update", "Open and extend incidents from the trail's findings", run_update);
  update->add_option("--socket", arguments->socket, "Control socket instead of the configured one")
      ->type_name("PATH");
  add("list", "List incidents that are not closed (exit 1: none)", run_list)
      ->add_flag("--all", arguments->all, "Closed ones too");
  numbered("show", "Show an incident and its timeline", run_show);
  CLI::App* open = add("open", "Open an incident by hand", run_open);
  open->add_option("TITLE", arguments->text, "What it is about")->required();
  open->add_option("--container", arguments->container, "Id of the container it is about")
      ->type_name("ID");
  numbered("note", "Write something down", run_note)
      ->add_option("TEXT", arguments->text, "The note")
      ->required();
  numbered("assign", "Make it somebody's", run_assign)
      ->add_option("OWNER", arguments->text, "Whose it is")
      ->required();
  numbered("state", "Say how far handling it is", run_state)
      ->add_option("STATE", arguments->state,
                   "open, identified, contained, eradicated or recovered")
      ->required()
      ->check(CLI::IsMember({"open", "identified", "contained", "eradicated", "recovered"}));
  CLI::App* close = numbered("close", "End it", [](const Arguments& given, Global& all) {
    Arguments closing = given;
    closing.state = "closed";
    return run_state(closing, all);
  });
  close->add_option("--lessons", arguments->lessons, "What was learned")
      ->required()
      ->type_name("TEXT");
  numbered("export", "Print it with its timeline, as Markdown or JSON", run_export)
      ->add_option("--format", arguments->format, "markdown or json")
      ->check(CLI::IsMember({"markdown", "json"}))
      ->capture_default_str();
}

}  // namespace coff::cli
