// cofferdam version: what this binary is.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/json_writer.hpp"
#include "cli/cli.hpp"

namespace coff::cli {

void add_version(CLI::App& app, Global& global) {
  app.add_subcommand("version", "Print the version")->callback([&global] {
    std::string line = "cofferdam " COFF_VERSION;
    if (global.json) {
      line.clear();
      JsonWriter(line)
          .begin_object()
          .member("version", std::string_view(COFF_VERSION))
          .end_object();
    }
    std::printf("%s\n", line.c_str());
  });
}

}  // namespace coff::cli
