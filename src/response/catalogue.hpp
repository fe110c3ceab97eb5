// The catalogue of actions: one row each, with everything that running, checking and undoing needs.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "response/journal.hpp"
#include "response/plan.hpp"
#include "response/target.hpp"

namespace coff::response {

/// What was seen after an action: a JSON object without braces, and whether it is as wanted.
struct Measured {
  bool as_planned = false;
  std::string members;
};

/// One kind of action. Functions get a pinned target; `record` carries parameters in, and what
/// release must restore out of plan(). Kubernetes and ECS bring rows of their own.
struct Action {
  std::string_view name;
  std::string_view sentence;  ///< What it does, for people.
  char approval_class;        ///< A: automatic, B: one person, C: two.
  std::string_view rate_class;
  /// CAP_* numbers, beyond which the process that runs it gives up everything first.
  std::span<const unsigned> capabilities;
  bool stays;  ///< In force until it is released; false: done once, nothing to release.
  /// Checks that it can be done and says exactly what would be; changes nothing.
  Result<void> (*plan)(const Target& target, Record& record, Plan& plan);
  /// Does it; may be called again after it was interrupted.
  Result<void> (*perform)(const Target& target, Record& record);
  /// Measures what came of it.
  Result<Measured> (*verify)(const Target& target, const Record& record);
  /// Restores what was; the container may be gone. Null where `stays` is false.
  Result<Measured> (*inverse)(const Record& record);
  /// Makes it hold for what appeared since (a network, a new start of the container); says in
  /// members what was closed, or nothing when all held. Null where nothing can appear.
  Result<std::string> (*renew)(Record& record);
};

/// All actions, in the order of their use.
std::span<const Action> catalogue();
/// Null when there is no such action.
const Action* find_action(std::string_view name);

// quarantine.cpp, freeze.cpp, protect.cpp, cut.cpp, kill.cpp
extern const Action kQuarantine;
extern const Action kFreeze;
extern const Action kProtect;
extern const Action kCut;
extern const Action kKillProcess;
extern const Action kKill;

}  // namespace coff::response
