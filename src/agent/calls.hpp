// Calls from the control process to sensor and keeper: handlers there, pending calls here.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/loop.hpp"

namespace coff::agent {

/// Answer bytes of one call; what is longer must be asked for in pages.
inline constexpr std::size_t kAnswerBytesMax = 4U << 20U;

/// Collects the answer of one call: JSON lines.
class Answer {
 public:
  Answer(Peer& peer, std::uint64_t call) : peer_(peer), call_(call) {}

  /// Adds one JSON object without newline. kLimit once kAnswerBytesMax are reached.
  Result<void> line(std::string_view json);
  /// Sends what is collected, then success or the error. Call it once.
  Result<void> finish(const Result<void>& outcome);

 private:
  Result<void> send_lines();

  Peer& peer_;
  std::uint64_t call_;
  std::string lines_;
  std::size_t total_bytes_ = 0;
};

/// The handlers of a process that answers calls: name to function. Arguments are a JSON object
/// that the control process has checked to be valid JSON of bounded size.
class CallHandlers {
 public:
  using Handler = std::function<Result<void>(std::string_view arguments, Answer& answer)>;

  /// Takes a call that is answered later, by Answer(peer, call).finish(). An error ends it at once.
  using DeferredHandler =
      std::function<Result<void>(std::string_view arguments, std::uint64_t call)>;

  void add(std::string name, Handler handler) { handlers_[std::move(name)] = std::move(handler); }
  void add_deferred(std::string name, DeferredHandler handler) {
    deferred_[std::move(name)] = std::move(handler);
  }
  /// Runs the handler of a kCall frame and answers on `peer`.
  Result<void> handle(std::string_view payload, Peer& peer);

 private:
  std::unordered_map<std::string, Handler> handlers_;
  std::unordered_map<std::string, DeferredHandler> deferred_;
};

/// The asking side: numbers calls and gives their answers to whoever asked.
class PendingCalls {
 public:
  struct Receiver {
    std::function<void(std::string_view lines)> on_lines;
    std::function<void(const Result<void>& outcome)> on_done;
  };

  /// Sends a call; on_done comes exactly once, with an error when `peer` isn't there.
  void call(Peer& peer, std::string_view name, std::string_view arguments, Receiver receiver);
  /// A kAnswer or kDone frame.
  Result<void> handle_answer(std::string_view payload);
  Result<void> handle_done(std::string_view payload);
  /// The other process died: every pending call ends with this error.
  void fail_all(const Error& error);
  [[nodiscard]] std::size_t count() const { return pending_.size(); }

 private:
  std::uint64_t next_ = 1;
  std::unordered_map<std::uint64_t, Receiver> pending_;
};

}  // namespace coff::agent
