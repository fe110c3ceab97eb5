// What the agent tells systemd, or another manager that knows sd_notify(3): that it watches, that
// it lives, that it stops.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::agent {

/// The manager's notification socket. Without one, telling does nothing. Move-only.
class ServiceManager {
 public:
  /// Connects to the socket that NOTIFY_SOCKET names, a path or with a leading @ an abstract name.
  /// Open it before a sandbox forbids new sockets.
  static Result<ServiceManager> open();

  /// Once: READY=1 with this status line.
  void tell_ready(std::string_view status);
  void tell_stopping() const { tell("STOPPING=1"); }
  void tell_alive() const { tell("WATCHDOG=1"); }
  /// Milliseconds between signs of life, half of what the manager waits; 0: it doesn't ask for any.
  [[nodiscard]] std::int64_t alive_every_ms() const { return alive_every_ms_; }

 private:
  void tell(std::string_view text) const;

  Fd socket_;
  std::int64_t alive_every_ms_ = 0;
  bool ready_ = false;
};

}  // namespace coff::agent
