// The control process's heart: accepts clients, checks and records their calls, gives answers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/calls.hpp"
#include "agent/control_session.hpp"
#include "agent/messages.hpp"
#include "agent/trail_writer.hpp"
#include "config/config.hpp"

namespace coff::agent {

inline constexpr std::size_t kClientsMax = 64;
inline constexpr std::size_t kClientsPerUserMax = 24;
/// Calls of one user: this many at once, and so many a second in the long run. Each call is an
/// entry, so this also bounds what a user can write into the trail.
inline constexpr double kCallsBurst = 200;
inline constexpr double kCallsPerSecond = 50;

struct ControlCounters {
  std::uint64_t accepted = 0;         ///< Connections.
  std::uint64_t refused_clients = 0;  ///< Connections over a limit.
  std::uint64_t calls = 0;            ///< Requests answered or denied; each is an entry.
  std::uint64_t denied = 0;           ///< By role.
  std::uint64_t refused_rate = 0;     ///< Over the rate; no entry each.
  std::uint64_t malformed = 0;        ///< Requests that were no valid call; no entry each.
  std::uint64_t stuck_dropped = 0;    ///< Clients dropped because they did not read.
  std::uint64_t follow_lost = 0;      ///< Events that slow followers missed.
};

/// Serves the control socket (docs/formats/control.md). Belongs to one thread. Not movable.
class ControlServer {
 public:
  ControlServer(Loop& loop, config::Config settings);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  Result<void> attach(Link link, Channel channel);
  Result<void> listen(Fd listener, Names names);
  void replace_settings(config::Config settings) { settings_ = std::move(settings); }
  /// The supervisor's table of processes, a JSON object.
  void set_processes(std::string table) { processes_ = std::move(table); }
  /// Gives view entries that still wait this long to become durable.
  Result<void> drain(int timeout_ms);

 private:
  struct Request;
  struct Rate {
    double tokens = kCallsBurst;
    std::int64_t filled_boot_ns = 0;
  };
  using SessionPtr = std::shared_ptr<Session>;

  Result<void> accept_clients();
  Result<void> handle_keeper(Frame&& frame);
  Result<void> handle_sensor(Frame&& frame);
  Result<void> handle_actions(Frame&& frame);
  Result<void> handle_live(std::string_view payload);
  Result<int> sweep();
  void update_live();

  void handle_request(Session& session, std::string_view line);
  /// The caller as entries name it: a JSON object.
  [[nodiscard]] std::string who(const Session& session) const;
  Result<void> record(const Session& session, const Request& request, bool allowed);
  bool within_rate(std::uint32_t uid);
  void answer(const SessionPtr& session, const Request& request);
  void forward(const SessionPtr& session, Peer& peer, PendingCalls& calls, const Request& request);
  void answer_status(const SessionPtr& session);
  Result<void> start_following(Session& session, const Request& request);
  void write_counters(std::string& out) const;

  Loop& loop_;
  config::Config settings_;
  Names names_;
  Fd listener_;
  Peer keeper_;
  Peer sensor_;
  Peer actions_;
  PendingCalls keeper_calls_;
  PendingCalls sensor_calls_;
  PendingCalls action_calls_;
  TrailWriter trail_;
  std::unordered_map<const Session*, SessionPtr> sessions_;
  std::map<std::uint32_t, Rate> rates_;
  std::string processes_ = "{}";
  ControlCounters counters_;
  bool live_wanted_ = false;
  std::uint64_t live_dropped_ = 0;
};

}  // namespace coff::agent
