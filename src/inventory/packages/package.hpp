// What package databases say is installed, and which package owns a file.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace coff::inventory {

/// The system that installed a package; its rules order the versions.
enum class PackageType : unsigned char { kDeb, kApk, kRpm, kNpm, kPython, kJava, kGo, kRust };

/// Name as in a package URL (purl), e.g. "deb".
std::string_view type_name(PackageType type);
/// False for an unknown name.
bool type_of(std::string_view name, PackageType& type);

struct Package {
  PackageType type = PackageType::kDeb;
  std::string name;
  std::string version;         ///< As the database has it; RPM: epoch:version-release.
  std::string arch;            ///< "" where the system has none.
  std::string source;          ///< Source package; the name itself when there is no other.
  std::string source_version;  ///< Its version: advisories of distributions name this one.
  std::string module;          ///< RPM modularity label, "" outside of modules.
  std::string database;        ///< Path of the file that says so, inside the root.

  friend bool operator==(const Package&, const Package&) = default;
};

/// A file that could not be read, or only in part.
struct Problem {
  std::string file;
  std::string what;
  friend bool operator==(const Problem&, const Problem&) = default;
};

/// Packages of one root file system, and the owners of the files that were asked for.
struct PackageSet {
  std::vector<Package> packages;
  std::map<std::string, std::size_t> owners;  ///< Canonical path to index into packages.
  std::vector<Problem> problems;
};

/// Packages of one root file system at most; a larger set ends with a problem.
inline constexpr std::size_t kPackagesMax = 100'000;
/// Problems kept at most: a hostile file can't fill memory with complaints.
inline constexpr std::size_t kProblemsMax = 1000;

void add_problem(PackageSet& set, std::string_view file, std::string what);
/// False, with a problem, once kPackagesMax are there. A missing source is filled in.
bool add_package(PackageSet& set, Package package);

}  // namespace coff::inventory
