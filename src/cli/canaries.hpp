// The sensor's self-test: makes one harmless canary of each kind of event happen and looks for it.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "sensor/kernel_programs.hpp"

namespace coff::cli {

/// What became of one canary.
struct CanaryOutcome {
  std::string kind;
  bool arrived = false;
  bool blind = false;  ///< The sensor had said before that it cannot see this.
  std::string detail;  ///< Why not, when it is known.
};

struct SelfTest {
  std::vector<CanaryOutcome> canaries;
  std::vector<sensor::Blindness> blindness;
};

/// Loads kernel programs of its own (beside a running agent's), makes the canaries in a child
/// process and a temporary directory, and waits at most a minute for their end and two seconds more
/// for their events. Needs root.
Result<SelfTest> run_self_test();

}  // namespace coff::cli
