// The trail keeper: takes entries from producers, makes them durable in groups, signs, answers.
#include "agent/keeper.hpp"

#include <sys/epoll.h>

#include <algorithm>

#include "agent/payload.hpp"
#include "agent/trail_writer.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "base/log.hpp"
#include "trail/entries.hpp"

namespace coff::agent {
namespace {

/// Wait after a failed write before the next: the disk may be full for hours.
constexpr std::int64_t kRetryNs = 1'000'000'000;
/// Segments are what retention removes: a trail has at least this many at its limit of size.
constexpr std::uint64_t kSegmentsAtLimit = 16;
constexpr std::size_t kEntryHeaderBytes = sizeof(std::uint32_t);

std::string host_id(const config::Config& settings) {
  if (!settings.host.id.empty()) return settings.host.id;
  // Set before the sandbox was entered, see keeper_process.cpp.
  return "unknown";
}

bool looks_like_object(std::string_view entry) {
  return entry.size() <= kEntryBytesMax && entry.starts_with("{\"type\":") &&
         entry.ends_with('}') && entry.find('\n') == std::string_view::npos;
}

}  // namespace

trail::LogOptions Keeper::options_of(const config::Config& settings) {
  trail::LogOptions options;
  options.dir = settings.trail_dir();
  options.origin_prefix = "cofferdam/" + settings.trail.tenant + "/" + host_id(settings);
  if (settings.trail.retention_mib > 0) {
    options.segment_bytes_max = std::min(options.segment_bytes_max,
                                         (settings.trail.retention_mib << 20U) / kSegmentsAtLimit);
  }
  JsonWriter(options.genesis_members)
      .begin_object()
      .member("host", settings.host.name)
      .member("agent", std::string_view(COFF_VERSION))
      .end_object();
  options.genesis_members = options.genesis_members.substr(1, options.genesis_members.size() - 2);
  return options;
}

Result<std::unique_ptr<Keeper>> Keeper::open(Loop& loop, const config::Config& settings) {
  const trail::LogOptions options = options_of(settings);
  auto log = trail::Log::open(options);
  if (!log && log.error().code == Code::kCorrupt) {
    // The damaged epoch stays as it is for whoever examines it; recording must go on.
    log_error("keeper", "the trail is damaged, a new epoch begins: " + log.error().message());
    log = trail::Log::open_new_epoch(options, trail::EpochReason::kDamage, log.error().message());
  }
  if (!log) return std::unexpected(log.error());
  std::unique_ptr<Keeper> keeper(new Keeper(loop, settings, std::move(*log)));
  TRY(keeper->start_queries());
  TRY(keeper->start_timers());
  return keeper;
}

Keeper::Keeper(Loop& loop, const config::Config& settings, trail::Log log)
    : loop_(loop),
      settings_(settings),
      log_(std::move(log)),
      sensor_peer_(
          loop, [this](Frame&& frame) { return handle(sensor_, std::move(frame), false); },
          [](const Error&) -> Result<void> { return {}; }),
      control_peer_(
          loop, [this](Frame&& frame) { return handle(control_, std::move(frame), true); },
          [](const Error&) -> Result<void> { return {}; }),
      witness_peer_(
          loop, [this](Frame&& frame) { return handle_witness(std::move(frame)); },
          [](const Error&) -> Result<void> { return {}; }),
      witnesses_(witness_peer_) {
  witnesses_.use_settings(settings_.trail);
  sensor_.peer = &sensor_peer_;
  control_.peer = &control_peer_;
  read_watch_record();
  open_index();
  add_calls();
  loop_.before_wait([this] { return commit_due(); });
}

void Keeper::open_index() {
  auto index = trail::Index::open(settings_.trail_dir());
  if (!index) {
    index_problem_ = index.error().message();
    log_error("keeper", "events can't be searched: " + index_problem_);
    return;
  }
  index_ = std::move(*index);
  index_->announce(log_.epoch(), log_.durable_size());
}

Result<void> Keeper::start_queries() {
  queries_ = TRY(QueryThread::start(settings_.trail_dir()));
  return loop_.watch(queries_->fd(), EPOLLIN,
                     [this](std::uint32_t) { return send_query_answers(); });
}

Result<void> Keeper::send_query_answers() {
  for (const QueryAnswer& found : queries_->take()) {
    // An older control process asked; the numbers of a newer one's calls are its own.
    if (found.asker != control_number_ || !control_peer_.attached()) continue;
    Answer answer(control_peer_, found.call);
    Result<void> outcome = found.outcome;
    for (const std::string& entry : found.entries) {
      if (auto added = answer.line(entry); !added) outcome = added;
    }
    // A caller that went away is no failure of this process.
    [[maybe_unused]] const auto ignored = answer.finish(outcome);
  }
  return {};
}

Result<void> Keeper::attach(Link link, Channel channel) {
  if (link == Link::kToWitness) return witness_peer_.attach(std::move(channel));
  Producer* producer = link == Link::kToSensor    ? &sensor_
                       : link == Link::kToControl ? &control_
                                                  : nullptr;
  if (producer == nullptr) {
    return fail(Code::kInvalid, "the keeper got a channel that it has no use for");
  }
  if (link == Link::kToControl) ++control_number_;
  // A new process at the other end counts its entries from 0.
  Peer* peer = producer->peer;
  *producer = Producer{.peer = peer};
  return peer->attach(std::move(channel));
}

Result<void> Keeper::append_from_supervisor(std::string&& payload) {
  return append(supervisor_, std::move(payload));
}

Result<void> Keeper::handle(Producer& producer, Frame&& frame, bool may_call) {
  if (frame.type == static_cast<std::uint16_t>(Message::kAppend)) {
    return append(producer, std::move(frame.payload));
  }
  if (may_call && frame.type == static_cast<std::uint16_t>(Message::kCall)) {
    if (!calls_.handle(frame.payload, *producer.peer)) ++counters_.malformed;
    return {};
  }
  ++counters_.malformed;
  return {};
}

Result<void> Keeper::append(Producer& producer, std::string&& payload) {
  ++counters_.batches;
  if (pending_bytes_ == 0) pending_since_ns_ = boot_now_ns();
  pending_bytes_ += payload.size();
  if (!producer.waiting.empty() || !TRY(append_batch(producer, payload))) {
    producer.waiting.push_back(std::move(payload));
  }
  return {};
}

/// Nothing when a salt has the wrong size.
std::optional<std::vector<trail::Disclosure>> Keeper::read_values(PayloadReader& reader) {
  std::vector<trail::Disclosure> values(reader.count(2 * kEntryHeaderBytes));
  for (trail::Disclosure& value : values) {
    const std::string_view salt = reader.text();
    if (salt.size() != value.salt.size()) return {};
    std::ranges::copy(octets(salt), value.salt.begin());
    value.value = reader.text();
  }
  return values;
}

/// Entries that refer to others get a copy with the sequences in it. A reference to an entry of
/// this batch counts on that the log appends batches whole.
void Keeper::resolve_references(const Producer& producer, PayloadReader& reader,
                                std::uint64_t first, std::vector<std::string_view>& entries,
                                std::deque<std::string>& replaced) const {
  constexpr std::size_t kReferenceBytes = 16;
  constexpr std::size_t kGrowthBytesMax = 32;
  std::uint32_t patched = 0;  // Entry of the newest copy, and how much longer it became.
  std::size_t grown = 0;
  std::string* copy = nullptr;
  for (std::uint32_t left = reader.count(kReferenceBytes); left > 0; --left) {
    const auto at = reader.number<std::uint32_t>();
    const auto offset = reader.number<std::uint32_t>();
    const auto number = reader.number<std::uint64_t>();
    const bool here = number >= first && number - first < entries.size();
    const std::optional<std::uint64_t> sequence =
        here ? log_.size() + (number - first) : producer.placed.find(number);
    if (at >= entries.size() || !sequence) continue;
    if (copy == nullptr || at != patched) {
      copy = &replaced.emplace_back(entries[at]);
      patched = at;
      grown = 0;
    }
    const std::size_t before = copy->size();
    if (before + kGrowthBytesMax > kEntryBytesMax) continue;
    if (put_reference(*copy, offset + grown, *sequence)) grown += copy->size() - before;
    entries[at] = *copy;
  }
}

/// False: the log is full of entries that the disk doesn't take; nothing was appended.
Result<bool> Keeper::append_batch(Producer& producer, std::string_view payload) {
  PayloadReader reader(payload);
  const auto first = reader.number<std::uint64_t>();
  const std::uint32_t count = reader.count(kEntryHeaderBytes);
  std::vector<std::string_view> entries;
  std::deque<std::string> replaced;
  entries.reserve(count);
  std::uint64_t malformed = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string_view entry = reader.text();
    if (looks_like_object(entry)) {
      entries.push_back(entry);
      continue;
    }
    ++malformed;
    entries.push_back(replaced.emplace_back(
        trail::gap_entry("malformed_entry", "A producer sent something that is no entry.", 1)));
  }
  const auto values = read_values(reader);
  if (values) resolve_references(producer, reader, first, entries, replaced);
  if (!values || !reader.done() || entries.empty()) {
    ++counters_.malformed;
    return true;
  }
  auto sequence = log_.append(entries);
  if (!sequence) {
    if (sequence.error().code == Code::kLimit) return false;
    return std::unexpected(sequence.error());
  }
  if (&producer == &sensor_) note_watching(entries);
  store_values(*values);
  producer.placed.add(first, entries.size(), *sequence);
  counters_.malformed += malformed;
  counters_.entries += entries.size();
  producer.next_number = first + entries.size();
  producer.last_sequence = *sequence + entries.size() - 1;
  producer.unacknowledged = true;
  return true;
}

