// The process of one action of response: what it is asked, and how it says what it did.
#pragma once

#include <string_view>

#include "agent/channel.hpp"

namespace coff::agent {

/// The call that makes the process guard what is in force until nothing is. Only the supervisor
/// starts it.
inline constexpr std::string_view kGuardCall = "respond.guard";

/// Main function; `supervisor` is the channel on descriptor 3. Reads kSetup and one kCall, gives up
/// what the action does not need, does it, answers, ends.
int action_main(Channel supervisor);

}  // namespace coff::agent
