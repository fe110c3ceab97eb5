// Learned behaviour at work in the sensor: events in, departures out, profiles kept.
#include "agent/learner.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"

namespace coff::agent {

namespace {

baseline::Options options_of(const config::Config& settings) {
  baseline::Options options{.window_s = settings.baseline.window_s,
                            .services_max = settings.baseline.services_max,
                            .features_max = settings.baseline.features_max};
  if (settings.baseline.files == "forwarded") options.files = baseline::Files::kForwarded;
  if (settings.baseline.files == "none") options.files = baseline::Files::kNone;
  return options;
}

std::uint64_t boot_ns() { return static_cast<std::uint64_t>(boot_now_ns()); }

bool is_pending(const Event& event) {
  return event.container != nullptr && event.container->metadata == Metadata::kPending;
}

}  // namespace

Learner::Learner(const config::Config& settings, runtime::Directory& directory, Tell tell,
                 Record record)
    : directory_(directory),
      tell_(std::move(tell)),
      record_(std::move(record)),
      baseline_(options_of(settings)),
      store_(settings.baseline_dir()) {
  LoadedProfiles loaded = store_.load(settings.baseline.features_max);
  for (const std::string& problem : loaded.problems) {
    log_warning("baseline", problem);
    this->record("not_loaded", "", problem);
  }
  for (baseline::Profile& profile : loaded.profiles) {
    const bool pinned = profile.state == baseline::State::kPinned;
    const std::string service = profile.service;
    // Told so that a stranger can compare it with the entry of the pinning.
    if (pinned) this->record("loaded_pinned", service, profile.fingerprint());
    if (const auto put = baseline_.put(std::move(profile)); !put) {
      this->record("not_loaded", service, put.error().message());
    }
  }
  while (!baseline_.take_changed().empty()) continue;
}

void Learner::use_settings(const config::Config& settings) { baseline_.use(options_of(settings)); }

std::vector<FilterClause> Learner::kernel_clauses() const {
  if (!baseline_.enabled()) return {};
  return baseline::kernel_clauses(baseline_.options().files);
}

void Learner::record(std::string_view action, std::string_view service, std::string_view detail) {
  std::string members;
  JsonWriter json(members);
  json.begin_object().member("action", action);
  if (!service.empty()) json.member("service", service);
  json.member("detail", detail).end_object();
  record_(std::string_view(members).substr(1, members.size() - 2));
}

void Learner::judge(const Event& event) {
  for (DeparturePtr& departure : baseline_.observe(event)) {
    Event told = event;
    told.kind = Kind::departure;
    told.departure = std::move(departure);
    tell_(told);
  }
}

void Learner::see(const Event& event) {
  if (!wants(event)) return;
  if (is_pending(event) && waiting_.size() < kWaitingMax) waiting_.push_back(event);
  else judge(event);
}

void Learner::tick() {
  if (!baseline_.enabled()) return;
  const std::uint64_t now_ns = boot_ns();
  while (!waiting_.empty()) {
    Event& event = waiting_.front();
    if (ContainerPtr newest = directory_.find(event.container->id)) event.container = newest;
    if (is_pending(event) && now_ns < event.boot_ns + kWaitNs) break;
    unsettled_ += is_pending(event) ? 1 : 0;
    judge(event);
    waiting_.pop_front();
  }
  const std::vector<ContainerPtr> running = directory_.running();
  baseline_.tick({.boot_ns = now_ns, .wall_ns = wall_now_ns()}, running);
  for (const baseline::Note& note : baseline_.take_notes()) {
    record(note.action, note.service, note.detail);
  }
  constexpr std::uint64_t kSecondNs = 1'000'000'000;
  if (now_ns - written_boot_ns_ >= kWriteEverySeconds * kSecondNs) write_changed(false);
  if (const std::string problem = store_.take_problem(); !problem.empty()) {
    log_error("baseline", problem);
    record("not_saved", "", problem);
  }
}

// Some at a time: a thousand profiles as text at once would be a thousand times their memory.
void Learner::write_changed(bool all) {
  constexpr std::size_t kAtOnce = 16;
  written_boot_ns_ = boot_ns();
  for (std::string service = baseline_.take_changed(); !service.empty();
       service = baseline_.take_changed()) {
    unwritten_.insert(std::move(service));
  }
  std::size_t count = 0;
  while (!unwritten_.empty() && (all || count++ < kAtOnce)) {
    const auto next = unwritten_.extract(unwritten_.begin());
    const auto found = baseline_.profiles().find(next.value());
    const bool is_there = found != baseline_.profiles().end();
    store_.write(next.value(), is_there ? baseline::to_json(found->second) : std::string());
    if (all) store_.flush();
  }
}

void Learner::finish() {
  for (Event& event : waiting_) {
    if (ContainerPtr newest = directory_.find(event.container->id)) event.container = newest;
    judge(event);
  }
  waiting_.clear();
  baseline_.keep_time();
  write_changed(true);
}

void Learner::write_counters(JsonWriter& json) const {
  std::uint64_t states[baseline::kStateNames.size()] = {};
  for (const auto& [name, profile] : baseline_.profiles()) {
    ++states[static_cast<std::size_t>(profile.state)];
  }
  const baseline::Counters& counters = baseline_.counters();
  json.key("baseline").begin_object();
  for (std::size_t state = 0; state < baseline::kStateNames.size(); ++state) {
    json.member(baseline::kStateNames[state], states[state]);
  }
  json.member("asked", counters.asked)
      .member("learned", counters.learned)
      .member("departures", counters.departures)
      .member("repeats", counters.repeats)
      .member("untold", counters.untold)
      .member("not_kept", counters.not_kept)
      .member("without_service", counters.without_service)
      .member("unsettled", unsettled_)
      .member("services_refused", counters.services_refused)
      .member("written", store_.written())
      .member("write_failures", store_.failed())
      .end_object();
}

}  // namespace coff::agent
