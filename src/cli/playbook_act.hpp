// Actions that playbooks ask for: approved where they must be, then done by the running agent.
#pragma once

#include <string>

#include "cli/cli.hpp"
#include "playbook/approval.hpp"
#include "playbook/local_effects.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace coff::cli {

struct ActOptions {
  bool allowed = false;  ///< Without it actions are refused.
  std::string signers;   ///< "": approvers_file().
  std::string socket;
};
void add_act_options(CLI::App& command, ActOptions& options);

/// Actions through the agent; empty when they are not allowed. Requests for approval go to the
/// folder `approvals`, and an action waits there until enough people have signed exactly it.
playbook::Act make_act(const Global& global, const ActOptions& options,
                       const std::string& approvals);

}  // namespace coff::cli
