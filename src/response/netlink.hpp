// Netlink: one bounded request and its answer, in our own or in a container's network namespace.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::response {

/// A message as the kernel sent it: its type (nlmsg_type) and what follows the header.
struct NetlinkMessage {
  std::uint16_t type = 0;
  std::string_view body;
};

/// Answer bytes of one request: some ten thousand links or sockets.
inline constexpr std::size_t kNetlinkAnswerBytesMax = 32U << 20U;
/// One request is answered within this time, in milliseconds.
inline constexpr int kNetlinkTimeoutMs = 5000;

/// Appends attributes (RFC 3549 type-length-value, padded to 4 bytes) to a request.
class NetlinkBody {
 public:
  /// Begins with a fixed structure, e.g. ifinfomsg.
  template <typename Header>
  explicit NetlinkBody(const Header& header)
      : bytes_(reinterpret_cast<const char*>(&header), sizeof header) {}
  NetlinkBody& attribute(std::uint16_t type, std::string_view value);
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Calls `visit` with type (flags removed) and value of each attribute; stops at the first
/// malformed one.
void each_attribute(std::string_view attributes,
                    const std::function<void(std::uint16_t type, std::string_view value)>& visit);

/// One netlink socket; move-only, for one thread.
class Netlink {
 public:
  /// In our own network namespace. `groups` are multicast groups to listen to, as a mask.
  static Result<Netlink> open(int protocol, std::uint32_t groups = 0);
  /// In the namespace `netns` (a descriptor of /proc/PID/ns/net); needs CAP_SYS_ADMIN. The calling
  /// thread is back in its own namespace afterwards, or the process ends.
  static Result<Netlink> open_in(const Fd& netns, int protocol);

  /// Sends a request with `flags` beside NLM_F_REQUEST, and calls `visit` for each message of the
  /// answer; NLM_F_DUMP gives many. The kernel's error is an Error with its errno.
  Result<void> request(std::uint16_t type, std::uint16_t flags, std::string_view body,
                       const std::function<void(const NetlinkMessage&)>& visit);
  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  explicit Netlink(Fd socket) : socket_(std::move(socket)) {}
  Fd socket_;
  std::uint32_t sequence_ = 0;
};

/// Runs `call` with the calling thread in the namespace `netns`, then returns to the own one; a
/// return that fails ends the process, since everything after it would touch the wrong network.
Result<void> visit_namespace(const Fd& netns, const std::function<Result<void>()>& call);

}  // namespace coff::response
