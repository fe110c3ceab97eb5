// The processes of the agent: their roles, their users, and how one binary becomes each of them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/channel.hpp"
#include "agent/worker.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::agent {

/// What a process is for. The supervisor has no number: it starts the others.
enum class Role : std::uint8_t { kKeeper, kSensor, kEngine, kControl, kWitness, kWorker, kAction };
inline constexpr std::string_view kRoleNames[] = {"keeper",  "sensor", "engine", "control",
                                                  "witness", "worker", "action"};
constexpr std::string_view role_name(Role role) {
  return kRoleNames[static_cast<std::size_t>(role)];
}

/// The user that a process runs as.
struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  bool from_name = false;  ///< False: the host has no such user, a reserved number is used.
};
/// User "cofferdam" for the keeper, "cofferdam-<role>" for the others; where the host has none, the
/// number kFirstReservedUid + role, which no distribution and no container range assigns.
Identity identity_of(Role role);
/// In systemd's table of user ids (UIDS-GIDS), 1879048192 to 2147352575 belong to nobody.
inline constexpr uid_t kFirstReservedUid = 1985200000;

/// A running child.
struct Spawned {
  pid_t pid = -1;
  Fd handle;  ///< pidfd: readable when the child ended.
};

/// Starts this very binary again (/proc/self/exe, so an upgrade on disk doesn't mix versions) with
/// a fresh address space, an empty environment, and only descriptors 0 to 2 and `descriptors`,
/// which become 3, 4, …. `arguments` follow argv[0]. Single-threaded callers only.
Result<Spawned> spawn_self(std::span<const std::string> arguments,
                           std::span<const int> descriptors);

/// How a child ended, as waitid(2) says.
struct Ending {
  int signal = 0;  ///< 0: it exited by itself.
  int status = 0;  ///< Exit status when signal is 0.
  /// "exit 3" or "signal 9 (Killed)".
  [[nodiscard]] std::string text() const;
};
/// Takes the ending of a child whose handle is readable; nothing while it still runs.
Result<std::optional<Ending>> reap(const Spawned& child);

/// First argument of a process that spawn_self() started for the agent.
inline constexpr std::string_view kChildArgument = "agent-process";

/// To be called first in main(): runs a child of the agent when the arguments say so and returns
/// its exit status; nothing for every other command line. `extra` are worker kinds of test
/// programs.
std::optional<int> run_if_child(int argc, char** argv, std::span<const WorkerFunction> extra = {});

/// Main functions of the roles; `supervisor` is the channel on descriptor 3.
int keeper_main(Channel supervisor);
int sensor_main(Channel supervisor);
int engine_main(Channel supervisor);
int control_main(Channel supervisor);
int witness_main(Channel supervisor);

}  // namespace coff::agent
