// What the agent tells systemd, or another manager that knows sd_notify(3): that it watches, that
// it lives, that it stops.
#include "agent/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace coff::agent {

Result<ServiceManager> ServiceManager::open() {
  ServiceManager manager;
  const char* const given = std::getenv("NOTIFY_SOCKET");
  const std::string_view name = given == nullptr ? "" : given;
  if (name.empty()) return manager;
  sockaddr_un address{.sun_family = AF_UNIX};
  if ((name[0] != '/' && name[0] != '@') || name.size() >= sizeof address.sun_path) {
    return fail(Code::kInvalid, "NOTIFY_SOCKET is no address of a Unix socket");
  }
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return fail_errno("cannot make a socket");
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    return fail_errno("cannot reach the service manager at " + std::string(name));
  }
  manager.socket_ = std::move(socket);
  const char* const interval = std::getenv("WATCHDOG_USEC");
  std::int64_t interval_us = 0;
  if (interval != nullptr) {
    std::from_chars(interval, interval + std::strlen(interval), interval_us);
  }
  if (interval_us > 0) manager.alive_every_ms_ = interval_us / 2000;
  return manager;
}

void ServiceManager::tell_ready(std::string_view status) {
  if (ready_) return;
  ready_ = true;
  tell("READY=1\nSTATUS=" + std::string(status));
}

void ServiceManager::tell(std::string_view text) const {
  if (!socket_.valid()) return;
  // A manager that does not take it now decides by itself what that means.
  [[maybe_unused]] const ssize_t ignored =
      ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

}  // namespace coff::agent
