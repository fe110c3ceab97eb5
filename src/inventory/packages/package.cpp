// What package databases say is installed, and which package owns a file.
#include "inventory/packages/package.hpp"

#include <array>

namespace coff::inventory {
namespace {

// In the order of PackageType.
constexpr std::array<std::string_view, 8> kTypeNames = {"deb",  "apk",   "rpm",    "npm",
                                                        "pypi", "maven", "golang", "cargo"};

}  // namespace

std::string_view type_name(PackageType type) { return kTypeNames[static_cast<std::size_t>(type)]; }

bool type_of(std::string_view name, PackageType& type) {
  for (std::size_t at = 0; at < kTypeNames.size(); ++at) {
    if (kTypeNames[at] != name) continue;
    type = static_cast<PackageType>(at);
    return true;
  }
  return false;
}

void add_problem(PackageSet& set, std::string_view file, std::string what) {
  if (set.problems.size() < kProblemsMax) set.problems.push_back({std::string(file), what});
}

bool add_package(PackageSet& set, Package package) {
  if (set.packages.size() >= kPackagesMax) {
    add_problem(set, package.database,
                "more than " + std::to_string(kPackagesMax) + " packages; the rest is left out");
    return false;
  }
  if (package.source.empty()) package.source = package.name;
  if (package.source_version.empty()) package.source_version = package.version;
  set.packages.push_back(std::move(package));
  return true;
}

}  // namespace coff::inventory
