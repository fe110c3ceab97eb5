// Learning services, and what departs from them.
#include "baseline/baseline.hpp"

#include <algorithm>

#include "schema/constants.hpp"

namespace coff::baseline {

namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;
/// Containers whose profile is remembered by id, and events that hold nothing new.
constexpr std::size_t kContainersMax = 16'384;
constexpr std::size_t kNothingNewMax = 16'384;

template <typename T>
void append_bytes(std::string& key, const T& number) {
  key.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append_program(std::string& key, const Process* process) {
  const Program* program = process == nullptr ? nullptr : process->program.get();
  append_bytes(key, program == nullptr ? 0 : program->exe_flags);
  if (program != nullptr) key += program->exe;
  key += '\0';
}

/// An open or a start of a program by all that decides what it says, so that the same needs no
/// second look; empty for other events.
std::string key_of_event(const Profile& profile, const Event& event) {
  std::string key;
  if (event.failed() || (event.kind != Kind::open && event.kind != Kind::exec)) return key;
  key = profile.service;
  key += '\0';
  if (const auto* file = std::get_if<FileInfo>(&event.detail)) {
    append_bytes(key, file->mode);
    append_program(key, event.process.get());
    return key.append(file->path.resolved.empty() ? file->path.name : file->path.resolved);
  }
  const Process* process = event.process.get();
  if (process == nullptr || process->program == nullptr) return {};
  const Process* parent = process->parent.get();
  const bool inside = parent != nullptr && parent->container != nullptr;
  append_bytes(key, process->capabilities.effective);
  append_bytes(key, event.credentials.euid);
  append_bytes(key, inside);
  append_program(key, process);
  append_program(key, parent);
  key.append(process->program->filename).push_back('\0');
  return key.append(process->program->interp).append(1, '\0').append(process->cwd);
}

}  // namespace

void Baseline::use(const Options& options) {
  options_ = options;
  look_again();
}

// Profiles were put in or taken out: what points to them is found anew.
void Baseline::look_again() {
  nothing_new_.clear();
  for (auto& [id, known] : by_container_) known = {.counted = std::move(known.counted)};
}

Profile* Baseline::find_or_make(const std::string& service, std::int64_t wall_ns) {
  const auto found = profiles_.find(service);
  if (found != profiles_.end()) return &found->second;
  if (profiles_.size() >= options_.services_max) {
    ++counters_.services_refused;
    return nullptr;
  }
  Profile profile;
  profile.service = service;
  profile.first_wall_ns = profile.last_wall_ns = wall_ns;
  return &profiles_.emplace(service, std::move(profile)).first->second;
}

Profile* Baseline::profile_of(const ContainerPtr& container, std::int64_t wall_ns) {
  if (by_container_.size() >= kContainersMax) by_container_.clear();
  Known& known = by_container_[container->id];
  if (known.container == container) return known.profile;
  known.container = container;
  const std::string service = service_of(*container);
  known.profile = service.empty() ? nullptr : find_or_make(service, wall_ns);
  if (known.profile == nullptr) return nullptr;
  if (known.counted != service) {
    known.counted = service;
    ++known.profile->starts;
    changed(*known.profile);
  }
  see_image(*known.profile, *container);
  return known.profile;
}

void Baseline::see_image(Profile& profile, const Container& container) {
  auto& images = profile.images;
  if (container.image_id.empty() || profile.state == State::kPinned) return;
  if (std::ranges::find(images, container.image_id) != images.end()) return;
  const bool first = images.empty();
  if (images.size() >= kImagesMax) images.erase(images.begin());
  images.push_back(container.image_id.substr(0, 200));
  changed(profile);
  if (first || profile.state != State::kWatching) return;
  profile.image_changed = true;
  profile.update_until_s = profile.observed_s + options_.window_s;
  note("image_changed", profile,
       "programs of the image " + images.back() + " are learned for " +
           std::to_string(options_.window_s) + " s of running time; everything else still departs");
}

// A new image brings new programs; they may not bring what no image has, or come from outside.
bool Baseline::learns(const Profile& profile, const Feature& feature) {
  if (profile.state == State::kLearning) return true;
  if (profile.state == State::kPinned || profile.observed_s >= profile.update_until_s) return false;
  const bool program = feature.what == What::kExecutable || feature.what == What::kChild;
  return program && !feature.outside_image && !feature.value.starts_with("(outside)");
}

void Baseline::learn(Profile& profile, const Feature& feature) {
  const auto what = static_cast<std::size_t>(feature.what);
  const std::uint64_t before = profile.not_kept[what];
  if (profile.learn(feature, options_.features_max)) ++counters_.learned;
  changed(profile);
  if (profile.not_kept[what] == before) return;
  ++counters_.not_kept;
  if (before != 0) return;
  note("limit", profile,
       "more than the limits allow: the sort " + std::string(kWhatNames[what]) +
           " is not judged (baseline.features_max)");
}

DeparturePtr Baseline::depart(Profile& profile, const Feature& feature, const Event& event) {
  const auto key = std::pair(feature.what, key_of(feature));
  const auto known = profile.departures.find(key);
  if (known != profile.departures.end()) {
    ++known->second.count;
    known->second.last_wall_ns = event.wall_ns;
    ++counters_.repeats;
    changed(profile);
    return nullptr;
  }
  if (profile.departures.size() >= kDeparturesMax) {
    ++counters_.untold;
    if (profile.departures_untold++ == 0) {
      note("departures_limit", profile,
           "further departures are only counted: accept what is right, or learn anew");
    }
    changed(profile);
    return nullptr;
  }
  profile.departures[key] = {.first_wall_ns = event.wall_ns,
                             .last_wall_ns = event.wall_ns,
                             .count = 1,
                             .container = event.container->name.substr(0, 200),
                             .child = {}};
  ++counters_.departures;
  changed(profile);
  Departure departure;
  departure.trigger = event.kind;
  departure.service = profile.service;
  departure.what = kWhatNames[static_cast<std::size_t>(feature.what)];
  departure.value = feature.value;
  departure.state = kStateNames[static_cast<std::size_t>(profile.state)];
  departure.outside_image = feature.outside_image;
  departure.image_changed = profile.image_changed;
  departure.learned_s = profile.learned_s;
  departure.samples = profile.samples;
  return std::make_shared<const Departure>(std::move(departure));
}

std::vector<DeparturePtr> Baseline::observe(const Event& event) {
  std::vector<DeparturePtr> out;
  if (!wants(event)) return out;
  ++counters_.asked;
  Profile* profile = profile_of(event.container, event.wall_ns);
  if (profile == nullptr) {
    ++counters_.without_service;
    return out;
  }
  if (profile->state == State::kLearning) ++profile->samples;
  std::string key = key_of_event(*profile, event);
  if (!key.empty() && nothing_new_.contains(key)) return out;
  bool all_known = true;
  Open* program = nullptr;  // The departure of the program that just started.
  for (const Feature& feature : features_of(event)) {
    if (profile->knows(feature)) continue;
    // A process that ran already may not tell whether its file is of the image.
    Feature twin = feature;
    twin.outside_image = !feature.outside_image;
    if (event.kind == Kind::process_seen && profile->knows(twin)) continue;
    if (learns(*profile, feature)) {
      learn(*profile, feature);
      continue;
    }
    if (profile->not_kept[static_cast<std::size_t>(feature.what)] != 0) continue;
    all_known = false;
    // Who starts a program that is new itself says nothing more.
    if (feature.what == What::kChild && program != nullptr) {
      if (program->child.empty()) program->child = key_of(feature);
      continue;
    }
    if (auto departure = depart(*profile, feature, event)) out.push_back(std::move(departure));
    if (feature.what != What::kExecutable) continue;
    const auto open = profile->departures.find({feature.what, key_of(feature)});
    if (open != profile->departures.end()) program = &open->second;
  }
  if (!key.empty() && all_known) {
    if (nothing_new_.size() >= kNothingNewMax) nothing_new_.clear();
    nothing_new_.insert(std::move(key));
  }
  return out;
}

void Baseline::finish_learning(Profile& profile, std::int64_t wall_ns) {
  profile.state = State::kWatching;
  profile.learned_wall_ns = wall_ns;
  profile.learned_s = profile.observed_s;
  note("learned", profile,
       std::to_string(profile.size()) + " things from " + std::to_string(profile.samples) +
           " events");
}

void Baseline::tick(const Moment& now, std::span<const ContainerPtr> running) {
  if (!enabled()) return;
  const std::uint64_t since = last_tick_ns_ == 0 ? 0 : now.boot_ns - last_tick_ns_;
  last_tick_ns_ = now.boot_ns;
  rest_ns_ += std::min(since, kTickMaxSeconds * kSecondNs);
  const std::uint64_t seconds = rest_ns_ / kSecondNs;
  rest_ns_ %= kSecondNs;
  std::set<Profile*> alive;
  for (const ContainerPtr& container : running) {
    if (Profile* profile = profile_of(container, now.wall_ns)) alive.insert(profile);
  }
  // Containers that are gone need not be remembered.
  if (by_container_.size() > 2 * running.size() + 64) {
    std::set<std::string_view> ids;
    for (const ContainerPtr& container : running) ids.insert(container->id);
    std::erase_if(by_container_, [&](const auto& each) { return !ids.contains(each.first); });
  }
  for (Profile* profile : alive) {
    profile->observed_s += seconds;
    profile->last_wall_ns = now.wall_ns;
    // The clock alone is worth a write of the file only now and then.
    constexpr std::uint64_t kWriteEverySeconds = 60;
    if (seconds != 0 && profile->observed_s % kWriteEverySeconds < seconds) changed(*profile);
  }
  for (auto& [name, profile] : profiles_) {
    if (profile.state != State::kLearning) continue;
    const bool ran = profile.observed_s >= options_.window_s;
    const auto window_ns = static_cast<std::int64_t>(options_.window_s * kSecondNs);
    const bool often =
        profile.starts >= kStartsEnough && now.wall_ns - profile.first_wall_ns >= window_ns;
    if (!ran && !often) continue;
    finish_learning(profile, now.wall_ns);
    changed(profile);
  }
}

void Baseline::note(std::string action, const Profile& profile, std::string detail) {
  if (notes_.size() >= kNotesMax) return;
  notes_.push_back({std::move(action), profile.service, std::move(detail)});
}

std::vector<Note> Baseline::take_notes() { return std::exchange(notes_, {}); }

}  // namespace coff::baseline
