// The supervisor: starts the agent's processes, connects them, starts them anew, and ends them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/action_desk.hpp"
#include "agent/loop.hpp"
#include "agent/messages.hpp"
#include "agent/process.hpp"
#include "agent/service_manager.hpp"
#include "agent/trail_writer.hpp"
#include "config/config.hpp"

namespace coff::agent {

/// Wait before a dead process is started again: doubles with each death from the first value to
/// the last, and starts over once a process has lived kHealthyMs. There is no last attempt: a host
/// must not stay unwatched.
inline constexpr std::int64_t kRestartMsMin = 100;
inline constexpr std::int64_t kRestartMsMax = 30'000;
inline constexpr std::int64_t kHealthyMs = 60'000;
/// A service manager waits at most so long for the kernel to be watched; other services may wait
/// for us, and a kernel that can't be watched must not keep a host from starting.
inline constexpr std::int64_t kReadyMsMax = 30'000;

/// Runs the agent in this process until SIGTERM or SIGINT; SIGHUP reads the configuration again.
/// `config_path` as for config::load_config(). Needs root. kBusy: an agent is running already;
/// kInvalid: the configuration; kDenied: not root.
Result<void> run_agent(const std::string& config_path);

/// The configuration as text and as values.
struct LoadedConfig {
  std::string text;
  std::string file;
  config::Config settings;
};
/// Reads and checks the file; its absence at the default path gives the defaults.
Result<LoadedConfig> load(const std::string& path);

/// The running agent, from inside. Belongs to one thread. Not movable.
class Supervisor {
 public:
  Supervisor(Loop& loop, std::string config_path, LoadedConfig loaded, ServiceManager manager);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Makes directories, lock and socket, confines itself, and starts the children.
  Result<void> start();
  /// One signal that the process got.
  Result<void> handle_signal(int signal);
  /// Ends the children in order: those that produce entries, then the keeper.
  Result<void> stop();

 private:
  struct Child {
    Role role = Role::kKeeper;
    Identity identity;
    std::optional<Spawned> process;
    std::unique_ptr<Peer> peer;
    bool ready = false;
    int landlock_abi = 0;
    bool landlocked = false;
    bool filtered = false;
    std::int64_t started_boot_ns = 0;
    std::int64_t restart_boot_ns = 0;  ///< 0: not waiting for a restart.
    std::int64_t next_wait_ms = kRestartMsMin;
    std::uint64_t deaths = 0;
    std::string last_ending;
  };

  Child& child(Role role) { return children_[static_cast<std::size_t>(role)]; }
  Result<void> start_child(Child& child);
  Result<void> welcome(Child& child);
  Result<void> link_child(Child& child);
  Result<void> link_actions(Child& control);
  Result<void> link(Child& one, Link at_one, Child& two, Link at_two);
  Result<void> handle_frame(Child& child, Frame&& frame);
  Result<void> handle_death(Child& child);
  Result<int> start_due();
  Result<void> connect_engine(Child& child, std::string_view payload);
  Result<void> give_listener();
  Result<void> give_engines(bool always);
  Result<void> publish_processes();
  Result<void> reload();
  Result<void> stop_child(Child& child, int timeout_ms);
  void record(std::string_view type, std::string_view members);
  void record_start();
  Result<void> start_telling();

  Loop& loop_;
  std::string config_path_;
  LoadedConfig loaded_;
  Fd lock_;
  Fd listener_;
  TrailWriter trail_;
  ServiceManager manager_;
  ActionDesk actions_;
  std::array<Child, 5> children_;
  std::vector<std::string> engines_;
  bool stopping_ = false;
  std::uint64_t reloads_ = 0;
  std::uint64_t failed_reloads_ = 0;
};

// supervisor_host.cpp: what the supervisor does to the host.

/// Makes data, trail, run and baseline directory; the trail's becomes the keeper's, the baseline's
/// the sensor's.
Result<void> make_directories(const config::Config& settings, const Identity& keeper,
                              const Identity& sensor);
/// Locks run_dir/agent.lock; kBusy when another agent has it.
Result<Fd> lock_agent(const config::Config& settings);
/// The listening control socket with mode and group as configured. Replaces a stale one.
Result<Fd> listen_control(const config::Config& settings);
/// Connects to an engine's Unix socket without blocking.
Result<Fd> connect_unix(const std::string& path);
/// Drops what neither the supervisor nor a child needs.
Result<void> confine_supervisor();

}  // namespace coff::agent
