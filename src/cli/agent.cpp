// cofferdam agent: watch this host until told to stop.
#include "cli/cli.hpp"

#include <CLI/CLI.hpp>

#include "agent/supervisor.hpp"

namespace coff::cli {

void add_agent(CLI::App& app, Global& global) {
  app.add_subcommand("agent",
                     "Watch this host and record it (needs root; SIGHUP reads the configuration "
                     "again, SIGTERM stops)")
      ->callback([&global] {
        const auto ran = agent::run_agent(global.config_path);
        if (ran) return;
        report(global, ran.error());
        global.exit_code = ran.error().code == Code::kInvalid ? kUsage : kFailed;
      });
}

}  // namespace coff::cli
