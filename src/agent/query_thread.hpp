// Searches of the trail on a thread of their own, so that a slow one delays no commit.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::agent {

/// Questions that may wait behind the one at hand; more are refused.
inline constexpr std::size_t kQueriesWaitingMax = 8;
/// Most entries of one answer; kAnswerBytesMax bounds their bytes too.
inline constexpr std::uint64_t kQueryEntriesMax = 10'000;

struct QueryQuestion {
  std::uint64_t call = 0;
  std::uint64_t asker = 0;  ///< Which control process; a later one has the same call numbers.
  std::string arguments;    ///< JSON object of `events.query`, not yet checked.
};
struct QueryAnswer {
  std::uint64_t call = 0;
  std::uint64_t asker = 0;
  std::vector<std::string> entries;  ///< Oldest first.
  Result<void> outcome;              ///< An error may follow entries that hold (kLimit).
};

/// Has a read-only connection to the index and readers of its own; nothing is shared with the
/// writer but files. ask(), take() and fd() belong to the keeper's thread. Not movable.
class QueryThread {
 public:
  static Result<std::unique_ptr<QueryThread>> start(std::string trail_dir);
  QueryThread(const QueryThread&) = delete;
  QueryThread& operator=(const QueryThread&) = delete;
  ~QueryThread();  ///< Waits for the question at hand.

  /// kBusy when kQueriesWaitingMax wait already.
  Result<void> ask(QueryQuestion question);
  /// Readable when take() has something.
  [[nodiscard]] int fd() const { return wake_.get(); }
  std::vector<QueryAnswer> take();
  [[nodiscard]] std::uint64_t answered() const { return answered_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  explicit QueryThread(Fd wake) : wake_(std::move(wake)) {}
  void run(const std::stop_token& stop, const std::string& trail_dir);

  Fd wake_;  ///< eventfd.
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<QueryQuestion> waiting_;
  std::vector<QueryAnswer> done_;
  std::uint64_t answered_ = 0;
  std::uint64_t refused_ = 0;
  std::jthread thread_;
};

}  // namespace coff::agent
