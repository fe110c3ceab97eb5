// A plan: exactly what an action would change, what stays open afterwards, and what it needs.
#include "response/plan.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"

namespace coff::response {
namespace {

bool has(const std::vector<std::string>& list, std::string_view value) {
  return std::ranges::find(list, value) != list.end();
}

void write_texts(JsonWriter& writer, std::string_view name, const std::vector<std::string>& texts) {
  writer.key(name).begin_array();
  for (const std::string& text : texts) writer.string(text);
  writer.end_array();
}

void add_mount(const ContainerMount& mount, Plan& plan) {
  const std::string at = mount.source + " at " + mount.destination;
  if (mount.source.ends_with("docker.sock") || mount.source.ends_with("containerd.sock") ||
      mount.source.ends_with("podman.sock")) {
    plan.open_channels.push_back(
        {"engine_socket", "the engine's socket is mounted (" + at +
                              "): through it the container commands the whole host"});
    return;
  }
  if (mount.type == "tmpfs") return;
  if (mount.source == "/run" || mount.source == "/var/run" || mount.source == "/") {
    plan.open_channels.push_back(
        {"engine_socket", "a folder with sockets of the host is mounted (" + at + ")"});
    return;
  }
  plan.open_channels.push_back(
      {"shared_mount", std::string(mount.type) + " " + at +
                           (mount.writable ? " is written by it and read by whoever shares it"
                                           : " can be read by it, changes by others are seen") +
                           "; Unix sockets in it connect past every network filter"});
}

std::string ports_of(const Container& container) {
  std::string text;
  for (const ContainerPort& port : container.ports) {
    if (port.host_port == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(port.host_port) + "/" + port.protocol;
  }
  return text;
}

void write_facts(JsonWriter& writer, const Plan& plan) {
  writer.begin_object()
      .member("action", plan.action)
      .member("container_id", plan.container_id)
      .member("container_name", plan.container_name)
      .member("image", plan.image)
      .member("init_pid", plan.init_pid)
      .member("start_ticks", plan.start_ticks)
      .member("netns", plan.netns_inode)
      .member("approval_class", std::string_view(&plan.approval_class, 1))
      .member("rate_class", plan.rate_class);
  writer.key("steps").begin_array();
  for (const Step& step : plan.steps) {
    writer.begin_object().member("change", step.change).member("undo", step.undo).end_object();
  }
  writer.end_array();
  write_texts(writer, "warnings", plan.warnings);
  writer.key("open_channels").begin_array();
  for (const Channel& channel : plan.open_channels) {
    writer.begin_object().member("kind", channel.kind).member("what", channel.what).end_object();
  }
  writer.end_array();
}

}  // namespace

std::string facts_of(const Plan& plan) {
  std::string out;
  JsonWriter writer(out);
  write_facts(writer, plan);
  writer.end_object();
  return out;
}

std::string to_json(const Plan& plan) {
  std::string out;
  JsonWriter writer(out);
  write_facts(writer, plan);
  write_texts(writer, "refusals", plan.refusals);
  const std::string hash = to_hex(sha256(out));
  writer.member("sha256", hash).end_object();
  return out;
}

std::string to_text(const Plan& plan) {
  std::string out = plan.action + " of container " +
                    printable(plan.container_name.empty() ? plan.container_id.substr(0, 12)
                                                          : plan.container_name) +
                    " (" + plan.container_id.substr(0, 12) + ", process " +
                    std::to_string(plan.init_pid) + "), class " + plan.approval_class + "\n";
  for (const Step& step : plan.steps) {
    out += "  change   " + printable(step.change) + "\n";
    out += "  undo     " + (step.undo.empty() ? "cannot be undone" : printable(step.undo)) + "\n";
  }
  for (const Channel& channel : plan.open_channels) {
    out += "  open     " + printable(channel.kind + ": " + channel.what) + "\n";
  }
  for (const std::string& warning : plan.warnings) out += "  warning  " + printable(warning) + "\n";
  for (const std::string& refusal : plan.refusals) out += "  refused  " + printable(refusal) + "\n";
  return out;
}

void add_open_channels(const Target& target, Plan& plan) {
  const Container& about = target.about;
  if (target.engine_socket.empty()) {
    plan.warnings.emplace_back(
        "no engine answered: mounts, published ports, labels, restart policy are not known");
  }
  for (const ContainerMount& mount : about.mounts) add_mount(mount, plan);
  if (about.privileged) {
    plan.open_channels.push_back(
        {"privileged", "it is privileged: it can undo anything on the host"});
  }
  if (about.host_pid) {
    plan.open_channels.push_back(
        {"host_pid", "it sees the host's processes and, with rights, enters their namespaces"});
  }
  for (const char* name : {"CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_PTRACE", "CAP_BPF", "ALL"}) {
    if (has(about.capabilities_added, name)) {
      plan.open_channels.push_back({"capability", std::string("it was given ") + name});
    }
  }
  if (const std::string ports = ports_of(about); !ports.empty()) {
    plan.warnings.push_back("ports published on the host (" + ports +
                            ") are still taken by the engine's proxy or the host's filter; what "
                            "comes there meets silence");
  }
}

void add_restart_warnings(const Target& target, bool stops_answering, Plan& plan) {
  const Container& about = target.about;
  if (!about.restart_policy.empty() && about.restart_policy != "no") {
    plan.warnings.push_back("restart policy " + about.restart_policy +
                            ": if it ends, a new instance starts without this; protect it first");
  }
  if (!about.health_check.empty() && stops_answering) {
    plan.warnings.push_back("health check (" + about.health_check +
                            ") may fail: the engine then calls it unhealthy, and whatever restarts "
                            "unhealthy containers here (swarm, autoheal) destroys the evidence");
  }
  for (const auto& [name, value] : about.labels) {
    if (name == "com.docker.swarm.service.name") {
      plan.warnings.push_back("it belongs to the swarm service " + value +
                              ", which replaces it when it is unhealthy or ends");
    }
  }
}

bool has_raw_sockets(const Container& container) {
  // NET_RAW is one of the engine's default capabilities.
  return container.privileged ||
         (!has(container.capabilities_dropped, "CAP_NET_RAW") &&
          !has(container.capabilities_dropped, "ALL")) ||
         has(container.capabilities_added, "CAP_NET_RAW") ||
         has(container.capabilities_added, "ALL");
}

}  // namespace coff::response
