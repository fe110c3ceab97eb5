// The engine worker: reads the answers of container engines; no files, no rights, given sockets.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "agent/child.hpp"
#include "agent/container_codec.hpp"
#include "agent/engine_bridge.hpp"
#include "agent/payload.hpp"
#include "agent/process.hpp"
#include "base/log.hpp"
#include "runtime/docker_engine.hpp"

namespace coff::agent {
namespace {

constexpr std::uint64_t kDescriptors = 512;
/// Address space, most of it stacks and arenas of one thread for each engine.
constexpr std::uint64_t kMemoryBytes = 4ULL << 30U;
/// What engines have told and the sensor has not yet taken.
constexpr std::size_t kOutgoingBytesMax = 32U << 20U;
/// The supervisor connects at once or not at all.
constexpr std::chrono::milliseconds kConnectTimeout{1000};
constexpr std::int64_t kStatusMs = 60'000;

/// Messages from the engines' threads to the loop's. The only thing that they share.
class Outbox {
 public:
  Result<void> open() {
    wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_.valid()) return fail_errno("cannot make an eventfd");
    return {};
  }
  [[nodiscard]] int fd() const { return wake_.get(); }

  void put(Message type, const Result<std::string>& payload) {
    if (!payload) {
      log_warning("engine", payload.error().message());
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      if (bytes_ + payload->size() > kOutgoingBytesMax) {
        // The sensor asks again about what it still needs.
        ++dropped_;
        return;
      }
      bytes_ += payload->size();
      messages_.emplace_back(type, *payload);
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t ignored = ::write(wake_.get(), &one, sizeof one);
  }

  /// Sends what `peer` takes; the rest stays. True when nothing is left.
  bool send_to(Peer& peer) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t ignored = ::read(wake_.get(), &count, sizeof count);
    const std::lock_guard lock(mutex_);
    while (!messages_.empty()) {
      const auto& [type, payload] = messages_.front();
      if (!peer.send(static_cast<std::uint16_t>(type), payload)) return false;
      bytes_ -= payload.size();
      messages_.pop_front();
    }
    return true;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    messages_.clear();
    bytes_ = 0;
  }

 private:
  Fd wake_;
  std::mutex mutex_;
  std::deque<std::pair<Message, std::string>> messages_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

/// Asks the supervisor for connected sockets on behalf of the engines' threads.
class RemoteConnector {
 public:
  explicit RemoteConnector(Outbox& to_supervisor) : to_supervisor_(to_supervisor) {}

  /// Called on an engine's thread; waits for the answer.
  Result<Fd> connect(const std::string& path) {
    std::unique_lock lock(mutex_);
    const std::uint64_t request = next_++;
    answers_.emplace(request, std::nullopt);
    std::string payload;
    PayloadWriter(payload).number(request).text(path);
    to_supervisor_.put(Message::kConnect, payload);
    const bool answered =
        answered_.wait_for(lock, kConnectTimeout, [&] { return answers_[request].has_value(); });
    auto answer = std::move(answers_.extract(request).mapped());
    if (!answered) return fail(Code::kTimeout, "the supervisor didn't connect to " + path);
    return std::move(*answer);
  }

  /// The supervisor's kConnected.
  Result<void> handle(Frame&& frame) {
    PayloadReader reader(frame.payload);
    const auto request = reader.number<std::uint64_t>();
    std::string problem(reader.text());
    TRY(reader.done());
    const std::lock_guard lock(mutex_);
    const auto waiting = answers_.find(request);
    if (waiting == answers_.end()) return {};  // Came too late; the socket is closed here.
    if (!problem.empty() || frame.descriptors.size() != 1) {
      waiting->second = Result<Fd>(fail(Code::kIo, std::move(problem)));
    } else {
      waiting->second = Result<Fd>(std::move(frame.descriptors[0]));
    }
    answered_.notify_all();
    return {};
  }

 private:
  Outbox& to_supervisor_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, std::optional<Result<Fd>>> answers_;
};

/// Turns what engines tell into messages. Called on their threads.
class Teller final : public runtime::EngineListener {
 public:
  explicit Teller(Outbox& to_sensor) : to_sensor_(to_sensor) {}

  void on_container(const runtime::Engine& engine, Container container) override {
    to_sensor_.put(Message::kContainer,
                   encode(ContainerMessage{engine.status().name, std::move(container)}));
  }
  void on_event(const runtime::Engine& engine, const runtime::EngineEvent& event) override {
    to_sensor_.put(Message::kEngineEvent, encode(EngineEventMessage{engine.status().name, event}));
  }
  void on_unknown(const runtime::Engine& engine, const std::string& id, const Error& why) override {
    to_sensor_.put(Message::kEngineUnknown,
                   encode(UnknownMessage{engine.status().name, id, why.code, why.message()}));
  }
  void on_list(const runtime::Engine& engine, const std::vector<std::string>& ids,
               std::uint64_t asked_boot_ns) override {
    to_sensor_.put(Message::kEngineList,
                   encode(ListMessage{engine.status().name, ids, asked_boot_ns}));
  }
  void on_state(const runtime::Engine& engine, bool connected) override {
    runtime::EngineStatus status = engine.status();
    status.connected = connected;
    to_sensor_.put(Message::kEngineState, encode(StateMessage{std::move(status)}));
  }

