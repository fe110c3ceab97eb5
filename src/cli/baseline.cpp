// cofferdam baseline: what was learned of each service, and what departs from it.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/json_writer.hpp"
#include "baseline/profile.hpp"
#include "cli/cli.hpp"
#include "cli/control.hpp"
#include "cli/json_read.hpp"

namespace coff::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string socket;
  std::string service;
  std::string what;
  std::string value;
  std::string file;
  bool all = false;
};

/// Calls `use` with an answer that is an object; anything else is printed as it is.
template <typename Use>
void with_object(std::string_view item, Use&& use) {
  json::error_code problem;
  const json::value value = json::parse(item, problem);
  if (problem || !value.is_object()) std::printf("%s\n", printable(item).c_str());
  else use(value.get_object());
}

void print_line(const json::object& profile) {
  std::string state = shown_in(profile, "state");
  if (state == "learning") {
    state += " " + shown_in(profile, "observed_s") + "/" + shown_in(profile, "window_s") + " s";
  }
  std::string line = shown_in(profile, "service");
  if (const json::value* sorts = profile.if_contains("not_judged");
      sorts != nullptr && sorts->is_array() && !sorts->get_array().empty()) {
    line += "  not judged: " + printable(json::serialize(*sorts));
  }
  if (shown_in(profile, "image_changed") == "true") line += "  [image changed]";
  std::printf("%-22s %8s %10s  %s\n", state.c_str(), shown_in(profile, "features").c_str(),
              shown_in(profile, "departures").c_str(), line.c_str());
}

void print_header() {
  std::printf("%-22s %8s %10s  %s\n", "STATE", "KNOWN", "DEPARTURES", "SERVICE");
}

void print_departures(const json::object& profile) {
  const json::value* departures = profile.if_contains("departures");
  if (departures == nullptr || !departures->is_array()) return;
  for (const json::value& each : departures->get_array()) {
    if (!each.is_object()) continue;
    const json::object& one = each.get_object();
    std::printf("departure   %-10s %s  (%s times, first %.19sZ in %s)\n",
                shown_in(one, "what").c_str(), shown_in(one, "value").c_str(),
                shown_in(one, "count").c_str(), shown_in(one, "first").c_str(),
                shown_in(one, "container").c_str());
  }
}

void print_profile(const json::object& profile) {
  std::printf("%s: %s, %s s of running time, %s events, fingerprint %s\n",
              shown_in(profile, "service").c_str(), shown_in(profile, "state").c_str(),
              shown_in(profile, "observed_s").c_str(), shown_in(profile, "samples").c_str(),
              shown_in(profile, "fingerprint").c_str());
  const json::value* features = profile.if_contains("features");
  if (features != nullptr && features->is_object()) {
    for (const auto& [what, list] : features->get_object()) {
      if (!list.is_array()) continue;
      for (const json::value& value : list.get_array()) {
        if (!value.is_string()) continue;
        std::string shown = printable(std::string_view(value.get_string()));
        if (shown.starts_with('!')) shown = shown.substr(1) + "  (not of the image)";
        std::printf("%-22s %s\n", printable(std::string_view(what)).c_str(), shown.c_str());
      }
    }
  }
  print_departures(profile);
}

bool call(Global& global, const Options& options, const std::string& name,
          const std::string& arguments, const std::function<void(std::string_view)>& use) {
  auto client = connect_to_agent(global, options.socket);
  Result<void> asked = client ? Result<void>() : Result<void>(std::unexpected(client.error()));
  if (client) {
    asked = client->call(name, arguments, [&](std::string_view item) {
      use(item);
      return std::ferror(stdout) == 0;
    });
  }
  if (!asked) global.exit_code = report(global, asked.error());
  return asked.has_value();
}

void print_raw(std::string_view item) {
  std::printf("%.*s\n", static_cast<int>(item.size()), item.data());
}

std::string service_argument(const Options& options) {
  std::string arguments;
  JsonWriter(arguments).begin_object().member("service", options.service).end_object();
  return arguments;
}

void run_list(Global& global, const Options& options) {
  std::size_t count = 0;
  const bool asked = call(global, options, "baseline.list", "{}", [&](std::string_view item) {
    if (global.json) return print_raw(item);
    if (count++ == 0) print_header();
    with_object(item, print_line);
  });
  if (!asked || global.json || count != 0) return;
  std::printf("no service has been seen yet\n");
  global.exit_code = kFound;
}

void run_show(Global& global, const Options& options) {
  call(global, options, "baseline.show", service_argument(options), [&](std::string_view item) {
    if (global.json) print_raw(item);
    else with_object(item, print_profile);
  });
}

