// Which containers are still to be asked about, in which order. Private to this room.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

namespace coff::runtime {

enum class Urgency : unsigned char {
  kRefresh,  ///< Known already, or known from a list.
  kNow,      ///< Somebody waits for it: it may live for milliseconds only.
};

/// Ids to ask about: each at most once at a time, urgent ones first, failed ones again after a
/// pause. Not thread-safe. Times are nanoseconds of one clock.
class InspectQueue {
 public:
  explicit InspectQueue(size_t size_max) : size_max_(size_max) {}

  /// How often an id is tried before it is given up, and the pause before the second attempt;
  /// each later pause is twice as long.
  static constexpr int kAttemptsMax = 4;
  static constexpr std::int64_t kPauseNs = 250'000'000;

  /// False when the queue is full. An id that is being asked about is asked about again.
  bool add(const std::string& id, Urgency urgency);
  /// The next id to ask about; it counts as asked about until done() or failed().
  std::optional<std::string> next(std::int64_t now_ns);
  void done(const std::string& id);
  /// Puts the id back for later. False when it has been given up and forgotten.
  bool failed(const std::string& id, std::int64_t now_ns);
  /// Everything that was asked about when the connection was lost waits again.
  void restart();

  [[nodiscard]] size_t size() const { return entries_.size(); }

 private:
  enum class State : unsigned char { kWaiting, kAsked, kPaused };
  struct Entry {
    State state = State::kWaiting;
    Urgency urgency = Urgency::kRefresh;
    bool again = false;
    int attempts = 0;
    std::int64_t due_ns = 0;
  };
  void wait(const std::string& id, Entry& entry, Urgency urgency);
  std::optional<std::string> pop(std::deque<std::string>& ids, Urgency urgency);

  size_t size_max_;
  std::unordered_map<std::string, Entry> entries_;
  std::deque<std::string> now_;
  std::deque<std::string> refresh_;
  std::deque<std::string> paused_;
};

}  // namespace coff::runtime
