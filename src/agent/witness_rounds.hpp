// The keeper's rounds to its witnesses: asks one after the other for cosignatures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/loop.hpp"
#include "base/json_writer.hpp"
#include "config/config.hpp"
#include "trail/log.hpp"
#include "trail/witness_client.hpp"

namespace coff::agent {

/// A question without an answer for this long is given up.
inline constexpr std::int64_t kWitnessWaitNs = 10'000'000'000;

/// Belongs to the keeper's thread. Words travel through the witness process at `peer`, which is
/// trusted no more than the network: cosignatures are checked here. Not movable.
class WitnessRounds {
 public:
  explicit WitnessRounds(Peer& peer) : peer_(peer) {}
  WitnessRounds(const WitnessRounds&) = delete;
  WitnessRounds& operator=(const WitnessRounds&) = delete;

  /// Witnesses that stay keep what is known of them.
  void use_settings(const config::TrailSettings& settings);
  /// Begins a round when it is time; gives up what waits too long. Call it every second.
  void tick(trail::Log& log);
  /// A kWitnessAnswer frame. A text: this witness knows a past of ours that the disk doesn't have.
  Result<std::optional<std::string>> handle(trail::Log& log, std::string_view payload);
  /// The epoch is another: the round at hand is over, sizes are not known.
  void forget_sizes();
  void write_status(JsonWriter& json) const;

 private:
  struct One {
    trail::WitnessPeer peer;
    std::uint64_t size = 0;             ///< Cosigned last; 0: none in this epoch.
    std::int64_t cosigned_boot_ns = 0;  ///< 0: never.
    std::string problem;                ///< Why the last question brought nothing.
  };

  void ask_next(trail::Log& log);
  void send(trail::Log& log);
  void give_up(std::string problem);

  Peer& peer_;
  std::vector<One> witnesses_;
  std::int64_t interval_ns_ = 0;
  std::int64_t round_boot_ns_ = 0;              ///< Begin of the last round; 0: none yet.
  std::size_t next_ = SIZE_MAX;                 ///< To be asked in this round.
  std::optional<trail::WitnessDialog> dialog_;  ///< With the one before next_.
  std::uint64_t request_ = 0;
  std::int64_t asked_boot_ns_ = 0;
};

}  // namespace coff::agent
