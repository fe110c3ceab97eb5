// Joins control groups, inspections and engine events into one view of each container.
#include "runtime/directory.hpp"

#include <algorithm>
#include <unordered_set>

#include "base/clock.hpp"
#include "runtime/labels.hpp"

namespace coff::runtime {
namespace {

constexpr std::uint64_t kAskAgainNs = 1'000'000'000;

std::uint64_t now_boot_ns() { return static_cast<std::uint64_t>(boot_now_ns()); }

std::uint64_t unsigned_ns(std::int64_t duration_ns) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(duration_ns, 0));
}

// An engine tells wall time; the rest of the pipeline orders by boot time.
std::uint64_t boot_from_wall(std::int64_t wall_ns) {
  const std::int64_t boot_ns = boot_now_ns() - (wall_now_ns() - wall_ns);
  return unsigned_ns(boot_ns);
}

Event lifecycle_event(Kind kind, std::string action, Labels attributes, std::int64_t wall_ns,
                      ContainerPtr container) {
  Event event;
  event.kind = kind;
  event.wall_ns = wall_ns;
  event.boot_ns = boot_from_wall(wall_ns);
  event.container = std::move(container);
  event.detail = ContainerInfo{.action = std::move(action), .attributes = std::move(attributes)};
  return event;
}

Container from_cgroup(const CgroupContainer& seen) {
  Container container;
  container.id = seen.id;
  container.engine = seen.engine;
  container.k8s_pod_uid = seen.pod_uid;
  container.ecs_task = seen.ecs_task;
  container.metadata_reason = "no container engine has answered yet";
  return container;
}

// What only the control group told stays true where the engine says nothing about it.
void keep_from_before(Container& now, const Container& before) {
  if (now.engine.empty()) now.engine = before.engine;
  if (now.k8s_pod_uid.empty()) now.k8s_pod_uid = before.k8s_pod_uid;
  if (now.ecs_task.empty()) now.ecs_task = before.ecs_task;
  // An engine forgets both when the container ends; its last events still want them.
  if (now.init_pid != 0 || before.init_pid == 0) return;
  now.init_pid = before.init_pid;
  now.networks = before.networks;
}

std::string add_reason(const std::string& reasons, std::string_view reason) {
  if (reasons.find(reason) != std::string::npos) return reasons;
  return reasons.empty() ? std::string(reason) : reasons + "; " + std::string(reason);
}

constexpr std::string_view kTooBrief =
    "it lived too briefly for the engine to be asked about it: only name, image and labels are "
    "known";
constexpr std::string_view kEndedFirst =
    "it ended before the engine could be asked about its start: process id and network addresses "
    "are missing";

}  // namespace

Directory::Directory(DirectoryOptions options, LifecycleSink sink)
    : options_(options), sink_(std::move(sink)) {}
Directory::~Directory() = default;

void Directory::attach(Engine& engine) {
  std::vector<std::string> unanswered;
  {
    const std::scoped_lock lock(mutex_);
    engines_.push_back({.engine = &engine, .connected = engine.status().connected});
    for (const auto& [id, entry] : entries_)
      if (!entry.inspected && entry.removed_boot_ns == 0) unanswered.push_back(id);
  }
  for (const std::string& id : unanswered) engine.request(id);
}

void Directory::detach(const Engine& engine) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(engines_, [&](const Attached& attached) { return attached.engine == &engine; });
  for (auto& [id, entry] : entries_) {
    if (entry.owner == &engine) entry.owner = nullptr;
    std::erase(entry.denied, &engine);
  }
}

ContainerPtr Directory::find(std::string_view id) const {
  return published_.read([&](const Published& containers) {
    const auto found = containers.find(id);
    return found == containers.end() ? ContainerPtr() : found->second;
  });
}

ContainerPtr Directory::learn(const CgroupContainer& seen) {
  std::vector<Engine*> to_ask;
  ContainerPtr container;
  {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t now_ns = now_boot_ns();
    Entry* entry = entry_of(seen.id, now_ns);
    if (entry == nullptr) {
      Container unlisted = from_cgroup(seen);
      unlisted.metadata = Metadata::kUnknown;
      unlisted.metadata_reason = "there are more containers than are kept in memory";
      return std::make_shared<const Container>(std::move(unlisted));
    }
    revive(*entry);
    entry->runs = true;
    if (!entry->inspected_running) {
      Container known = entry->container ? *entry->container : from_cgroup(seen);
      keep_from_before(known, from_cgroup(seen));
      if (seen.engine == "buildkit" || engines_.empty()) {
        known.metadata = Metadata::kUnknown;
        known.metadata_reason = engines_.empty() ? "no container engine is configured"
                                                 : "a build step: engines keep no record of it";
      } else if (entry->asked_boot_ns == 0 || now_ns - entry->asked_boot_ns > kAskAgainNs) {
        entry->asked_boot_ns = now_ns;
        for (const Attached& attached : engines_) to_ask.push_back(attached.engine);
      }
      publish(*entry, std::move(known));
    }
    container = entry->container;
  }
  // Outside the lock: an engine has its own, and its thread takes ours. Engines live as long as
  // they are attached, and attaching is the wiring's, not another thread's.
  for (Engine* engine : to_ask) engine->request(seen.id);
  return container;
}

