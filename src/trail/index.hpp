// The search index over a trail: an SQLite file that a thread of its own keeps up to date.
//
// <dir>/index.db can be removed at any time: it is rebuilt from the segments. It never holds an
// entry itself, only where it lies and what is asked for.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.hpp"

namespace coff::trail {

inline constexpr std::string_view kIndexFile = "index.db";
/// PRAGMA user_version of the index; another one is rebuilt.
inline constexpr int kIndexVersion = 2;
/// Entries in one transaction, where so many wait.
inline constexpr size_t kIndexBatchMax = 4096;

/// Place of an entry among all epochs, in order: epoch in the upper 24 bits, sequence number below.
constexpr std::uint64_t position_of(unsigned epoch, std::uint64_t seq) {
  return std::uint64_t{epoch} << 40 | seq;
}
constexpr unsigned epoch_of(std::uint64_t position) {
  return static_cast<unsigned>(position >> 40);
}
constexpr std::uint64_t seq_of(std::uint64_t position) {
  return position & ((std::uint64_t{1} << 40) - 1);
}

struct IndexLag {
  std::uint64_t entries = 0;   ///< Durable entries that aren't searchable yet.
  std::int64_t oldest_ns = 0;  ///< How long the oldest of them has waited.
  std::string problem;         ///< Why the index stands still; empty while it works.
};

/// Runs a thread. announce() and lag() may be called from any thread.
class Index {
 public:
  /// Starts to index what is missing. A damaged or foreign index is begun anew.
  static Result<std::unique_ptr<Index>> open(const std::string& dir);
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;
  ~Index();  ///< Stops after the batch at hand.

  /// Tells how far an epoch is durable. Call after each Log::sync().
  void announce(unsigned epoch, std::uint64_t durable_size);
  [[nodiscard]] IndexLag lag() const;
  /// Waits until everything announced so far is searchable; false after the timeout.
  bool wait(std::int64_t timeout_ms);

 private:
  explicit Index(std::string dir) : dir_(std::move(dir)) {}
  void run(const std::stop_token& stop);

  std::string dir_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t wanted_ = 0;        ///< Position after the last durable entry.
  std::uint64_t done_ = 0;          ///< Position after the last searchable entry.
  std::uint64_t wanted_seen_ = 0;   ///< Value of wanted_ when the oldest waiting entry came.
  std::int64_t waiting_since_ = 0;  ///< Boot time; 0 when nothing waits.
  unsigned waiters_ = 0;            ///< Calls of wait() at the moment: they don't wait for company.
  std::string problem_;
  std::jthread thread_;
};

/// Builds the index of a trail that nobody writes from nothing. `progress` gets the entries done.
Result<std::uint64_t> rebuild_index(const std::string& dir,
                                    const std::function<void(std::uint64_t)>& progress);

}  // namespace coff::trail
