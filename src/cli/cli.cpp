// The command line: global options, dispatch, exit codes.
#include "cli/cli.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "base/bytes.hpp"
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

int run(int argc, char** argv) {
  CLI::App app{"Cofferdam: see, record and examine what containers do."};
  app.name("cofferdam");
  app.require_subcommand(1);
  Global global;
  app.add_flag("--json", global.json, "Print JSON instead of text");
  app.add_option("--config", global.config_path, "Configuration file")->type_name("FILE");
  app.fallthrough();  // Lets --json stand after the subcommand too.
  add_agent(app, global);
  add_config(app, global);
  add_doctor(app, global);
  add_events(app, global);
  add_ps(app, global);
  add_schema(app, global);
  add_status(app, global);
  add_version(app, global);
  add_trail(app, global);
  add_witness(app, global);
  // The message repeats what was typed, which may come from a script that was fed hostile names.
  app.failure_message([](const CLI::App*, const CLI::Error& problem) {
    return printable(problem.what()) + "\nRun with --help for more information.\n";
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    const int code = app.exit(problem);
    return code == 0 ? kOk : kUsage;
  }
  return global.exit_code;
}

}  // namespace coff::cli
