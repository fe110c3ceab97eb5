// Which events were told already, for streams that go on after a reconnection.
#pragma once

#include <array>
#include <functional>
#include <unordered_set>

#include "runtime/docker_json.hpp"

namespace coff::runtime {

/// Remembers the last kKept events. An engine keeps fewer (Docker: 256), so what it repeats after
/// a reconnection is always recognised. Not thread-safe.
class RecentEvents {
 public:
  static constexpr size_t kKept = 1024;

  /// True for an event that was not yet seen; from then on it was.
  bool insert(const EngineEvent& event) {
    const size_t mark = std::hash<std::string>()(event.id + "\n" + event.action + "\n" +
                                                 std::to_string(event.wall_ns));
    if (!marks_.insert(mark).second) return false;
    if (count_ >= kKept) marks_.erase(ring_[count_ % kKept]);
    ring_[count_++ % kKept] = mark;
    return true;
  }

 private:
  std::unordered_set<size_t> marks_;
  std::array<size_t, kKept> ring_{};
  size_t count_ = 0;
};

}  // namespace coff::runtime
