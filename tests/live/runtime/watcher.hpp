// A directory that follows one engine and keeps every lifecycle event, for live tests.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/directory.hpp"
#include "runtime/docker_engine.hpp"

namespace coff::live {

class Watcher {
 public:
  explicit Watcher(const std::string& socket_path)
      : directory_({}, [this](Event event) { keep(std::move(event)); }),
        engine_(
            {.name = socket_path, .connector = runtime::connect_to(socket_path), .probe_ms = 500},
            directory_) {
    directory_.attach(engine_);
  }
  ~Watcher() { directory_.detach(engine_); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  runtime::Directory& directory() { return directory_; }
  runtime::DockerEngine& engine() { return engine_; }

  std::vector<Event> events() const {
    const std::scoped_lock lock(mutex_);
    return events_;
  }
  size_t count(Kind kind) const {
    size_t found = 0;
    for (const Event& event : events()) found += event.kind == kind ? 1U : 0U;
    return found;
  }
  /// How often `action` (its first words) was told about the container.
  size_t count(const std::string& id, std::string_view action) const {
    size_t found = 0;
    for (const Event& event : events())
      if (event.container->id == id &&
          std::get<ContainerInfo>(event.detail).action.starts_with(action))
        ++found;
    return found;
  }

 private:
  void keep(Event event) {
    const std::scoped_lock lock(mutex_);
    events_.push_back(std::move(event));
  }

  mutable std::mutex mutex_;
  std::vector<Event> events_;
  runtime::Directory directory_;
  runtime::DockerEngine engine_;
};

/// Waits until `condition` holds, at most `wait_ms`; whether it does.
inline bool eventually(const std::function<bool()>& condition, int wait_ms = 10'000) {
  for (int waited_ms = 0; waited_ms < wait_ms; waited_ms += 10) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

}  // namespace coff::live