 private:
  Outbox& to_sensor_;
};

class EngineProcess {
 public:
  explicit EngineProcess(Loop& loop)
      : loop_(loop),
        sensor_(
            loop, [this](Frame&& frame) { return handle_sensor(frame); },
            [](const Error&) -> Result<void> { return {}; }),
        connector_(to_supervisor_),
        teller_(to_sensor_) {}

  Result<void> start(Peer& supervisor) {
    TRY(to_sensor_.open());
    TRY(to_supervisor_.open());
    TRY(loop_.watch(to_sensor_.fd(), EPOLLIN, [](std::uint32_t) { return Result<void>(); }));
    TRY(loop_.watch(to_supervisor_.fd(), EPOLLIN, [](std::uint32_t) { return Result<void>(); }));
    loop_.before_wait([this, &supervisor]() -> Result<int> {
      to_supervisor_.send_to(supervisor);
      if (!sensor_.attached()) return -1;
      return to_sensor_.send_to(sensor_) ? -1 : kRetryMs;
    });
    return loop_.every(kStatusMs, [this]() -> Result<void> {
      for (const auto& [path, engine] : engines_) tell_state(*engine);
      return {};
    });
  }

  Result<void> handle_supervisor(Frame&& frame) {
    switch (static_cast<Message>(frame.type)) {
      case Message::kLink: {
        if (frame.payload.size() != 1 || frame.descriptors.size() != 1) break;
        if (static_cast<Link>(frame.payload[0]) != Link::kToSensor) break;
        Channel channel = TRY(Channel::from(std::move(frame.descriptors[0])));
        TRY(sensor_.attach(std::move(channel)));
        // A new sensor knows nothing: each engine is followed from the beginning again.
        engines_.clear();
        to_sensor_.clear();
        follow();
        return {};
      }
      case Message::kEngines: {
        PayloadReader reader(frame.payload);
        const std::uint32_t count = reader.count(sizeof(std::uint32_t));
        paths_.clear();
        for (std::uint32_t i = 0; i < count; ++i) paths_.emplace_back(reader.text());
        TRY(reader.done());
        follow();
        return {};
      }
      case Message::kConnected: return connector_.handle(std::move(frame));
      case Message::kConfig: return {};  // Nothing of it concerns this process but kEngines.
      case Message::kStop: loop_.stop(); return {};
      default: break;
    }
    return fail(Code::kInvalid, "the supervisor sent a message that engine doesn't know");
  }

  /// Ends the engines' threads; they may wait for the supervisor, which answers no more.
  void stop() { engines_.clear(); }

 private:
  static constexpr int kRetryMs = 20;

  /// Follows exactly the engines at paths_.
  void follow() {
    std::erase_if(engines_, [&](const auto& entry) {
      return std::ranges::find(paths_, entry.first) == paths_.end();
    });
    if (!sensor_.attached()) return;
    for (const std::string& path : paths_) {
      if (engines_.contains(path) || engines_.size() >= kEnginesMax) continue;
      runtime::DockerEngineOptions options;
      options.name = path;
      options.connector = [this, path] { return connector_.connect(path); };
      engines_.emplace(path, std::make_unique<runtime::DockerEngine>(std::move(options), teller_));
      tell_state(*engines_.at(path));
    }
  }

  void tell_state(const runtime::Engine& engine) {
    to_sensor_.put(Message::kEngineState, encode(StateMessage{engine.status()}));
  }

  Result<void> handle_sensor(const Frame& frame) {
    PayloadReader reader(frame.payload);
    const std::string name(reader.text());
    const std::string id(reader.text());
    const auto engine = engines_.find(name);
    const bool is_request = frame.type == static_cast<std::uint16_t>(Message::kEngineRequest);
    if (is_request && reader.done() && engine != engines_.end()) engine->second->request(id);
    return {};
  }

  Loop& loop_;
  Peer sensor_;
  Outbox to_sensor_;
  Outbox to_supervisor_;
  RemoteConnector connector_;
  Teller teller_;
  std::vector<std::string> paths_;
  std::map<std::string, std::unique_ptr<runtime::DockerEngine>> engines_;
};

Result<void> run(Channel& channel) {
  const Setup setup = TRY(receive_setup(channel));
  TRY(lock_in(Sandbox()
                  .user(setup.uid, setup.gid)
                  .capabilities({})
                  .descriptors({channel.fd()})
                  .limits({.memory_bytes = kMemoryBytes, .descriptors = kDescriptors})
                  .files({})
                  .syscalls(Syscalls::kEngine),
              channel));
  Loop loop = TRY(Loop::open());
  EngineProcess process(loop);
  Peer supervisor(
      loop, [&](Frame&& frame) { return process.handle_supervisor(std::move(frame)); },
      [&](const Error&) -> Result<void> {
        loop.stop();
        return {};
      });
  TRY(supervisor.attach(std::move(channel)));
  TRY(process.start(supervisor));
  const Result<void> ran = loop.run();
  process.stop();
  return ran;
}

}  // namespace

int engine_main(Channel supervisor) {
  const Result<void> outcome = run(supervisor);
  return end_child(Role::kEngine, outcome, supervisor);
}

}  // namespace coff::agent
