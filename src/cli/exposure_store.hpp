// What the subcommands about advisories share: finding the store.
#pragma once

#include <string>

#include "base/result.hpp"
#include "cli/cli.hpp"

namespace coff::cli {

/// `given`, or exposure/advisories.db in the configured data folder.
Result<std::string> exposure_store_path(const Global& global, const std::string& given);

/// The message where that file is not there: how to import something.
Error no_advisories(const std::string& path);

}  // namespace coff::cli
