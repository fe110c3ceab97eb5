// What was learned of one service, and what departs from it: what is kept, shown, exported.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "baseline/feature.hpp"
#include "baseline/path_tree.hpp"

namespace coff::baseline {

enum class State : unsigned char {
  kLearning,  ///< Everything new becomes part of it.
  kWatching,  ///< What is new departs; programs of a new image are learned for one window.
  kPinned,    ///< What is new departs, whatever the image; nothing is learned.
};
inline constexpr std::array<std::string_view, 3> kStateNames = {"learning", "watching", "pinned"};

/// Largest profile as text: a file, an export.
inline constexpr std::size_t kProfileBytesMax = std::size_t{4} << 20;
/// Bytes of all values in one profile.
inline constexpr std::size_t kValuesBytesMax = std::size_t{1} << 20;
/// Different departures that one profile remembers.
inline constexpr std::size_t kDeparturesMax = 256;
/// Images that one profile remembers; the oldest goes.
inline constexpr std::size_t kImagesMax = 8;

/// A departure that was told.
struct Open {
  std::int64_t first_wall_ns = 0;
  std::int64_t last_wall_ns = 0;
  std::uint64_t count = 0;  ///< How often it was seen.
  std::string container;    ///< Name of the container in which it was seen first.
  std::string child;        ///< An executable's: who started it, which is accepted with it.
};

/// One service. A value; belongs to one thread.
struct Profile {
  std::string service;
  State state = State::kLearning;
  std::int64_t first_wall_ns = 0;    ///< First seen.
  std::int64_t learned_wall_ns = 0;  ///< When learning ended; 0: not yet.
  std::int64_t last_wall_ns = 0;     ///< Last seen running.
  std::uint64_t observed_s = 0;      ///< Seconds for which a container of it was seen running.
  std::uint64_t learned_s = 0;       ///< The same at the end of learning.
  std::uint64_t update_until_s =
      0;                            ///< Programs of a new image are learned until observed_s is it.
  std::uint64_t starts = 0;         ///< Containers seen.
  std::uint64_t samples = 0;        ///< Events that it was learned from.
  bool image_changed = false;       ///< Another image than while it was learned.
  std::vector<std::string> images;  ///< Ids, newest last.

  PathTree files;
  /// Values by sort; kFile stays empty. Executables outside of the image begin with kOutsideMark.
  std::array<std::set<std::string, std::less<>>, kWhats> values;
  /// Found new while learning and not kept, because a limit was reached. A sort with any is not
  /// judged: nobody knows what is missing.
  std::array<std::uint64_t, kWhats> not_kept{};
  std::map<std::pair<What, std::string>, Open> departures;  ///< By sort and key_of().
  std::uint64_t departures_untold = 0;                      ///< Beyond kDeparturesMax.

  static constexpr char kOutsideMark = '!';

  [[nodiscard]] bool knows(const Feature& feature) const;
  /// Adds it unless `features_max` or kValuesBytesMax are reached. True when it is new and kept.
  bool learn(const Feature& feature, std::size_t features_max);
  [[nodiscard]] std::size_t size() const;
  /// Hexadecimal SHA-256 of what is known, whatever was observed since: the same for equal
  /// knowledge.
  [[nodiscard]] std::string fingerprint() const;

 private:
  std::size_t values_bytes_ = 0;
};

/// How a feature stands in Profile::values and departures.
std::string key_of(const Feature& feature);
Feature feature_of(What what, std::string_view key);

/// The profile as one JSON object (docs/formats/baseline.md), at most kProfileBytesMax.
std::string to_json(const Profile& profile);
/// Reads what to_json() wrote, strictly; whoever wrote it may be hostile. kInvalid names what is
/// wrong. Not more than `features_max` features (kLimit).
Result<Profile> parse_profile(std::string_view text, std::size_t features_max);

}  // namespace coff::baseline
