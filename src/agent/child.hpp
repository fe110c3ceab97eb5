// What every child of the supervisor does first: take its settings, lock itself in, report.
#pragma once

#include <functional>
#include <string>

#include "agent/loop.hpp"
#include "agent/messages.hpp"
#include "agent/process.hpp"
#include "agent/sandbox.hpp"
#include "config/config.hpp"

namespace coff::agent {

/// What the supervisor tells a child at its start.
struct Setup {
  uid_t uid = 0;
  gid_t gid = 0;
  config::Config settings;
  std::string config_file;  ///< Where the settings were read from.
};

/// Payload of kSetup; `file` names the configuration in messages.
std::string encode_setup(const Identity& identity, std::string_view config_text,
                         std::string_view file);

/// Waits for kSetup, the first frame on the supervisor's channel.
Result<Setup> receive_setup(Channel& supervisor);
/// Enters the sandbox and sends kReady.
Result<void> lock_in(Sandbox& sandbox, Channel& supervisor);
/// Reads a kConfig frame; the supervisor has checked it, so an error is a bug.
Result<config::Config> read_settings(std::string_view payload);

/// Logs why a role ends, tells the supervisor, and gives the exit status of the process.
int end_child(Role role, const Result<void>& outcome, Channel& supervisor);

/// trail::make_entry() for now; `members` are complete JSON members without braces, or nothing.
std::string make_agent_entry(std::string_view type, std::string_view members);

}  // namespace coff::agent
