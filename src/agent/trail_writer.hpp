// The producer's side of the way to the trail keeper: batching, acknowledgement, exact loss counts.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "agent/loop.hpp"
#include "agent/messages.hpp"
#include "trail/commit.hpp"

namespace coff::agent {

/// A batch is sent when it has this many bytes, or kBatchDelayMs after its first entry.
inline constexpr std::size_t kBatchBytes = 256U << 10U;
/// Entries that wait for the keeper (it restarts, the disk is full) before more are refused.
inline constexpr std::size_t kUnackedBytesMax = 16U << 20U;
/// Longest time that an entry waits in an unfinished batch.
inline constexpr std::int64_t kBatchDelayMs = 5;
/// Longest entry; the trail's own limit.
inline constexpr std::size_t kEntryBytesMax = 60000 - 64;

/// Redacted values of one entry, together; what is over it can't be disclosed later.
inline constexpr std::size_t kDisclosureBytesMax = 256U << 10U;

/// A place in an entry where the keeper puts the trail sequence of an earlier entry of the same
/// producer, as a first member `"entry":N,` of an object: `offset` is right behind its `{`, and the
/// object has another member. Nothing is put in when the keeper doesn't know it any more.
struct EntryReference {
  std::uint32_t offset = 0;
  std::uint64_t number = 0;  ///< As append() gave it.
};
/// References of one entry.
inline constexpr std::size_t kReferencesMax = 128;

/// Everything that became of the entries: accepted = durable + waiting.
struct TrailWriterCounters {
  std::uint64_t accepted = 0;
  std::uint64_t durable = 0;
  std::uint64_t refused_full = 0;    ///< Lost: the keeper was too slow or away for too long.
  std::uint64_t refused_size = 0;    ///< Lost: longer than kEntryBytesMax.
  std::uint64_t resent = 0;          ///< Sent again after the keeper was started anew.
  std::uint64_t last_sequence = 0;   ///< Trail sequence of the newest durable entry.
  std::uint64_t values_dropped = 0;  ///< Redacted values over kDisclosureBytesMax.
  std::size_t waiting_bytes = 0;
};

/// Sends entries to the keeper in order, keeps them until they are durable, and sends them again to
/// a new keeper: at least once. An entry can stand in the trail twice only when the keeper died
/// between its fdatasync and its answer. Belongs to the thread of its loop. Not movable.
class TrailWriter {
 public:
  /// Acknowledgements: called with the newest durable entry's own number and trail sequence.
  using AckHandler = std::function<void(std::uint64_t number, std::uint64_t sequence)>;

  TrailWriter() = default;
  TrailWriter(const TrailWriter&) = delete;
  TrailWriter& operator=(const TrailWriter&) = delete;

  /// Sends through `peer` from now on, beginning with everything that isn't acknowledged.
  Result<void> connect(Peer& peer);
  /// The keeper is gone; entries wait for connect().
  void disconnect() { peer_ = nullptr; }
  void on_ack(AckHandler handler) { on_ack_ = std::move(handler); }

  /// Adds one JSON object `{"type":…,"time":…,"boot":…,"boot_id":…,…}` (trail::make_entry())
  /// and returns its number, from 0 for this process. kLimit: it is lost and counted. The keeper
  /// gets `redacted`, the values that the object holds commitments to, in the same message, so
  /// they are durable before the entry is.
  /// `references`, by rising offsets, at most kReferencesMax, are resolved by the keeper.
  Result<std::uint64_t> append(std::string_view object,
                               std::span<const trail::Disclosure> redacted = {},
                               std::span<const EntryReference> references = {});
  /// Sends the unfinished batch now.
  Result<void> flush();
  /// Sends the unfinished batch when its time has come; for Loop::before_wait().
  Result<int> flush_due();
  /// The keeper's kAck frame.
  Result<void> handle_ack(std::string_view payload);

  [[nodiscard]] const TrailWriterCounters& counters() const { return counters_; }
  [[nodiscard]] bool all_durable() const { return counters_.accepted == counters_.durable; }

 private:
  struct Batch {
    std::uint64_t first = 0;
    std::uint32_t count = 0;
    std::string entries;  ///< Each: u32 length, bytes.
    std::uint32_t redacted_count = 0;
    std::string redacted;  ///< Each: text salt, text value.
    std::uint32_t reference_count = 0;
    std::string references;  ///< Each: u32 entry of the batch, u32 offset, u64 number.
    bool sent = false;
    std::int64_t begun_boot_ns = 0;
  };

  void add_redacted(std::span<const trail::Disclosure> redacted);
  void close_batch();
  Result<void> send_waiting();

  Peer* peer_ = nullptr;
  AckHandler on_ack_;
  Batch open_;
  std::deque<Batch> batches_;
  TrailWriterCounters counters_;
};

}  // namespace coff::agent
