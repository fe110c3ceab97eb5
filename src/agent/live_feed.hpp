// Events for those who follow them: from the sensor to the control process, only while wanted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/loop.hpp"

namespace coff::agent {

/// Events of one kLive frame at most, in bytes.
inline constexpr std::size_t kLiveBatchBytes = 64U << 10U;

/// What a subscriber can filter by, and the event as one JSON object without newline. In an
/// `events.follow` stream the same names are matched: kind, container id or name, text.
struct LiveEvent {
  std::string_view kind;            ///< E.g. "exec"; "heartbeat", "gap", … for other entries.
  std::string_view container_id;    ///< Empty on the host.
  std::string_view container_name;  ///< Empty when not known (yet).
  std::string_view json;
};

/// The sensor's end. Nothing is encoded while wanted() is false, so ask it first. What the control
/// process is too slow for is dropped and counted: followers see the count, the trail has all.
class LiveFeed {
 public:
  explicit LiveFeed(Peer& control) : control_(control) {}

  [[nodiscard]] bool wanted() const { return wanted_ && control_.attached(); }
  void set_wanted(bool wanted) { wanted_ = wanted; }
  Result<void> publish(const LiveEvent& event);
  /// Sends what is batched. The loop calls it before each wait, so followers see events at once.
  Result<void> flush();

  [[nodiscard]] std::uint64_t published() const { return published_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  Peer& control_;
  bool wanted_ = false;
  std::string batch_;
  std::uint32_t count_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t dropped_ = 0;
};

/// Reads a kLive frame; the views point into `payload`. `dropped` is the sensor's count so far.
Result<std::vector<LiveEvent>> read_live_batch(std::string_view payload, std::uint64_t& dropped);

}  // namespace coff::agent
