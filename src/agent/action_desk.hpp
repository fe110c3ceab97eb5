// The supervisor's desk for actions of response: a process for each, and one that guards what is in
// force.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/loop.hpp"
#include "agent/process.hpp"

namespace coff::agent {

/// Action processes at once; more is answered with kBusy.
inline constexpr std::size_t kActionsMax = 8;
/// An action that has not ended by then is killed; what it did is finished or undone by the guard.
inline constexpr std::int64_t kActionMsMax = 120'000;
/// A guard that died is started again after this time, in milliseconds.
inline constexpr std::int64_t kGuardRestartMs = 500;

/// Starts action processes for calls of the control process and passes their answers back; keeps a
/// guard running while the journal holds anything. Reads nothing of the calls but their frame.
/// Belongs to the supervisor's thread. Not movable.
class ActionDesk {
 public:
  /// Appends an entry of this type; members without braces.
  using Record = std::function<void(std::string_view type, std::string_view members)>;
  /// The kSetup payload of now.
  using SetupPayload = std::function<std::string()>;

  ActionDesk(Loop& loop, Record record, SetupPayload setup_payload);
  ActionDesk(const ActionDesk&) = delete;
  ActionDesk& operator=(const ActionDesk&) = delete;

  /// The journal's folder; from now on a guard runs when it must.
  Result<void> start(std::string directory);
  /// The control process was started (anew) and asks here.
  Result<void> connect_control(Channel channel) { return control_.attach(std::move(channel)); }
  /// Processes start anew with the configuration of now.
  void renew_guard();
  /// Ends the guard, and gives actions this long to end by themselves.
  Result<void> stop(int timeout_ms);

 private:
  struct Running {
    std::uint64_t call = 0;  ///< 0: the guard.
    std::string name;
    Spawned process;
    std::unique_ptr<Peer> peer;
    std::int64_t started_boot_ns = 0;
    bool answered = false;
    bool silent = false;           ///< Its channel has ended: every frame of it was read.
    std::optional<Ending> ending;  ///< It has died.
    bool over = false;
  };

  Result<void> handle_control(Frame&& frame);
  Result<void> launch(std::uint64_t call, std::string_view name, std::string_view arguments);
  Result<void> handle_action(Running& running, Frame&& frame);
  Result<void> handle_death(Running& running);
  Result<void> finish(Running& running);
  Result<int> look_around();
  void answer_failure(std::uint64_t call, const Error& error);
  [[nodiscard]] bool in_force() const;
  [[nodiscard]] Running* guard();

  Loop& loop_;
  Record record_;
  SetupPayload setup_payload_;
  std::string directory_;
  Peer control_;
  std::list<Running> running_;
  std::int64_t guard_due_boot_ns_ = 0;
  bool stopping_ = false;
};

}  // namespace coff::agent
