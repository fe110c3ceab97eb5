// Reads the JSON of an event back: its container.
#include "base/clock.hpp"
#include "schema/event_read_parts.hpp"

namespace coff::schema {

namespace {

void read_metadata(ObjectReader& reader, Container& container) {
  const std::string metadata = reader.text("metadata");
  container.metadata = Metadata::kComplete;
  if (metadata == "pending") container.metadata = Metadata::kPending;
  else if (metadata == "partial") container.metadata = Metadata::kPartial;
  else if (metadata == "unknown") container.metadata = Metadata::kUnknown;
  else if (!metadata.empty() && metadata != "complete") reader.complain("metadata", "is not known");
  reader.text("metadata_reason", container.metadata_reason);
}

void read_orchestration(ObjectReader& reader, Container& container) {
  reader.object("compose", [&](ObjectReader& compose) {
    compose.text("project", container.compose_project);
    compose.text("service", container.compose_service);
  });
  reader.object("k8s", [&](ObjectReader& pod) {
    pod.text("cluster", container.k8s_cluster);
    pod.text("namespace", container.k8s_namespace);
    pod.text("pod", container.k8s_pod);
    pod.text("pod_uid", container.k8s_pod_uid);
    pod.text("container", container.k8s_container);
  });
  reader.object("ecs", [&](ObjectReader& task) {
    task.text("cluster", container.ecs_cluster);
    task.text("task", container.ecs_task);
    task.text("service", container.ecs_service);
    task.text("container", container.ecs_container);
  });
}

void read_network(ObjectReader& reader, Container& container) {
  reader.objects("networks", [&](ObjectReader& each) {
    ContainerNetwork& network = container.networks.emplace_back();
    each.text("name", network.name);
    each.text("ipv4", network.ipv4);
    each.text("ipv6", network.ipv6);
    each.text("mac", network.mac);
  });
  reader.objects("ports", [&](ObjectReader& each) {
    ContainerPort& port = container.ports.emplace_back();
    each.text("host_address", port.host_address);
    each.number("host_port", port.host_port);
    each.number("container_port", port.container_port);
    each.text("protocol", port.protocol);
  });
  reader.objects("mounts", [&](ObjectReader& each) {
    ContainerMount& mount = container.mounts.emplace_back();
    each.text("mount_type", mount.type);
    each.text("source", mount.source);
    each.text("destination", mount.destination);
    each.text("mode", mount.mode);
    each.text("propagation", mount.propagation);
    each.truth("writable", mount.writable);
  });
}

void read_time(ObjectReader& reader, std::string_view key, std::int64_t& wall_ns) {
  const std::string text = reader.text(key);
  if (const auto time = parse_time(text)) wall_ns = *time;
}

}  // namespace

void read_capabilities(ObjectReader& sets, Capabilities& capabilities) {
  sets.hex("permitted", capabilities.permitted);
  sets.hex("effective", capabilities.effective);
  sets.hex("inheritable", capabilities.inheritable);
  sets.hex("bounding", capabilities.bounding);
  sets.hex("ambient", capabilities.ambient);
}

void read_container(ObjectReader& reader, Event& event) {
  auto container = std::make_shared<Container>();
  reader.text("id", container->id);
  reader.text("engine", container->engine);
  read_metadata(reader, *container);
  reader.text("name", container->name);
  reader.text("image", container->image);
  read_orchestration(reader, *container);
  reader.text("image_id", container->image_id);
  reader.text("image_digest", container->image_digest);
  read_time(reader, "created", container->created_wall_ns);
  read_time(reader, "started", container->started_wall_ns);
  reader.number("init_pid", container->init_pid);
  reader.text("user", container->user);
  reader.truth("privileged", container->privileged);
  reader.truth("host_network", container->host_network);
  reader.truth("host_pid", container->host_pid);
  reader.text("restart_policy", container->restart_policy);
  reader.text("health_check", container->health_check);
  reader.texts("command", container->command);
  reader.texts("capabilities_added", container->capabilities_added);
  reader.texts("capabilities_dropped", container->capabilities_dropped);
  read_network(reader, *container);
  reader.object("labels", [&](ObjectReader& labels) {
    for (const auto& member : labels.whole()) {
      if (!member.value().is_string()) return labels.complain(member.key(), "must be a string");
      container->labels.emplace_back(member.key(), member.value().get_string());
    }
  });
  // A rule knows a container by its id; one that is only described has one all the same.
  if (container->id.empty()) container->id = std::string(64, '0');
  event.container = std::move(container);
}

}  // namespace coff::schema
