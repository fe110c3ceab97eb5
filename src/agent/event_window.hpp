// The events of the last moments, by container: what a finding quotes from the time before it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "schema/event.hpp"

namespace coff::agent {

/// An event that may be quoted.
struct KeptEvent {
  Event event;
  std::optional<std::uint64_t> number;  ///< Of its entry, where it has one.
  std::uint64_t order = 0;              ///< Rises with each event that was kept.
};

/// What a window has to say about the time before an event.
struct Before {
  std::vector<const KeptEvent*> events;  ///< Oldest first; valid until the next change.
  std::uint64_t forgotten = 0;           ///< Older ones that were kept once and had to go.
  std::uint64_t lost = 0;           ///< Events of any place that the kernel could not hand over.
  std::uint64_t since_boot_ns = 0;  ///< The window of this place began then.
};

/// Belongs to one thread. Memory is bounded by the limits; a place is a container or the host.
class EventWindow {
 public:
  static constexpr size_t kEventsMax = 64;       ///< Of one container.
  static constexpr size_t kHostEventsMax = 512;  ///< Of the host, where many things happen at once.
  static constexpr size_t kPlacesMax = 1024;

  /// At most so many bytes in all, as estimate() counts them; 0 keeps nothing.
  void set_bytes_max(size_t bytes_max);
  /// Whether events of this kind are kept even when the profile records none of them: programs
  /// that start and end, credentials, namespaces, connections, and what engines tell.
  [[nodiscard]] static bool always_keeps(Kind kind);
  [[nodiscard]] bool keeps(Kind kind) const { return bytes_max_ > 0 && always_keeps(kind); }

  void add(const Event& event, std::optional<std::uint64_t> number);
  /// The newest `count_max` events before `event`: of its container, or on the host of its session
  /// or its ancestors.
  [[nodiscard]] Before before(const Event& event, size_t count_max) const;
  /// The kernel lost so many events.
  void note_lost(std::uint64_t count) { lost_ += count; }

  [[nodiscard]] size_t bytes() const { return bytes_; }
  /// Memory of one event, without what it shares with others.
  static size_t estimate(const Event& event);

 private:
  struct Place {
    std::deque<KeptEvent> events;
    size_t bytes = 0;
    std::uint64_t forgotten = 0;
    std::uint64_t since_boot_ns = 0;
    std::uint64_t lost_before = 0;
  };

  void forget_oldest(Place& place);
  void make_room();

  size_t bytes_max_ = 0;
  size_t bytes_ = 0;
  std::uint64_t order_ = 0;
  std::uint64_t lost_ = 0;
  std::unordered_map<std::string, Place> places_;  ///< By container id, "" for the host.
};

}  // namespace coff::agent
