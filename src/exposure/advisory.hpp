// One advisory: what it is called, which packages it is about, and what it says of a version.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "exposure/version/version.hpp"

namespace coff::exposure {

/// What the source of an advisory decided about a package, beside its versions.
enum class Status : unsigned char {
  kAffected,      ///< The versions decide.
  kNotAffected,   ///< No version ever was.
  kNoAdvisory,    ///< Affected; the distribution plans no advisory (no-dsa, ignored, postponed).
  kEndOfLife,     ///< Nobody looks at it any more; the versions decide as far as they are known.
  kUnimportant,   ///< Affected, and without consequence for security in the source's opinion.
  kUndetermined,  ///< Nobody has looked yet.
};
std::string_view status_name(Status status);
std::optional<Status> status_of(std::string_view name);

/// A point on the line of versions (OSV schema, affected[].ranges[].events[]).
struct Event {
  enum class Kind : unsigned char { kIntroduced, kFixed, kLastAffected, kLimit };
  Kind kind = Kind::kIntroduced;
  std::string version;
  friend bool operator==(const Event&, const Event&) = default;
};
using Range = std::vector<Event>;

/// What an advisory says of one package of one ecosystem.
struct Affected {
  std::string ecosystem;  ///< As OSV names it, with the release: "Debian:12", "npm".
  std::string package;    ///< Distributions: the source package, but RPM's binary ones.
  Scheme scheme = Scheme::kSemver;
  Status status = Status::kAffected;
  std::vector<Range> ranges;
  std::vector<std::string> versions;  ///< Affected whatever the ranges say.
  std::string available;              ///< Newest version in any suite of the release; may be "".
  std::string note;                   ///< Why, in the words of the source.
  friend bool operator==(const Affected&, const Affected&) = default;
};

struct Advisory {
  std::string name;                  ///< "CVE-2014-0160", "DSA-2896-1", "GHSA-…".
  std::vector<std::string> aliases;  ///< Other names, without its own.
  std::string summary;
  std::string severity;  ///< In the words of the source: "high", "CVSS:3.1/…".
  std::vector<Affected> affected;
};

/// What an advisory says of one version.
struct Verdict {
  bool affected = false;
  std::string fixed;  ///< The version that ends the range it is in; "" when there is none yet.
};

/// OSV's evaluation: listed in `versions`, or inside a range: after sorting, introduced <= version
/// begins, fixed <= version and last_affected < version end; "0" comes before everything. An event
/// whose version can't be read begins at the start and ends never.
Verdict judge(const Affected& affected, std::string_view version);

/// The order of versions in an ecosystem; nothing for one that is not known.
std::optional<Scheme> scheme_of_ecosystem(std::string_view ecosystem);

}  // namespace coff::exposure
