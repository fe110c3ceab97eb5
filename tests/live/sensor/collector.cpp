// Runs programs under a real sensor and keeps every event, for tests to look through.
#include "live/sensor/collector.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "runtime/cgroup.hpp"
#include "runtime/cgroup_tree.hpp"

namespace coff::live {

std::optional<std::string> ebpf_missing() {
  static const std::optional<std::string> kReason = []() -> std::optional<std::string> {
    if (geteuid() != 0) return "loading kernel programs needs root";
    auto collector = Collector::open();
    if (!collector) return collector.error().message();
    return {};
  }();
  return kReason;
}

KernelFilter everything() {
  FilterClause all{.reason = "test: everything"};
  for (unsigned kind = 0; kind < COFF_KINDS; ++kind) all.kinds.push_back(kind);
  return {{all}};
}

Result<Collector> Collector::open(KernelFilter filter, sensor::LoadOptions load) {
  const runtime::Hierarchy hierarchy = TRY(runtime::choose_hierarchy());
  load.cgroup_controller = hierarchy.controller;
  load.self_pids = {static_cast<std::uint32_t>(getpid())};
  sensor::SensorOptions options{
      .load = std::move(load), .filter = std::move(filter), .hierarchy = hierarchy.number};
  options.environment = {"COFF_TEST"};
  options.list_cgroups = [hierarchy] {
    std::vector<sensor::ExistingCgroup> groups;
    if (const auto scan = runtime::scan_cgroups(hierarchy)) {
      for (const auto& group : scan->groups) groups.push_back({group.id, group.path});
    }
    return groups;
  };
  options.resolver = [](std::string_view path) {
    const auto container = runtime::parse_cgroup(path);
    return container ? container->id : std::string();
  };
  return Collector(TRY(sensor::Sensor::open(std::move(options))));
}

void Collector::drain() {
  for (;;) {
    const auto count = sensor_->poll([&](Event&& event) { events_.push_back(std::move(event)); });
    if (!count || *count == 0) return;
  }
}

void Collector::during(const std::function<void()>& work) {
  std::atomic<bool> done = false;
  std::jthread worker([&] {
    work();
    done = true;
  });
  while (!done) {
    drain();
    usleep(2000);
  }
  worker.join();
  drain();
}

Result<Outcome> Collector::run(const std::vector<std::string>& argv, const RunOptions& options) {
  Result<Outcome> outcome = fail(Code::kInternal, "did not run");
  during([&] { outcome = live::run(argv, options); });
  return outcome;
}

std::vector<const Event*> Collector::select(const std::function<bool(const Event&)>& wanted) const {
  std::vector<const Event*> found;
  for (const Event& event : events_) {
    if (wanted(event)) found.push_back(&event);
  }
  return found;
}

const Event* Collector::first(Kind kind, std::string_view process_name) const {
  const auto found = std::find_if(events_.begin(), events_.end(), [&](const Event& event) {
    return event.kind == kind && event.process != nullptr && event.process->name == process_name;
  });
  return found == events_.end() ? nullptr : &*found;
}

}  // namespace coff::live
