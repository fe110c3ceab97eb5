// HTTP in front of a witness: POST <prefix>/add-checkpoint, nothing else.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "trail/witness.hpp"

namespace coff::trail {

/// Connections at a time; more are closed at once. A request must come within ten seconds.
inline constexpr size_t kWitnessConnectionsMax = 64;

/// One thread serves; the witness must outlive the server.
class WitnessServer {
 public:
  /// Listens on `address` (an IP address) and `port` (0: any free one).
  static Result<std::unique_ptr<WitnessServer>> listen(Witness& witness, const std::string& address,
                                                       std::uint16_t port);
  ~WitnessServer();
  WitnessServer(const WitnessServer&) = delete;
  WitnessServer& operator=(const WitnessServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  /// Serves until stop(); with `stop_on_signals`, also until SIGINT or SIGTERM.
  Result<void> run(bool stop_on_signals);
  void stop();  ///< From any thread.

 private:
  struct State;
  explicit WitnessServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace coff::trail
