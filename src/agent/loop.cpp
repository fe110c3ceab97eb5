// Waiting for many descriptors and timers in one thread.
#include "agent/loop.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>

namespace coff::agent {
namespace {
/// Events taken in one round.
constexpr int kBatch = 64;
/// Frames taken from one channel before others have their turn.
constexpr int kFramesPerTurn = 32;
}  // namespace

Result<Loop> Loop::open() {
  Loop loop;
  loop.epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!loop.epoll_.valid()) return fail_errno("cannot make an epoll set");
  return loop;
}

Result<void> Loop::watch(int fd, std::uint32_t events, Handler handler) {
  epoll_event entry{};
  entry.events = events;
  entry.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &entry) != 0) {
    return fail_errno("cannot watch a descriptor");
  }
  handlers_[fd] = std::make_shared<Handler>(std::move(handler));
  return {};
}

Result<void> Loop::change(int fd, std::uint32_t events) {
  epoll_event entry{};
  entry.events = events;
  entry.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &entry) != 0) {
    return fail_errno("cannot watch a descriptor");
  }
  return {};
}

void Loop::forget(int fd) {
  if (handlers_.erase(fd) > 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

Result<void> Loop::every(std::int64_t interval_ms, std::function<Result<void>()> handler) {
  Fd timer(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer.valid()) return fail_errno("cannot make a timer");
  const timespec interval{interval_ms / 1000, interval_ms % 1000 * 1'000'000};
  const itimerspec setting{interval, interval};
  if (::timerfd_settime(timer.get(), 0, &setting, nullptr) != 0) {
    return fail_errno("cannot set a timer");
  }
  const int fd = timer.get();
  TRY(watch(fd, EPOLLIN, [fd, handler = std::move(handler)](std::uint32_t) -> Result<void> {
    std::uint64_t expirations = 0;
    if (::read(fd, &expirations, sizeof expirations) != sizeof expirations) return {};
    return handler();
  }));
  timers_.push_back(std::move(timer));
  return {};
}

Result<void> Loop::dispatch(int timeout_ms) {
  for (const auto& hook : hooks_) {
    const int wait_ms = TRY(hook());
    if (wait_ms >= 0 && (timeout_ms < 0 || wait_ms < timeout_ms)) timeout_ms = wait_ms;
  }
  if (stopping_) return {};
  std::array<epoll_event, kBatch> ready{};
  const int count = ::epoll_wait(epoll_.get(), ready.data(), kBatch, timeout_ms);
  if (count < 0 && errno != EINTR) return fail_errno("cannot wait for events");
  for (int i = 0; i < count; ++i) {
    const epoll_event& entry = ready[static_cast<std::size_t>(i)];
    const auto found = handlers_.find(entry.data.fd);
    if (found == handlers_.end()) continue;
    // A handler may forget itself while it runs.
    const std::shared_ptr<Handler> handler = found->second;
    TRY((*handler)(entry.events));
  }
  return {};
}

Result<void> Loop::run() {
  while (!stopping_) TRY(dispatch(-1));
  return {};
}

Result<void> Peer::attach(Channel channel) {
  detach();
  channel_ = std::move(channel);
  watching_write_ = channel_.wants_write();
  const std::uint32_t events = watching_write_ ? EPOLLIN | EPOLLOUT : EPOLLIN;
  return loop_.watch(channel_.fd(), events, [this](std::uint32_t ready) { return handle(ready); });
}

void Peer::detach() {
  if (!channel_.valid()) return;
  loop_.forget(channel_.fd());
  channel_.close();
}

Result<void> Peer::update_interest() {
  if (!channel_.valid() || channel_.wants_write() == watching_write_) return {};
  watching_write_ = channel_.wants_write();
  return loop_.change(channel_.fd(), watching_write_ ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

Result<void> Peer::send(std::uint16_t type, std::string_view payload,
                        std::span<const int> descriptors) {
  if (!channel_.valid()) return fail(Code::kNotFound, "the other process isn't running");
  auto sent = channel_.send(type, payload, descriptors);
  TRY(update_interest());
  return sent;
}

Result<void> Peer::end(const Error& error) {
  detach();
  return on_end_(error);
}

Result<void> Peer::handle(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    if (auto flushed = channel_.flush(); !flushed) return end(flushed.error());
    TRY(update_interest());
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return {};
  for (int i = 0; i < kFramesPerTurn && channel_.valid(); ++i) {
    auto frame = channel_.receive();
    if (!frame) return end(frame.error());
    if (!*frame) return {};
    TRY(on_frame_(std::move(**frame)));
  }
  // Complete frames may be left in the buffer, which epoll doesn't see.
  while (channel_.valid()) {
    auto frame = channel_.receive();
    if (!frame) return end(frame.error());
    if (!*frame) return {};
    TRY(on_frame_(std::move(**frame)));
  }
  return {};
}

}  // namespace coff::agent
