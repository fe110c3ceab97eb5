// An engine behind the Docker Engine API: Docker, and podman's Docker-compatible socket.
#pragma once

#include <memory>

#include "runtime/connector.hpp"
#include "runtime/engine.hpp"

namespace coff::runtime {

/// API version that requests ask for: the oldest that has all members we read.
inline constexpr const char* kDockerApiVersion = "v1.40";
/// Most containers that wait to be asked about.
inline constexpr size_t kWaitingMax = 16'384;
/// Image digests that are remembered.
inline constexpr size_t kDigestsMax = 1024;

struct DockerEngineOptions {
  std::string name;  ///< For status and log, usually the socket's path.
  Connector connector;
  int retry_ms_min = 100;   ///< Wait before the first attempt to reconnect, doubled each time…
  int retry_ms_max = 5000;  ///< …up to this.
  int probe_ms = 5000;  ///< How often is checked that the socket still leads to the same engine.
};

/// Follows one engine on a thread of its own: event stream first, then the list, then every
/// container; on each reconnection the stream goes on where it stopped, with what was already
/// told left out. Ends its thread in the destructor within a second, unless the connector blocks.
class DockerEngine final : public Engine {
 public:
  /// `listener` outlives this.
  DockerEngine(DockerEngineOptions options, EngineListener& listener);
  ~DockerEngine() override;
  DockerEngine(const DockerEngine&) = delete;
  DockerEngine& operator=(const DockerEngine&) = delete;

  [[nodiscard]] std::string kind() const override;
  [[nodiscard]] EngineStatus status() const override;
  void request(const std::string& id) override;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace coff::runtime
