// Approvals that come with a call for an action: checked here, where the action is done.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "base/result.hpp"
#include "response/plan.hpp"

namespace coff::agent {

/// Whether `approval` (an object of `request` and `signatures`; docs/formats/approval.md) approves
/// exactly this plan, now, by people whose keys the file `approvers` enrols. JSON of the request's
/// name and the people; kDenied says what is missing.
Result<std::string> check_approval(const boost::json::value& approval, const response::Plan& plan,
                                   const std::string& approvers);

}  // namespace coff::agent
