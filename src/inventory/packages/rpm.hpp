// The databases of rpm: which of its three formats a file has, and the headers in it.
#pragma once

#include <string_view>

#include "inventory/packages/canonical.hpp"
#include "inventory/packages/package.hpp"

namespace coff::inventory {

/// Reads a whole rpm database: SQLite (rpmdb.sqlite, since rpm 4.16), ndb (Packages.db, SUSE).
/// Berkeley DB (Packages, before 4.16) is not read: it becomes a problem that says so, as does
/// everything else that can't be read. Packages and the owners of `wanted` go into `set`. `log` is
/// the SQLite write-ahead log beside it, "" when there is none; frames of it that were committed
/// count.
void read_rpm_database(PackageSet& set, std::string_view file, std::string_view bytes,
                       std::string_view log, const WantedPaths& wanted, const TopLinks& links);

}  // namespace coff::inventory
