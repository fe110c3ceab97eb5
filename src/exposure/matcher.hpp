// Which advisories concern a version of a package. Private to this room.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "exposure/answer.hpp"

namespace coff::exposure {

/// What a package is called where advisories speak of it.
struct Subjected {
  std::vector<std::string> ecosystems;  ///< Names that feeds give to one and the same release.
  std::string package;
  std::string version;
};

/// For deb and apk the source package, for rpm the binary one, for languages the package itself.
Subjected subjected(const inventory::Package& package, const inventory::System& system);
/// "Debian:12" and the like; empty when no feed has a name for it.
std::vector<std::string> ecosystems_of(const inventory::System& system);

/// Asks the store once for each package and remembers the answer.
class Matcher {
 public:
  /// A question about one advisory asks of that one alone. kNotFound: no feed knows it.
  static Result<Matcher> make(const Question& question, Store& store);

  /// Advisories by which this version is affected.
  Result<std::vector<Concern>> concerns(const Subjected& subject);
  /// Advisories by which some older version is affected, and this one isn't: what may still be in
  /// memory of a file that was replaced.
  Result<std::vector<Concern>> former_concerns(const Subjected& subject);
  /// True when some row, affected or not, is about this release and package; questions about one
  /// advisory only.
  [[nodiscard]] bool speaks_of(const std::vector<std::string>& ecosystems) const;
  /// Names of the packages that the advisory of the question is about, in any ecosystem.
  [[nodiscard]] const std::set<std::string>& packages() const { return packages_; }
  /// Upstream's fix as far as Debian's unstable tells it: "1.0.1g" of "1.0.1g-1".
  [[nodiscard]] std::optional<std::string> upstream_fix(const std::string& package) const;

 private:
  explicit Matcher(Store& store) : store_(&store) {}
  using Key = std::pair<std::string, std::string>;  ///< Ecosystem and package.
  Result<const std::vector<StoredAffected>*> rows(const std::string& ecosystem,
                                                  const std::string& package);
  Result<Concern> concern_of(const StoredAffected& row, std::string fixed);

  Store* store_;
  bool one_advisory_ = false;
  std::map<Key, std::vector<StoredAffected>> rows_;
  std::set<std::string> packages_;
  std::map<std::string, Threat, std::less<>> threats_;
};

}  // namespace coff::exposure
