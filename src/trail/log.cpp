// The append-only log of one host: appending and making durable.
#include "trail/log.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "trail/entries.hpp"
#include "trail/log_state.hpp"
#include "trail/segment.hpp"

namespace coff::trail {

namespace {

constexpr std::string_view kPrefix = "{\"v\":1,\"seq\":";
// Longest prefix: 20 digits and a comma.
constexpr size_t kPrefixBytesMax = kPrefix.size() + 21;

bool is_full(const Error& error) { return error.os_errno == ENOSPC || error.os_errno == EDQUOT; }

}  // namespace

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;
Log::~Log() = default;

Result<std::uint64_t> Log::append(std::string_view object) { return append(std::span(&object, 1)); }

Result<std::uint64_t> Log::append(std::span<const std::string_view> objects) {
  State& state = *state_;
  size_t bytes = 0;
  for (const std::string_view object : objects) {
    if (object.size() < 3 || object.front() != '{' || object.back() != '}') {
      return fail(Code::kInvalid, "an entry must be a JSON object with members");
    }
    if (object.size() + kPrefixBytesMax > kEntryBytesMax || object.contains('\n')) {
      return fail(Code::kLimit, "an entry is longer than 60,000 bytes or has a newline");
    }
    bytes += object.size() + kPrefixBytesMax + kRecordHeaderBytes;
  }
  if (state.pending.size() + bytes > kPendingBytesMax) {
    return fail(Code::kLimit, "too many entries wait to become durable");
  }
  const std::uint64_t first = size();
  std::uint64_t seq = first;
  std::string prefix(kPrefix);
  for (const std::string_view object : objects) {
    prefix.resize(kPrefix.size());
    prefix += std::to_string(seq++);
    prefix += ',';
    state.pending_places.push_back(static_cast<std::uint32_t>(state.pending.size()));
    append_record(state.pending, prefix, object.substr(1), {});
  }
  return first;
}

Result<void> Log::sync() {
  State& state = *state_;
  if (state.pending.empty()) return {};
  auto written = state.write_pending();
  if (!written) {
    // The bytes are still in memory. On a full disk the reserve is given back; after any other
    // failure what the file holds is unknown, and a new one is begun (never sync a file twice).
    log_error("trail", written.error().message());
    if (is_full(written.error())) {
      TRY(state.free_reserve());
    } else {
      TRY(state.abandon_segment());
      state.sync_failed = true;
    }
    TRY(state.write_pending());
  }
  state.segment_bytes += state.pending.size();
  for (const std::uint32_t place : state.pending_places) {
    const Record record = read_record(std::string_view(state.pending).substr(place));
    state.hashes->append(leaf_hash(record.entry));
  }
  state.durable += state.pending_places.size();
  state.pending.clear();
  state.pending_places.clear();
  state.reader->set_end(state.durable);
  if (state.sync_failed) {
    state.sync_failed = false;
    TRY(append(gap_entry("sync_failed",
                         "the disk failed to store a batch, which was written again", 0)));
    return sync();
  }
  return {};
}

Result<void> Log::State::write_pending() {
  if (segment != nullptr && segment_bytes >= options.segment_bytes_max) segment.reset();
  if (segment == nullptr) TRY(begin_segment());
  TRY(write_fully(*segment, pending, segment_bytes));
  TRY(segment->sync());
  if (!segment_listed) {
    TRY(fs.sync_directory(segment_dir));
    segment_listed = true;
    TRY(reader->refresh());
  }
  return {};
}

Result<void> Log::State::begin_segment() {
  const std::string path = segment_dir + "/" + segment_name(durable);
  auto file = TRY(fs.open(path, Fs::Mode::kCreate, 0640));
  segment_first = durable;
  segment_bytes = kSegmentHeaderBytes;
  segment_listed = false;
  segment = std::move(file);
  return write_fully(*segment, SegmentHeader{durable, wall_now_ns()}.encode(), 0);
}

Result<void> Log::State::abandon_segment() {
  if (segment == nullptr) return {};
  const bool holds_durable = segment_listed && segment_first < durable;
  // Best effort: readers ignore what lies behind the next segment's first number anyway.
  if (holds_durable) (void)segment->truncate(segment_bytes);
  segment.reset();
  if (holds_durable) return {};
  // Nothing in it counts, and its successor needs the name.
  return fs.unlink(segment_dir + "/" + segment_name(segment_first));
}

Result<void> Log::State::free_reserve() {
  // Take the partly written batch back first, so that a crash now finds no torn tail.
  if (segment != nullptr && segment_listed) TRY(segment->truncate(segment_bytes));
  if (segment != nullptr && !segment_listed) TRY(abandon_segment());
  if (!reserve_given) {
    reserve_given = true;
    const auto removed = fs.unlink(options.dir + "/reserve");
    if (!removed && removed.error().code != Code::kNotFound) return removed;
  }
  return {};
}

std::uint64_t Log::size() const { return state_->durable + state_->pending_places.size(); }
std::uint64_t Log::durable_size() const { return state_->durable; }
std::uint64_t Log::signed_size() const {
  return state_->signed_tree ? state_->signed_tree->checkpoint.size : 0;
}
unsigned Log::epoch() const { return state_->place.number; }
const std::string& Log::epoch_dir() const { return state_->place.path; }
const VerifierKey& Log::verifier_key() const { return state_->vkey; }
const Recovery& Log::recovery() const { return state_->recovery; }
bool Log::disk_full() const { return state_->reserve_given; }
EpochReader& Log::reader() { return *state_->reader; }

Result<void> Log::drop_before(std::uint64_t first_kept_seq) {
  State& state = *state_;
  if (first_kept_seq > signed_size()) {
    return fail(Code::kInvalid, "only signed entries can be dropped");
  }
  const auto segments = TRY(list_segments(state.place.path));
  for (size_t at = 0; at + 1 < segments.size(); ++at) {
    if (segments[at + 1].first_seq > first_kept_seq) break;
    TRY(state.fs.unlink(segments[at].path));
  }
  TRY(state.fs.sync_directory(state.segment_dir));
  TRY(state.hashes->drop_before(first_kept_seq));
  return state.reader->refresh();
}

}  // namespace coff::trail
