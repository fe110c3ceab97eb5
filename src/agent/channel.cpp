// Framed messages and descriptors between our own processes over a stream socket pair.
#include "agent/channel.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

#include "base/clock.hpp"

namespace coff::agent {
namespace {

constexpr std::size_t kHeaderBytes = 8;
/// One read: large enough that 10,000 entries a second cost a hundred calls.
constexpr std::size_t kReadBytes = 128U << 10U;

struct Header {
  std::uint32_t length;
  std::uint16_t type;
  std::uint8_t version;
  std::uint8_t descriptors;
};
static_assert(sizeof(Header) == kHeaderBytes);

Result<void> wait_for(int fd, short events, std::int64_t deadline_ns) {
  for (;;) {
    const std::int64_t left_ms = (deadline_ns - boot_now_ns()) / 1'000'000;
    if (left_ms <= 0) return fail(Code::kTimeout, "another process of the agent didn't answer");
    pollfd entry{fd, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(left_ms));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail_errno("cannot wait for a channel");
  }
}

}  // namespace

Result<Channel> Channel::from(Fd socket) {
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return fail_errno("cannot set up a channel");
  }
  Channel channel;
  channel.socket_ = std::move(socket);
  return channel;
}

Result<std::pair<Channel, Channel>> Channel::pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return fail_errno("cannot make a socket pair");
  }
  Channel one;
  Channel two;
  one.socket_.reset(ends[0]);
  two.socket_.reset(ends[1]);
  return std::pair{std::move(one), std::move(two)};
}

Result<void> Channel::send(std::uint16_t type, std::string_view payload,
                           std::span<const int> descriptors) {
  if (payload.size() > kPayloadBytesMax || descriptors.size() > kFrameDescriptorsMax) {
    return fail(Code::kInvalid, "a frame of " + std::to_string(payload.size()) +
                                    " bytes is over the limit of " +
                                    std::to_string(kPayloadBytesMax));
  }
  if (queued_bytes_ + payload.size() > kSendQueueBytesMax) {
    TRY(flush());
    if (queued_bytes_ + payload.size() > kSendQueueBytesMax) {
      return fail(Code::kLimit, "another process of the agent is too slow");
    }
  }
  const Header header{static_cast<std::uint32_t>(payload.size()), type, kFrameVersion,
                      static_cast<std::uint8_t>(descriptors.size())};
  Outgoing frame;
  frame.bytes.reserve(kHeaderBytes + payload.size());
  frame.bytes.append(reinterpret_cast<const char*>(&header), kHeaderBytes).append(payload);
  for (const int number : descriptors) {
    Fd copy(::fcntl(number, F_DUPFD_CLOEXEC, 0));
    if (!copy.valid()) return fail_errno("cannot duplicate a descriptor");
    frame.descriptors.push_back(std::move(copy));
  }
  queued_bytes_ += frame.bytes.size();
  queue_.push_back(std::move(frame));
  return flush();
}

Result<void> Channel::flush() {
  while (!queue_.empty()) {
    Outgoing& frame = queue_.front();
    iovec part{frame.bytes.data() + frame.sent, frame.bytes.size() - frame.sent};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(kFrameDescriptorsMax * sizeof(int))] = {};
    if (frame.sent == 0 && !frame.descriptors.empty()) {
      const std::size_t size = frame.descriptors.size() * sizeof(int);
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(size);
      cmsghdr* rights = CMSG_FIRSTHDR(&message);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(size);
      for (std::size_t i = 0; i < frame.descriptors.size(); ++i) {
        const int number = frame.descriptors[i].get();
        std::memcpy(CMSG_DATA(rights) + i * sizeof(int), &number, sizeof number);
      }
    }
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
    if (sent < 0) return fail_errno("cannot send to another process of the agent");
    frame.descriptors.clear();
    frame.sent += static_cast<std::size_t>(sent);
    queued_bytes_ -= static_cast<std::size_t>(sent);
    if (frame.sent == frame.bytes.size()) queue_.pop_front();
  }
  return {};
}

Result<void> Channel::flush_wait(int timeout_ms) {
  const std::int64_t deadline_ns = boot_now_ns() + timeout_ms * std::int64_t{1'000'000};
  for (;;) {
    TRY(flush());
    if (queue_.empty()) return {};
    TRY(wait_for(socket_.get(), POLLOUT, deadline_ns));
  }
}

Result<std::optional<Frame>> Channel::parse() {
  const std::size_t available = input_.size() - input_start_;
  if (available < kHeaderBytes) return std::nullopt;
  Header header{};
  std::memcpy(&header, input_.data() + input_start_, kHeaderBytes);
  if (header.version != kFrameVersion || header.length > kPayloadBytesMax ||
      header.descriptors > kFrameDescriptorsMax) {
    return fail(Code::kInvalid, "another process of the agent sent a malformed frame");
  }
  if (available < kHeaderBytes + header.length) return std::nullopt;
  if (received_.size() < header.descriptors) {
    return fail(Code::kInvalid, "a frame announces descriptors that did not come");
  }
  Frame frame;
  frame.type = header.type;
  frame.payload.assign(input_, input_start_ + kHeaderBytes, header.length);
  for (unsigned i = 0; i < header.descriptors; ++i) {
    frame.descriptors.push_back(std::move(received_.front()));
    received_.pop_front();
  }
  input_start_ += kHeaderBytes + header.length;
  if (input_start_ == input_.size()) {
    input_.clear();
    input_start_ = 0;
  }
  return frame;
}

Result<void> Channel::keep_descriptors(const msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(const_cast<msghdr*>(&message), part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof(int), sizeof number);
      received_.emplace_back(number);
    }
  }
  if ((message.msg_flags & MSG_CTRUNC) != 0 || received_.size() > 2 * kFrameDescriptorsMax) {
    return fail(Code::kInvalid, "another process of the agent sent too many descriptors");
  }
  return {};
}

Result<bool> Channel::read_some() {
  if (input_start_ > 0) {
    input_.erase(0, input_start_);
    input_start_ = 0;
  }
  const std::size_t before = input_.size();
  input_.resize(before + kReadBytes);
  iovec part{input_.data() + before, kReadBytes};
  alignas(cmsghdr) char control[CMSG_SPACE(kFrameDescriptorsMax * sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  const int problem = errno;
  input_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got < 0 && (problem == EAGAIN || problem == EWOULDBLOCK)) return false;
  if (got < 0) {
    errno = problem;
    return fail_errno("cannot receive from another process of the agent");
  }
  TRY(keep_descriptors(message));
  if (got == 0) return fail(Code::kNotFound, "another process of the agent closed its channel");
  return true;
}

Result<std::optional<Frame>> Channel::receive() {
  for (;;) {
    std::optional<Frame> frame = TRY(parse());
    if (frame) return frame;
    if (!TRY(read_some())) return std::nullopt;
  }
}

Result<Frame> Channel::receive_wait(int timeout_ms) {
  const std::int64_t deadline_ns = boot_now_ns() + timeout_ms * std::int64_t{1'000'000};
  for (;;) {
    std::optional<Frame> frame = TRY(receive());
    if (frame) return std::move(*frame);
    TRY(wait_for(socket_.get(), POLLIN, deadline_ns));
  }
}

}  // namespace coff::agent
