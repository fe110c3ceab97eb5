// Container identity from control group paths, of every engine and both control group versions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace coff::runtime {

/// What the path of a control group says about the container that it belongs to.
struct CgroupContainer {
  std::string id;        ///< Full id: 64 hexadecimal digits, except for the shapes named below.
  std::string engine;    ///< "docker", "containerd", "cri-o", "podman", "buildkit", "" = not told.
  std::string pod_uid;   ///< Kubernetes pod, with dashes as the API has it; "" outside of pods.
  std::string ecs_task;  ///< ECS task id; "" outside of ECS.
  /// What follows below the container's own control group, e.g. "/init.scope" of a systemd in
  /// it, or "/docker/<id>" of an engine in it: the outermost container is the container.
  std::string below;

  friend bool operator==(const CgroupContainer&, const CgroupContainer&) = default;
};

/// Longest path that is looked at, in bytes (PATH_MAX); a longer one is no container's.
inline constexpr size_t kCgroupPathBytesMax = 4096;

/// Reads a path as in /proc/PID/cgroup or the kernel's event: absolute within its hierarchy,
/// whichever it is. Nothing when it is the host's: also for the engines' own helpers (conmon,
/// shims), for pods as such, and for paths that only look similar. Host paths are never guessed
/// to be containers from a position alone: an id has 64 lower-case hexadecimal digits, except
/// under /default and /k8s.io (containerd's namespaces: ids that `ctr` users choose), /ecs
/// (Fargate: <task>-<number>) and docker/buildkit (build steps: 25 letters and digits).
std::optional<CgroupContainer> parse_cgroup(std::string_view path);

}  // namespace coff::runtime
