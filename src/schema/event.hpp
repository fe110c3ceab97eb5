// The model of the world that every room shares: event, process, program, container.
//
// All types here are values. Process, Program and Container are immutable once shared: a change
// (exec, new credentials, late metadata) makes a new value, so an Event keeps what was true when
// it happened. Times are nanoseconds; "boot" means CLOCK_BOOTTIME, "wall" CLOCK_REALTIME.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bpf/wire.h"

namespace coff {

/// Kind of an event: those the kernel reports, then those the agent itself observes.
enum class Kind : std::uint16_t {
#define COFF_X(name, shape, lane, doc) name = COFF_KIND_##name,
  COFF_EVENTS(COFF_X)
#undef COFF_X
      container_create = 128,  ///< An engine created a container.
  container_start,             ///< A container started; metadata attached.
  container_stop,              ///< A container stopped.
  container_remove,            ///< A container was removed.
  container_other,             ///< Another engine event (exec_create, pause, rename, …).
  process_seen,                ///< A process older than the agent, found at start or after loss.
  departure,                   ///< A container did what its service never did while it was learned.
};
inline constexpr Kind kLastKind = Kind::departure;

/// Value of an audit login user that was never set.
inline constexpr std::uint32_t kNoLogin = 4294967295U;

using Labels = std::vector<std::pair<std::string, std::string>>;

struct ContainerMount {
  std::string type;         ///< "bind", "volume", "tmpfs", …
  std::string source;       ///< Path on the host, or the volume's name.
  std::string destination;  ///< Path in the container.
  std::string mode;
  std::string propagation;
  bool writable = false;
};

struct ContainerNetwork {
  std::string name;
  std::string ipv4;
  std::string ipv6;
  std::string mac;
};

struct ContainerPort {
  std::string host_address;
  std::string protocol;  ///< "tcp", "udp", "sctp".
  std::uint16_t host_port = 0;
  std::uint16_t container_port = 0;
};

/// How much of a container's metadata is known.
enum class Metadata : unsigned char {
  kPending,   ///< Only the id, from the control group; the engine has not answered yet.
  kPartial,   ///< Name, image and labels from the engine's event; inspect came too late.
  kComplete,  ///< Everything, from inspect.
  kUnknown,   ///< The engine could not be asked or did not know it; see metadata_reason.
};

struct Container {
  std::string id;      ///< Full id, 64 hexadecimal digits where the engine uses such.
  std::string engine;  ///< "docker", "containerd", "cri-o", "podman", or "" when not known.
  Metadata metadata = Metadata::kPending;
  std::string metadata_reason;  ///< Why something is missing, a sentence.

  std::string name;
  std::string image;         ///< As named by whoever started it, e.g. "shop/web:1.2".
  std::string image_id;      ///< "sha256:…".
  std::string image_digest;  ///< Repository digest, empty for images never pushed or pulled.
  Labels labels;
  std::vector<std::string> command;
  std::int64_t created_wall_ns = 0;
  std::int64_t started_wall_ns = 0;
  std::uint32_t init_pid = 0;
  bool privileged = false;
  bool host_network = false;
  bool host_pid = false;
  std::string user;
  std::vector<std::string> capabilities_added;
  std::vector<std::string> capabilities_dropped;
  std::vector<ContainerMount> mounts;
  std::vector<ContainerNetwork> networks;
  std::vector<ContainerPort> ports;
  std::string restart_policy;
  std::string health_check;  ///< Its command; empty when there is none.