void run_change(Global& global, const Options& options, const std::string& name) {
  std::string arguments;
  JsonWriter writer(arguments);
  writer.begin_object().member("service", options.service);
  if (!options.what.empty()) writer.member("what", options.what).member("value", options.value);
  writer.end_object();
  call(global, options, "baseline." + name, arguments, [&](std::string_view item) {
    if (global.json) return print_raw(item);
    print_header();
    with_object(item, print_line);
  });
}

void run_accept(Global& global, const Options& options) {
  const bool one = !options.what.empty() && !options.value.empty();
  if (one == options.all || options.what.empty() != options.value.empty()) {
    report(global, Error{Code::kInvalid, "give a sort and a value, or --all"});
    global.exit_code = kUsage;
    return;
  }
  run_change(global, options, "accept");
}

// In parts, because a request is short: docs/formats/control.md.
void run_import(Global& global, const Options& options) {
  constexpr std::size_t kPartBytes = 20'000;
  const auto text = read_file(options.file, baseline::kProfileBytesMax);
  if (!text) {
    global.exit_code = report(global, text.error());
    return;
  }
  const auto profile = baseline::parse_profile(*text, baseline::kProfileBytesMax);
  if (!profile) {
    report(global, profile.error());
    global.exit_code = kUsage;
    return;
  }
  // Written anew: short, and plain ASCII or UTF-8 that may be cut anywhere into valid requests.
  const std::string whole = baseline::to_json(*profile);
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < whole.size();) {
    std::size_t end = std::min(at + kPartBytes, whole.size());
    while (end < whole.size() && (static_cast<unsigned char>(whole[end]) & 0xC0U) == 0x80U) --end;
    parts.push_back(whole.substr(at, end - at));
    at = end;
  }
  for (std::size_t part = 0; part < parts.size(); ++part) {
    std::string arguments;
    JsonWriter(arguments)
        .begin_object()
        .member("part", std::uint64_t{part})
        .member("of", std::uint64_t{parts.size()})
        .member("text", parts[part])
        .end_object();
    const bool taken =
        call(global, options, "baseline.import", arguments, [&](std::string_view item) {
          if (global.json) return print_raw(item);
          print_header();
          with_object(item, print_line);
        });
    if (!taken) return;
  }
}

CLI::App* add_one(CLI::App* parent, const std::string& name, const std::string& help,
                  const std::shared_ptr<Options>& options) {
  CLI::App* command = parent->add_subcommand(name, help);
  command->add_option("--socket", options->socket, "Control socket instead of the configured one")
      ->type_name("PATH");
  return command;
}

}  // namespace

void add_baseline(CLI::App& app, Global& global) {
  CLI::App* command =
      app.add_subcommand("baseline", "What was learned of each service, and what departs from it");
  command->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  const auto with_service = [&](const std::string& name, const std::string& help) {
    CLI::App* one = add_one(command, name, help, options);
    one->add_option("SERVICE", options->service,
                    "As listed, or the part behind the colon: shop/web")
        ->required();
    return one;
  };
  add_one(command, "list", "List services (exit 1: none)", options)->callback([&global, options] {
    run_list(global, *options);
  });
  with_service("show", "Show a profile and its departures")->callback([&global, options] {
    run_show(global, *options);
  });
  with_service("export", "Print a profile as JSON, for import elsewhere")
      ->callback([&global, options] {
        call(global, *options, "baseline.export", service_argument(*options), print_raw);
      });
  constexpr std::pair<const char*, const char*> kChanges[] = {
      {"pin", "Nothing more is learned, whatever the image"},
      {"unpin", "Back to watching: programs of new images are learned again"},
      {"forget", "Drop a profile; the service is learned anew"}};
  for (const auto& [name, help] : kChanges) {
    with_service(name, help)->callback([&global, options, change = std::string(name)] {
      run_change(global, *options, change);
    });
  }
  CLI::App* accept = with_service("accept", "Make departures part of the profile");
  accept->add_option("SORT", options->what,
                     "executable, child, file, capability, call, user, port");
  accept->add_option("VALUE", options->value, "The value of the departure, as shown");
  accept->add_flag("--all", options->all, "All departures of the service");
  accept->callback([&global, options] { run_accept(global, *options); });
  CLI::App* import =
      add_one(command, "import", "Put a profile in, in place of its service's", options);
  import->add_option("FILE", options->file, "An exported profile")->required()->type_name("FILE");
  import->callback([&global, options] { run_import(global, *options); });
}

}  // namespace coff::cli
