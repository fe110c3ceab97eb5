// A packet socket in another network namespace, and its ring.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::evidence {

struct Packet {
  std::uint32_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  std::uint32_t wire_bytes = 0;
  std::uint16_t hardware = 0;  ///< ARPHRD_*: 1 Ethernet, 772 loopback.
  std::string_view bytes;      ///< Valid during the call.
};

struct PacketCounts {
  std::uint64_t received = 0;  ///< By the kernel for this socket, drops included.
  std::uint64_t dropped = 0;   ///< For want of room in the ring.
  std::uint64_t frozen = 0;    ///< How often the ring was full.
};

/// AF_PACKET with TPACKET_V3, opened by a child of ours that entered the namespace: nothing runs
/// inside of the container, and this process never leaves its own. Needs NET_RAW and SYS_ADMIN.
class PacketSocket {
 public:
  /// In the network namespace of `pid`; at most `snap_bytes` of each packet.
  static Result<PacketSocket> open(pid_t pid, std::uint32_t snap_bytes);
  PacketSocket(PacketSocket&& other) noexcept
      : socket_(std::move(other.socket_)),
        ring_(std::exchange(other.ring_, nullptr)),
        next_(other.next_) {}
  PacketSocket& operator=(PacketSocket&&) = delete;
  ~PacketSocket();
  /// Hands over every packet that has come, after waiting for at most `wait_ms`; false from
  /// `on_packet` ends it.
  Result<void> read(int wait_ms, const std::function<bool(const Packet&)>& on_packet);
  Result<PacketCounts> counts() const;

 private:
  explicit PacketSocket(Fd socket) : socket_(std::move(socket)) {}
  Fd socket_;
  void* ring_ = nullptr;
  unsigned next_ = 0;
};

}  // namespace coff::evidence
