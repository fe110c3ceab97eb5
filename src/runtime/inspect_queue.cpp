// The order of questions to an engine.
#include "runtime/inspect_queue.hpp"

namespace coff::runtime {

void InspectQueue::wait(const std::string& id, Entry& entry, Urgency urgency) {
  entry.state = State::kWaiting;
  entry.urgency = urgency;
  (urgency == Urgency::kNow ? now_ : refresh_).push_back(id);
}

bool InspectQueue::add(const std::string& id, Urgency urgency) {
  auto found = entries_.find(id);
  if (found == entries_.end()) {
    if (entries_.size() >= size_max_) return false;
    wait(id, entries_[id], urgency);
    return true;
  }
  Entry& entry = found->second;
  if (entry.state == State::kAsked) entry.again = true;
  // Its old place in the other line is passed over by pop().
  else if (entry.state == State::kPaused || urgency > entry.urgency) wait(id, entry, urgency);
  return true;
}

std::optional<std::string> InspectQueue::pop(std::deque<std::string>& ids, Urgency urgency) {
  while (!ids.empty()) {
    std::string id = std::move(ids.front());
    ids.pop_front();
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second.state != State::kWaiting ||
        found->second.urgency != urgency)
      continue;
    found->second.state = State::kAsked;
    found->second.again = false;
    return id;
  }
  return std::nullopt;
}

std::optional<std::string> InspectQueue::next(std::int64_t now_ns) {
  for (size_t count = paused_.size(); count > 0; --count) {
    std::string id = std::move(paused_.front());
    paused_.pop_front();
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second.state != State::kPaused) continue;
    if (found->second.due_ns <= now_ns) wait(id, found->second, found->second.urgency);
    else paused_.push_back(std::move(id));
  }
  if (auto id = pop(now_, Urgency::kNow)) return id;
  return pop(refresh_, Urgency::kRefresh);
}

void InspectQueue::done(const std::string& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  found->second.attempts = 0;
  if (found->second.again) wait(id, found->second, Urgency::kNow);
  else entries_.erase(found);
}

bool InspectQueue::failed(const std::string& id, std::int64_t now_ns) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return false;
  Entry& entry = found->second;
  if (++entry.attempts >= kAttemptsMax) {
    entries_.erase(found);
    return false;
  }
  entry.state = State::kPaused;
  entry.due_ns = now_ns + (kPauseNs << (entry.attempts - 1));
  paused_.push_back(id);
  return true;
}

void InspectQueue::restart() {
  for (auto& [id, entry] : entries_)
    if (entry.state == State::kAsked) wait(id, entry, entry.urgency);
}

}  // namespace coff::runtime
