// One client of the control socket: who it is, what it asks, and how fast it reads.
#include "agent/control_session.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "base/clock.hpp"
#include "base/json_writer.hpp"

namespace coff::agent {
namespace {
/// Groups of one process; the kernel allows 65,536.
constexpr std::size_t kGroupsMax = 65'536;
constexpr std::size_t kProcFileBytesMax = 64;
}  // namespace

Result<Caller> caller_of(const Fd& socket, const Names& names) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return fail_errno("cannot tell who asks");
  }
  std::vector<std::uint32_t> gids(64);
  for (;;) {
    size = static_cast<socklen_t>(gids.size() * sizeof(std::uint32_t));
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERGROUPS, gids.data(), &size) == 0) break;
    if (errno != ERANGE || size / sizeof(std::uint32_t) > kGroupsMax) {
      return fail_errno("cannot tell the groups of who asks");
    }
    gids.resize(size / sizeof(std::uint32_t));
  }
  gids.resize(size / sizeof(std::uint32_t));
  if (std::ranges::find(gids, credentials.gid) == gids.end()) gids.push_back(credentials.gid);
  Caller caller{.peer = peer_of(names, credentials.uid, std::move(gids)), .pid = credentials.pid};
  const auto text =
      read_file("/proc/" + std::to_string(caller.pid) + "/loginuid", kProcFileBytesMax);
  if (text) std::from_chars(text->data(), text->data() + text->size(), caller.loginuid);
  return caller;
}

bool FollowFilter::matches(const LiveEvent& event) const {
  if (!kinds.empty() && std::ranges::find(kinds, event.kind) == kinds.end()) return false;
  if (!container.empty() && !event.container_id.starts_with(container) &&
      event.container_name != container) {
    return false;
  }
  return text.empty() || event.json.find(text) != std::string_view::npos;
}

Session::~Session() { close(); }

Result<void> Session::start() {
  progress_boot_ns_ = boot_now_ns();
  return loop_.watch(socket_.get(), EPOLLIN,
                     [this](std::uint32_t events) { return handle(events); });
}

void Session::close() {
  if (closed_) return;
  closed_ = true;
  loop_.forget(socket_.get());
  socket_.reset();
}

bool Session::stuck(std::int64_t boot_ns) const {
  return sent_ < output_.size() && boot_ns - progress_boot_ns_ > kStuckMs * 1'000'000;
}

Result<void> Session::handle(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) flush();
  if (!closed_ && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_requests();
  return {};
}

void Session::read_requests() {
  char buffer[16384];
  const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return close();
  input_.append(buffer, static_cast<std::size_t>(got));
  next_request();
  if (closed_ || input_.size() <= kRequestBytesMax) return;
  // Also when a client sends on and on while its first question is being answered.
  finish(fail(Code::kLimit,
              "a request is longer than " + std::to_string(kRequestBytesMax) + " bytes"));
  close();
}

void Session::next_request() {
  // finish() comes back here for answers that took time; not for those given on the spot, or many
  // short requests in one packet would nest.
  if (in_request_) return;
  in_request_ = true;
  while (!busy_ && !closed_) {
    const std::size_t end = input_.find('\n');
    if (end == std::string::npos) break;
    const std::string line = input_.substr(0, end);
    input_.erase(0, end + 1);
    busy_ = true;
    on_request_(*this, line);
  }
  in_request_ = false;
}

void Session::queue(std::string_view bytes) {
  if (closed_) return;
  if (output_.size() - sent_ + bytes.size() > kClientQueueBytesMax) return close();
  if (sent_ == output_.size()) progress_boot_ns_ = boot_now_ns();
  output_.append(bytes);
}

void Session::flush() {
  while (!closed_ && sent_ < output_.size()) {
    const ssize_t sent = ::send(socket_.get(), output_.data() + sent_, output_.size() - sent_,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) break;
    if (sent < 0) return close();
    sent_ += static_cast<std::size_t>(sent);
    progress_boot_ns_ = boot_now_ns();
  }
  if (closed_) return;
  if (sent_ == output_.size() || sent_ > kFollowQueueBytesMax) {
    output_.erase(0, sent_);
    sent_ = 0;
  }
  const std::uint32_t events = output_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT;
  if (!loop_.change(socket_.get(), events)) close();
}

void Session::rename(const Names& names) {
  caller_.peer = peer_of(names, caller_.peer.uid, std::move(caller_.peer.gids));
}

void Session::item(std::string_view json) {
  std::string line = "{\"item\":";
  line.append(json).append("}\n");
  queue(line);
  flush();
}

void Session::finish(const Result<void>& outcome) {
  std::string line;
  JsonWriter json(line);
  json.begin_object();
  if (outcome) json.member("done", true);
  else {
    json.member("error", outcome.error().message()).member("code", code_name(outcome.error().code));
  }
  json.end_object();
  queue(line.append("\n"));
  flush();
  filter_.reset();
  busy_ = false;
  next_request();
}

void Session::offer(const LiveEvent& event) {
  if (closed_ || !filter_ || !filter_->matches(event)) return;
  if (output_.size() - sent_ + event.json.size() > kFollowQueueBytesMax) {
    ++lost_;
    ++lost_total_;
    return;
  }
  if (lost_ > 0) {
    queue("{\"lost\":" + std::to_string(lost_) + "}\n");
    lost_ = 0;
  }
  item(event.json);
}

}  // namespace coff::agent
