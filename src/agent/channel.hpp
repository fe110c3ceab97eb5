// Framed messages and descriptors between our own processes over a stream socket pair.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::agent {

/// Longest payload of one frame: one trail batch (1 MiB) and its header.
inline constexpr std::size_t kPayloadBytesMax = (1U << 20U) + 4096;
/// Most descriptors that one frame carries.
inline constexpr std::size_t kFrameDescriptorsMax = 8;
/// Bytes that a channel holds for a slow reader before send() answers kLimit (back-pressure).
inline constexpr std::size_t kSendQueueBytesMax = 8U << 20U;
/// Version of the framing and of the payloads. Both ends are the same binary, so it must be equal.
inline constexpr std::uint8_t kFrameVersion = 1;

/// One message. On the wire: u32 payload length, u16 type, u8 version, u8 number of descriptors,
/// payload; the descriptors travel by SCM_RIGHTS with the frame's first byte.
struct Frame {
  std::uint16_t type = 0;
  std::string payload;
  std::vector<Fd> descriptors;
};

/// One end of a non-blocking stream of frames. The other end is not trusted: lengths are checked
/// before anything is kept, memory grows only by bytes that really arrived, and descriptors that
/// no frame announced break the connection. Belongs to one thread. Move-only.
class Channel {
 public:
  Channel() = default;
  /// Takes a connected SOCK_STREAM Unix socket and makes it non-blocking.
  static Result<Channel> from(Fd socket);
  /// A connected pair; both ends close on exec.
  static Result<std::pair<Channel, Channel>> pair();

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] bool valid() const { return socket_.valid(); }
  /// Gives up the socket, e.g. to pass it to another process. Nothing may be queued.
  Fd release() { return std::move(socket_); }
  void close() { *this = Channel(); }

  /// Queues one frame and writes what the socket takes now. kLimit: the reader is too slow, nothing
  /// was queued, try again once wants_write() has become false. kInvalid: too big. Other errors:
  /// the channel is broken. `descriptors` stay the caller's; they are duplicated.
  Result<void> send(std::uint16_t type, std::string_view payload,
                    std::span<const int> descriptors = {});
  /// Writes what is queued as far as the socket takes it.
  Result<void> flush();
  /// flush() and wait until all is written; kTimeout when that takes longer.
  Result<void> flush_wait(int timeout_ms);
  [[nodiscard]] bool wants_write() const { return !queue_.empty(); }
  [[nodiscard]] std::size_t queued_bytes() const { return queued_bytes_; }

  /// The next frame, or nothing when none is complete yet. kNotFound: the other end closed.
  Result<std::optional<Frame>> receive();
  /// The next frame; kTimeout when none came in time.
  Result<Frame> receive_wait(int timeout_ms);

 private:
  struct Outgoing {
    std::string bytes;
    std::size_t sent = 0;
    std::vector<Fd> descriptors;
  };

  Result<std::optional<Frame>> parse();
  Result<bool> read_some();
  Result<void> keep_descriptors(const msghdr& message);

  Fd socket_;
  std::deque<Outgoing> queue_;
  std::size_t queued_bytes_ = 0;
  std::string input_;
  std::size_t input_start_ = 0;
  std::deque<Fd> received_;
};

}  // namespace coff::agent
