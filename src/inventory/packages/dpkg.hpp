// Debian's package database: deb-control paragraphs, file lists, diversions.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "inventory/packages/canonical.hpp"
#include "inventory/packages/package.hpp"

namespace coff::inventory {

/// Whether a paragraph without a Status field is an installed package.
enum class DpkgFile : unsigned char {
  kStatus,      ///< /var/lib/dpkg/status: no.
  kStatusPart,  ///< A file of /var/lib/dpkg/status.d, as images without dpkg have: yes.
};

/// Reads paragraphs of `text` (deb-control(5)) into `set`. A package counts when its files are on
/// disk: unpacked, half-configured, waiting for triggers, or installed; not when only its
/// configuration is left. A line that is no field, or a paragraph without name or version, is a
/// problem that names `file`, and reading goes on.
void read_dpkg_status(PackageSet& set, std::string_view file, std::string_view text, DpkgFile kind);

/// A file of one package that lies elsewhere, so that another package's can lie there.
struct Diversion {
  std::string to;  ///< Canonical.
  std::string by;  ///< The package whose files are not diverted; ":" is the administrator.
};
/// By the canonical path that is diverted.
using Diversions = std::map<std::string, Diversion, std::less<>>;
/// Reads /var/lib/dpkg/diversions: three lines for each.
Diversions read_dpkg_diversions(PackageSet& set, std::string_view file, std::string_view text,
                                const TopLinks& links);

/// What owner searches need to know.
struct OwnerSearch {
  const WantedPaths& wanted;
  const TopLinks& links;
  const Diversions& diversions;
};
/// Reads one package's list of files (info/NAME[:ARCH].list, one path a line) and notes which
/// wanted files are its own. `file` names the package.
void read_dpkg_list(PackageSet& set, std::string_view file, std::string_view text,
                    const OwnerSearch& search);
/// The same from NAME.md5sums of status.d: a sum, two spaces, a path without its first slash.
void read_dpkg_sums(PackageSet& set, std::string_view file, std::string_view text,
                    const OwnerSearch& search);

}  // namespace coff::inventory
