// What the parts of the log's writer share: private to log*.cpp.
#pragma once

#include "base/fd.hpp"
#include "trail/hash_writer.hpp"
#include "trail/log.hpp"
#include "trail/reader.hpp"

namespace coff::trail {

/// {size, root} that is about to be signed; on disk "cofferdam signed intent 1\n<size>\n<root>\n".
struct SignedIntent {
  std::uint64_t size = 0;
  Hash root{};

  [[nodiscard]] std::string encode() const;
  static Result<SignedIntent> parse(std::string_view text);
};

struct Log::State {
  explicit State(const LogOptions& given)
      : options(given), fs(given.fs == nullptr ? real_fs() : *given.fs) {}

  LogOptions options;
  Fs& fs;
  Fd lock;
  EpochPlace place;
  std::string segment_dir;
  std::string hash_dir;
  SigningKey key;
  VerifierKey vkey;
  std::optional<EpochReader> reader;
  std::unique_ptr<HashWriter> hashes;
  Recovery recovery;

  std::uint64_t durable = 0;                  ///< Entries that are durable.
  std::string pending;                        ///< Their records follow each other here.
  std::vector<std::uint32_t> pending_places;  ///< Offset of each record in `pending`.

  std::unique_ptr<FsFile> segment;      ///< The newest one; null: begin one at the next sync.
  std::uint64_t segment_first = 0;
  std::uint64_t segment_bytes = 0;      ///< Durable part of it.
  bool segment_listed = false;          ///< Its name in the directory is durable.

  std::optional<SignedIntent> intent;
  std::optional<SignedCheckpoint> signed_tree;
  bool hashes_suspect = false;  ///< Writing them failed: rebuild before signing again.
  bool reserve_given = false;
  bool sync_failed = false;     ///< A gap entry about a failed sync is owed.

  // log_epoch.cpp
  static Result<Fd> take_lock(const LogOptions& options);
  static Result<void> make_epoch(const LogOptions& options, unsigned number, EpochReason reason,
                                 std::string_view detail, std::string_view previous);
  static Result<void> prepare_epoch(const LogOptions& options, unsigned number, bool keep_key);
  Result<void> make_reserve();
  // log_recover.cpp
  static Result<std::unique_ptr<State>> open_epoch(const LogOptions& options, Fd lock,
                                                   EpochPlace place, bool created);
  Result<void> load_signed();
  Result<void> recover_tail();
  Result<void> recover_hashes();
  Result<void> rebuild_hashes(std::uint64_t from);
  Result<void> hash_entries(std::uint64_t from, std::uint64_t to);
  [[nodiscard]] std::uint64_t must_have() const;
  // log.cpp
  Result<void> write_pending();
  Result<void> begin_segment();
  Result<void> abandon_segment();
  Result<void> free_reserve();
  // log_checkpoint.cpp
  Result<void> sign_tree(const SigningKey* second_key, const VerifierKey* second_vkey);
};

}  // namespace coff::trail
