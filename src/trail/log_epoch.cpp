// The append-only log of one host: beginning epochs and changing keys.
#include <fcntl.h>
#include <sys/file.h>

#include "base/clock.hpp"
#include "trail/entries.hpp"
#include "trail/log_state.hpp"

namespace coff::trail {

namespace {

std::string new_epoch_dir(const LogOptions& options, unsigned number) {
  return options.dir + "/" + epoch_name(number) + ".new";
}

Fs& fs_of(const LogOptions& options) { return options.fs == nullptr ? real_fs() : *options.fs; }

// The last checkpoint note of an epoch, empty when it never had one that can be read.
std::string last_note(const EpochPlace& epoch) {
  const auto reader = EpochReader::open(epoch.path);
  if (!reader) return {};
  const auto checkpoint = reader->checkpoint();
  return checkpoint ? checkpoint->note.to_string() : std::string();
}

}  // namespace

Result<Fd> Log::State::take_lock(const LogOptions& options) {
  TRY(fs_of(options).make_directory(options.dir, 0750));
  Fd lock = TRY(open_file(options.dir + "/lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_errno("cannot lock " + options.dir);
    return fail(Code::kBusy, "another process is writing the trail in " + options.dir);
  }
  return lock;
}

// Directories and a fresh key under a name that nobody opens yet.
Result<void> Log::State::prepare_epoch(const LogOptions& options, unsigned number,
                                       bool keep_key) {
  const std::string origin = options.origin_prefix + "/" + std::to_string(number);
  if (!is_key_name(origin)) return fail(Code::kInvalid, "not a valid origin: " + origin);
  Fs& fs = fs_of(options);
  const std::string dir = new_epoch_dir(options, number);
  TRY(fs.make_directory(dir, 0750));
  TRY(fs.make_directory(dir + "/" + std::string(kSegmentDir), 0750));
  TRY(fs.make_directory(dir + "/" + std::string(kHashDir), 0750));
  SigningKey key = TRY(SigningKey::generate());
  if (keep_key && number > 1) {
    // The same key under the next origin lets a verifier follow without a key rotation.
    const std::string old = options.dir + "/" + epoch_name(number - 1) + "/";
    const auto old_pem = read_file(old + std::string(kKeyFile), 4096);
    auto old_key = SigningKey::from_pem(old_pem ? *old_pem : std::string());
    if (old_key) key = std::move(*old_key);
  }
  const VerifierKey vkey{origin, KeyType::kEd25519, key.public_key()};
  const std::string pem = TRY(key.to_pem());
  TRY(fs.replace(dir, std::string(kKeyFile), pem, 0600));
  TRY(fs.replace(dir, std::string(kVkeyFile), vkey.to_string() + "\n", 0644));
  return fs.sync_directory(options.dir);
}

// Writes the genesis entry into a prepared epoch and gives the epoch its name, all or nothing.
Result<void> Log::State::make_epoch(const LogOptions& options, unsigned number, EpochReason reason,
                                    std::string_view detail, std::string_view previous) {
  if (reason != EpochReason::kKeyRotation) TRY(prepare_epoch(options, number, true));
  Fs& fs = fs_of(options);
  const std::string dir = new_epoch_dir(options, number);
  const std::string segment_dir = dir + "/" + std::string(kSegmentDir);
  const EpochReader prepared = TRY(EpochReader::open(dir));
  const VerifierKey vkey = TRY(prepared.key());
  std::string content = SegmentHeader{0, wall_now_ns()}.encode();
  const std::string genesis =
      genesis_entry(vkey, number, reason, previous, options.genesis_members);
  if (genesis.size() + 64 > kEntryBytesMax) return fail(Code::kLimit, "genesis entry is too long");
  append_record(content, "{\"v\":1,\"seq\":0,", std::string_view(genesis).substr(1), {});
  if (reason == EpochReason::kRollback || reason == EpochReason::kDamage) {
    const std::string gap =
        gap_entry(epoch_reason_name(reason), detail.substr(0, 4096), std::nullopt);
    append_record(content, "{\"v\":1,\"seq\":1,", std::string_view(gap).substr(1), {});
  }
  TRY(fs.replace(segment_dir, segment_name(0), content, 0640));
  TRY(fs.sync_directory(dir));
  TRY(fs.rename(dir, options.dir + "/" + epoch_name(number)));
  return fs.sync_directory(options.dir);
}

Result<void> Log::State::make_reserve() {
  const std::string path = options.dir + "/reserve";
  if (options.reserve_bytes == 0) return {};
  const auto file = TRY(fs.open(path, Fs::Mode::kEither, 0600));
  const auto taken = file->allocate(options.reserve_bytes);
  if (taken) return {};
  // No room for a reserve is no reason not to record; it only means there is none to give back.
  reserve_given = true;
  return fs.unlink(path);
}

Result<Log> Log::open_new_epoch(const LogOptions& options, EpochReason reason,
                                std::string_view detail) {
  COFF_ASSERT(reason == EpochReason::kRollback || reason == EpochReason::kDamage);
  Fd lock = TRY(State::take_lock(options));
  const auto epochs = TRY(list_epochs(options.dir));
  if (epochs.empty()) return fail(Code::kNotFound, "there is no trail in " + options.dir);
  const unsigned number = epochs.back().number + 1;
  TRY(State::make_epoch(options, number, reason, detail, last_note(epochs.back())));
  const EpochPlace place{number, options.dir + "/" + epoch_name(number)};
  auto state = TRY(State::open_epoch(options, std::move(lock), place, true));
  return Log(std::move(state));
}

Result<void> Log::rotate_key() {
  TRY(sync());
  State& state = *state_;
  const unsigned number = state.place.number + 1;
  TRY(State::prepare_epoch(state.options, number, false));
  const std::string dir = new_epoch_dir(state.options, number);
  const std::string pem = TRY(read_file(dir + "/" + std::string(kKeyFile), 4096));
  const SigningKey next = TRY(SigningKey::from_pem(pem));
  const EpochReader prepared = TRY(EpochReader::open(dir));
  const VerifierKey next_vkey = TRY(prepared.key());
  const std::string rotate = TRY(key_rotate_entry(state.vkey, next_vkey, next));
  TRY(append(rotate));
  TRY(sync());
  TRY(state.sign_tree(&next, &next_vkey));
  TRY(State::make_epoch(state.options, number, EpochReason::kKeyRotation, {},
                        state.signed_tree->note.to_string()));
  TRY(state.fs.unlink(state.place.path + "/" + std::string(kKeyFile)));
  TRY(state.fs.sync_directory(state.place.path));
  const EpochPlace place{number, state.options.dir + "/" + epoch_name(number)};
  const LogOptions options = state.options;
  Fd lock = std::move(state.lock);
  state_ = TRY(State::open_epoch(options, std::move(lock), place, true));
  return {};
}

}  // namespace coff::trail
