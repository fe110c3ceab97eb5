// The control process's heart: accepts clients, checks and records their calls, gives answers.
#include "agent/control_server.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>

#include "agent/payload.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "base/log.hpp"

namespace coff::agent {
namespace {

/// Connections taken in one turn.
constexpr int kAcceptPerTurn = 16;
/// How often sessions are looked at for stuck clients.
constexpr int kSweepMs = 5000;

Error gone(std::string_view process) {
  return Error{Code::kBusy, "the agent's " + std::string(process) +
                                " process is being started anew; try again in a moment"};
}

/// Told before the connection ends; it is new and empty, so that this fits or the client is gone.
void refuse_client(const Fd& socket) {
  constexpr std::string_view kAnswer =
      "{\"error\":\"too many clients of the agent; try again in a moment\",\"code\":\"busy\"}\n";
  [[maybe_unused]] const ssize_t sent =
      ::send(socket.get(), kAnswer.data(), kAnswer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

ControlServer::ControlServer(Loop& loop, config::Config settings)
    : loop_(loop),
      settings_(std::move(settings)),
      keeper_(
          loop, [this](Frame&& frame) { return handle_keeper(std::move(frame)); },
          [this](const Error&) -> Result<void> {
            trail_.disconnect();
            keeper_calls_.fail_all(gone("keeper"));
            return {};
          }),
      sensor_(
          loop, [this](Frame&& frame) { return handle_sensor(std::move(frame)); },
          [this](const Error&) -> Result<void> {
            live_wanted_ = false;
            live_dropped_ = 0;
            sensor_calls_.fail_all(gone("sensor"));
            return {};
          }) {
  loop_.before_wait([this] { return sweep(); });
}

Result<void> ControlServer::attach(Link link, Channel channel) {
  if (link == Link::kToKeeper) {
    keeper_calls_.fail_all(gone("keeper"));
    TRY(keeper_.attach(std::move(channel)));
    return trail_.connect(keeper_);
  }
  if (link == Link::kToSensor) {
    sensor_calls_.fail_all(gone("sensor"));
    live_wanted_ = false;
    live_dropped_ = 0;
    return sensor_.attach(std::move(channel));
  }
  return fail(Code::kInvalid, "the control process got a channel that it has no use for");
}

Result<void> ControlServer::listen(Fd listener, Names names) {
  names_ = std::move(names);
  if (listener_.valid()) loop_.forget(listener_.get());
  listener_ = std::move(listener);
  // Whoever follows must still be allowed to under the roles of now.
  for (const auto& [key, session] : sessions_) {
    session->rename(names_);
    if (session->following() &&
        !config::allowed(settings_.roles, session->caller().peer, config::Permission::kSee)) {
      session->finish(fail(Code::kDenied, "the configuration doesn't allow this any more"));
    }
  }
  return loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { return accept_clients(); });
}

Result<void> ControlServer::accept_clients() {
  for (int i = 0; i < kAcceptPerTurn; ++i) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.valid()) return {};
    auto caller = caller_of(socket, names_);
    const auto of_user = [&](const auto& entry) {
      return entry.second->caller().peer.uid == caller->peer.uid;
    };
    if (!caller || sessions_.size() >= kClientsMax ||
        std::ranges::count_if(sessions_, of_user) >= std::ptrdiff_t{kClientsPerUserMax}) {
      ++counters_.refused_clients;
      refuse_client(socket);
      continue;
    }
    ++counters_.accepted;
    auto session = std::make_shared<Session>(
        loop_, std::move(socket), std::move(*caller),
        [this](Session& asking, std::string_view line) { handle_request(asking, line); });
    TRY(session->start());
    const Session* key = session.get();
    sessions_.emplace(key, std::move(session));
  }
  return {};
}

Result<int> ControlServer::sweep() {
  const std::int64_t now_ns = boot_now_ns();
  for (auto entry = sessions_.begin(); entry != sessions_.end();) {
    const bool stuck = entry->second->stuck(now_ns);
    if (stuck) ++counters_.stuck_dropped;
    if (!stuck && !entry->second->closed()) {
      ++entry;
      continue;
    }
    counters_.follow_lost += entry->second->lost_total();
    entry = sessions_.erase(entry);
  }
  update_live();
  const int trail_ms = TRY(trail_.flush_due());
  if (sessions_.empty()) return trail_ms;
  return trail_ms < 0 ? kSweepMs : std::min(trail_ms, kSweepMs);
}

void ControlServer::update_live() {
  const bool wanted =
      std::ranges::any_of(sessions_, [](const auto& entry) { return entry.second->following(); });
  if (wanted == live_wanted_ || !sensor_.attached()) return;
  const char payload = wanted ? 1 : 0;
  if (sensor_.send(static_cast<std::uint16_t>(Message::kLiveWanted),
                   std::string_view(&payload, 1))) {
    live_wanted_ = wanted;
  }
}

Result<void> ControlServer::handle_keeper(Frame&& frame) {
  switch (static_cast<Message>(frame.type)) {
    case Message::kAck: return trail_.handle_ack(frame.payload);
    case Message::kAnswer: return keeper_calls_.handle_answer(frame.payload);
    case Message::kDone: return keeper_calls_.handle_done(frame.payload);
    default: return fail(Code::kInvalid, "the keeper sent an unknown message");
  }
}

Result<void> ControlServer::handle_sensor(Frame&& frame) {
  switch (static_cast<Message>(frame.type)) {
    case Message::kAnswer: return sensor_calls_.handle_answer(frame.payload);
    case Message::kDone: return sensor_calls_.handle_done(frame.payload);
    case Message::kLive: return handle_live(frame.payload);
    default: return fail(Code::kInvalid, "the sensor sent an unknown message");
  }
}

Result<void> ControlServer::handle_live(std::string_view payload) {
  std::uint64_t dropped = 0;
  const std::vector<LiveEvent> events = TRY(read_live_batch(payload, dropped));
  const std::uint64_t lost = dropped > live_dropped_ ? dropped - live_dropped_ : 0;
  live_dropped_ = dropped;
  for (const auto& [key, session] : sessions_) {
    if (!session->following()) continue;
    if (lost > 0) session->lost(lost);
    for (const LiveEvent& event : events) session->offer(event);
  }
  return {};
}

bool ControlServer::within_rate(std::uint32_t uid) {
  const std::int64_t now_ns = boot_now_ns();
  // Users who have been quiet are as good as new, so they need no memory.
  if (rates_.size() > kClientsMax) {
    std::erase_if(rates_, [&](const auto& entry) {
      return now_ns - entry.second.filled_boot_ns > std::int64_t{10'000'000'000};
    });
  }
  Rate& rate = rates_[uid];
  if (rate.filled_boot_ns != 0) {
    const double seconds = static_cast<double>(now_ns - rate.filled_boot_ns) / 1e9;
    rate.tokens = std::min(kCallsBurst, rate.tokens + seconds * kCallsPerSecond);
  }
  rate.filled_boot_ns = now_ns;
  if (rate.tokens < 1) return false;
  rate.tokens -= 1;
  return true;
}

void ControlServer::write_counters(std::string& out) const {
  std::uint64_t following = 0;
  std::uint64_t lost = counters_.follow_lost;
  for (const auto& [key, session] : sessions_) {
    if (session->following()) ++following;
    lost += session->lost_total();
  }
  JsonWriter(out)
      .begin_object()
      .member("part", "control")
      .member("clients", static_cast<std::uint64_t>(sessions_.size()))
      .member("followers", following)
      .member("accepted", counters_.accepted)
      .member("refused_clients", counters_.refused_clients)
      .member("calls", counters_.calls)
      .member("denied", counters_.denied)
      .member("refused_rate", counters_.refused_rate)
      .member("malformed", counters_.malformed)
      .member("stuck_dropped", counters_.stuck_dropped)
      .member("follow_lost", lost)
      .member("pending_calls",
              static_cast<std::uint64_t>(sensor_calls_.count() + keeper_calls_.count()))
      .end_object();
}

Result<void> ControlServer::drain(int timeout_ms) {
  const std::int64_t deadline_ns = boot_now_ns() + timeout_ms * std::int64_t{1'000'000};
  loop_.resume();
  if (listener_.valid()) loop_.forget(listener_.get());
  TRY(trail_.flush());
  while (!trail_.all_durable()) {
    if (boot_now_ns() >= deadline_ns) {
      return fail(Code::kTimeout, "calls couldn't be handed to the trail");
    }
    TRY(loop_.dispatch(50));
  }
  return {};
}

}  // namespace coff::agent
