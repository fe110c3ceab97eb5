// The trail keeper: takes entries from producers, makes them durable in groups, signs, answers.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/calls.hpp"
#include "agent/clock_watch.hpp"
#include "agent/loop.hpp"
#include "agent/messages.hpp"
#include "agent/payload.hpp"
#include "agent/placed_entries.hpp"
#include "agent/query_thread.hpp"
#include "agent/watch_record.hpp"
#include "agent/witness_rounds.hpp"
#include "base/json_writer.hpp"
#include "config/config.hpp"
#include "trail/commit.hpp"
#include "trail/index.hpp"
#include "trail/log.hpp"

namespace coff::agent {

/// Counters of the keeper, ready for status and heartbeats.
struct KeeperCounters {
  std::uint64_t entries = 0;  ///< Taken from producers.
  std::uint64_t batches = 0;  ///< kAppend frames.
  std::uint64_t commits = 0;  ///< Successful fdatasync.
  std::uint64_t commit_errors = 0;
  std::uint64_t malformed = 0;      ///< Entries that were no JSON object; a `gap` stands for each.
  std::uint64_t values = 0;         ///< Redacted values taken.
  std::uint64_t values_lost = 0;    ///< They couldn't be stored; their entries stand all the same.
  std::uint64_t values_erased = 0;  ///< One by one, since the keeper's start.
  std::uint64_t own_refused = 0;    ///< Entries of the keeper itself that the full log didn't take.
  std::uint64_t removed_entries = 0;  ///< By retention.
  std::uint64_t removed_bytes = 0;
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
  void replace_settings(const config::Config& settings) {
    settings_ = settings;
    witnesses_.use_settings(settings.trail);
  }
  /// Lets go what is beyond the configured limits, on the record. Runs every minute by itself.
  void keep_limits();
  [[nodiscard]] const KeeperCounters& counters() const { return counters_; }
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
    PlacedEntries placed;
    bool unacknowledged = false;
  };

  static trail::LogOptions options_of(const config::Config& settings);
  Keeper(Loop& loop, const config::Config& settings, trail::Log log);
  Result<void> handle(Producer& producer, Frame&& frame, bool may_call);
  Result<void> append(Producer& producer, std::string&& payload);
  Result<bool> append_batch(Producer& producer, std::string_view payload);
  static std::optional<std::vector<trail::Disclosure>> read_values(PayloadReader& reader);
  void resolve_references(const Producer& producer, PayloadReader& reader, std::uint64_t first,
                          std::vector<std::string_view>& entries,
                          std::deque<std::string>& replaced) const;
  void note_watching(std::span<const std::string_view> entries);
  void read_watch_record();
  Result<int> commit_due();
  Result<void> commit();
  Result<void> acknowledge(Producer& producer);
  void store_values(std::span<const trail::Disclosure> values);
  Result<void> open_sidecar();
  Result<void> erase_values_before(std::int64_t wall_ns);
  void lose_values(const Error& error);
  Result<std::string> entry_of(std::uint64_t epoch, std::uint64_t seq);
  Result<void> erase_values(std::string_view text, Answer& answer);
  Result<void> record_evidence(std::string_view text, Answer& answer);
  void add_calls();
  Result<void> start_timers();
  void append_own(std::string_view type, std::string_view members);
  void heartbeat();
  void watch_clock();
  void write_counters(JsonWriter& json);
  void write_status(JsonWriter& json);
  Result<void> handle_witness(Frame&& frame);
  Result<void> begin_epoch(const std::string& detail);
  Result<void> start_queries();
  Result<void> send_query_answers();
  void open_index();

  Loop& loop_;
  config::Config settings_;
  trail::Log log_;
  std::unique_ptr<trail::Index> index_;  ///< Null when it can't be opened; recording goes on.
  std::string index_problem_;
  std::unique_ptr<QueryThread> queries_;
  std::uint64_t control_number_ = 0;  ///< How many control processes there were.
  ClockWatch clock_;
  WatchRecord watched_;  ///< By the sensors so far.
  std::string retention_problem_;
  std::optional<trail::Sidecar> sidecar_;  ///< Opened when the first value comes.
  std::uint64_t values_unflushed_ = 0;
  Peer sensor_peer_;
  Peer control_peer_;
  Peer witness_peer_;
  WitnessRounds witnesses_;
  std::int64_t rolled_back_boot_ns_ = 0;  ///< When the last epoch for a rollback began; 0: none.
  bool log_closed_ = false;               ///< The log couldn't be opened again.
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
