// Triggers: which playbooks a finding or the time of day begins, and which it must not.
#include "playbook/triggers.hpp"

#include <algorithm>
#include <array>

namespace coff::playbook {
namespace {

constexpr std::uint64_t kHourMs = 3600ULL * 1000;
constexpr std::uint64_t kSecondsMax = 30ULL * 24 * 3600;
constexpr std::array<std::string_view, 8> kPriorities = {
    "Debug", "Informational", "Notice", "Warning", "Error", "Critical", "Alert", "Emergency"};

// * is any text; one place to come back to keeps it linear times the pattern.
bool is_like(std::string_view text, std::string_view pattern) {
  size_t at = 0;
  size_t in = 0;
  size_t star = std::string_view::npos;
  size_t back = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      back = at;
    } else if (in < pattern.size() && pattern[in] == text[at]) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++back;
    } else {
      return false;
    }
  }
  while (in < pattern.size() && pattern[in] == '*') ++in;
  return in == pattern.size();
}

std::ptrdiff_t gravity(std::string_view priority) {
  const auto found = std::ranges::find(kPriorities, priority);
  return found == kPriorities.end() ? -1 : found - kPriorities.begin();
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  constexpr std::string_view kNames[] = {"start",        "no_trigger", "repeated",
                                         "rate_limited", "locked",     "full"};
  return kNames[static_cast<size_t>(verdict)];
}

Result<TriggerPolicy> triggers_of(const Playbook& playbook) {
  TriggerPolicy policy;
  const json::value* extensions = member_of(playbook.document, "playbook_extensions");
  const json::value* ours = extensions == nullptr ? nullptr : member_of(*extensions, kExtensionId);
  if (ours == nullptr || !ours->is_object()) return policy;
  const json::object& object = ours->get_object();
  policy.repeat_s = std::min(number_of(object, "repeat_s", policy.repeat_s), kSecondsMax);
  policy.runs_per_hour = number_of(object, "runs_per_hour", policy.runs_per_hour);
  const json::value* triggers = member_of(object, "triggers");
  if (triggers == nullptr) return policy;
  if (!triggers->is_array() || triggers->get_array().size() > kTriggersMax) {
    return fail(Code::kInvalid, "triggers must be a list of at most 64");
  }
  for (const json::value& item : triggers->get_array()) {
    const auto* each = item.if_object();
    if (each == nullptr) return fail(Code::kInvalid, "a trigger must be an object");
    Trigger trigger = {.rule = text_of(*each, "rule"),
                       .tag = text_of(*each, "tag"),
                       .priority = text_of(*each, "priority"),
                       .container = text_of(*each, "container"),
                       .every_s = number_of(*each, "every_s")};
    const bool chosen = !trigger.rule.empty() || !trigger.tag.empty() ||
                        !trigger.priority.empty() || !trigger.container.empty();
    if (chosen == (trigger.every_s != 0)) {
      return fail(Code::kInvalid, "a trigger chooses findings or is a schedule");
    }
    if (!trigger.priority.empty() && gravity(trigger.priority) < 0) {
      return fail(Code::kInvalid, "no priority of a finding: " + trigger.priority);
    }
    policy.triggers.push_back(std::move(trigger));
  }
  return policy;
}

bool fits(const Trigger& trigger, const Occasion& occasion) {
  if (trigger.every_s != 0) return false;
  if (trigger.rule.empty() && trigger.tag.empty() && trigger.priority.empty() &&
      trigger.container.empty()) {
    return false;
  }
  return (trigger.rule.empty() || is_like(occasion.rule, trigger.rule)) &&
         (trigger.container.empty() || is_like(occasion.container, trigger.container)) &&
         (trigger.priority.empty() || gravity(occasion.priority) >= gravity(trigger.priority)) &&
         (trigger.tag.empty() ||
          std::ranges::find(occasion.tags, trigger.tag) != occasion.tags.end());
}

Verdict TriggerDesk::ask(const std::string& playbook, const TriggerPolicy& policy,
                         const Occasion& occasion) {
  if (!std::ranges::any_of(policy.triggers,
                           [&](const Trigger& each) { return fits(each, occasion); })) {
    return Verdict::kNoTrigger;
  }
  const auto key = std::make_pair(playbook, occasion.target);
  const auto begun = begun_ms_.find(key);
  if (begun != begun_ms_.end() && occasion.now_ms - begun->second < policy.repeat_s * 1000) {
    return Verdict::kRepeated;
  }
  std::deque<std::uint64_t>& runs = runs_ms_[playbook];
  while (!runs.empty() && occasion.now_ms - runs.front() >= kHourMs) runs.pop_front();
  if (runs.size() >= policy.runs_per_hour) return Verdict::kRateLimited;
  if (begun_ms_.size() >= kTargetsMax && begun == begun_ms_.end()) {
    // What is older than any memory that is asked for can go; what is left is too much.
    std::erase_if(begun_ms_, [&](const auto& each) {
      return occasion.now_ms - each.second >= kSecondsMax * 1000;
    });
    if (begun_ms_.size() >= kTargetsMax) return Verdict::kFull;
  }
  if (const Verdict locked = ask_by_hand(occasion.target); locked != Verdict::kStart) return locked;
  begun_ms_[key] = occasion.now_ms;
  runs.push_back(occasion.now_ms);
  return Verdict::kStart;
}

Verdict TriggerDesk::ask_by_hand(const std::string& target) {
  if (locked_.size() >= kTargetsMax) return Verdict::kFull;
  return locked_.try_emplace(target, true).second ? Verdict::kStart : Verdict::kLocked;
}

bool TriggerDesk::due(const std::string& playbook, const TriggerPolicy& policy,
                      std::uint64_t now_ms) {
  for (const Trigger& trigger : policy.triggers) {
    if (trigger.every_s == 0) continue;
    const auto last = scheduled_ms_.find(playbook);
    if (last != scheduled_ms_.end() && now_ms - last->second < trigger.every_s * 1000) continue;
    scheduled_ms_[playbook] = now_ms;
    return true;
  }
  return false;
}

}  // namespace coff::playbook
