// Waiting for many descriptors and timers in one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

#include "agent/channel.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::agent {

/// An epoll set with handlers. Its own descriptor becomes readable when something is due, so a
/// loop can be watched by another one. Belongs to one thread; handlers may watch and forget.
class Loop {
 public:
  /// Gets the EPOLL* bits that are ready. An error ends dispatch() with it.
  using Handler = std::function<Result<void>(std::uint32_t events)>;

  static Result<Loop> open();

  /// Calls `handler` when one of `events` (EPOLLIN, EPOLLOUT) or a hang-up occurs. The descriptor
  /// stays the caller's, who must forget() it before closing it.
  Result<void> watch(int fd, std::uint32_t events, Handler handler);
  /// Changes the events of a watched descriptor.
  Result<void> change(int fd, std::uint32_t events);
  void forget(int fd);
  /// Calls `handler` every `interval_ms` until the loop ends.
  Result<void> every(std::int64_t interval_ms, std::function<Result<void>()> handler);

  /// Calls `hook` before each wait. It does what is due and returns how many milliseconds may pass
  /// before it must be called again, -1 for any. Batches end this way without idle timers.
  void before_wait(std::function<Result<int>()> hook) { hooks_.push_back(std::move(hook)); }

  /// Waits at most `timeout_ms` (-1: for ever) and calls the handlers that are due.
  Result<void> dispatch(int timeout_ms);
  /// dispatch() until stop() is called.
  Result<void> run();
  void stop() { stopping_ = true; }
  /// Lets dispatch() work again after stop(), e.g. to drain.
  void resume() { stopping_ = false; }
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] int fd() const { return epoll_.get(); }

 private:
  Fd epoll_;
  std::unordered_map<int, std::shared_ptr<Handler>> handlers_;
  std::vector<Fd> timers_;
  std::vector<std::function<Result<int>()>> hooks_;
  bool stopping_ = false;
};

/// A channel in a loop: calls back for each frame, writes on when the other end is slow. The
/// channel can be replaced when the process at its other end was started anew. Not movable.
class Peer {
 public:
  using FrameHandler = std::function<Result<void>(Frame&&)>;
  /// Called once when the channel ended or broke; the peer is detached already.
  using EndHandler = std::function<Result<void>(const Error&)>;

  Peer(Loop& loop, FrameHandler on_frame, EndHandler on_end)
      : loop_(loop), on_frame_(std::move(on_frame)), on_end_(std::move(on_end)) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { detach(); }

  /// Uses this channel from now on; an older one is closed.
  Result<void> attach(Channel channel);
  void detach();
  [[nodiscard]] bool attached() const { return channel_.valid(); }
  [[nodiscard]] std::size_t queued_bytes() const { return channel_.queued_bytes(); }
  /// As Channel::send(). kNotFound when nothing is attached.
  Result<void> send(std::uint16_t type, std::string_view payload,
                    std::span<const int> descriptors = {});
  Result<void> flush_wait(int timeout_ms) { return channel_.flush_wait(timeout_ms); }

 private:
  Result<void> handle(std::uint32_t events);
  Result<void> end(const Error& error);
  Result<void> update_interest();

  Loop& loop_;
  FrameHandler on_frame_;
  EndHandler on_end_;
  Channel channel_;
  bool watching_write_ = false;
};

}  // namespace coff::agent
