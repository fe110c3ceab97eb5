// The room's face: learns what each service does, and tells what departs from it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "baseline/profile.hpp"

namespace coff::baseline {

struct Options {
  std::uint64_t window_s = 86'400;  ///< Running time for which a service is learned; 0: off.
  std::size_t services_max = 256;
  std::size_t features_max = 2000;  ///< Of one service.
  Files files = Files::kAll;
};

/// What became of events and services, since start.
struct Counters {
  std::uint64_t asked = 0;             ///< Events of containers that were looked at.
  std::uint64_t without_service = 0;   ///< Nothing is known of their container's service.
  std::uint64_t learned = 0;           ///< Features that became part of a profile.
  std::uint64_t not_kept = 0;          ///< Features that a limit kept out.
  std::uint64_t departures = 0;        ///< Told.
  std::uint64_t repeats = 0;           ///< Equal to one that was told.
  std::uint64_t untold = 0;            ///< Beyond kDeparturesMax of one service.
  std::uint64_t services_refused = 0;  ///< Looks at containers whose service found no room.
};

/// Something about a service that the trail should say.
struct Note {
  std::string action;  ///< learned, image_changed, limit, departures_limit.
  std::string service;
  std::string detail;
};

/// A moment by both clocks.
struct Moment {
  std::uint64_t boot_ns = 0;
  std::int64_t wall_ns = 0;
};

/// Which of a profile's departures to accept.
struct Accept {
  bool all = false;
  What what = What::kExecutable;
  std::string value;
};

/// Belongs to one thread. Not movable. Never asks a clock: moments come from the caller.
class Baseline {
 public:
  /// A service that has been started so often is learned by the calendar: short-lived containers
  /// never run for a whole window.
  static constexpr std::uint64_t kStartsEnough = 20;
  /// Longest time between two calls of tick() that counts as watched.
  static constexpr std::uint64_t kTickMaxSeconds = 10;
  static constexpr std::size_t kNotesMax = 1024;

  explicit Baseline(const Options& options) : options_(options) {}
  Baseline(const Baseline&) = delete;
  Baseline& operator=(const Baseline&) = delete;

  [[nodiscard]] const Options& options() const { return options_; }
  void use(const Options& options);
  [[nodiscard]] bool enabled() const { return options_.window_s != 0; }
  [[nodiscard]] bool wants(const Event& event) const {
    return enabled() && event.container != nullptr && is_learned_from(event.kind);
  }

  /// Learns from an event whose container is settled, or says in what it departs.
  std::vector<DeparturePtr> observe(const Event& event);
  /// Time goes on for the services of these running containers. About once a second.
  void tick(const Moment& now, std::span<const ContainerPtr> running);
  std::vector<Note> take_notes();

  /// All profiles, by service.
  [[nodiscard]] const std::map<std::string, Profile, std::less<>>& profiles() const {
    return profiles_;
  }
  [[nodiscard]] const Counters& counters() const { return counters_; }

  // What people ask for. kNotFound: no such service.
  /// By its name, or by the part behind the colon where only one has it.
  Result<const Profile*> find(std::string_view service);
  Result<void> pin(std::string_view service);
  /// Back to watching.
  Result<void> unpin(std::string_view service);
  /// The departures become part of the profile; how many they were.
  Result<std::size_t> accept(std::string_view service, const Accept& which);
  Result<void> forget(std::string_view service);
  /// Puts a profile in, in place of the one of that name. kLimit: no room for another service.
  Result<void> put(Profile profile);

  /// A service whose profile has changed since it was last taken, and was forgotten if it is not
  /// in profiles(). Empty: none.
  std::string take_changed();
  /// Counts those whose window goes on as changed: their running time is to be kept.
  void keep_time();

 private:
  struct Known {
    ContainerPtr container;
    Profile* profile = nullptr;  ///< Null: no service, or no room.
    std::string counted;         ///< Service that has counted its start.
  };

  Profile* profile_of(const ContainerPtr& container, std::int64_t wall_ns);
  Profile* find_or_make(const std::string& service, std::int64_t wall_ns);
  void look_again();
  void see_image(Profile& profile, const Container& container);
  [[nodiscard]] static bool learns(const Profile& profile, const Feature& feature);
  void learn(Profile& profile, const Feature& feature);
  DeparturePtr depart(Profile& profile, const Feature& feature, const Event& event);
  void finish_learning(Profile& profile, std::int64_t wall_ns);
  Result<Profile*> named(std::string_view service);
  void note(std::string action, const Profile& profile, std::string detail);
  void changed(const Profile& profile) { changed_.insert(profile.service); }

  Options options_;
  std::map<std::string, Profile, std::less<>> profiles_;
  std::unordered_map<std::string, Known> by_container_;
  std::set<std::string> changed_;
  std::unordered_set<std::string> nothing_new_;  ///< Events that hold nothing new: key_of_event().
  std::vector<Note> notes_;
  std::uint64_t last_tick_ns_ = 0;
  std::uint64_t rest_ns_ = 0;  ///< Watched time that is no whole second yet.
  Counters counters_;
};

}  // namespace coff::baseline
