// Alpine's database of installed packages.
#pragma once

#include <string_view>

#include "inventory/packages/canonical.hpp"
#include "inventory/packages/package.hpp"

namespace coff::inventory {

/// Reads /lib/apk/db/installed (apk-tools 2 and 3): blocks of "LETTER:value" lines with an empty
/// line between them. Packages go into `set`, with the origin as source; of the files (F: folder,
/// R: file in it) the owners of `wanted`. Malformed lines and blocks without name or version are
/// problems that name `file`.
void read_apk_installed(PackageSet& set, std::string_view file, std::string_view text,
                        const WantedPaths& wanted, const TopLinks& links);

}  // namespace coff::inventory