  // Derived from labels. Empty where the label is absent.
  std::string compose_project;
  std::string compose_service;
  std::string k8s_cluster;
  std::string k8s_namespace;
  std::string k8s_pod;
  std::string k8s_pod_uid;
  std::string k8s_container;
  std::string ecs_cluster;
  std::string ecs_task;
  std::string ecs_service;  ///< Family of the task definition.
  std::string ecs_container;
};
using ContainerPtr = std::shared_ptr<const Container>;

struct Credentials {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t euid = 0;
  std::uint32_t egid = 0;
  std::uint32_t loginuid = kNoLogin;
  std::uint32_t sessionid = kNoLogin;
};

struct Capabilities {
  std::uint64_t permitted = 0;
  std::uint64_t effective = 0;
  std::uint64_t inheritable = 0;
  std::uint64_t bounding = 0;
  std::uint64_t ambient = 0;
};

struct Namespaces {
  std::uint32_t mnt = 0;
  std::uint32_t pid = 0;
  std::uint32_t net = 0;
  std::uint32_t user = 0;
  std::uint32_t uts = 0;
  std::uint32_t ipc = 0;
  std::uint32_t cgroup = 0;
};

/// What one successful exec put into a process. Shared by its forks.
struct Program {
  std::string exe;       ///< Resolved path; "" for kernel threads.
  std::string filename;  ///< As given to execve.
  std::string interp;    ///< Set where a script's interpreter runs instead of filename.
  std::vector<std::string> argv;
  std::vector<std::string> env;  ///< "NAME=value", as far as the limits allow.
  std::uint64_t argv_bytes = 0;  ///< Full size; more than argv holds when it was cut.
  std::uint64_t env_bytes = 0;
  std::uint64_t ino = 0;
  std::uint64_t dev = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t mtime_ns = 0;
  std::uint64_t ctime_ns = 0;
  std::uint32_t file_mode = 0;
  std::uint32_t file_uid = 0;
  std::uint32_t file_gid = 0;
  std::uint32_t exe_flags = 0;     ///< COFF_EXE_*.
  std::uint64_t exec_boot_ns = 0;  ///< When it was executed; 0 when that was before the agent.
};
using ProgramPtr = std::shared_ptr<const Program>;

/// Who is behind a process: a person who logged in, or what started it where no person did.
struct Person {
  std::uint64_t key = 0;  ///< Of the session or request that this comes from.
  std::uint32_t loginuid = kNoLogin;
  std::uint32_t sessionid = kNoLogin;  ///< Audit session.
  std::string user;                    ///< Name of the login user; "" when no person is known.
  std::string component;  ///< "cron", "restart policy", a program's name; "" for persons.
  std::string address;    ///< Where the login came from, as the kernel's socket has it.
  std::string terminal;   ///< "pts/3"; "" for none.
  std::string via;        ///< "ssh", "console", "sudo", "docker exec", …
  std::string client;     ///< Program that asked the engine; "" outside of containers.
};
using PersonPtr = std::shared_ptr<const Person>;

struct Process;
using ProcessPtr = std::shared_ptr<const Process>;

/// A process as it was from since_boot_ns until its next change.
struct Process {
  std::uint64_t id = 0;  ///< Stable: same process, same id; differs after pid reuse and reboot.
  std::uint32_t pid = 0;
  std::uint32_t vpid = 0;  ///< In its own pid namespace.
  std::uint32_t ppid = 0;
  std::uint64_t start_boot_ns = 0;
  std::uint64_t since_boot_ns = 0;
  std::string name;  ///< Thread name of the leader (comm), at most 15 bytes.
  ProgramPtr program;
  std::string cwd;
  Credentials credentials;
  Capabilities capabilities;
  Namespaces namespaces;
  std::uint32_t tty = 0;  ///< Device number, 0 = none.
  std::uint32_t sid = 0;
  std::uint32_t pgid = 0;
  std::uint32_t vsid = 0;
  std::uint32_t vpgid = 0;
  std::uint32_t seccomp_mode = 0;
  bool no_new_privs = false;
  std::uint64_t cgroup = 0;
  ContainerPtr container;   ///< Null on the host.
  PersonPtr person;         ///< Null when not known.
  ProcessPtr parent;        ///< As it was when this one was forked; null when not known.
  std::uint32_t depth = 0;  ///< Length of the parent chain, bounded by the process tree.
};

struct ForkInfo {
  ProcessPtr child;
};

struct ExecInfo {
  std::string filename;  ///< The attempt's path; a success also is in Event::process->program.
  std::string cwd;
};

struct ExitInfo {
  std::uint32_t status = 0;  ///< As for waitpid(2).
  std::uint64_t duration_ns = 0;
  std::uint64_t cpu_user_ns = 0;
  std::uint64_t cpu_system_ns = 0;
  std::uint64_t max_rss_bytes = 0;
};

/// A path in its three names.
struct Path {
  std::string raw;       ///< The argument as given.
  std::string name;      ///< Lexical: joined with cwd or dirfd, "." and ".." removed textually.
  std::string resolved;  ///< The file's own path, mounts and symlinks followed; "" if not known.
};

struct FileInfo {
  Path path;
  Path path2;  ///< rename, link, symlink: the new name. mount: target is path, source path2.
  std::uint64_t ino = 0;
  std::uint64_t dev = 0;
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t open_flags = 0;  ///< O_*.
  std::uint32_t file_flags = 0;  ///< COFF_FILE_*.
  std::int32_t fd = -1;
  std::array<std::uint64_t, 6> args{};
  std::string text;  ///< mount: file system type. setxattr: attribute name. Otherwise "".
};

struct Endpoint {
  std::array<std::uint8_t, 16> address{};  ///< IPv4 in the first four bytes.
  std::uint16_t port = 0;
};

struct SocketInfo {
  std::uint16_t family = 0;  ///< AF_*.
  std::uint16_t type = 0;    ///< SOCK_*.
  std::uint32_t protocol = 0;
  Endpoint local;
  Endpoint remote;
  std::string unix_path;
  std::int32_t fd = -1;
  std::int32_t stdio = -1;  ///< dup_stdio: 0, 1 or 2.
  std::uint32_t net_ns = 0;
  std::uint32_t flags = 0;
  std::uint64_t cookie = 0;
  std::uint64_t bytes = 0;
  std::uint64_t repeats = 0;  ///< Equal uses since the last report that were only counted.
};

/// One end of a TCP connection; the event's process owns it.
struct FlowInfo {
  std::uint8_t state = 0;  ///< coff_flow_state.
  std::uint8_t role = 0;   ///< coff_flow_role of this end.
  std::uint16_t family = 0;
  Endpoint local;
  Endpoint remote;
  std::uint64_t opened_boot_ns = 0;  ///< 0: before the agent.
  std::uint64_t bytes_out = 0;       ///< Acknowledged by the other end.
  std::uint64_t bytes_in = 0;
  std::uint32_t segments_out = 0;
  std::uint32_t segments_in = 0;
  std::uint32_t retransmits = 0;
  std::uint32_t rtt_us = 0;  ///< Smoothed round trip time; 0: not measured.
  /// Sequence numbers of the first bytes of both ends: the same pair at both, whatever is
  /// translated between them. Both 0 for a connection that failed.
  std::uint32_t isn_client = 0;
  std::uint32_t isn_server = 0;
  std::uint32_t net_ns = 0;
  std::uint64_t cookie = 0;
  std::uint64_t unreported = 0;  ///< Connections of the same edge that had no event of their own.
  ProcessPtr worker;             ///< Who closed an accepted connection, where not its owner.
  std::uint32_t worker_pid = 0;  ///< Also known when `worker` is not.