Result<int> Keeper::commit_due() {
  const std::int64_t now_ns = boot_now_ns();
  if (pending_bytes_ > 0) {
    const std::int64_t due_ns =
        retry_at_ns_ != 0 ? retry_at_ns_
        : pending_bytes_ >= settings_.trail.batch_bytes
            ? now_ns
            : pending_since_ns_ + static_cast<std::int64_t>(settings_.trail.batch_ms) * 1'000'000;
    if (due_ns > now_ns) return static_cast<int>((due_ns - now_ns) / 1'000'000) + 1;
    TRY(commit());
  }
  if (log_.durable_size() <= log_.signed_size()) return pending_bytes_ > 0 ? 100 : -1;
  const std::int64_t sign_ns =
      signed_at_ns_ + static_cast<std::int64_t>(settings_.trail.checkpoint_interval_ms) * 1'000'000;
  if (sign_ns > now_ns) return static_cast<int>((sign_ns - now_ns) / 1'000'000) + 1;
  signed_at_ns_ = now_ns;
  if (auto signed_now = log_.checkpoint(); !signed_now) {
    log_error("keeper", "no checkpoint: " + signed_now.error().message());
  }
  return static_cast<int>(settings_.trail.checkpoint_interval_ms);
}

Result<void> Keeper::commit() {
  const std::int64_t begun_ns = boot_now_ns();
  // Values before their entries: a commitment never stands where its value could still be lost.
  if (sidecar_) {
    if (auto flushed = sidecar_->flush(); !flushed) lose_values(flushed.error());
  }
  values_unflushed_ = 0;
  if (auto synced = log_.sync(); !synced) {
    ++counters_.commit_errors;
    // Told once a minute; the counter has the rest.
    if (counters_.commit_errors % 60 == 1) log_error("keeper", synced.error().message());
    retry_at_ns_ = begun_ns + kRetryNs;
    return {};
  }
  ++counters_.commits;
  counters_.last_commit_us = (boot_now_ns() - begun_ns) / 1000;
  counters_.slowest_commit_us = std::max(counters_.slowest_commit_us, counters_.last_commit_us);
  retry_at_ns_ = 0;
  pending_bytes_ = 0;
  if (index_) index_->announce(log_.epoch(), log_.durable_size());
  for (Producer* producer : {&supervisor_, &sensor_, &control_}) {
    TRY(acknowledge(*producer));
    while (!producer->waiting.empty() && TRY(append_batch(*producer, producer->waiting.front()))) {
      pending_bytes_ += producer->waiting.front().size();
      pending_since_ns_ = begun_ns;
      producer->waiting.pop_front();
    }
  }
  return {};
}

Result<void> Keeper::acknowledge(Producer& producer) {
  if (!producer.unacknowledged || producer.peer == nullptr) return {};
  producer.unacknowledged = false;
  std::string payload;
  PayloadWriter(payload).number(producer.next_number).number(producer.last_sequence);
  // A producer that died sends what it has not seen acknowledged to nobody; nothing to do.
  [[maybe_unused]] const auto ignored =
      producer.peer->send(static_cast<std::uint16_t>(Message::kAck), payload);
  return {};
}

Result<void> Keeper::finish() {
  if (log_closed_) return {};
  TRY(commit());
  // What waited for room was appended by the commit and needs one more.
  if (pending_bytes_ > 0) TRY(commit());
  TRY(log_.checkpoint());
  return {};
}

}  // namespace coff::agent
