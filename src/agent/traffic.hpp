// Edges on their way to the trail: each new one at once, the traffic of all of them every minute.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "flow/flow_table.hpp"

namespace coff::agent {

/// Belongs to the thread of the sensor's loop. Not movable.
class Traffic {
 public:
  /// Takes a complete entry: `edge` or `traffic` (docs/formats/flow.md).
  using Tell = std::function<void(std::string_view kind, std::string_view entry)>;
  /// Between two rounds of `traffic` entries, in ticks.
  static constexpr int kRoundTicks = 60;
  /// Edges in one `traffic` entry; a round makes as many entries as it needs.
  static constexpr size_t kEdgesInEntry = 50;

  /// Gives what is known of a container; null when nothing is.
  using FindContainer = std::function<ContainerPtr(std::string_view id)>;

  Traffic(Tell tell, FindContainer find);
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  /// An event of Kind::flow.
  void take(const Event& event) { flows_.take(event); }
  /// Call it every second.
  void tick();
  [[nodiscard]] const flow::FlowTable& flows() const { return flows_; }

 private:
  void tell_round();

  Tell tell_;
  FindContainer find_;
  flow::FlowTable flows_;
  int ticks_left_ = kRoundTicks;
  std::int64_t told_wall_ns_ = 0;
};

}  // namespace coff::agent
