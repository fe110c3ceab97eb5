// Packages and files of a container, parsed in a worker without any rights.
#pragma once

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "exposure/scan.hpp"

namespace coff::agent {

/// Starts one worker for each call. Single-threaded callers only, as run_worker(); the program must
/// call run_if_child() first in main().
class WorkerParser final : public exposure::Parser {
 public:
  Result<inventory::Inventory> parse(const std::string& bundle, std::vector<Fd> files) override;
};

}  // namespace coff::agent