void Directory::gone(std::string_view id) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  found->second.runs = false;
  if (found->second.owner == nullptr) remove(found->first, found->second, now_boot_ns());
}

bool Directory::settled(std::string_view id) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return true;
  Entry& entry = found->second;
  if (entry.inspected_running || (entry.inspected && !entry.runs)) return true;
  const std::uint64_t now_ns = now_boot_ns();
  if (entry.denied_boot_ns != 0) {
    // An owner that has nothing more to say has sent its events already.
    if (entry.owner != nullptr) return true;
    return now_ns - entry.denied_boot_ns >= unsigned_ns(options_.denied_grace_ns);
  }
  if (entry.container->metadata == Metadata::kUnknown) return true;
  if (now_ns - entry.waiting_boot_ns < unsigned_ns(options_.settle_ns_max)) return false;
  if (entry.container->metadata == Metadata::kPending) {
    Container late = *entry.container;
    late.metadata = Metadata::kUnknown;
    late.metadata_reason = "no container engine answered in time";
    publish(entry, std::move(late));
  }
  return true;
}

std::vector<ContainerPtr> Directory::present() const {
  const std::scoped_lock lock(mutex_);
  std::vector<ContainerPtr> found;
  for (const auto& [id, entry] : entries_)
    if (entry.removed_boot_ns == 0) found.push_back(entry.container);
  return found;
}

std::vector<ContainerPtr> Directory::running() const {
  const std::scoped_lock lock(mutex_);
  std::vector<ContainerPtr> found;
  for (const auto& [id, entry] : entries_)
    if (entry.runs && entry.removed_boot_ns == 0) found.push_back(entry.container);
  return found;
}

DirectoryCounters Directory::counters() const {
  const std::scoped_lock lock(mutex_);
  return {.present = present_, .removed = entries_.size() - present_, .over_limit = over_limit_};
}

void Directory::on_container(const Engine& engine, Container container) {
  const std::scoped_lock lock(mutex_);
  Entry* entry = entry_of(container.id, now_boot_ns());
  if (entry == nullptr || !listens_to(*entry, engine)) return;
  entry->inspected = true;
  if (!entry->destroyed) revive(*entry);
  if (container.started_wall_ns != 0) entry->inspected_running = true;
  if (container.init_pid != 0) entry->runs = entry->removed_boot_ns == 0;
  if (entry->container) keep_from_before(container, *entry->container);
  if (container.init_pid == 0 && container.started_wall_ns != 0)
    container.metadata_reason = add_reason(container.metadata_reason, kEndedFirst);
  publish(*entry, std::move(container));
}

void Directory::on_event(const Engine& engine, const EngineEvent& event) {
  ContainerPtr container;
  {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t now_ns = now_boot_ns();
    Entry* entry = entry_of(event.id, now_ns);
    if (entry == nullptr) {
      container = std::make_shared<const Container>(container_from(event));
    } else {
      if (!listens_to(*entry, engine)) return;
      apply(*entry, event, engine.kind(), now_ns);
      container = entry->container;
      if (kind_of_action(event.verb()) == Kind::container_remove) {
        entry->destroyed = true;
        remove(event.id, *entry, now_ns);
      }
    }
  }
  sink_(lifecycle_event(kind_of_action(event.verb()), event.action, event.attributes, event.wall_ns,
                        std::move(container)));
}

void Directory::on_unknown(const Engine& engine, const std::string& id, const Error& why) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.inspected_running) return;
  Entry& entry = found->second;
  if (std::ranges::find(entry.denied, &engine) == entry.denied.end())
    entry.denied.push_back(&engine);
  if (entry.owner == nullptr ? !all_denied(entry) : entry.owner != &engine) return;
  entry.denied_boot_ns = now_boot_ns();
  Container known = *entry.container;
  if (entry.owner == nullptr) {
    known.metadata = Metadata::kUnknown;
    known.metadata_reason = why.code == Code::kNotFound
                                ? "no container engine knows it"
                                : "the container engine could not be asked: " + why.message();
  } else if (why.code == Code::kNotFound) {
    known.metadata = Metadata::kPartial;
    known.metadata_reason =
        entry.inspected ? add_reason(known.metadata_reason, kEndedFirst) : std::string(kTooBrief);
  } else {
    known.metadata_reason = add_reason(known.metadata_reason,
                                       "the container engine could not be asked: " + why.message());
  }
  publish(entry, std::move(known));
}

