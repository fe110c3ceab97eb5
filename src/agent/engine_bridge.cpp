// The sensor's end of the engine worker: engines as runtime::Engine, and what they tell.
#include "agent/engine_bridge.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/payload.hpp"

namespace coff::agent {

class EngineBridge::RemoteEngine final : public runtime::Engine {
 public:
  RemoteEngine(EngineBridge& bridge, std::string name) : bridge_(bridge), name_(std::move(name)) {
    status_.name = name_;
  }

  [[nodiscard]] std::string kind() const override {
    const std::lock_guard lock(mutex_);
    return status_.engine;
  }
  [[nodiscard]] runtime::EngineStatus status() const override {
    const std::lock_guard lock(mutex_);
    return status_;
  }
  void request(const std::string& id) override { bridge_.request(name_, id); }

  /// Whether the connection came up or went down by it.
  bool set_status(runtime::EngineStatus status) {
    const std::lock_guard lock(mutex_);
    const bool changed = status.connected != status_.connected;
    status_ = std::move(status);
    return changed;
  }

 private:
  EngineBridge& bridge_;
  const std::string name_;
  mutable std::mutex mutex_;
  runtime::EngineStatus status_;
};

EngineBridge::EngineBridge(Loop& loop, Peer& worker) : loop_(loop), worker_(worker) {}

EngineBridge::~EngineBridge() {
  if (wake_.valid()) loop_.forget(wake_.get());
  if (directory_ == nullptr) return;
  for (const auto& [name, engine] : engines_) directory_->detach(*engine);
}

Result<void> EngineBridge::start() {
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.valid()) return fail_errno("cannot make an eventfd");
  return loop_.watch(wake_.get(), EPOLLIN, [this](std::uint32_t) { return send_requests(); });
}

void EngineBridge::request(const std::string& engine, const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    if (requests_.size() >= kRequestsMax) {
      ++dropped_;
      return;
    }
    requests_.emplace_back(engine, id);
  }
  const std::uint64_t one = 1;
  // It can only fail when it is readable already.
  [[maybe_unused]] const ssize_t ignored = ::write(wake_.get(), &one, sizeof one);
}

Result<void> EngineBridge::send_requests() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t ignored = ::read(wake_.get(), &count, sizeof count);
  std::vector<std::pair<std::string, std::string>> requests;
  {
    const std::lock_guard lock(mutex_);
    requests.swap(requests_);
  }
  for (const auto& [engine, id] : requests) {
    std::string payload;
    PayloadWriter(payload).text(engine).text(id);
    if (!worker_.send(static_cast<std::uint16_t>(Message::kEngineRequest), payload)) ++dropped_;
  }
  return {};
}

EngineBridge::RemoteEngine* EngineBridge::engine_of(const std::string& name) {
  const auto found = engines_.find(name);
  if (found != engines_.end()) return found->second.get();
  if (name.empty() || engines_.size() >= kEnginesMax) return nullptr;
  RemoteEngine* engine =
      engines_.emplace(name, std::make_unique<RemoteEngine>(*this, name)).first->second.get();
  if (directory_ != nullptr) directory_->attach(*engine);
  return engine;
}

template <typename T, typename Tell>
bool EngineBridge::tell(const Frame& frame, Tell&& how) {
  auto message = decode<T>(frame.payload);
  if (!message) return false;
  RemoteEngine* engine = engine_of(message->engine);
  if (engine == nullptr) return false;
  if (directory_ != nullptr) how(*engine, std::move(*message));
  return true;
}

bool EngineBridge::handle(const Frame& frame) {
  switch (static_cast<Message>(frame.type)) {
    case Message::kContainer:
      return tell<ContainerMessage>(frame, [&](const auto& engine, ContainerMessage&& message) {
        directory_->on_container(engine, std::move(message.container));
      });
    case Message::kEngineEvent:
      return tell<EngineEventMessage>(frame, [&](const auto& engine, EngineEventMessage&& message) {
        directory_->on_event(engine, message.event);
      });
    case Message::kEngineUnknown:
      return tell<UnknownMessage>(frame, [&](const auto& engine, UnknownMessage&& message) {
        directory_->on_unknown(engine, message.id, Error{message.code, message.why});
      });
    case Message::kEngineList:
      return tell<ListMessage>(frame, [&](const auto& engine, ListMessage&& message) {
        directory_->on_list(engine, message.ids, message.asked_boot_ns);
      });
    case Message::kEngineState: {
      auto message = decode<StateMessage>(frame.payload);
      if (!message) return false;
      RemoteEngine* engine = engine_of(message->status.name);
      if (engine == nullptr) return false;
      const bool connected = message->status.connected;
      if (engine->set_status(std::move(message->status)) && directory_ != nullptr) {
        directory_->on_state(*engine, connected);
      }
      return true;
    }
    default: return false;
  }
}

void EngineBridge::disconnected() {
  for (const auto& [name, engine] : engines_) {
    runtime::EngineStatus status = engine->status();
    status.connected = false;
    status.problem = "The agent's engine process is being started anew.";
    if (engine->set_status(std::move(status)) && directory_ != nullptr) {
      directory_->on_state(*engine, false);
    }
  }
}

std::vector<runtime::EngineStatus> EngineBridge::statuses() const {
  std::vector<runtime::EngineStatus> all;
  all.reserve(engines_.size());
  for (const auto& [name, engine] : engines_) all.push_back(engine->status());
  return all;
}

}  // namespace coff::agent
