// One client of the control socket: who it is, what it asks, and how fast it reads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/control_names.hpp"
#include "agent/live_feed.hpp"
#include "agent/loop.hpp"
#include "base/fd.hpp"
#include "config/roles.hpp"

namespace coff::agent {

/// One request line.
inline constexpr std::size_t kRequestBytesMax = 64U << 10U;
/// Bytes that wait for a client: one whole answer and its end.
inline constexpr std::size_t kClientQueueBytesMax = 8U << 20U;
/// Beyond this a follower loses events, and is told how many.
inline constexpr std::size_t kFollowQueueBytesMax = 1U << 20U;
/// A client that reads nothing for so long while something waits is dropped.
inline constexpr std::int64_t kStuckMs = 30'000;

/// The process at the other end, as the kernel says (SO_PEERCRED, SO_PEERGROUPS, /proc).
struct Caller {
  config::Peer peer;
  std::int32_t pid = 0;
  std::uint32_t loginuid = 4294967295U;
};
Result<Caller> caller_of(const Fd& socket, const Names& names);

/// What a follower wants; empty members match everything.
struct FollowFilter {
  std::vector<std::string> kinds;
  std::string container;  ///< Beginning of the id, or the whole name.
  std::string text;       ///< Part of the event's JSON.
  [[nodiscard]] bool matches(const LiveEvent& event) const;
};

/// A connected client. Requests are handled one after the other; while one is answered, the next
/// waits in the socket. Owned by the server; belongs to its thread.
class Session {
 public:
  /// Gets each complete request line while the session isn't busy.
  using RequestHandler = std::function<void(Session&, std::string_view line)>;

  Session(Loop& loop, Fd socket, Caller caller, RequestHandler on_request)
      : loop_(loop),
        socket_(std::move(socket)),
        caller_(std::move(caller)),
        on_request_(std::move(on_request)) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  Result<void> start();
  [[nodiscard]] const Caller& caller() const { return caller_; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] bool stuck(std::int64_t boot_ns) const;

  /// After a change of the configuration: the names that the roles mention now.
  void rename(const Names& names);
  /// Sends {"item":<json>}.
  void item(std::string_view json);
  /// Ends the answer with {"done":true} or the error, and takes the next request.
  void finish(const Result<void>& outcome);

  void follow(FollowFilter filter) { filter_ = std::move(filter); }
  [[nodiscard]] bool following() const { return filter_.has_value() && !closed_; }
  /// Sends the event if it matches and the client keeps up.
  void offer(const LiveEvent& event);
  /// Tells a follower about events that were lost before they reached this process.
  void lost(std::uint64_t count) { lost_ += count; }
  [[nodiscard]] std::uint64_t lost_total() const { return lost_total_; }

 private:
  Result<void> handle(std::uint32_t events);
  void read_requests();
  void next_request();
  void queue(std::string_view bytes);
  void flush();
  void close();

  Loop& loop_;
  Fd socket_;
  Caller caller_;
  RequestHandler on_request_;
  std::string input_;
  std::string output_;
  std::size_t sent_ = 0;
  std::int64_t progress_boot_ns_ = 0;
  std::optional<FollowFilter> filter_;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_total_ = 0;
  bool busy_ = false;
  bool in_request_ = false;
  bool closed_ = false;
};

}  // namespace coff::agent
