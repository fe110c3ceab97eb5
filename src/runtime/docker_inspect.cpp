// Reads the inspect answer of the Docker Engine API: everything known about one container.
#include <algorithm>
#include <charconv>

#include "base/clock.hpp"
#include "runtime/docker_json.hpp"
#include "runtime/json_members.hpp"
#include "runtime/labels.hpp"

namespace coff::runtime {
namespace {

// Go's zero time: the engine's word for "never".
constexpr std::string_view kNever = "0001-01-01";
constexpr std::int64_t kPidMax = 1 << 22;  // PID_MAX_LIMIT of 64-bit kernels
constexpr std::int64_t kRetriesMax = 1'000'000'000;

std::int64_t time_in(const JsonMembers& members, std::string_view name) {
  const std::string text = members.text(name);
  if (text.empty() || text.starts_with(kNever)) return 0;
  const auto time = parse_time(text);
  if (!time && members.findings().problem.empty())
    members.findings().problem = std::string(name) + " is no time";
  return time.value_or(0);
}

// Docker writes CAP_NET_ADMIN, podman NET_ADMIN, people either, in any case.
std::vector<std::string> capabilities_in(const JsonMembers& members, std::string_view name) {
  auto found = members.texts(name, kArgumentsMax);
  for (std::string& capability : found) {
    for (char& c : capability)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (capability != "ALL" && !capability.starts_with("CAP_")) capability.insert(0, "CAP_");
  }
  return found;
}

std::string health_check_in(const JsonMembers& configuration) {
  const auto test = configuration.object("Healthcheck").texts("Test", kArgumentsMax);
  std::string command;
  if (test.empty() || test[0] == "NONE") return command;
  for (size_t at = 1; at < test.size(); ++at) command += (at > 1 ? " " : "") + test[at];
  return command;
}

std::string restart_policy_in(const JsonMembers& host) {
  const JsonMembers policy = host.object("RestartPolicy");
  std::string name = policy.text("Name");
  const std::int64_t retries = policy.number("MaximumRetryCount", 0, kRetriesMax);
  if (name == "on-failure" && retries > 0) name += ":" + std::to_string(retries);
  return name;
}

void read_labels(const JsonMembers& configuration, Container& container) {
  const JsonMembers labels = configuration.object("Labels");
  labels.members(kLabelsMax, [&](std::string_view name, const auto& value) {
    if (name.size() > kTextBytesMax) return labels.findings().cut("Labels");
    container.labels.emplace_back(name, labels.text_in(value, "Labels"));
  });
}

void read_mounts(const JsonMembers& root, const JsonMembers& host, Container& container) {
  root.each("Mounts", kMountsMax, [&](const JsonMembers& mount) {
    ContainerMount entry{.type = mount.text("Type"),
                         .source = mount.text("Source"),
                         .destination = mount.text("Destination"),
                         .mode = mount.text("Mode"),
                         .propagation = mount.text("Propagation"),
                         .writable = mount.boolean("RW")};
    if (entry.type == "volume") entry.source = mount.text("Name");
    container.mounts.push_back(std::move(entry));
  });
  // Docker lists --tmpfs only here.
  const JsonMembers tmpfs = host.object("Tmpfs");
  tmpfs.members(kMountsMax, [&](std::string_view destination, const auto& options) {
    if (std::ranges::find(container.mounts, destination, &ContainerMount::destination) !=
        container.mounts.end())
      return;
    if (destination.size() > kTextBytesMax) return tmpfs.findings().cut("Tmpfs");
    const std::string mode = tmpfs.text_in(options, "Tmpfs");
    const bool read_only = ("," + mode + ",").find(",ro,") != std::string::npos;
    container.mounts.push_back({.type = "tmpfs",
                                .source = "",
                                .destination = std::string(destination),
                                .mode = mode,
                                .propagation = "",
                                .writable = !read_only});
  });
}

std::uint16_t port_number(std::string_view text, JsonFindings& findings) {
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if ((problem != std::errc() || end != text.data() + text.size()) && findings.problem.empty())
    findings.problem = "a port is no number";
  return port;
}

// "8080/tcp": null for a port that is only exposed, else its places on the host.
void read_ports(const JsonMembers& network, Container& container) {
  JsonFindings& findings = network.findings();
  const JsonMembers ports = network.object("Ports");
  ports.members(kPortsMax, [&](std::string_view name, const boost::json::value& places) {
    const size_t slash = name.find('/');
    ContainerPort entry{.container_port = port_number(name.substr(0, slash), findings)};
    if (slash != std::string_view::npos && name.size() <= kTextBytesMax)
      entry.protocol = name.substr(slash + 1);
    const auto* array = places.if_array();
    if (array == nullptr || array->empty()) {
      if (container.ports.size() < kPortsMax) container.ports.push_back(entry);
      return;
    }
    for (const auto& place : *array) {
      if (container.ports.size() >= kPortsMax) return findings.cut("Ports");
      const JsonMembers members(place, "Ports", findings);
      entry.host_address = members.text("HostIp");
      const std::string host_port = members.text("HostPort");
      entry.host_port = host_port.empty() ? std::uint16_t{0} : port_number(host_port, findings);
      container.ports.push_back(entry);
    }
  });
}

void read_networks(const JsonMembers& network, Container& container) {
  JsonFindings& findings = network.findings();
  network.object("Networks")
      .members(kNetworksMax, [&](std::string_view name, const boost::json::value& value) {
        if (name.size() > kTextBytesMax) return findings.cut("Networks");
        const JsonMembers members(value, "Networks", findings);
        container.networks.push_back({.name = std::string(name),
                                      .ipv4 = members.text("IPAddress"),
                                      .ipv6 = members.text("GlobalIPv6Address"),
                                      .mac = members.text("MacAddress")});
      });
}

std::string cut_sentence(const std::vector<std::string>& cuts) {
  std::string sentence;
  for (const std::string& name : cuts) sentence += (sentence.empty() ? "" : ", ") + name;
  return sentence.empty() ? sentence : "cut at a limit: " + sentence;
}

}  // namespace

Result<Container> parse_inspect(std::string_view text) {
  if (text.size() > kInspectBytesMax) return fail(Code::kLimit, "the engine's answer is too long");
  const JsonDocument document = TRY(JsonDocument::parse(text, kParseMemoryBytesMax));
  JsonFindings findings;
  const JsonMembers root(document.root(), "container", findings);
  const JsonMembers state = root.object("State");
  const JsonMembers host = root.object("HostConfig");
  const JsonMembers configuration = root.object("Config");
  const JsonMembers network = root.object("NetworkSettings");

  Container container;
  container.id = root.text("Id");
  container.metadata = Metadata::kComplete;
  container.name = root.text("Name");
  if (container.name.starts_with('/')) container.name.erase(0, 1);
  container.image = configuration.text("Image");
  container.image_id = root.text("Image");
  read_labels(configuration, container);
  container.command = root.texts("Args", kArgumentsMax);
  container.command.insert(container.command.begin(), root.text("Path"));
  container.created_wall_ns = time_in(root, "Created");
  container.started_wall_ns = time_in(state, "StartedAt");
  container.init_pid = static_cast<std::uint32_t>(state.number("Pid", 0, kPidMax));
  container.privileged = host.boolean("Privileged");
  container.host_network = host.text("NetworkMode") == "host";
  container.host_pid = host.text("PidMode") == "host";
  container.user = configuration.text("User");
  container.capabilities_added = capabilities_in(host, "CapAdd");
  container.capabilities_dropped = capabilities_in(host, "CapDrop");
  read_mounts(root, host, container);
  read_networks(network, container);
  read_ports(network, container);
  container.restart_policy = restart_policy_in(host);
  container.health_check = health_check_in(configuration);
  derive_from_labels(container);
  container.metadata_reason = cut_sentence(findings.cuts);

  if (!findings.problem.empty())
    return fail(Code::kInvalid, "the engine's answer is malformed: " + findings.problem);
  if (!is_engine_id(container.id)) return fail(Code::kInvalid, "a container has no valid id");
  return container;
}

}  // namespace coff::runtime
