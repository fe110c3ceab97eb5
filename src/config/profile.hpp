// The recording profile: which events go to the trail, and which are only offered to subscribers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "schema/event.hpp"
#include "schema/kernel_filter.hpp"

namespace coff::config {

/// Clauses that one file may add; the kernel holds COFF_CLAUSES, and rules need theirs.
inline constexpr size_t kProfileClausesMax = 24;
/// Path patterns of one kind (exact, prefix, suffix, contains) in one clause.
inline constexpr size_t kPatternsMax = 256;
/// Bytes of all patterns of the added clauses: each may cost the kernel's automaton one of
/// COFF_DFA_STATES states, and rules need theirs.
inline constexpr size_t kPatternBytesMax = COFF_DFA_STATES / 2;

/// What happens to an event.
enum class Recording : unsigned char {
  kNone,   ///< Not asked for.
  kLive,   ///< Offered to subscribers, not kept.
  kTrail,  ///< An entry of the trail.
};

/// One row of a profile: events that pass all its conditions are recorded as it says.
struct ProfileClause {
  FilterClause filter;
  Recording record = Recording::kTrail;
  bool operator==(const ProfileClause& other) const;
};

struct ProfileSettings {
  std::string base = "default";        ///< A named profile: minimal, default or full.
  std::vector<ProfileClause> clauses;  ///< Added to the named one.
  /// Connections of one process to the same other end are reported once in so long; 0 = each.
  std::uint64_t repeat_seconds = 10;
  bool operator==(const ProfileSettings&) const = default;
};

inline constexpr std::array<std::string_view, 3> kProfileNames = {"minimal", "default", "full"};

/// YAML text of a named profile's clauses; "" for a name that does not exist.
std::string_view named_profile_yaml(std::string_view name);

/// All clauses in effect: the named profile's, then the added ones.
std::vector<ProfileClause> effective_clauses(const ProfileSettings& settings);

/// The necessary condition for the kernel: every clause, whatever it records.
KernelFilter kernel_filter(const ProfileSettings& settings);

/// Decides for events that the kernel forwarded, which may be more than the profile asked for.
/// Immutable after construction; any thread may call it.
class RecordingProfile {
 public:
  explicit RecordingProfile(const ProfileSettings& settings);
  RecordingProfile(RecordingProfile&&) noexcept;
  RecordingProfile& operator=(RecordingProfile&&) noexcept;
  ~RecordingProfile();

  /// The strongest recording that any matching clause asks for. Events about containers from
  /// their engine, and processes found at start, always are entries of the trail.
  [[nodiscard]] Recording decide(const Event& event) const;

 private:
  struct Compiled;
  std::vector<Compiled> clauses_;
  std::array<std::vector<std::uint8_t>, COFF_KINDS> by_kind_;  ///< Indices into clauses_.
};

/// COFF_OPEN_* of an open's O_* flags and the file's mode, as the kernel programs classify it:
/// what is created executable counts as opened for execution.
unsigned open_bits(std::uint32_t open_flags, std::uint32_t mode);

}  // namespace coff::config
