// The sensor's main loop: kernel programs, containers and trail, joined.
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/access_desk.hpp"
#include "agent/pipeline.hpp"
#include "agent/sensor_calls.hpp"
#include "agent/sensor_process.hpp"
#include "base/log.hpp"
#include "runtime/cgroup.hpp"
#include "runtime/cgroup_tree.hpp"

namespace coff::agent {

namespace {

constexpr std::int64_t kPollMs = 20;
constexpr std::int64_t kTickMs = 1000;
constexpr std::int64_t kNamesMs = 30'000;
// After a loss the tree may lack processes: look at all of them again, at most this often.
constexpr int kHealEveryTicks = 10;

std::vector<sensor::ExistingCgroup> list_cgroups(const runtime::Hierarchy& hierarchy) {
  const auto scan = runtime::scan_cgroups(hierarchy);
  std::vector<sensor::ExistingCgroup> groups;
  if (!scan) {
    log_warning("sensor", "control groups: " + scan.error().message());
    return groups;
  }
  for (const auto& group : scan->groups) groups.push_back({group.id, group.path});
  return groups;
}

// As the engines may have named them: one of the folders is a link to the other on most hosts, and
// an engine that starts later has one of the usual names.
std::vector<std::string> api_sockets(const config::Config& settings) {
  std::vector<std::string> names = settings.engine_sockets();
  for (const char* usual : {"/run/docker.sock", "/run/podman/podman.sock"})
    names.emplace_back(usual);
  const size_t count = names.size();
  for (size_t at = 0; at < count; ++at) {
    if (names[at].starts_with("/run/")) names.push_back("/var" + names[at]);
    else if (names[at].starts_with("/var/run/")) names.push_back(names[at].substr(4));
  }
  return names;
}

sensor::SensorOptions make_options(const SensorContext& context, KernelFilter filter,
                                   const runtime::Hierarchy& hierarchy,
                                   runtime::Directory& directory) {
  const auto& wanted = context.settings().sensor;
  const auto mebibytes = [](std::uint64_t count) {
    return static_cast<std::uint32_t>(count << 20);
  };
  sensor::SensorOptions options{
      .load = {.ring_bytes = {mebibytes(wanted.ring_priority_mib), mebibytes(wanted.ring_files_mib),
                              mebibytes(wanted.ring_network_mib)},
               .argv_bytes_max = static_cast<std::uint32_t>(wanted.argv_bytes_max),
               .env_bytes_max = static_cast<std::uint32_t>(wanted.env_bytes_max),
               .cgroup_controller = hierarchy.controller,
               .self_pids = {static_cast<std::uint32_t>(getpid())}},
      .filter = std::move(filter),
      .environment = wanted.environment,
      .hierarchy = hierarchy.number,
      .api_sockets = api_sockets(context.settings())};
  options.list_cgroups = [hierarchy] { return list_cgroups(hierarchy); };
  options.resolver = [](std::string_view path) {
    const auto container = runtime::parse_cgroup(path);
    return container ? container->id : std::string();
  };
  options.find_container = [&directory](std::string_view id) { return directory.find(id); };
  options.on_new_container = [&directory](std::string_view path) {
    if (const auto container = runtime::parse_cgroup(path)) directory.learn(*container);
  };
  options.on_removed_cgroup = [&directory](std::string_view path) {
    const auto container = runtime::parse_cgroup(path);
    if (container && container->below.empty()) directory.gone(container->id);
  };
  return options;
}

// The running parts, so that handlers can hold one reference to all of them.
struct Parts {
  SensorContext& context;
  sensor::Sensor& sensor;
  Pipeline& pipeline;
  AccessDesk& desk;
  const runtime::Hierarchy& hierarchy;
  bool ended = false;  ///< Nothing is read any more; the trail takes what is queued.
  int ticks_until_prune = kHealEveryTicks;
  int ticks_until_heal = -1;  ///< -1: nothing was lost since the last healing.
};

Result<void> poll_once(Parts& parts) {
  if (parts.ended) return {};
  const auto sink = [&](Event&& event) {
    parts.desk.take(event);
    parts.pipeline.take(std::move(event));
  };
  // Bounded, so that calls and acknowledgements have their turn under load.
  for (int round = 0; round < 8; ++round) {
    if (TRY(parts.sensor.poll(sink)) == 0) break;
  }
  parts.pipeline.release();
  return {};
}

Result<void> tick(Parts& parts) {
  if (parts.ended) return {};
  parts.sensor.tick();
  sensor::Losses losses = parts.sensor.take_losses();
  if (!losses.empty() && parts.ticks_until_heal < 0) parts.ticks_until_heal = kHealEveryTicks;
  parts.pipeline.report_losses(std::move(losses));
  parts.pipeline.tick();
  if (parts.ticks_until_prune-- == 0) {
    parts.ticks_until_prune = kHealEveryTicks;
    parts.desk.prune();
  }
  if (parts.ticks_until_heal > 0) --parts.ticks_until_heal;
  if (parts.ticks_until_heal == 0) {
    parts.ticks_until_heal = -1;
    if (auto healed = parts.sensor.heal(); !healed) {
      log_warning("sensor", "processes: " + healed.error().message());
    }
  }
  return {};
}

Result<void> watch(Parts& parts) {
  Loop& loop = parts.context.loop();
  TRY(loop.watch(parts.sensor.poll_fd(), EPOLLIN,
                 [&parts](std::uint32_t) { return poll_once(parts); }));
  TRY(loop.every(kPollMs, [&parts] { return poll_once(parts); }));
  TRY(loop.every(kTickMs, [&parts] { return tick(parts); }));
  TRY(loop.every(kNamesMs, [&parts]() -> Result<void> {
    parts.pipeline.read_names();
    return {};
  }));
  return {};
}

void answer_calls(Parts& parts, const runtime::Directory& directory) {
  CallHandlers& calls = parts.context.calls();
  calls.add("ps", [&parts, &directory](std::string_view, Answer& answer) {
    return answer_ps(parts.sensor, directory, parts.pipeline.names(), answer);
  });
  calls.add("flows", [&parts](std::string_view, Answer& answer) {
    return answer_flows(parts.sensor, parts.pipeline.flows(), answer);
  });
  calls.add("doctor", [&parts](std::string_view, Answer& answer) {
    return answer_doctor(parts.sensor, parts.hierarchy, answer);
  });
  calls.add("rules", [&parts](std::string_view, Answer& answer) {
    return answer_rules(parts.pipeline.detector(), answer);
  });
  parts.pipeline.learner().answer_calls(calls);
  parts.context.on_counters([&parts](JsonWriter& json) {
    parts.pipeline.write_counters(json);
    parts.desk.write_counters(json);
    write_sensor_counters(parts.sensor, json);
  });
  parts.context.on_config([&parts](const config::Config& settings) {
    parts.pipeline.use_settings(settings);
    parts.sensor.watch_api_sockets(api_sockets(settings));
    const auto notes = parts.sensor.use_filter(parts.pipeline.kernel_filter());
    if (!notes) return log_error("sensor", notes.error().message());
    for (const auto& note : *notes) log_warning("sensor", note);
  });
}

}  // namespace

Result<void> run_sensor(SensorContext& context) {
  const runtime::Hierarchy hierarchy = TRY(runtime::choose_hierarchy());
  // The directory tells the pipeline, which looks things up in the directory.
  Pipeline* told = nullptr;
  runtime::Directory directory({}, [&told](Event event) {
    if (told != nullptr) told->take_lifecycle(std::move(event));
  });
  Pipeline pipeline(context, directory);
  told = &pipeline;
  context.engines().set_directory(directory);
  AccessDesk desk(pipeline, directory);
  auto options = make_options(context, pipeline.kernel_filter(), hierarchy, directory);
  options.on_api = [&desk](const sensor::ApiBytes& bytes) { desk.take(bytes); };
  const auto sensor = TRY(sensor::Sensor::open(std::move(options)));
  desk.use_sensor(*sensor);
  desk.learn();
  TRY(context.loading_is_done());
  context.watching_begins();
  Parts parts{context, *sensor, pipeline, desk, hierarchy};
  answer_calls(parts, directory);
  TRY(watch(parts));
  const auto sink = [&](Event&& event) { pipeline.take(std::move(event)); };
  sensor->report_processes(sink);
  if (auto seen = sensor->report_connections(sink); !seen) {
    log_warning("sensor", "connections older than the agent: " + seen.error().message());
  }
  TRY(context.loop().run());
  // What the kernel has handed over already is not lost by a stop.
  const trail::EntryTime ended = trail::EntryTime::now();
  TRY(poll_once(parts));
  desk.finish();
  pipeline.finish();
  parts.ended = true;
  context.watching_ended(ended);
  context.loop().forget(sensor->poll_fd());
  // Here and not later: the last heartbeat counts with parts that end with this function.
  return context.drain();
}

}  // namespace coff::agent
