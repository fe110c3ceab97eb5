// What the subcommands about advisories share: finding the store.
#pragma once

#include <string>

#include "base/database.hpp"
#include "cli/cli.hpp"
#include "config/config.hpp"
#include "exposure/store.hpp"

namespace coff::cli {

/// Opens `given`, or exposure/advisories.db in the configured data folder, which is made for
/// writing. kNotFound says how to import something.
Result<exposure::Store> open_exposure_store(const Global& global, const std::string& given,
                                            Database::Mode mode);

}  // namespace coff::cli
