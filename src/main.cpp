// cofferdam: the table of contents. Each subcommand is one file of src/cli.
#include "agent/process.hpp"
#include "cli/cli.hpp"

int main(int argc, char** argv) {
  // The agent's own processes, which the supervisor starts from this same binary.
  if (const auto status = coff::agent::run_if_child(argc, argv)) return *status;
  return coff::cli::run(argc, argv);
}
