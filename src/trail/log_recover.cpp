// The append-only log of one host: what opening it after a crash checks and mends.
#include "base/log.hpp"
#include "trail/entries.hpp"
#include "trail/log_state.hpp"

namespace coff::trail {

namespace {

// Moves a segment whose header never became whole out of the way; nothing in it was acknowledged.
Result<std::uint64_t> set_aside(Fs& fs, const std::string& dir, const SegmentPlace& segment) {
  const std::string content = TRY(read_file(segment.path, kSegmentBytesMax));
  TRY(fs.rename(segment.path, segment.path + ".torn"));
  TRY(fs.sync_directory(dir));
  return content.size();
}

template <typename T>
Result<std::optional<T>> unless_absent(Result<T> value) {
  if (value) return std::optional<T>(std::move(*value));
  if (value.error().code == Code::kNotFound) return std::optional<T>();
  return std::unexpected(std::move(value).error());
}

}  // namespace

std::uint64_t Log::State::must_have() const {
  const std::uint64_t stored = signed_tree ? signed_tree->checkpoint.size : 0;
  return intent ? std::max(intent->size, stored) : stored;
}

Result<void> Log::State::load_signed() {
  signed_tree = TRY(unless_absent(reader->checkpoint()));
  if (signed_tree && !verify_note(signed_tree->note, vkey).valid) {
    return fail(Code::kCorrupt, "the stored checkpoint is not signed by this trail's key");
  }
  const auto text =
      TRY(unless_absent(read_file(place.path + "/" + std::string(kIntentFile), 4096)));
  if (text) intent = TRY(SignedIntent::parse(*text));
  if (signed_tree && (!intent || intent->size < signed_tree->checkpoint.size)) {
    return fail(Code::kCorrupt, "the checkpoint is newer than what was going to be signed");
  }
  return {};
}

// Finds the end of the newest segment, and cuts a torn tail that nothing signed covers.
Result<void> Log::State::recover_tail() {
  auto segments = TRY(list_segments(place.path));
  while (!segments.empty()) {
    const auto file = SegmentFile::open(segments.back().path);
    if (file) break;
    const bool torn = file.error().code == Code::kCorrupt;
    if (!torn || segments.back().first_seq < must_have()) return std::unexpected(file.error());
    recovery.torn_bytes += TRY(set_aside(fs, segment_dir, segments.back()));
    segments.pop_back();
  }
  if (segments.empty()) {
    if (must_have() > 0) return fail(Code::kCorrupt, "signed entries are missing: no segment is left");
    return {};
  }
  SegmentFile file = TRY(SegmentFile::open(segments.back().path));
  std::uint64_t offset = kSegmentHeaderBytes;
  durable = file.header().first_seq;
  for (;;) {
    const Record record = TRY(file.at(offset));
    if (record.state != RecordState::kWhole) break;
    offset += record.size_bytes;
    ++durable;
  }
  if (durable < must_have()) {
    return fail(Code::kCorrupt, "signed entries are missing or damaged: " +
                                    std::to_string(must_have()) + " were signed, only " +
                                    std::to_string(durable) + " are whole");
  }
  segment = TRY(fs.open(segments.back().path, Fs::Mode::kOpen, 0640));
  segment_first = file.header().first_seq;
  segment_bytes = offset;
  if (file.size_bytes() > offset) {
    recovery.torn_bytes += file.size_bytes() - offset;
    TRY(segment->truncate(offset));
  }
  // Found whole, but perhaps only in memory when the process alone died.
  TRY(segment->sync());
  TRY(fs.sync_directory(segment_dir));
  segment_listed = true;
  recovery.unsigned_entries = durable - must_have();
  return {};
}

Result<void> Log::State::hash_entries(std::uint64_t from, std::uint64_t to) {
  if (from >= to) return {};
  std::uint64_t reached = from;
  TRY(reader->scan(from, to, [&](const EntryAt& at) {
    hashes->append(leaf_hash(at.entry));
    ++reached;
    return true;
  }));
  if (reached != to) {
    return fail(Code::kCorrupt, "entry " + std::to_string(reached) + " is missing");
  }
  return {};
}

Result<void> Log::State::rebuild_hashes(std::uint64_t from) {
  hashes = std::make_unique<HashWriter>(fs, hash_dir);
  HashReader stored(hash_dir);
  TRY(hashes->restore(from, stored));
  const std::uint64_t middle = must_have();
  TRY(hash_entries(from, middle));
  if (middle > 0 && hashes->root() != intent->root) {
    return fail(Code::kCorrupt, "the entries don't give the root that was signed for size " +
                                    std::to_string(middle));
  }
  return hash_entries(middle, durable);
}

// From the newest place whose stored hashes agree with the signed root.
Result<void> Log::State::recover_hashes() {
  const std::uint64_t newest = must_have();
  if (!hashes_suspect) {
    const auto quick = rebuild_hashes(newest);
    if (quick) return {};
    log_warning("trail", "rebuilding stored tree hashes: " + quick.error().message());
  }
  recovery.hashes_rebuilt = true;
  const std::uint64_t part = newest / kHashesPerPart * kHashesPerPart;
  if (part > 0 && part >= reader->first_seq() && rebuild_hashes(part)) return {};
  return rebuild_hashes(0);
}

Result<std::unique_ptr<Log::State>> Log::State::open_epoch(const LogOptions& options, Fd lock,
                                                           EpochPlace place, bool created) {
  auto state = std::make_unique<State>(options);
  state->lock = std::move(lock);
  state->place = std::move(place);
  state->recovery.created = created;
  const std::string& dir = state->place.path;
  state->segment_dir = dir + "/" + std::string(kSegmentDir);
  state->hash_dir = dir + "/" + std::string(kHashDir);
  state->reader = TRY(EpochReader::open(dir));
  state->vkey = TRY(state->reader->key());
  const std::string pem = TRY(read_file(dir + "/" + std::string(kKeyFile), 4096));
  state->key = TRY(SigningKey::from_pem(pem));
  if (state->key.public_key() != state->vkey.key) {
    return fail(Code::kCorrupt, "the trail's private key is not the one of its vkey file");
  }
  TRY(state->load_signed());
  TRY(state->recover_tail());
  TRY(state->reader->refresh());
  state->reader->set_end(state->durable);
  TRY(state->recover_hashes());
  // A crash between intent and checkpoint: the same root is signed now, before anything new.
  if (state->intent && state->must_have() == state->durable &&
      (!state->signed_tree || state->signed_tree->checkpoint.size < state->durable)) {
    TRY(state->sign_tree(nullptr, nullptr));
  }
  TRY(state->make_reserve());
  return state;
}

Result<Log> Log::open(const LogOptions& options) {
  Fd lock = TRY(State::take_lock(options));
  auto epochs = TRY(list_epochs(options.dir));
  const bool created = epochs.empty();
  if (created) {
    TRY(State::make_epoch(options, 1, EpochReason::kFirst, {}, {}));
    epochs = TRY(list_epochs(options.dir));
  }
  COFF_ASSERT(!epochs.empty());
  auto state = TRY(State::open_epoch(options, std::move(lock), epochs.back(), created));
  Log log(std::move(state));
  const std::uint64_t torn = log.recovery().torn_bytes;
  if (torn > 0) {
    TRY(log.append(gap_entry("torn_tail",
                             std::to_string(torn) +
                                 " bytes of an unfinished batch were cut off when the trail was "
                                 "opened; they had not been acknowledged",
                             std::nullopt)));
    TRY(log.sync());
  }
  return log;
}

}  // namespace coff::trail
