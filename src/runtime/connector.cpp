// Connects to Unix sockets without blocking.
#include "runtime/connector.hpp"

#include <sys/socket.h>
#include <sys/un.h>

namespace coff::runtime {

Connector connect_to(std::string path) {
  return [path = std::move(path)]() -> Result<Fd> {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
      return fail(Code::kInvalid, "the path of a Unix socket has 1 to 107 bytes: " + path);
    path.copy(address.sun_path, path.size());
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid()) return fail_errno("cannot make a socket");
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
      if (errno == EAGAIN) return fail(Code::kBusy, path + " accepts no connection now");
      return fail_errno("cannot connect to " + path);
    }
    return socket;
  };
}

pid_t peer_of(const Fd& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return 0;
  return peer.pid;
}

}  // namespace coff::runtime
