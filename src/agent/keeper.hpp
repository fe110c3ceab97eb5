// The trail keeper: takes entries from producers, makes them durable in groups, signs, answers.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/calls.hpp"
#include "agent/loop.hpp"
#include "agent/messages.hpp"
#include "base/json_writer.hpp"
#include "config/config.hpp"
#include "trail/log.hpp"

namespace coff::agent {

/// Counters of the keeper, ready for status and heartbeats.
struct KeeperCounters {
  std::uint64_t entries = 0;  ///< Taken from producers.
  std::uint64_t batches = 0;  ///< kAppend frames.
  std::uint64_t commits = 0;  ///< Successful fdatasync.
  std::uint64_t commit_errors = 0;
  std::uint64_t malformed = 0;  ///< Entries that were no JSON object; a `gap` stands for each.
  std::int64_t last_commit_us = 0;
  std::int64_t slowest_commit_us = 0;
};

/// One writer of the trail and its producers. The interface to producers is append only: nothing
/// that they send reads, changes or removes what is written. Belongs to one thread. Not movable.
class Keeper {
 public:
  static Result<std::unique_ptr<Keeper>> open(Loop& loop, const config::Config& settings);
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  Result<void> attach(Link link, Channel channel);
  /// The supervisor produces entries too; acknowledgements go to `peer`.
  void set_supervisor(Peer& peer) { supervisor_.peer = &peer; }
  /// A kAppend frame of the supervisor.
  Result<void> append_from_supervisor(std::string&& payload);
  void replace_settings(const config::Config& settings) { settings_ = settings; }
  /// Everything durable, acknowledged and signed.
  Result<void> finish();

 private:
  /// Where entries come from. What the log can't take yet waits here, in order; producers keep at
  /// most kUnackedBytesMax unacknowledged, so that bounds it.
  struct Producer {
    Peer* peer = nullptr;
    std::deque<std::string> waiting;
    std::uint64_t next_number = 0;    ///< After the newest entry given to the log.
    std::uint64_t last_sequence = 0;  ///< Of that entry.
    bool unacknowledged = false;
  };

  Keeper(Loop& loop, const config::Config& settings, trail::Log log);
  Result<void> handle(Producer& producer, Frame&& frame, bool may_call);
  Result<void> append(Producer& producer, std::string&& payload);
  Result<bool> append_batch(Producer& producer, std::string_view payload);
  Result<int> commit_due();
  Result<void> commit();
  Result<void> acknowledge(Producer& producer);
  void add_calls();
  void write_status(JsonWriter& json);

  Loop& loop_;
  config::Config settings_;
  trail::Log log_;
  Peer sensor_peer_;
  Peer control_peer_;
  Producer supervisor_;
  Producer sensor_;
  Producer control_;
  CallHandlers calls_;
  KeeperCounters counters_;
  std::size_t pending_bytes_ = 0;
  std::int64_t pending_since_ns_ = 0;
  std::int64_t retry_at_ns_ = 0;  ///< After a failed commit; 0 otherwise.
  std::int64_t signed_at_ns_ = 0;
};

}  // namespace coff::agent