  /// Names the connection; 0 when it failed.
  [[nodiscard]] std::uint64_t key() const { return std::uint64_t{isn_client} << 32U | isn_server; }
};

struct CallInfo {
  std::array<std::uint64_t, 6> args{};
  ProcessPtr target;             ///< ptrace, kill, vm_access, pidfd_getfd: the other process.
  std::uint32_t target_pid = 0;  ///< Also known when `target` is not.
  std::uint32_t ns_type = 0;     ///< CLONE_NEW*.
  std::string text;
  Credentials before;  ///< setid, loginuid: what the process had.
  bool before_known = false;
  Capabilities capabilities;
  std::uint32_t suid = 0;  ///< Saved and file system ids after the call, initial user namespace.
  std::uint32_t sgid = 0;
  std::uint32_t fsuid = 0;
  std::uint32_t fsgid = 0;
};

struct CgroupInfo {
  std::string path;
  std::uint64_t id = 0;
  std::uint32_t hierarchy = 0;
};

/// An engine's event about the event's container.
struct ContainerInfo {
  std::string action;  ///< The engine's own word, e.g. "exec_create: sh".
  Labels attributes;
};

/// How an event departs from what was learned of its container's service.
struct Departure {
  Kind trigger = Kind::exec;    ///< Kind of the event as the kernel reported it.
  std::string service;          ///< "compose:shop/web", "image:shop/web", …
  std::string what;             ///< executable, child, file, capability, call, user or port.
  std::string value;            ///< The new one, generalised as profiles hold it.
  std::string state;            ///< watching or pinned.
  bool outside_image = false;   ///< executable: its file is not part of the image.
  bool image_changed = false;   ///< The service's image is another than while it was learned.
  std::uint64_t learned_s = 0;  ///< Running time over which the profile was learned.
  std::uint64_t samples = 0;    ///< Events that the profile was learned from.
};
using DeparturePtr = std::shared_ptr<const Departure>;

using Detail = std::variant<std::monostate, ForkInfo, ExecInfo, ExitInfo, FileInfo, SocketInfo,
                            CallInfo, CgroupInfo, ContainerInfo, FlowInfo>;

struct Event {
  Kind kind = Kind::exec;
  std::uint8_t flags = 0;  ///< COFF_F_*.
  std::int64_t wall_ns = 0;
  std::uint64_t boot_ns = 0;
  std::int64_t result = 0;  ///< >= 0, or -errno.
  std::int32_t syscall = -1;
  std::uint32_t tid = 0;
  std::uint64_t cgroup = 0;
  std::string thread_name;
  Credentials credentials;  ///< Of the thread, at the event.
  ProcessPtr process;       ///< Null only for engine events.
  ContainerPtr container;   ///< Null on the host.
  Detail detail;
  DeparturePtr departure;  ///< Of Kind::departure alone; the rest is the event that departs.

  [[nodiscard]] bool failed() const { return result < 0; }
};

}  // namespace coff
