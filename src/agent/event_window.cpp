// The events of the last moments, by container: what a finding quotes from the time before it.
#include "agent/event_window.hpp"

#include <algorithm>

namespace coff::agent {

namespace {

std::string place_of(const Event& event) {
  return event.container == nullptr ? std::string() : event.container->id;
}

size_t text_bytes(const Event& event) {
  if (const auto* file = std::get_if<FileInfo>(&event.detail)) {
    size_t bytes = file->text.size();
    for (const Path* path : {&file->path, &file->path2}) {
      bytes += path->raw.size() + path->name.size() + path->resolved.size();
    }
    return bytes;
  }
  if (const auto* exec = std::get_if<ExecInfo>(&event.detail)) {
    return exec->filename.size() + exec->cwd.size();
  }
  if (const auto* socket = std::get_if<SocketInfo>(&event.detail)) return socket->unix_path.size();
  if (const auto* call = std::get_if<CallInfo>(&event.detail)) return call->text.size();
  return 0;
}

// On the host, what happens in another session has most likely nothing to do with it.
bool is_related(const Event& earlier, const Event& event) {
  if (event.container != nullptr) return true;
  if (earlier.process == nullptr || event.process == nullptr) return false;
  if (earlier.process->sid == event.process->sid && event.process->sid != 0) return true;
  for (const Process* at = event.process.get(); at != nullptr; at = at->parent.get()) {
    if (at->pid == 1) return false;
    if (at->id == earlier.process->id) return true;
  }
  return false;
}

}  // namespace

bool EventWindow::always_keeps(Kind kind) {
  switch (kind) {
    case Kind::exec:
    case Kind::exit:
    case Kind::setid:
    case Kind::capset:
    case Kind::loginuid:
    case Kind::setns:
    case Kind::unshare:
    case Kind::connect:
    case Kind::container_create:
    case Kind::container_start:
    case Kind::container_stop:
    case Kind::container_other: return true;
    default: return false;
  }
}

size_t EventWindow::estimate(const Event& event) {
  return sizeof(KeptEvent) + event.thread_name.size() + text_bytes(event);
}

void EventWindow::set_bytes_max(size_t bytes_max) {
  bytes_max_ = bytes_max;
  make_room();
  if (bytes_max_ == 0) places_.clear();
}

void EventWindow::forget_oldest(Place& place) {
  const size_t bytes = estimate(place.events.front().event);
  place.events.pop_front();
  place.bytes -= bytes;
  bytes_ -= bytes;
  ++place.forgotten;
}

// The place that takes most gives first, so that a busy container does not cost a quiet one its
// past.
void EventWindow::make_room() {
  while (bytes_ > bytes_max_) {
    const auto largest =
        std::ranges::max_element(places_, {}, [](const auto& place) { return place.second.bytes; });
    forget_oldest(largest->second);
  }
}

void EventWindow::add(const Event& event, std::optional<std::uint64_t> number) {
  if (bytes_max_ == 0) return;
  const std::string id = place_of(event);
  if (!places_.contains(id) && places_.size() >= kPlacesMax) {
    const auto oldest = std::ranges::min_element(places_, {}, [](const auto& place) {
      return place.second.events.empty() ? 0 : place.second.events.back().order;
    });
    bytes_ -= oldest->second.bytes;
    places_.erase(oldest);
  }
  Place& place = places_[id];
  if (place.since_boot_ns == 0) {
    place.since_boot_ns = event.boot_ns;
    place.lost_before = lost_;
  }
  place.events.push_back({event, number, ++order_});
  place.bytes += estimate(event);
  bytes_ += estimate(event);
  if (place.events.size() > (id.empty() ? kHostEventsMax : kEventsMax)) forget_oldest(place);
  make_room();
  // What a removed container did is in the trail; nothing comes after it.
  if (event.kind == Kind::container_remove) {
    bytes_ -= place.bytes;
    places_.erase(id);
  }
}

Before EventWindow::before(const Event& event, size_t count_max) const {
  Before found{.since_boot_ns = event.boot_ns};
  const auto known = places_.find(place_of(event));
  if (known == places_.end()) return found;
  const Place& place = known->second;
  found.forgotten = place.forgotten;
  found.lost = lost_ - place.lost_before;
  found.since_boot_ns = place.since_boot_ns;
  for (auto at = place.events.rbegin(); at != place.events.rend(); ++at) {
    if (found.events.size() == count_max) break;
    if (at->event.boot_ns <= event.boot_ns && is_related(at->event, event)) {
      found.events.push_back(&*at);
    }
  }
  std::ranges::reverse(found.events);
  return found;
}

}  // namespace coff::agent
