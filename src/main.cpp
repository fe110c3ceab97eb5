// cofferdam: the table of contents. Each subcommand is one file of src/cli.
#include "cli/cli.hpp"

int main(int argc, char** argv) { return coff::cli::run(argc, argv); }
