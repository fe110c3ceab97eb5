// The command line: global options, dispatch, exit codes.
#include "cli/cli.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"

namespace coff::cli {

bool want_colour() { return isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr; }

int report(const Global& global, const Error& error) {
  std::string line;
  if (global.json) {
    JsonWriter(line)
        .begin_object()
        .member("error", error.message())
        .member("code", code_name(error.code))
        .end_object();
  } else {
    line = "cofferdam: ";
    append_printable(line, error.message());
  }
  std::fprintf(stderr, "%s\n", line.c_str());
  return kFailed;
}

Result<std::int64_t> time_argument(const std::string& given, std::string_view option) {
  if (auto exact = parse_time(given)) return *exact;
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::int64_t unit = 0;
  if (given.ends_with('s')) unit = kSecond;
  if (given.ends_with('m')) unit = 60 * kSecond;
  if (given.ends_with('h')) unit = 3600 * kSecond;
  if (given.ends_with('d')) unit = 86400 * kSecond;
  char* end = nullptr;
  errno = 0;
  const long count = std::strtol(given.c_str(), &end, 10);
  if (unit == 0 || errno != 0 || count < 0 || count > 100'000 || end == given.c_str() ||
      end != given.c_str() + given.size() - 1) {
    return fail(Code::kInvalid, std::string(option) +
                                    " must be a time like 2026-01-31T12:00:00Z or an age like 15m");
  }
  return wall_now_ns() - count * unit;
}

namespace {

/// "cofferdam trail show": the command as far as it was understood.
std::string understood(const CLI::App& app) {
  std::string name = app.get_name();
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  return name;
}

/// Empty when it is a whole decimal number of 64 bits. The library alone takes "", "-1", "0x10" and
/// "010" (as 8), and makes of too large a number the largest.
std::string problem_of_number(const std::string& given) {
  std::uint64_t number = 0;
  const char* end = given.data() + given.size();
  const auto [stop, problem] = std::from_chars(given.data(), end, number);
  const bool whole = problem == std::errc() && stop == end && (number == 0 || given[0] != '0');
  return whole ? "" : "\"" + given + "\" is no whole number of 0 to 18446744073709551615";
}

void check_numbers(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const std::string type = option->get_type_name();
    if (type.starts_with("UINT") || type.starts_with("INT")) option->check(problem_of_number, "");
  }
  for (CLI::App* below : app.get_subcommands([](CLI::App*) { return true; })) {
    check_numbers(*below);
  }
}

/// One line, whatever the library's message and the arguments in it are made of.
int report_usage(const CLI::App& app, const Global& global, const CLI::ParseError& problem) {
  std::string message = problem.what();
  for (char& letter : message) {
    if (letter == '\n') letter = ' ';
  }
  report(global, Error{Code::kInvalid, message + "; see: " + understood(app) + " --help"});
  return kUsage;
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app{"Cofferdam: see, record and examine what containers do."};
  app.name("cofferdam");
  app.set_version_flag("--version", "cofferdam " COFF_VERSION, "Print the version and exit");
  app.require_subcommand(1);
  Global global;
  app.add_flag("--json", global.json, "Print JSON instead of text");
  app.add_option("--config", global.config_path, "Configuration file")->type_name("FILE");
  app.fallthrough();  // Lets --json stand after the subcommand too.
  add_access(app, global);
  add_agent(app, global);
  add_baseline(app, global);
  add_config(app, global);
  add_doctor(app, global);
  add_events(app, global);
  add_evidence(app, global);
  add_exposure(app, global);
  add_feed(app, global);
  add_findings(app, global);
  add_flows(app, global);
  add_incident(app, global);
  add_playbook(app, global);
  add_ps(app, global);
  add_respond(app, global);
  add_rules(app, global);
  add_schema(app, global);
  add_status(app, global);
  add_version(app, global);
  add_trail(app, global);
  add_witness(app, global);
  check_numbers(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0) return app.exit(problem);  // --help, --version
    // The option may stand behind what could not be parsed.
    for (int at = 1; at < argc; ++at) global.json |= std::string_view(argv[at]) == "--json";
    return report_usage(app, global, problem);
  } catch (const std::exception& problem) {
    // What a library throws out of a command: no memory, most likely.
    return report(global, Error{Code::kInternal, problem.what()});
  }
  return global.exit_code;
}

}  // namespace coff::cli
