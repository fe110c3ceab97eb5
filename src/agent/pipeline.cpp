// From the sensor's events to entries of the trail and to followers: recording profile, hold for
// late metadata, redaction, losses.
#include "agent/pipeline.hpp"

#include <sys/random.h>

#include <algorithm>

#include "agent/child.hpp"
#include "agent/finding_entry.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "schema/constants.hpp"
#include "schema/decode.hpp"
#include "schema/sentence.hpp"
#include "trail/commit.hpp"

namespace coff::agent {

namespace {

schema::RedactRules redact_rules(const config::Config& settings) {
  schema::RedactRules rules;
  for (const auto& name : settings.redaction.names) rules.secret_names.push_back("*" + name + "*");
  return rules;
}

std::uint64_t now_ns() { return static_cast<std::uint64_t>(boot_now_ns()); }

bool is_pending(const ContainerPtr& container) {
  return container != nullptr && container->metadata == Metadata::kPending;
}

}  // namespace

Pipeline::Pipeline(SensorContext& context, runtime::Directory& directory)
    : context_(context),
      directory_(directory),
      profile_(context.profile()),
      redactor_(redact_rules(context.settings())),
      traffic_([this](std::string_view kind, std::string_view entry) { tell(kind, entry); },
               [&directory](std::string_view id) { return directory.find(id); }),
      learner_(
          context.settings(), directory, [this](const Event& event) { tell_departure(event); },
          [this](std::string_view members) { append(make_agent_entry("baseline", members)); }) {
  read_names();
  load_rules(context.settings(), false);
}

void Pipeline::use_settings(const config::Config& settings) {
  profile_ = config::RecordingProfile(context_.profile());
  redactor_ = schema::Redactor(redact_rules(settings));
  load_rules(settings, true);
  learner_.use_settings(settings);
}

// Loaded again with every configuration: the files may have changed where the settings have not.
void Pipeline::load_rules(const config::Config& settings, bool keep) {
  const auto loaded = detector_.load(settings.rules, keep);
  for (const auto& problem : detector_.problems()) {
    const std::string text = rules::to_text(problem);
    if (problem.severity == rules::Problem::Severity::kError) log_error("rules", text);
    else log_warning("rules", text);
  }
  if (!loaded) log_error("rules", loaded.error().message());
  const bool quoting = settings.rules.events_before > 0 && detector_.has_rules();
  window_.set_bytes_max(quoting ? settings.rules.window_kib << 10U : 0);
  append(make_agent_entry("rules", detector_.report()));
}

KernelFilter Pipeline::kernel_filter() const {
  KernelFilter filter = config::kernel_filter(context_.profile());
  const auto& clauses = detector_.kernel_clauses();
  filter.clauses.insert(filter.clauses.end(), clauses.begin(), clauses.end());
  // The other kinds that the window always keeps are forwarded whatever the clauses say.
  if (window_.keeps(Kind::connect)) {
    filter.clauses.push_back({.reason = "the time before findings", .kinds = {COFF_KIND_connect}});
  }
  for (FilterClause& clause : learner_.kernel_clauses())
    filter.clauses.push_back(std::move(clause));
  return filter;
}

void Pipeline::read_names() {
  auto names = schema::UserNames::read("/etc");
  if (names) names_ = std::move(*names);
}

// The keeper writes files all the time: to record that would make more to write.
bool Pipeline::is_own_work(const Event& event) const {
  return std::holds_alternative<FileInfo>(event.detail) && event.process != nullptr &&
         static_cast<unsigned>(event.kind) >= COFF_KIND_open && own_.contains(*event.process);
}

void Pipeline::take(Event&& event) {
  ++counters_.seen;
  if (event.process == nullptr) ++counters_.without_process;
  const bool own = is_own_work(event);
  config::Recording recording = own ? config::Recording::kNone : profile_.decide(event);
  if (recording == config::Recording::kLive && !context_.live().wanted()) {
    recording = config::Recording::kNone;
  }
  const bool wanted = event.kind == Kind::flow || detector_.wants(event.kind) ||
                      learner_.wants(event) || window_.keeps(event.kind);
  if (recording == config::Recording::kNone && (own || !wanted)) {
    ++counters_.unwanted;
    return;
  }
  // Once one event waits, later ones of the same container wait behind it: their order is kept.
  if (is_pending(event.container) && held_.size() < kHeldMax) {
    ++counters_.held;
    held_.push_back({std::move(event), recording, now_ns() + kHoldNs});
    return;
  }
  emit(event, recording);
}

void Pipeline::take_lifecycle(Event&& event) {
  const std::lock_guard lock(lifecycle_mutex_);
  arrived_.push_back(std::move(event));
}

// Whether the event may go on: its container is settled, or the wait is over.
bool Pipeline::refresh(Held& held, std::uint64_t now) {
  if (held.event.container == nullptr) return true;
  const std::string& id = held.event.container->id;
  const bool settled = directory_.settled(id);
  if (!settled && !finishing_ && now < held.until_boot_ns) return false;
  if (ContainerPtr newest = directory_.find(id)) held.event.container = std::move(newest);
  if (is_pending(held.event.container)) ++counters_.held_too_long;
  return true;
}

void Pipeline::finish() {
  finishing_ = true;
  release();
  learner_.finish();
}

void Pipeline::release() {
  const std::uint64_t now = now_ns();
  while (!held_.empty()) {
    Held& held = held_.front();
    const ContainerPtr newest = directory_.find(held.event.container->id);
    if (is_pending(newest) && !finishing_ && now < held.until_boot_ns) break;
    if (newest != nullptr) held.event.container = newest;
    if (is_pending(held.event.container)) ++counters_.held_too_long;
    emit(held.event, held.recording);
    held_.pop_front();
  }
  std::vector<Event> arrived;
  {
    const std::lock_guard lock(lifecycle_mutex_);
    arrived.swap(arrived_);
  }
  for (Event& event : arrived) {
    ++counters_.seen;
    lifecycle_.push_back({std::move(event), config::Recording::kTrail, now + kLifecycleHoldNs});
  }
  // In the engine's order, so that a start never stands behind its stop.
  const auto ready = std::find_if(lifecycle_.begin(), lifecycle_.end(),
                                  [&](Held& held) { return !refresh(held, now); });
  std::for_each(lifecycle_.begin(), ready,
                [&](const Held& held) { emit(held.event, held.recording); });
  lifecycle_.erase(lifecycle_.begin(), ready);
}

// Only values of entries are kept: nobody could ask for another one by its commitment.
std::string Pipeline::redact(std::string_view secret, bool recorded) {
  trail::Salt salt;
  if (getrandom(salt.data(), salt.size(), 0) != static_cast<ssize_t>(salt.size())) {
    return "[redacted]";
  }
  if (recorded) redacted_.push_back({salt, std::string(secret)});
  return "[redacted:" + to_base64(trail::commitment_hash(salt, secret)) + "]";
}

void Pipeline::emit(const Event& event, config::Recording recording) {
  std::optional<std::uint64_t> number;
  if (recording != config::Recording::kNone) number = record(event, recording);
  else if (event.kind != Kind::flow) ++counters_.unwanted;
  if (event.kind == Kind::flow) traffic_.take(event);
  ask_rules(event, number);
  if (recording != config::Recording::kNone || window_.keeps(event.kind)) {
    window_.add(event, number);
  }
  learner_.see(event);
}

// An event of its own: the rules are asked about it as about any other.
void Pipeline::tell_departure(const Event& event) {
  ask_rules(event, record(event, config::Recording::kTrail));
}

void Pipeline::ask_rules(const Event& event, const std::optional<std::uint64_t>& number) {
  if (!detector_.wants(event.kind)) return;
  detector_.ask(
      event, names_, [&](const Found& found) { return finding_entry(found, number); },
      [this](const FindingEntry& entry) { tell_finding(entry); });
}

FindingEntry Pipeline::finding_entry(const Found& found,
                                     const std::optional<std::uint64_t>& number) {
  redacted_.clear();
  return make_finding_entry(
      found, {.names = names_,
              .redactor = redactor_,
              .commit = [this](std::string_view secret) { return redact(secret, true); },
              .window = window_,
              .events_before = context_.settings().rules.events_before,
              .number = number});
}

void Pipeline::tell_finding(const FindingEntry& entry) {
  tell("finding", entry.json, entry.references);
  redacted_.clear();
}

// An entry of the agent's own making, to the trail and to followers.
void Pipeline::tell(std::string_view kind, std::string_view entry,
                    std::span<const EntryReference> references) {
  append(entry, redacted_, references);
  if (!context_.live().wanted()) return;
  if (auto published = context_.live().publish({.kind = kind, .json = entry}); !published) {
    log_warning("sensor", published.error().message());
  }
}

void Pipeline::tell_access(const access::Target& target,
                           const std::function<std::string(const access::EntryOptions&)>& make) {
  redacted_.clear();
  const std::string entry =
      make({.redactor = redactor_,
            .commit = [this](std::string_view secret) { return redact(secret, true); },
            .names = names_});
  ++counters_.recorded;
  append(entry, redacted_);
  redacted_.clear();
  if (!context_.live().wanted()) return;
  const auto published = context_.live().publish(
      {.kind = "access", .container_id = target.id, .container_name = target.name, .json = entry});
  if (!published) log_warning("sensor", published.error().message());
}

void Pipeline::tick() {
  detector_.tell_correlated(
      [this](const Found& found) { return finding_entry(found, std::nullopt); },
      [this](const FindingEntry& entry) { tell_finding(entry); });
  detector_.tell_repeats([this](const FindingEntry& entry) { tell_finding(entry); });
  redacted_.clear();
  traffic_.tick();
  learner_.tick();
}

std::optional<std::uint64_t> Pipeline::record(const Event& event, config::Recording recording) {
  std::optional<std::uint64_t> number;
  json_.clear();
  redacted_.clear();
  // Nothing else may have been recorded of an event that departs.
  const schema::JsonOptions options{.names = &names_,
                                    .redactor = &redactor_,
                                    .commit =
                                        [this, recording](std::string_view secret) {
                                          return redact(secret,
                                                        recording == config::Recording::kTrail);
                                        },
                                    .full_context = event.departure != nullptr};
  schema::append_json(json_, event, options);
  if (recording == config::Recording::kTrail) {
    ++counters_.recorded;
    number = append(json_, redacted_);
  } else {
    ++counters_.live_only;
  }
  if (!context_.live().wanted()) return number;
  // Followers read a sentence; the trail has no need of one.
  sentence_.clear();
  schema::append_sentence(sentence_, event, {.names = &names_, .redactor = &redactor_});
  json_.pop_back();
  json_ += ',';
  JsonWriter(json_).member("sentence", sentence_);
  json_ += '}';
  const auto published = context_.live().publish(
      {.kind = schema::kind_name(event.kind),
       .container_id = event.container == nullptr ? std::string_view() : event.container->id,
       .container_name = event.container == nullptr ? std::string_view() : event.container->name,
       .json = json_});
  if (!published) log_warning("sensor", published.error().message());
  return number;
}

std::optional<std::uint64_t> Pipeline::append(std::string_view entry,
                                              std::span<const trail::Disclosure> redacted,
                                              std::span<const EntryReference> references) {
  const auto number = context_.trail().append(entry, redacted, references);
  if (number) return *number;
  // A refusal is counted by the writer too, and stands in the next heartbeat.
  ++counters_.entries_refused;
  return {};
}

void Pipeline::report_losses(sensor::Losses&& losses) {
  if (losses.empty()) return;
  std::uint64_t total = losses.malformed + losses.skipped_runs;
  std::string members;
  JsonWriter json(members);
  json.begin_object().member("reason", std::string_view("sensor")).key("rows").begin_array();
  for (const auto& row : losses.rows) {
    total += row.ring + row.scratch;
    json.begin_object()
        .member("group", row.group)
        .member("kind", schema::kKindNames[row.kind])
        .member("ring_full", row.ring)
        .member("no_scratch", row.scratch)
        .end_object();
  }
  json.end_array()
      .member("skipped_runs", losses.skipped_runs)
      .member("malformed", losses.malformed)
      .member("lost", total)
      .end_object();
  redacted_.clear();
  tell("gap", make_agent_entry("gap", std::string_view(members).substr(1, members.size() - 2)));
}

void Pipeline::write_counters(JsonWriter& json) const {
  json.key("events")
      .begin_object()
      .member("seen", counters_.seen)
      .member("recorded", counters_.recorded)
      .member("live_only", counters_.live_only)
      .member("unwanted", counters_.unwanted)
      .member("held", counters_.held)
      .member("held_too_long", counters_.held_too_long)
      .member("without_process", counters_.without_process)
      .member("entries_refused", counters_.entries_refused)
      .end_object();
  detector_.write_counters(json);
  learner_.write_counters(json);
}

}  // namespace coff::agent
