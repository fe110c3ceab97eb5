// The command line's end of the control socket.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::agent {

/// A connection to the running agent. One call at a time. Move-only.
class ControlClient {
 public:
  /// kNotFound with what to do when no agent listens there; kDenied when the socket's mode forbids.
  static Result<ControlClient> connect(const std::string& socket_path);

  /// Gets each item, one JSON value; false ends the call (the connection is of no use then).
  using ItemHandler = std::function<bool(std::string_view json)>;
  /// Gets the number of events that a follower was too slow for.
  using LostHandler = std::function<void(std::uint64_t count)>;

  /// Makes a call; `arguments` is a JSON object whose members are put beside "call". Waits
  /// `timeout_ms` for each line, -1 for ever. The error is the agent's own answer, or kIo.
  Result<void> call(std::string_view name, std::string_view arguments, const ItemHandler& on_item,
                    int timeout_ms = 30'000, const LostHandler& on_lost = {});

 private:
  explicit ControlClient(Fd socket) : socket_(std::move(socket)) {}
  Result<std::string> read_line(int timeout_ms);

  Fd socket_;
  std::string input_;
};

}  // namespace coff::agent
