// cofferdam trail disclose, erase: redacted values, shown to an investigator or erased for good.
#pragma once

#include <string>

#include "cli/cli.hpp"
#include "trail/verify.hpp"

namespace coff::cli {

/// Adds the two subcommands to `cofferdam trail`.
void add_trail_values(CLI::App& trail, Global& global);

/// Adds a notice of how many values of the trail in `dir` were erased; none where there is no
/// sidecar, or none that the caller may read.
void note_erased_values(const std::string& dir, trail::VerifyReport& report);

}  // namespace coff::cli
