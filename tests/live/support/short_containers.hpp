// Many containers that live for milliseconds, several at a time.
#pragma once

#include <string>
#include <vector>

#include "live/support/dockerd.hpp"

namespace coff::live {

/// How many run_short_containers() runs: the environment's COFF_SHORT_CONTAINERS (1 to 1000),
/// otherwise 40.
size_t short_containers();

/// Runs so many containers NAME-0, NAME-1, ... with --rm in four streams, each until `command` has
/// ended. A failed one fails the test.
void run_short_containers(const Dockerd& engine, const std::string& name,
                          const std::vector<std::string>& command);

}  // namespace coff::live
