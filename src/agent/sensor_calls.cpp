// Answers of the sensor process to control calls: processes by container, and what is observed.
#include "agent/sensor_calls.hpp"

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "schema/decode.hpp"

namespace coff::agent {

namespace {

// A command line that is longer is cut; the trail has all of it.
constexpr size_t kCommandBytesMax = 400;

std::string_view metadata_name(Metadata metadata) {
  switch (metadata) {
    case Metadata::kPending: return "pending";
    case Metadata::kPartial: return "partial";
    case Metadata::kComplete: return "complete";
    case Metadata::kUnknown: return "unknown";
  }
  return "";
}

void write_container(JsonWriter& json, const Container& container) {
  json.begin_object()
      .member("id", container.id)
      .member("name", container.name)
      .member("engine", container.engine)
      .member("image", container.image)
      .member("image_id", container.image_id)
      .member("metadata", metadata_name(container.metadata))
      .member("metadata_reason", container.metadata_reason)
      .member("started", container.started_wall_ns == 0 ? std::string()
                                                        : format_time(container.started_wall_ns))
      .member("user", container.user)
      .member("privileged", container.privileged)
      .member("service", container.compose_service)
      .end_object();
}

std::string command_of(const Process& process) {
  std::string command;
  if (process.program != nullptr) {
    for (const auto& argument : process.program->argv) {
      if (!command.empty()) command += ' ';
      command += argument;
      if (command.size() > kCommandBytesMax) break;
    }
  }
  if (command.size() > kCommandBytesMax) command = command.substr(0, kCommandBytesMax) + "…";
  return command.empty() ? process.name : command;
}

void write_process(JsonWriter& json, const Process& process, const std::string& container_id,
                   const schema::UserNames& names) {
  const std::int64_t started =
      wall_now_ns() - boot_now_ns() + static_cast<std::int64_t>(process.start_boot_ns);
  json.begin_object()
      .member("id", process.id)
      .member("pid", process.pid)
      .member("vpid", process.vpid)
      .member("ppid", process.ppid)
      .member("name", process.name)
      .member("command", command_of(process))
      .member("exe", process.program == nullptr ? std::string() : process.program->exe)
      .member("uid", process.credentials.uid)
      .member("user", names.user(process.credentials.uid))
      .member("started", format_time(started))
      .member("capabilities", process.capabilities.effective)
      .member("container", container_id);
  if (process.credentials.loginuid != kNoLogin) {
    json.member("loginuid", process.credentials.loginuid)
        .member("login", names.user(process.credentials.loginuid));
  }
  json.end_object();
}

Result<void> check_line(Answer& answer, std::string_view check, bool ok, std::string_view detail,
                        std::string_view remedy) {
  std::string line;
  JsonWriter(line)
      .begin_object()
      .member("check", check)
      .member("ok", ok)
      .member("detail", detail)
      .member("remedy", remedy)
      .end_object();
  return answer.line(line);
}

}  // namespace

Result<void> answer_ps(const sensor::Sensor& sensor, const runtime::Directory& directory,
                       const schema::UserNames& names, Answer& answer) {
  for (const ContainerPtr& container : directory.present()) {
    std::string line;
    JsonWriter json(line);
    json.begin_object().key("container");
    write_container(json, *container);
    json.end_object();
    TRY(answer.line(line));
  }
  Result<void> outcome;
  sensor.processes().for_each([&](const Process& process) {
    if (!outcome) return;
    const auto* group = sensor.cgroups().find(process.cgroup);
    std::string line;
    JsonWriter json(line);
    json.begin_object().key("process");
    write_process(json, process, group == nullptr ? std::string() : group->container_id, names);
    json.end_object();
    outcome = answer.line(line);
  });
  return outcome;
}

Result<void> answer_flows(const sensor::Sensor& sensor, const flow::FlowTable& flows,
                          Answer& answer) {
  for (const flow::Edge* edge : flows.edges()) {
    std::string line;
    JsonWriter json(line);
    json.begin_object().key("edge").begin_object();
    flow::write_edge(json, *edge);
    json.end_object().end_object();
    TRY(answer.line(line));
  }
  const flow::FlowCounters& counters = flows.counters();
  const sensor::KindTotals kernel = sensor.totals()[COFF_KIND_flow];
  std::string line;
  JsonWriter(line)
      .begin_object()
      .key("coverage")
      .begin_object()
      .member("sampled_one_in", sensor.flow_sampling())
      .member("counted_only", kernel.filtered)
      .member("lost", kernel.lost)
      .member("joined", counters.joined)
      .member("one_sided", counters.one_sided)
      .member("failed", counters.failed)
      .member("open", static_cast<std::uint64_t>(flows.open_connections()))
      .member("connections_evicted", counters.connections_evicted)
      .member("edges_evicted", counters.edges_evicted)
      .end_object()
      .end_object();
  return answer.line(line);
}

Result<void> answer_doctor(const sensor::Sensor& sensor, const runtime::Hierarchy& hierarchy,
                           Answer& answer) {
  TRY(check_line(answer, "kernel programs", true,
                 std::to_string(sensor.programs().attached_count()) + " hooks attached", ""));
  TRY(check_line(answer, "control groups", true,
                 hierarchy.reason + " (" + std::to_string(sensor.cgroups().size()) + " known)",
                 ""));
  TRY(check_line(answer, "processes", true, std::to_string(sensor.processes().size()) + " known",
                 ""));
  for (const auto& blindness : sensor.programs().blindness()) {
    TRY(check_line(
        answer, blindness.what, blindness.by_design,
        blindness.by_design ? "not observed: " + blindness.reason : "blind: " + blindness.reason,
        blindness.remedy));
  }
  return {};
}

Result<void> answer_rules(const Detector& detector, Answer& answer) {
  for (const RuleActivity& each : detector.activity()) {
    std::string line;
    JsonWriter(line)
        .begin_object()
        .member("rule", each.rule->name)
        .member("enabled", each.rule->enabled)
        .member("priority", rules::priority_name(each.rule->priority))
        .member("evaluated", each.evaluated)
        .member("matched", each.matched)
        .member("told", each.told)
        .member("repeats", each.repeats)
        .member("suppressed", each.suppressed)
        .member("limited", each.limited)
        .end_object();
    TRY(answer.line(line));
  }
  return {};
}

void write_sensor_counters(const sensor::Sensor& sensor, JsonWriter& json) {
  json.key("kernel").begin_object();
  const auto totals = sensor.totals();
  for (size_t kind = 0; kind < totals.size(); ++kind) {
    const auto& total = totals[kind];
    if (total.sent + total.filtered + total.lost == 0) continue;
    json.key(schema::kKindNames[kind])
        .begin_object()
        .member("sent", total.sent)
        .member("delivered", total.delivered)
        .member("filtered", total.filtered)
        .member("lost", total.lost)
        .end_object();
  }
  json.end_object()
      .member("skipped_runs", sensor.programs().skipped_runs())
      .member("map_bytes", sensor.programs().map_bytes())
      .member("processes", static_cast<std::uint64_t>(sensor.processes().size()))
      .member("control_groups", static_cast<std::uint64_t>(sensor.cgroups().size()))
      .member("healed_processes", sensor.healed_count());
}

}  // namespace coff::agent
