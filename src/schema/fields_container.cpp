// Fields of containers and of what orchestrates them.
#include <fnmatch.h>

#include "schema/field_get.hpp"

namespace coff::schema {

namespace {

constexpr size_t kShortId = 12;

// On the host libsinsp says "host" where it says something of the container at all.
template <std::string Container::* Member, size_t Size>
Value or_host(const Subject& subject, const Argument&) {
  const Container* container = subject.event.container.get();
  if (container == nullptr) return std::string_view("host");
  return text_value(std::string_view(container->*Member).substr(0, Size));
}

struct ImageName {
  std::string_view repository;
  std::string_view tag;
};

// "registry:5000/shop/web:1.2@sha256:…" into its parts.
ImageName split_image(std::string_view image) {
  const bool by_digest = image.find('@') != std::string_view::npos;
  image = image.substr(0, image.find('@'));
  const size_t slash = image.rfind('/');
  const size_t colon = image.rfind(':');
  const bool tagged =
      colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  if (tagged) return {image.substr(0, colon), image.substr(colon + 1)};
  return {image, by_digest || image.empty() ? std::string_view{} : std::string_view("latest")};
}

Value repository(const Subject& subject, const Argument&) {
  const Container* container = subject.event.container.get();
  return container == nullptr ? Value{} : text_value(split_image(container->image).repository);
}
Value tag(const Subject& subject, const Argument&) {
  const Container* container = subject.event.container.get();
  return container == nullptr ? Value{} : text_value(split_image(container->image).tag);
}

Value image_id(const Subject& subject, const Argument&) {
  const Container* container = subject.event.container.get();
  if (container == nullptr) return {};
  std::string_view id = container->image_id;
  if (id.starts_with("sha256:")) id.remove_prefix(7);
  return text_value(id);
}

Value container_type(const Subject& subject, const Argument&) {
  const Container* container = subject.event.container.get();
  return text_value(container == nullptr ? std::string_view("host")
                                         : std::string_view(container->engine));
}

Value label(const Subject& subject, const Argument& argument) {
  const Container* container = subject.event.container.get();
  if (container == nullptr) return {};
  for (const auto& [key, text] : container->labels) {
    if (key == argument.name) return std::string_view(text);
  }
  return {};
}

Value labels(const Subject& subject, const Argument&) {
  const Container* container = subject.event.container.get();
  if (container == nullptr) return {};
  std::string joined;
  for (const auto& [key, text] : container->labels) {
    if (!joined.empty()) joined += ", ";
    joined.append(key).append(":").append(text);
  }
  return text_value(std::move(joined));
}

std::string mount_text(const ContainerMount& mount) {
  return mount.source + ':' + mount.destination + ':' + mount.mode + ':' +
         (mount.writable ? "true" : "false") + ':' + mount.propagation;
}

const Container* inspected(const Subject& subject) {
  const Container* container = subject.event.container.get();
  return container != nullptr && container->metadata == Metadata::kComplete ? container : nullptr;
}

Value mounts(const Subject& subject, const Argument&) {
  const Container* container = inspected(subject);
  if (container == nullptr) return {};
  std::string joined;
  for (const ContainerMount& mount : container->mounts) {
    if (!joined.empty()) joined += ',';
    joined += mount_text(mount);
  }
  return text_value(std::move(joined));
}

std::string source_of(const ContainerMount& mount) { return mount.source; }
std::string destination_of(const ContainerMount& mount) { return mount.destination; }
std::string mode_of(const ContainerMount& mount) { return mount.mode; }
std::string writable_of(const ContainerMount& mount) { return mount.writable ? "true" : "false"; }
std::string propagation_of(const ContainerMount& mount) { return mount.propagation; }

// One mount by position, or by a pattern on its source (its destination for the source). "none"
// when there is no such mount, which libsinsp says too, so that comparisons still hold.
template <std::string (*Show)(const ContainerMount&)>
Value mount(const Subject& subject, const Argument& argument) {
  const Container* container = inspected(subject);
  if (container == nullptr) return {};
  if (argument.index) {
    if (*argument.index >= container->mounts.size()) return {};
    return Show(container->mounts[*argument.index]);
  }
  const std::string pattern(argument.name);
  for (const ContainerMount& each : container->mounts) {
    const std::string& key = Show == &source_of ? each.destination : each.source;
    if (fnmatch(pattern.c_str(), key.c_str(), 0) == 0) return Show(each);
  }
  return std::string_view("none");
}

Value address(const Subject& subject, const Argument&) {
  const Container* container = subject.event.container.get();
  if (container == nullptr) return {};
  for (const ContainerNetwork& network : container->networks) {
    if (!network.ipv4.empty()) return std::string_view(network.ipv4);
  }
  return {};
}

Value start(const Subject& subject, const Argument&) {
  const Container* container = subject.event.container.get();
  if (container == nullptr || container->started_wall_ns == 0) return {};
  return container->started_wall_ns;
}

Value duration(const Subject& subject, const Argument&) {
  const Container* container = subject.event.container.get();
  if (container == nullptr || container->started_wall_ns == 0) return {};
  const std::int64_t age = subject.event.wall_ns - container->started_wall_ns;
  return age < 0 ? Value{} : Value{static_cast<std::uint64_t>(age)};
}

Value metadata(const Subject& subject, const Argument&) {
  constexpr std::string_view kNames[] = {"pending", "partial", "complete", "unknown"};
  const Container* container = subject.event.container.get();
  if (container == nullptr) return {};
  return kNames[static_cast<size_t>(container->metadata)];
}

template <std::vector<std::string> Container::* Member>
Value joined(const Subject& subject, const Argument&) {
  const Container* container = inspected(subject);
  if (container == nullptr) return {};
  std::string text;
  for (const std::string& each : container->*Member) {
    if (!text.empty()) text += ' ';
    text += each;
  }
  return text_value(std::move(text));
}

Value action(const Subject& subject, const Argument&) {
  const auto* engine = std::get_if<ContainerInfo>(&subject.event.detail);
  return engine == nullptr ? Value{} : value_of(engine->action);
}

using enum Type;
constexpr Field kFields[] = {
    {"container.id", kText, or_host<&Container::id, kShortId>, "", "",
     "First 12 digits of the container's id, \"host\" outside containers."},
    {"container.full_id", kText, or_host<&Container::id, std::string::npos>, "container.id",
     "container.uid", "Whole id of the container, \"host\" outside containers."},
    {"container.name", kText, or_host<&Container::name, std::string::npos>, "container.name",
     "container.name", "Name of the container, \"host\" outside containers."},
    {"container.type", kText, container_type, "container.runtime", "container.runtime",
     "Engine: docker, containerd, cri-o, podman; \"host\" outside containers."},
    {"container.image", kText, of_container<&Container::image>, "", "",
     "Image as named by whoever started the container."},
    {"container.image.repository", kText, repository, "container.image.name",
     "container.image.name", "Image without tag and digest."},
    {"container.image.tag", kText, tag, "container.image.tag", "container.image.tag",
     "Tag of the image, \"latest\" where it has neither tag nor digest."},
    {"container.image.id", kText, image_id, "", "container.image.uid",
     "Id of the image without \"sha256:\"."},
    {"container.image.digest", kText, of_container<&Container::image_digest>,
     "container.image.hash.all", "",
     "Repository digest of the image; unset for images never pushed or pulled."},
    {"container.privileged", kBool, of_inspected<&Container::privileged>,
     "container.security_context.privileged", "",
     "Whether it runs privileged; unset until the engine has answered."},
    {"container.host_network", kBool, of_inspected<&Container::host_network>, "", "",
     "Whether it shares the host's network."},
    {"container.host_pid", kBool, of_inspected<&Container::host_pid>, "", "",
     "Whether it shares the host's processes."},
    {"container.mounts", kText, mounts, "", "",
     "All mounts, \"source:destination:mode:writable:propagation\", joined with commas."},
    {"container.mount", kText, mount<&mount_text>, "", "",
     "One mount, by position or by a pattern on its source; \"none\" when no source matches.",
     Takes::kIndexOrName},
    {"container.mount.source", kText, mount<&source_of>, "", "",
     "Source of a mount, by position or by a pattern on its destination.", Takes::kIndexOrName},
    {"container.mount.dest", kText, mount<&destination_of>, "", "",
     "Destination of a mount, as container.mount.", Takes::kIndexOrName},
    {"container.mount.mode", kText, mount<&mode_of>, "", "", "Mode of a mount, as container.mount.",
     Takes::kIndexOrName},
    {"container.mount.rdwr", kText, mount<&writable_of>, "", "",
     "\"true\" when a mount is writable, as container.mount.", Takes::kIndexOrName},
    {"container.mount.propagation", kText, mount<&propagation_of>, "", "",
     "Propagation of a mount, as container.mount.", Takes::kIndexOrName},
    {"container.label", kText, label, "container.labels", "container.labels",
     "Value of one label; write names with dots in brackets.", Takes::kName},
    {"container.labels", kText, labels, "", "", "All labels, \"key:value\" joined with commas."},
    {"container.ip", kText, address, "", "", "First IPv4 address of the container."},
    {"container.start_ts", kTime, start, "", "", "Start of the container."},
    {"container.duration", kDuration, duration, "", "", "Time since the container started."},
    {"container.healthcheck", kText, of_inspected<&Container::health_check>, "", "",
     "Command of the health check."},
    {"container.user", kText, of_inspected<&Container::user>, "", "",
     "User that the container was configured to run as."},
    {"container.command", kText, joined<&Container::command>, "", "",
     "Command of the container, joined with blanks."},
    {"container.cap_added", kText, joined<&Container::capabilities_added>, "", "",
     "Capabilities added to the engine's default, joined with blanks."},
    {"container.cap_dropped", kText, joined<&Container::capabilities_dropped>, "", "",
     "Capabilities removed from the engine's default, joined with blanks."},
    {"container.restart_policy", kText, of_inspected<&Container::restart_policy>, "", "",
     "Restart policy."},
    {"container.metadata", kText, metadata, "", "",
     "How much is known: pending, partial, complete, unknown."},
    {"container.metadata_reason", kText, of_container<&Container::metadata_reason>, "", "",
     "Why something is not known."},
    {"container.action", kText, action, "", "",
     "The engine's own word for an engine event, e.g. \"exec_create: sh\"."},
    {"compose.project", kText, of_container<&Container::compose_project>, "", "",
     "Compose project."},
    {"compose.service", kText, of_container<&Container::compose_service>, "service.name", "",
     "Compose service."},
    {"k8s.cluster", kText, of_container<&Container::k8s_cluster>, "orchestrator.cluster.name", "",
     "Kubernetes cluster."},
    {"k8s.ns.name", kText, of_container<&Container::k8s_namespace>, "orchestrator.namespace", "",
     "Kubernetes namespace."},
    {"k8s.pod.name", kText, of_container<&Container::k8s_pod>, "orchestrator.resource.name", "",
     "Kubernetes pod."},
    {"k8s.pod.uid", kText, of_container<&Container::k8s_pod_uid>, "orchestrator.resource.id",
     "container.pod_uuid", "Unique id of the Kubernetes pod."},
    {"k8s.pod.id", kText, of_container<&Container::k8s_pod_uid>, "", "", "Same as k8s.pod.uid."},
    {"k8s.container.name", kText, of_container<&Container::k8s_container>, "", "",
     "Name of the container in its Kubernetes pod."},
    {"ecs.cluster", kText, of_container<&Container::ecs_cluster>, "", "",
     "Cluster of the Amazon ECS task."},
    {"ecs.task", kText, of_container<&Container::ecs_task>, "", "", "Amazon ECS task."},
    {"ecs.service", kText, of_container<&Container::ecs_service>, "", "",
     "Family of the Amazon ECS task definition."},
    {"ecs.container", kText, of_container<&Container::ecs_container>, "", "",
     "Name of the container in its Amazon ECS task."},
};

}  // namespace

std::span<const Field> container_fields() { return kFields; }

}  // namespace coff::schema
