// Approvals of actions: the agent plans, people sign exactly that plan, the agent checks it again.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/cli.hpp"
#include "playbook/approval.hpp"

namespace coff::cli {

/// What is to be done, and who wants it.
struct ApprovalQuestion {
  std::string id;  ///< Of the request; asked again under the same id, it is the same request.
  boost::json::object arguments;  ///< Of respond.run: action, container, parameters, reason.
  playbook::ApprovalClass at_least = playbook::ApprovalClass::kAutomatic;
  std::string playbook_hash;
  std::uint64_t ttl_s = 3600;  ///< How long people have.
};

struct ApprovalAnswer {
  bool waits = false;           ///< For people; nothing may be done yet.
  boost::json::value approval;  ///< For the call's member "approval"; null when none is needed.
};

/// The same for a plan that is known already: an object of `action`, `container_id`,
/// `approval_class` and whatever else people are to know.
Result<ApprovalAnswer> ask_approval_of(const Global& global, const std::string& approvals,
                                       const std::string& signers, const ApprovalQuestion& question,
                                       const boost::json::object& facts);

/// Asks the agent for the plan and the folder `approvals` for signatures over it, by the people of
/// the file `signers` (see approvers_file()). The request is made at the first time. kDenied when
/// the plan is another than the one that was asked about.
Result<ApprovalAnswer> ask_approval(const Global& global, const std::string& socket,
                                    const std::string& approvals, const std::string& signers,
                                    const ApprovalQuestion& question);

}  // namespace coff::cli
