// The append-only log of one host: crash-safe appending, signed checkpoints, reading, proofs.
//
// Directory: <dir>/epoch-000001/, epoch-000002/, …; each epoch is one C2SP log with an origin, a
// key and sequence numbers of its own from 0. Only the newest grows. docs/formats/trail.md has
// every byte. One Log writes at a time (flock); readers (EpochReader, Index, Query, the command
// line) need no lock and may run in other threads and processes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "trail/checkpoint.hpp"
#include "trail/fs.hpp"
#include "trail/note.hpp"
#include "trail/reader.hpp"

namespace coff::trail {

/// Longest entry, prefix included; tlog-tiles bundles could hold 65,535.
inline constexpr size_t kEntryBytesMax = 60000;
/// Entries not yet durable: append() refuses more, which is the back-pressure on a full disk.
inline constexpr size_t kPendingBytesMax = size_t{64} * 1024 * 1024;

struct LogOptions {
  std::string dir;
  /// First part of the origin, e.g. "cofferdam/<tenant>/<host-uuid>"; "/<epoch>" is appended. Must
  /// be a valid key name. Used when an epoch is made; an existing one keeps its own.
  std::string origin_prefix;
  /// Extra members of a genesis entry: complete JSON members without the outer braces, e.g.
  /// "\"host\":\"web1\"". May be empty.
  std::string genesis_members;
  std::uint64_t segment_bytes_max = std::uint64_t{64} * 1024 * 1024;
  /// Space set aside and given back when the disk is full, so that the end can still be recorded.
  std::uint64_t reserve_bytes = std::uint64_t{16} * 1024 * 1024;
  Fs* fs = nullptr;  ///< Null: the real file system. Must outlive the Log.
};

/// Why an epoch other than the first was begun.
enum class EpochReason : unsigned char {
  kFirst,        ///< There was no trail in the directory.
  kKeyRotation,  ///< On purpose; the old epoch's last entry names the new key.
  kRollback,     ///< A witness knows more than the disk: signed data was lost.
  kDamage,       ///< The old epoch can't be continued; it stays as it is.
};

/// What open() found and mended.
struct Recovery {
  bool created = false;          ///< A new trail was begun.
  std::uint64_t torn_bytes = 0;  ///< Cut off behind the last whole entry; a `gap` entry says so.
  std::uint64_t unsigned_entries = 0;  ///< Whole entries found beyond the last checkpoint.
  bool hashes_rebuilt = false;         ///< The stored tree hashes were wrong or short.
};

/// The writer. Belongs to one thread. After an error of sync() or checkpoint() it may be called
/// again; entries stay pending until a sync() succeeds.
class Log {
 public:
  /// Opens the newest epoch of options.dir, or begins the first. kBusy: another process writes;
  /// kCorrupt: signed data is damaged or missing: nothing was changed, call open_new_epoch().
  static Result<Log> open(const LogOptions& options);
  /// Leaves the newest epoch as it is and begins another, whose genesis embeds the old one's last
  /// checkpoint and whose second entry is a `gap` with `detail` (except for kKeyRotation).
  static Result<Log> open_new_epoch(const LogOptions& options, EpochReason reason,
                                    std::string_view detail);

  Log(Log&&) noexcept;
  Log& operator=(Log&&) noexcept;
  ~Log();

  /// Adds entries in order and returns the sequence number of the first. Each object is one JSON
  /// object as bytes, `{"type":…,"time":…,…}`, without newline; the log puts
  /// `"v":1,"seq":N,` in front of its members. Nothing is durable before sync(). kLimit: an
  /// object is too long (none is added) or too much is pending.
  Result<std::uint64_t> append(std::span<const std::string_view> objects);
  Result<std::uint64_t> append(std::string_view object);

  /// Makes everything appended durable: one write and one fdatasync. Only after it may producers
  /// be told. After a failed fdatasync the entries are written again to a new segment.
  Result<void> sync();

  /// sync(), then signs the tree when it grew since the last checkpoint. Never signs a second
  /// root for a size. Returns the newest checkpoint.
  Result<SignedCheckpoint> checkpoint();

  /// Stores witness lines for a checkpoint that checkpoint() returned, unless a larger one is
  /// stored already. The lines must have been verified; kInvalid when the note isn't this log's.
  Result<void> add_cosignatures(const SignedCheckpoint& checkpoint,
                                std::span<const NoteSignature> lines);

  /// Ends this epoch (key_rotate entry, final checkpoint signed by both keys) and begins the next
  /// one with a new key; the old private key is removed.
  Result<void> rotate_key();

  [[nodiscard]] std::uint64_t size() const;          ///< Next sequence number.
  [[nodiscard]] std::uint64_t durable_size() const;  ///< Entries that survive a crash.
  [[nodiscard]] std::uint64_t signed_size() const;   ///< Entries under the newest checkpoint.
  [[nodiscard]] unsigned epoch() const;
  [[nodiscard]] const std::string& epoch_dir() const;
  [[nodiscard]] const VerifierKey& verifier_key() const;  ///< Its name is the origin.
  [[nodiscard]] const Recovery& recovery() const;
  /// True once the reserve was given back: write counters only until space is free again.
  [[nodiscard]] bool disk_full() const;

  /// Reads entries and makes proofs. Sees what is durable. Valid as long as the Log.
  [[nodiscard]] EpochReader& reader();

  /// Drops whole segments of an epoch that only hold entries before a number; all of an older
  /// epoch's when the number is its end. Used by apply_retention(), which records it first.
  Result<void> drop_before(unsigned epoch, std::uint64_t first_kept_seq);
  [[nodiscard]] const std::string& dir() const;

 private:
  struct State;
  explicit Log(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace coff::trail
