// Recognises container control groups by the shapes that engines give them.
#include "runtime/cgroup.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace coff::runtime {
namespace {

constexpr size_t kIdLength = 64;
constexpr size_t kBuildIdLength = 25;
constexpr size_t kEcsTaskLength = 32;
constexpr size_t kPodUidLength = 36;
// The longest identifier that containerd takes (its identifiers package).
constexpr size_t kContainerdIdLengthMax = 76;

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_id(std::string_view text) { return text.size() == kIdLength && is_lower_hex(text); }

bool is_build_id(std::string_view text) {
  return text.size() == kBuildIdLength && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
         });
}

// Letters and digits, with single '.', '_' or '-' between them: containerd's own rule.
bool is_containerd_id(std::string_view text) {
  if (text.empty() || text.size() > kContainerdIdLengthMax) return false;
  bool separator_before = true;
  for (const char c : text) {
    const bool separator = c == '.' || c == '_' || c == '-';
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!separator && !alphanumeric) return false;
    if (separator && separator_before) return false;
    separator_before = separator;
  }
  return !separator_before;
}

bool consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

struct Prefix {
  std::string_view text;
  std::string_view engine;
};

// Names of units and folders that an engine puts before an id. None of them is what conmon's own
// groups begin with ("crio-conmon-", "libpod-conmon-"): no id follows the engine's name there.
constexpr std::array kPrefixes = {
    Prefix{"docker", "docker"},
    Prefix{"cri-containerd", "containerd"},
    Prefix{"crio", "cri-o"},
    Prefix{"libpod", "podman"},
    Prefix{"libpod-payload", "podman"},
    Prefix{"nerdctl", "containerd"},
};

struct Match {
  std::string_view id;
  std::string_view engine;
};

// "docker-<id>.scope", "crio-<id>", "libpod-payload-<id>", and what runc makes of a systemd
// triple without systemd: "<slice>.slice:cri-containerd:<id>".
std::optional<Match> match_named(std::string_view component) {
  std::string_view name = component;
  char separator = '-';
  if (const size_t colon = component.find(".slice:"); colon != std::string_view::npos) {
    name = component.substr(colon + std::string_view(".slice:").size());
    separator = ':';
  } else if (name.ends_with(".scope")) {
    name.remove_suffix(std::string_view(".scope").size());
  }
  for (const Prefix& prefix : kPrefixes) {
    std::string_view id = name;
    if (consume(id, prefix.text) && !id.empty() && id[0] == separator && is_id(id.substr(1)))
      return Match{.id = id.substr(1), .engine = prefix.engine};
  }
  return std::nullopt;
}

bool is_kubepods(std::string_view component) {
  if (component.ends_with(".slice")) component.remove_suffix(6);
  return component == "kubepods" || component.ends_with("-kubepods");
}

// "pod<uid>" or "kubepods[-burstable|-besteffort]-pod<uid with underscores>.slice"; the uid of a
// static pod is 32 hexadecimal digits without dashes. "" when it is neither.
std::string pod_uid_of(std::string_view component) {
  // With a control group driver mismatch the slice stands before a colon, see match_named().
  component = component.substr(0, component.find(':'));
  if (component.ends_with(".slice")) {
    component.remove_suffix(6);
    const size_t at = component.rfind("-pod");
    if (at == std::string_view::npos || component.find("kubepods") > at) return {};
    component.remove_prefix(at + 1);
  }
  if (!consume(component, "pod")) return {};
  std::string uid(component);
  std::ranges::replace(uid, '_', '-');
  if (uid.size() == 32 && is_lower_hex(uid)) return uid;
  if (uid.size() != kPodUidLength) return {};
  for (size_t at = 0; at < uid.size(); ++at) {
    const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
    if (dash ? uid[at] != '-' : !is_lower_hex({&uid[at], 1})) return {};
  }
  return uid;
}

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> components;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    if (slash != 0) components.push_back(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return components;
}

// Fargate names a container <task>-<number>, directly below /ecs/<task>.
bool is_fargate_id(std::string_view component, std::string_view task) {
  return task.size() == kEcsTaskLength && is_lower_hex(task) && consume(component, task) &&
         consume(component, "-") && is_digits(component);
}

// What surrounds the component that is being looked at.
struct Surroundings {
  size_t depth = 0;  // 0 = directly below the root
  std::string_view parent;
  std::string_view grandparent;
  bool kubepods = false;
  bool ecs = false;
};

// An id that no prefix announces: its place must tell whose it is, or its shape that it is one.
std::optional<Match> match_bare(std::string_view component, const Surroundings& around) {
  if (around.ecs && is_fargate_id(component, around.parent))
    return Match{.id = component, .engine = "docker"};
  if (around.parent == "buildkit" && around.grandparent == "docker" && is_build_id(component))
    return Match{.id = component, .engine = "buildkit"};
  const bool namespaced =
      around.depth == 1 &&
      (around.parent == "default" || around.parent == "k8s.io" || around.parent == "moby");
  if (namespaced && is_containerd_id(component))
    return Match{.id = component, .engine = around.parent == "moby" ? "docker" : "containerd"};
  // Below libpod_parent a bare id is a pod of podman's; its containers lie below that.
  if (!is_id(component) || around.parent == "libpod_parent") return std::nullopt;
  const bool docker = around.parent == "docker" || around.ecs;
  return Match{.id = component, .engine = docker ? "docker" : ""};
}

}  // namespace

std::optional<CgroupContainer> parse_cgroup(std::string_view path) {
  if (path.size() > kCgroupPathBytesMax || !path.starts_with('/')) return std::nullopt;
  CgroupContainer found;
  Surroundings around;
  for (const std::string_view component : split(path)) {
    auto match = match_named(component);
    if (!match) match = match_bare(component, around);
    if (around.kubepods || component.find("kubepods") != std::string_view::npos) {
      if (std::string uid = pod_uid_of(component); !uid.empty()) found.pod_uid = std::move(uid);
    }
    if (match) {
      found.id = match->id;
      found.engine = match->engine;
      found.below =
          path.substr(static_cast<size_t>(component.data() - path.data()) + component.size());
      if (around.ecs && found.ecs_task.empty()) found.ecs_task = around.parent;
      return found;
    }
    if (is_kubepods(component)) around.kubepods = true;
    if (around.depth == 0 && component == "ecs") around.ecs = true;
    if (std::string_view task = component; consume(task, "ecstasks-") && task.ends_with(".slice"))
      found.ecs_task = task.substr(0, task.size() - 6);
    around.grandparent = around.parent;
    around.parent = component;
    ++around.depth;
  }
  return std::nullopt;
}

}  // namespace coff::runtime
