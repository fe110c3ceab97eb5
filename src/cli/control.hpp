// What the subcommands that talk to the running agent share: finding its socket.
#pragma once

#include <string>

#include "agent/client.hpp"
#include "base/result.hpp"
#include "cli/cli.hpp"

namespace coff::cli {

/// Connects to `socket` when it is given, else to the one that the configuration names; where the
/// caller may not read the configuration, to the default one.
Result<agent::ControlClient> connect_to_agent(const Global& global, const std::string& socket);

}  // namespace coff::cli
