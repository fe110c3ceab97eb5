// What the kernel forwards, as a value: made by the recording profile and the rules, merged, and
// loaded by the sensor. Sound use: a clause states a necessary condition; the kernel may forward
// more than the clauses ask for and never less.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/wire.h"

namespace coff {

/// A path that no file has: for clauses that want only opens by handle, which name none and are
/// forwarded whatever paths are wanted.
inline constexpr std::string_view kNoPath{"/\0", 2};

/// One reason to forward: all of its conditions hold. Empty conditions hold always.
struct FilterClause {
  std::string reason;           ///< Who asks, e.g. "profile: writes below /etc" or a rule's name.
  std::vector<unsigned> kinds;  ///< enum coff_kind.
  bool on_host = true;          ///< Applies to processes outside containers.
  bool in_containers = true;    ///< Applies to processes in containers.
  std::uint32_t open_flags_any = 0;  ///< COFF_OPEN_*; 0 = any. Some bit must be present (open).
  bool only_success = false;
  bool only_failure = false;
  // A path matches when any of these does, on the lexical or the resolved name. All four empty:
  // any path. Relative arguments and those with ".." always match.
  std::vector<std::string> path_exact;
  std::vector<std::string> path_prefix;
  std::vector<std::string> path_suffix;
  std::vector<std::string> path_contains;
};

/// The union of its clauses. State-changing calls (see kAlwaysForwarded in the sensor) are
/// forwarded whatever it says.
struct KernelFilter {
  std::vector<FilterClause> clauses;
  /// Connections and datagrams of one process that have the same other end are forwarded once in so
  /// long, with the number of those that were not. 0: each.
  std::uint64_t repeat_window_ns = 0;
};

}  // namespace coff