void Directory::on_list(const Engine& engine, const std::vector<std::string>& ids,
                        std::uint64_t asked_boot_ns) {
  const std::unordered_set<std::string_view> listed(ids.begin(), ids.end());
  std::vector<ContainerPtr> vanished;
  {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t now_ns = now_boot_ns();
    std::vector<std::string> absent;
    for (const auto& [id, entry] : entries_)
      if (entry.owner == &engine && entry.removed_boot_ns == 0 &&
          entry.touched_boot_ns < asked_boot_ns && !listed.contains(id))
        absent.push_back(id);
    for (const std::string& id : absent) {
      Entry& entry = entries_.find(id)->second;
      vanished.push_back(entry.container);
      entry.destroyed = true;
      remove(id, entry, now_ns);
    }
  }
  const std::int64_t wall_ns = wall_now_ns();
  for (ContainerPtr& container : vanished)
    sink_(lifecycle_event(Kind::container_remove, "absent",
                          {{"reason",
                            "not in the engine's list after a reconnection; its end and "
                            "removal were not seen"}},
                          wall_ns, std::move(container)));
}

void Directory::on_state(const Engine& engine, bool connected) {
  const std::scoped_lock lock(mutex_);
  for (Attached& attached : engines_)
    if (attached.engine == &engine) attached.connected = connected;
}

Directory::Entry* Directory::entry_of(const std::string& id, std::uint64_t now_ns) {
  if (const auto found = entries_.find(id); found != entries_.end()) return &found->second;
  prune(now_ns);
  if (present_ >= options_.containers_max) {
    ++over_limit_;
    return nullptr;
  }
  ++present_;
  Entry& entry = entries_[id];
  entry.touched_boot_ns = now_ns;
  entry.waiting_boot_ns = now_ns;
  return &entry;
}

void Directory::publish(Entry& entry, Container container) {
  entry.container = std::make_shared<const Container>(std::move(container));
  published_.write([&](Published& published) { published[entry.container->id] = entry.container; });
}

bool Directory::listens_to(Entry& entry, const Engine& engine) {
  const auto owner = std::ranges::find_if(
      engines_, [&](const Attached& attached) { return attached.engine == entry.owner; });
  if (owner != engines_.end() && owner->connected && entry.owner != &engine) return false;
  entry.owner = &engine;
  return true;
}

bool Directory::all_denied(const Entry& entry) const {
  return std::ranges::all_of(engines_, [&](const Attached& attached) {
    return std::ranges::find(entry.denied, attached.engine) != entry.denied.end();
  });
}

void Directory::apply(Entry& entry, const EngineEvent& event, const std::string& kind,
                      std::uint64_t now_ns) {
  entry.touched_boot_ns = now_ns;
  Container told = container_from(event);
  told.engine = kind;
  const std::string_view verb = event.verb();
  if (verb == "start") {
    entry.runs = true;
    // What was answered before this start is about the time before it.
    entry.inspected_running = false;
    entry.waiting_boot_ns = now_ns;
    entry.denied.clear();
    entry.denied_boot_ns = 0;
    told.started_wall_ns = event.wall_ns;
  }
  const Kind meaning = kind_of_action(verb);
  if (verb == "start" || meaning == Kind::container_create) {
    entry.destroyed = false;
    revive(entry);
  }
  const bool ends = meaning == Kind::container_stop || meaning == Kind::container_remove;
  if (ends) entry.runs = false;
  Container known = entry.container ? *entry.container : told;
  if (!entry.inspected) {
    if (entry.container) keep_from_before(told, known);
    if (told.started_wall_ns == 0) told.started_wall_ns = known.started_wall_ns;
    if (told.labels.empty()) told.labels = known.labels;
    known = std::move(told);
    derive_from_labels(known);
  } else {
    if (!event.name.empty()) known.name = event.name;
    if (told.started_wall_ns != 0) known.started_wall_ns = told.started_wall_ns;
  }
  const bool over = meaning == Kind::container_remove || entry.denied_boot_ns != 0;
  if (over && !entry.inspected) {
    known.metadata_reason = kTooBrief;
  } else if (ends && entry.inspected && !entry.inspected_running && known.started_wall_ns != 0) {
    known.metadata = Metadata::kPartial;
    known.metadata_reason = add_reason(known.metadata_reason, kEndedFirst);
  }
  if (!event.cuts.empty())
    known.metadata_reason = add_reason(known.metadata_reason, "its event was cut at a limit");
  publish(entry, std::move(known));
}

void Directory::remove(const std::string& id, Entry& entry, std::uint64_t now_ns) {
  if (entry.removed_boot_ns != 0) return;
  entry.removed_boot_ns = now_ns;
  entry.runs = false;
  --present_;
  removed_.emplace_back(id, now_ns);
  prune(now_ns);
}

void Directory::revive(Entry& entry) {
  if (entry.removed_boot_ns == 0) return;
  entry.removed_boot_ns = 0;
  ++present_;
}

void Directory::prune(std::uint64_t now_ns) {
  while (!removed_.empty() &&
         (removed_.size() > options_.removed_max ||
          now_ns - removed_.front().second > unsigned_ns(options_.removed_kept_ns))) {
    const std::string id = std::move(removed_.front().first);
    const std::uint64_t removed_ns = removed_.front().second;
    removed_.pop_front();
    const auto found = entries_.find(id);
    // It may have been forgotten, or have come back, since.
    if (found == entries_.end() || found->second.removed_boot_ns != removed_ns) continue;
    entries_.erase(found);
    published_.write([&](Published& published) { published.erase(id); });
  }
}

}  // namespace coff::runtime
