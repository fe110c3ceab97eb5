// One event as one JSON object: the container.
#include "base/clock.hpp"
#include "schema/event_writer.hpp"

namespace coff::schema {

namespace {

// An entry of a list may cost this much besides its strings.
constexpr size_t kEntryRoom = 160;

std::string_view metadata_name(Metadata metadata) {
  constexpr std::string_view kNames[] = {"pending", "partial", "complete", "unknown"};
  return kNames[static_cast<size_t>(metadata)];
}

bool is_engine_event(Kind kind) {
  return kind >= Kind::container_create && kind <= Kind::container_other;
}

void write_orchestration(EventWriter& writer, const Container& container) {
  if (!container.compose_project.empty() || !container.compose_service.empty()) {
    writer.open("compose");
    writer.text("project", container.compose_project);
    writer.text("service", container.compose_service);
    writer.close();
  }
  if (!container.k8s_pod.empty() || !container.k8s_namespace.empty()) {
    writer.open("k8s");
    writer.text("cluster", container.k8s_cluster);
    writer.text("namespace", container.k8s_namespace);
    writer.text("pod", container.k8s_pod);
    writer.text("pod_uid", container.k8s_pod_uid);
    writer.text("container", container.k8s_container);
    writer.close();
  }
  if (!container.ecs_task.empty() || !container.ecs_cluster.empty()) {
    writer.open("ecs");
    writer.text("cluster", container.ecs_cluster);
    writer.text("task", container.ecs_task);
    writer.text("service", container.ecs_service);
    writer.text("container", container.ecs_container);
    writer.close();
  }
}

void write_names(EventWriter& writer, std::string_view key, const std::vector<std::string>& names) {
  if (names.empty()) return;
  writer.open_array(key);
  for (const std::string& each : names) {
    if (!writer.has_room(kEntryRoom)) break;
    writer.element(each);
  }
  writer.close();
}

void write_mounts(EventWriter& writer, const Container& container) {
  if (container.mounts.empty()) return;
  writer.open_array("mounts");
  for (const ContainerMount& mount : container.mounts) {
    if (!writer.has_room(kEntryRoom)) break;
    writer.open_element();
    writer.text("mount_type", mount.type);
    writer.text("source", mount.source);
    writer.text("destination", mount.destination);
    writer.text("mode", mount.mode);
    writer.text("propagation", mount.propagation);
    writer.number("writable", mount.writable);
    writer.close();
  }
  writer.close();
}

void write_network(EventWriter& writer, const Container& container) {
  if (!container.networks.empty()) {
    writer.open_array("networks");
    for (const ContainerNetwork& network : container.networks) {
      if (!writer.has_room(kEntryRoom)) break;
      writer.open_element();
      writer.text("name", network.name);
      writer.text("ipv4", network.ipv4);
      writer.text("ipv6", network.ipv6);
      writer.text("mac", network.mac);
      writer.close();
    }
    writer.close();
  }
  if (container.ports.empty()) return;
  writer.open_array("ports");
  for (const ContainerPort& port : container.ports) {
    if (!writer.has_room(kEntryRoom)) break;
    writer.open_element();
    writer.text("host_address", port.host_address);
    writer.positive("host_port", static_cast<unsigned>(port.host_port));
    writer.number("container_port", static_cast<unsigned>(port.container_port));
    writer.text("protocol", port.protocol);
    writer.close();
  }
  writer.close();
}

void write_time(EventWriter& writer, std::string_view key, std::int64_t wall_ns) {
  if (wall_ns != 0) writer.word(key, format_time(wall_ns));
}

void write_configuration(EventWriter& writer, const Container& container,
                         const JsonOptions& options) {
  writer.text("image_id", container.image_id);
  writer.text("image_digest", container.image_digest);
  write_time(writer, "created", container.created_wall_ns);
  write_time(writer, "started", container.started_wall_ns);
  writer.positive("init_pid", container.init_pid);
  writer.text("user", container.user);
  if (container.metadata == Metadata::kComplete) {
    writer.number("privileged", container.privileged);
    writer.number("host_network", container.host_network);
    writer.number("host_pid", container.host_pid);
  }
  writer.text("restart_policy", container.restart_policy);
  writer.text("health_check", redacted(container.health_check, options));
  if (options.redactor == nullptr) write_names(writer, "command", container.command);
  else {
    write_names(writer, "command",
                options.redactor->redact_arguments(container.command, options.commit));
  }
  write_names(writer, "capabilities_added", container.capabilities_added);
  write_names(writer, "capabilities_dropped", container.capabilities_dropped);
  write_network(writer, container);
  write_mounts(writer, container);
  if (container.labels.empty()) return;
  writer.open("labels");
  for (const auto& [key, text] : container.labels) {
    if (!writer.has_room(kEntryRoom)) break;
    writer.pair(key, text);
  }
  writer.close();
}

}  // namespace

void write_container(EventWriter& writer, const Event& event, const JsonOptions& options) {
  if (event.container == nullptr) return;
  const Container& container = *event.container;
  writer.open("container");
  writer.text("id", container.id);
  writer.text("engine", container.engine);
  writer.word("metadata", metadata_name(container.metadata));
  writer.text("metadata_reason", container.metadata_reason);
  writer.text("name", container.name);
  writer.text("image", container.image);
  write_orchestration(writer, container);
  if (is_engine_event(event.kind) || options.full_context)
    write_configuration(writer, container, options);
  writer.close();
}

}  // namespace coff::schema
