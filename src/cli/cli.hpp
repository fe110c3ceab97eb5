// The command line: one add_* function for each subcommand, each in a file of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace coff::cli {

/// Exit codes of every subcommand, as in sysexits where it has one.
enum Exit : int {
  kOk = 0,      ///< It worked and found nothing wrong.
  kFound = 1,   ///< It worked and the answer is "no", "not equal", "damaged", "something found".
  kUsage = 2,   ///< The command line or a file given on it is malformed.
  kFailed = 3,  ///< The operation failed; the message says what to do.
};

/// Parses the command line, runs one subcommand and returns the exit code of the process.
int run(int argc, char** argv);

/// What every subcommand gets from the global options.
struct Global {
  bool json = false;        ///< Print JSON instead of text.
  std::string config_path;  ///< Empty: the default path, and its absence is no error.
  int exit_code = kOk;      ///< Set by the subcommand that ran.
};

/// True when standard output is a terminal and NO_COLOR is not set.
bool want_colour();
/// Wall clock ns of a time as RFC 3339, or of "30s", "15m", "2h", "3d" ago. kInvalid names
/// `option`.
Result<std::int64_t> time_argument(const std::string& given, std::string_view option);
/// Prints `error` to standard error ("cofferdam: …", or a JSON object) and returns kFailed.
int report(const Global& global, const Error& error);

// One line for each subcommand; src/cli/<name>.cpp holds it.
void add_access(CLI::App& app, Global& global);
void add_agent(CLI::App& app, Global& global);
void add_baseline(CLI::App& app, Global& global);
void add_config(CLI::App& app, Global& global);
void add_doctor(CLI::App& app, Global& global);
void add_evidence(CLI::App& app, Global& global);
void add_events(CLI::App& app, Global& global);
void add_exposure(CLI::App& app, Global& global);
void add_feed(CLI::App& app, Global& global);
void add_findings(CLI::App& app, Global& global);
void add_flows(CLI::App& app, Global& global);
void add_incident(CLI::App& app, Global& global);
void add_playbook(CLI::App& app, Global& global);
void add_ps(CLI::App& app, Global& global);
void add_respond(CLI::App& app, Global& global);
void add_rules(CLI::App& app, Global& global);
void add_schema(CLI::App& app, Global& global);
void add_status(CLI::App& app, Global& global);
void add_version(CLI::App& app, Global& global);
void add_trail(CLI::App& app, Global& global);
void add_witness(CLI::App& app, Global& global);

}  // namespace coff::cli
