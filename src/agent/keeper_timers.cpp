// What the keeper does by itself: its heartbeat, clock steps, retention, gaps between sensors.
#include "agent/child.hpp"
#include "agent/keeper.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "trail/reader.hpp"
#include "trail/retention.hpp"

namespace coff::agent {
namespace {

constexpr std::int64_t kHeartbeatMs = 10'000;
constexpr std::int64_t kClockMs = 1000;
constexpr std::int64_t kRetentionMs = 60'000;
constexpr std::int64_t kDayNs = 86'400'000'000'000;

/// The members of a JSON object, without its braces.
std::string_view inside(std::string_view object) { return object.substr(1, object.size() - 2); }

}  // namespace

Result<void> Keeper::start_timers() {
  TRY(loop_.every(kHeartbeatMs, [this]() -> Result<void> {
    heartbeat();
    return {};
  }));
  TRY(loop_.every(kClockMs, [this]() -> Result<void> {
    watch_clock();
    witnesses_.tick(log_);
    return {};
  }));
  return loop_.every(kRetentionMs, [this]() -> Result<void> {
    keep_limits();
    return {};
  });
}

void Keeper::append_own(std::string_view type, std::string_view members) {
  const std::string entry = make_agent_entry(type, members);
  if (auto added = log_.append(entry); !added) {
    // Only when the disk takes nothing for so long that the log is full.
    ++counters_.own_refused;
    return;
  }
  if (pending_bytes_ == 0) pending_since_ns_ = boot_now_ns();
  pending_bytes_ += entry.size();
}

void Keeper::read_watch_record() {
  const auto epochs = trail::list_epochs(settings_.trail_dir());
  if (!epochs) return log_warning("keeper", epochs.error().message());
  // An epoch that began for damage or a rollback may not know of a sensor yet: the one before does.
  const std::size_t first = epochs->size() > 2 ? epochs->size() - 2 : 0;
  for (std::size_t at = first; at < epochs->size(); ++at) {
    auto reader = trail::EpochReader::open((*epochs)[at].path);
    const auto end_seq = reader ? reader->end_seq() : std::unexpected(reader.error());
    const Result<void> read = end_seq ? watched_.read_tail(*reader, *end_seq)
                                      : Result<void>(std::unexpected(end_seq.error()));
    if (!read)
      log_warning("keeper", "the end of an epoch is unreadable: " + read.error().message());
  }
}

void Keeper::note_watching(std::span<const std::string_view> entries) {
  for (const std::string_view entry : entries) {
    if (const auto gap = watched_.gap_before(entry)) append_own("gap", *gap);
    watched_.take(entry);
  }
}

void Keeper::heartbeat() {
  std::string members;
  JsonWriter json(members);
  json.begin_object();
  write_counters(json);
  json.end_object();
  append_own("heartbeat", "\"keeper\":" + members);
}

void Keeper::watch_clock() {
  const std::int64_t wall_ns = wall_now_ns();
  const auto step_ns = clock_.look(wall_ns, boot_now_ns());
  if (!step_ns) return;
  std::string members;
  JsonWriter(members)
      .begin_object()
      .member("step_ns", *step_ns)
      .member("would_be", format_time(wall_ns - *step_ns))
      .end_object();
  append_own("clock_step", inside(members));
  log_warning("keeper", "the clock was set by " + std::to_string(*step_ns / 1'000'000) + " ms");
}

void Keeper::keep_limits() {
  const trail::RetentionLimits limits{
      .bytes_max = settings_.trail.retention_mib << 20U,
      .age_max_ns = static_cast<std::int64_t>(settings_.trail.retention_days) * kDayNs};
  if (limits.bytes_max == 0 && limits.age_max_ns == 0) return;
  const std::int64_t now_ns = wall_now_ns();
  // Producers are told of what it makes durable on the way by the next commit.
  if (auto removed = trail::apply_retention(log_, limits, now_ns); removed) {
    retention_problem_.clear();
    for (const trail::Removal& removal : *removed) {
      counters_.removed_entries += removal.first_kept - removal.first_removed;
      counters_.removed_bytes += removal.bytes;
    }
  } else {
    if (retention_problem_.empty()) log_error("keeper", removed.error().message());
    retention_problem_ = removed.error().message();
  }
  if (index_) index_->announce(log_.epoch(), log_.durable_size());
  if (limits.age_max_ns == 0) return;
  // A value whose entry is too old to be kept is too.
  if (auto erased = erase_values_before(now_ns - limits.age_max_ns); !erased) {
    retention_problem_ = erased.error().message();
  }
}

}  // namespace coff::agent
