// The sensor's end of the engine worker: engines as runtime::Engine, and what they tell.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "agent/container_codec.hpp"
#include "agent/loop.hpp"
#include "agent/messages.hpp"
#include "runtime/directory.hpp"

namespace coff::agent {

/// Engines that a worker may name.
inline constexpr std::size_t kEnginesMax = 64;
/// Requests that wait to be sent to the worker; the Directory asks again what matters.
inline constexpr std::size_t kRequestsMax = 4096;

/// Feeds a Directory from the engine worker's messages, and takes its requests back there. Frames
/// are handled on the loop's thread; the Engine objects are thread-safe as runtime/engine.hpp
/// demands. The Directory must outlive this. Not movable.
class EngineBridge {
 public:
  EngineBridge(Loop& loop, Peer& worker);
  EngineBridge(const EngineBridge&) = delete;
  EngineBridge& operator=(const EngineBridge&) = delete;
  ~EngineBridge();

  Result<void> start();
  /// From now on this directory is told; only once, before the loop runs.
  void set_directory(runtime::Directory& directory) { directory_ = &directory; }
  /// False for what is malformed: the worker may have been taken over.
  bool handle(const Frame& frame);
  /// The worker is gone, so no engine is connected.
  void disconnected();
  [[nodiscard]] std::vector<runtime::EngineStatus> statuses() const;
  [[nodiscard]] std::uint64_t requests_dropped() const { return dropped_; }

 private:
  class RemoteEngine;
  RemoteEngine* engine_of(const std::string& name);
  void request(const std::string& engine, const std::string& id);
  Result<void> send_requests();
  template <typename T, typename Tell>
  bool tell(const Frame& frame, Tell&& how);

  Loop& loop_;
  Peer& worker_;
  runtime::Directory* directory_ = nullptr;
  std::map<std::string, std::unique_ptr<RemoteEngine>> engines_;
  Fd wake_;  ///< eventfd: requests wait.
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> requests_;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace coff::agent
