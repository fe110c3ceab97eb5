// Packages of programming languages, from the files that their installers leave.
#pragma once

#include <string_view>

#include "inventory/packages/package.hpp"

namespace coff::inventory {

/// A package.json of npm: an object with name and version. One without either is a folder of an
/// application and no package.
void read_npm_package(PackageSet& set, std::string_view file, std::string_view text);

/// METADATA of a *.dist-info folder, or PKG-INFO of an *.egg-info (Python core metadata): headers
/// up to the first empty line. The name is normalised as PEP 503 says.
void read_python_metadata(PackageSet& set, std::string_view file, std::string_view text);

}  // namespace coff::inventory
