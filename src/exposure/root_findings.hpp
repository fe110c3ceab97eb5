// Findings of one root file system. Private to this room.
#pragma once

#include <map>
#include <set>
#include <string>

#include "exposure/answer.hpp"
#include "exposure/matcher.hpp"

namespace coff::exposure {

/// Source packages by the SONAME of libraries that they own somewhere on this host: how a copy
/// that nobody owns is recognised.
using SonameSources = std::map<std::string, std::set<std::string>>;
SonameSources soname_sources(const Scan& scan);

/// What all roots share.
struct Context {
  const Question& question;
  Matcher& matcher;
  const SonameSources& sonames;
  const std::map<std::string, LearnedBuild>& host_builds;
  std::int64_t booted_ns = 0;  ///< Wall clock at boot, for start times.
};

/// Appends what `root` has to say; `own_builds` were learned in its container.
Result<void> add_findings(const ScannedRoot& root,
                          const std::map<std::string, LearnedBuild>& own_builds,
                          const Context& context, Answer& answer);

}  // namespace coff::exposure
