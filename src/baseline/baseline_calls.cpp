// What people do with profiles: pin, accept, forget, put.
#include <algorithm>
#include <utility>

#include "baseline/baseline.hpp"

namespace coff::baseline {

Result<Profile*> Baseline::named(std::string_view service) {
  auto found = profiles_.find(service);
  // "shop/web" alone will do where only one service is called so.
  for (auto at = profiles_.begin(); found == profiles_.end() && at != profiles_.end(); ++at) {
    const auto is_called = [&](const auto& each) {
      return std::string_view(each.first).substr(each.first.find(':') + 1) == service;
    };
    if (is_called(*at) && std::ranges::count_if(profiles_, is_called) == 1) found = at;
  }
  if (found == profiles_.end()) {
    return fail(Code::kNotFound, "no profile of the service " +
                                     std::string(service.substr(0, 200)) +
                                     "; see: cofferdam baseline list");
  }
  return &found->second;
}

Result<const Profile*> Baseline::find(std::string_view service) { return TRY(named(service)); }

Result<void> Baseline::pin(std::string_view service) {
  Profile* profile = TRY(named(service));
  if (profile->learned_wall_ns == 0) {
    profile->learned_wall_ns = profile->last_wall_ns;
    profile->learned_s = profile->observed_s;
  }
  profile->state = State::kPinned;
  profile->update_until_s = 0;
  changed(*profile);
  return {};
}

Result<void> Baseline::unpin(std::string_view service) {
  Profile* profile = TRY(named(service));
  if (profile->state != State::kPinned) {
    return fail(Code::kInvalid, "the profile is not pinned");
  }
  profile->state = State::kWatching;
  // The images of its containers are looked at again.
  look_again();
  changed(*profile);
  return {};
}

Result<std::size_t> Baseline::accept(std::string_view service, const Accept& which) {
  Profile* profile = TRY(named(service));
  std::size_t count = 0;
  for (auto at = profile->departures.begin(); at != profile->departures.end();) {
    const Feature feature = feature_of(at->first.first, at->first.second);
    const bool wanted = which.all || (feature.what == which.what && feature.value == which.value);
    if (!wanted) {
      ++at;
      continue;
    }
    profile->learn(feature, options_.features_max);
    const std::string& child = at->second.child;
    if (!child.empty()) profile->learn(feature_of(What::kChild, child), options_.features_max);
    at = profile->departures.erase(at);
    ++count;
  }
  if (count == 0) {
    return fail(Code::kNotFound, "no such departure; see: cofferdam baseline show SERVICE");
  }
  if (which.all) profile->departures_untold = 0;
  changed(*profile);
  return count;
}

Result<void> Baseline::forget(std::string_view service) {
  Profile* profile = TRY(named(service));
  changed(*profile);
  profiles_.erase(profiles_.find(profile->service));
  look_again();
  return {};
}

Result<void> Baseline::put(Profile profile) {
  const bool known = profiles_.contains(profile.service);
  if (!known && profiles_.size() >= options_.services_max) {
    return fail(Code::kLimit, "there is no room for another service (baseline.services_max)");
  }
  look_again();
  changed(profile);
  std::string service = profile.service;
  profiles_.insert_or_assign(std::move(service), std::move(profile));
  return {};
}

void Baseline::keep_time() {
  for (const auto& [name, profile] : profiles_) {
    const bool goes_on =
        profile.state == State::kLearning || profile.observed_s < profile.update_until_s;
    if (goes_on) changed(profile);
  }
}

std::string Baseline::take_changed() {
  if (changed_.empty()) return {};
  return std::move(changed_.extract(changed_.begin()).value());
}

}  // namespace coff::baseline
