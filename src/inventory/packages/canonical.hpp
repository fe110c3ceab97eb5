// One name for each file of a root file system, whatever links lead to it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace coff::inventory {

/// Links among the top folders, such as "lib" to "usr/lib" on systems with a merged /usr.
using TopLinks = std::map<std::string, std::string, std::less<>>;

/// "/lib/x/../y" as "/usr/lib/y": absolute, without ".", ".." and double slashes, and with the
/// first folder replaced as `links` say. Never leaves the root.
std::string canonical_path(std::string_view path, const TopLinks& links);

/// Which files' owners are wanted: canonical paths.
using WantedPaths = std::set<std::string, std::less<>>;

}  // namespace coff::inventory
