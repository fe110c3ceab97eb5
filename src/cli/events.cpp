// cofferdam events, findings and access: follow what happens, or ask the trail what happened.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "cli/access_line.hpp"
#include "cli/cli.hpp"
#include "cli/control.hpp"
#include "cli/entry_line.hpp"
#include "cli/falco_shape.hpp"
#include "config/config.hpp"

namespace coff::cli {
namespace {

struct Options {
  std::string socket;
  bool follow = false;
  std::string since;
  std::string until;
  std::string container;
  std::vector<std::string> kinds;
  std::string text;
  std::string user;      ///< Of this person, user or component alone.
  bool changes = false;  ///< access: not what only reads.
  std::uint64_t limit = 1000;
  std::string format;  ///< Of findings: "", "text", "json" or "falco".
  std::string host;    ///< As whose findings they are told in Falco's shape.
};

Result<std::string> arguments_of(const Options& options) {
  std::string arguments;
  JsonWriter json(arguments);
  json.begin_object();
  if (!options.container.empty()) json.member("container", options.container);
  if (!options.text.empty()) json.member("text", options.text);
  if (!options.user.empty() && !options.follow) json.member("user", options.user);
  if (!options.kinds.empty()) {
    json.key("kind").begin_array();
    for (const std::string& kind : options.kinds) json.string(kind);
    json.end_array();
  }
  if (!options.follow) {
    json.member("limit", options.limit);
    if (!options.since.empty()) {
      json.member("since", format_time(TRY(time_argument(options.since, "--since"))));
    }
    if (!options.until.empty()) {
      json.member("until", format_time(TRY(time_argument(options.until, "--until"))));
    }
  }
  json.end_object();
  return arguments;
}

void print_item(const Global& global, const Options& options, std::string_view item) {
  const bool chosen = !options.user.empty() || options.changes;
  if (chosen && !entry_matches(item, options.user, options.changes)) return;
  if (options.format == "falco") {
    if (const auto shaped = falco_shape(item, options.host)) std::printf("%s\n", shaped->c_str());
  } else if (options.format == "json" || (global.json && options.format.empty())) {
    std::printf("%.*s\n", static_cast<int>(item.size()), item.data());
  } else {
    const EntryLineOptions line{.colour = want_colour(), .show_lag = options.follow};
    std::printf("%s\n", entry_line(item, line).c_str());
  }
  if (options.follow) std::fflush(stdout);
}

void run_events(Global& global, const Options& options) {
  const auto arguments = arguments_of(options);
  if (!arguments) {
    report(global, arguments.error());
    global.exit_code = kUsage;
    return;
  }
  auto client = connect_to_agent(global, options.socket);
  if (!client) {
    global.exit_code = report(global, client.error());
    return;
  }
  const auto asked = client->call(
      options.follow ? "events.follow" : "events.query", *arguments,
      [&](std::string_view item) {
        print_item(global, options, item);
        return std::ferror(stdout) == 0;
      },
      options.follow ? -1 : 30'000,
      [&](std::uint64_t lost) {
        if (global.json) std::printf("{\"lost\":%llu}\n", static_cast<unsigned long long>(lost));
        else {
          std::fprintf(stderr,
                       "cofferdam: %llu events were too fast for this reader; the trail "
                       "has what the profile records\n",
                       static_cast<unsigned long long>(lost));
        }
      });
  if (!asked) global.exit_code = report(global, asked.error());
}

}  // namespace

namespace {

// The configured name, else the kernel's.
std::string host_name(const Global& global) {
  const auto config = config::load_config(global.config_path);
  if (config && !config->host.name.empty()) return config->host.name;
  std::string name(256, '\0');
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.c_str();
}

// What events and findings can both be asked for.
void add_common(CLI::App* command, Global& global, const std::shared_ptr<Options>& options) {
  command->add_flag("-f,--follow", options->follow, "Show them as they happen, with their lag");
  command->add_option("--since", options->since, "From this time on, or age: 15m, 2h, 3d")
      ->type_name("TIME");
  command->add_option("--until", options->until, "Until this time, or age")->type_name("TIME");
  command->add_option("--container", options->container, "Name, or beginning of the id");
  command->add_option("--text", options->text, "Only those that contain these words");
  command->add_option("--user", options->user,
                      "Only of this person, login or user, or of this component");
  command->add_option("--limit", options->limit, "The newest so many")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--socket", options->socket, "Control socket instead of the configured one")
      ->type_name("PATH");
  command->callback([&global, options] { run_events(global, *options); });
}

}  // namespace

void add_events(CLI::App& app, Global& global) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("events", "Show what happened, or with --follow what happens");
  add_common(command, global, options);
  command->add_option("--kind", options->kinds, "Kinds of events, e.g. exec,connect")
      ->delimiter(',');
}

void add_findings(CLI::App& app, Global& global) {
  const auto options = std::make_shared<Options>();
  options->kinds = {"finding"};
  CLI::App* command =
      app.add_subcommand("findings", "Show what the rules found, or with --follow what they find");
  add_common(command, global, options);
  command->add_option("--format", options->format, "text, json (as --json), or Falco's own JSON")
      ->check(CLI::IsMember({"text", "json", "falco"}));
  command->callback([&global, options] {
    if (options->format == "falco") options->host = host_name(global);
    run_events(global, *options);
  });
}

void add_access(CLI::App& app, Global& global) {
  const auto options = std::make_shared<Options>();
  options->kinds = {"access"};
  CLI::App* command = app.add_subcommand(
      "access", "Show who asked the engines for what, and who was logged in; or follow it");
  add_common(command, global, options);
  command->add_flag("--changes", options->changes, "Not requests that only read");
}

}  // namespace coff::cli
