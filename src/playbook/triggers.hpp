// Triggers: which playbooks a finding or the time of day begins, and which it must not.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "playbook/playbook.hpp"

namespace coff::playbook {

/// Most triggers of one playbook, and most targets that are remembered.
inline constexpr size_t kTriggersMax = 64;
inline constexpr size_t kTargetsMax = 10'000;

/// One trigger: everything that is given must fit. One without anything never fits.
struct Trigger {
  std::string rule;           ///< Name of a rule; * is any text.
  std::string tag;            ///< One of the finding's tags or techniques.
  std::string priority;       ///< This grave at least: "Critical".
  std::string container;      ///< Name of the container; * is any text.
  std::uint64_t every_s = 0;  ///< A schedule; the others must not be given with it.
};

struct TriggerPolicy {
  std::vector<Trigger> triggers;
  std::uint64_t repeat_s = 3600;     ///< Not twice for one target in this time.
  std::uint64_t runs_per_hour = 10;  ///< Of this playbook, whatever the target.
};
/// Reads them from our extension of the playbook. kInvalid: they are malformed.
Result<TriggerPolicy> triggers_of(const Playbook& playbook);

/// Something that may begin a playbook.
struct Occasion {
  std::string rule;
  std::vector<std::string> tags;
  std::string priority;
  std::string container;  ///< Name.
  std::string target;     ///< What is acted on: the container's id.
  std::uint64_t now_ms = 0;
};
bool fits(const Trigger& trigger, const Occasion& occasion);

enum class Verdict : unsigned char { kStart, kNoTrigger, kRepeated, kRateLimited, kLocked, kFull };
std::string_view verdict_name(Verdict verdict);

/// Remembers what was begun. Belongs to one thread.
class TriggerDesk {
 public:
  /// kStart takes the lock of the target: no other playbook begins on it before ended().
  Verdict ask(const std::string& playbook, const TriggerPolicy& policy, const Occasion& occasion);
  /// A person begins a playbook: no trigger is needed, the lock is.
  Verdict ask_by_hand(const std::string& target);
  /// Whether a schedule is due; the first time at once.
  bool due(const std::string& playbook, const TriggerPolicy& policy, std::uint64_t now_ms);
  void ended(const std::string& target) { locked_.erase(target); }

 private:
  std::map<std::string, bool> locked_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> begun_ms_;
  std::map<std::string, std::deque<std::uint64_t>> runs_ms_;
  std::map<std::string, std::uint64_t> scheduled_ms_;
};

}  // namespace coff::playbook
