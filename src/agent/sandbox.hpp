// What a process of the agent gives up before it reads anything: user, capabilities, system calls.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::agent {

/// Which system calls a process may make. Everything else answers EPERM; calls that only an
/// attacker would try (execve, ptrace, bpf, mount, module loading, …) end the process with SIGSYS,
/// which the supervisor reports.
enum class Syscalls : unsigned char {
  kEverySafe,  ///< Deny list for supervisor: no modules, kexec, ptrace, keys, foreign memory.
  kSensor,     ///< Deny list: the same, and no new programs, mounts, users or namespaces.
  kKeeper,     ///< Allow list: files and its channels.
  kControl,    ///< Allow list: its channels and sockets, and reading of what Landlock leaves
               ///< reachable.
  kEngine,     ///< Allow list: its channels, given sockets, threads; no open, no new sockets.
  kWitness,    ///< Allow list: its channel, reading of what Landlock leaves reachable, and new
               ///< sockets of IPv4 and IPv6 alone; no bind, no listen.
  kWorker,     ///< Allow list: read, write, memory, exit. No open, no socket, no process.
};

/// One directory or file that Landlock leaves reachable.
struct Reachable {
  std::string path;
  bool writable = false;  ///< Else read only.
};

/// Limits in the units of setrlimit(2); 0 leaves the inherited value.
struct Limits {
  std::uint64_t memory_bytes = 0;    ///< RLIMIT_AS; not set in AddressSanitizer builds.
  std::uint64_t cpu_seconds = 0;     ///< RLIMIT_CPU.
  std::uint64_t descriptors = 0;     ///< RLIMIT_NOFILE.
  std::uint64_t locked_bytes = 0;    ///< RLIMIT_MEMLOCK.
  bool no_new_file_content = false;  ///< RLIMIT_FSIZE 0.
  bool no_new_processes = false;     ///< RLIMIT_NPROC 0.
};

/// What was put in force; goes to `status` and `doctor`.
struct SandboxReport {
  int landlock_abi = 0;  ///< 0: this kernel has no Landlock, the file system is not confined by it.
  bool landlocked = false;
  bool filtered = false;  ///< seccomp filter loaded.
};

/// Landlock's version in this kernel, 0 when it has none.
int landlock_abi();

/// Collects what to give up, then enter() does it in the only order that works. After an error
/// the process must exit. Every sandbox also: refuses dumps and tracing by its own user
/// (PR_SET_DUMPABLE 0, RLIMIT_CORE 0), sets no_new_privs and umask 077.
class Sandbox {
 public:
  /// Becomes this user and group, without supplementary groups. Needs root.
  Sandbox& user(uid_t uid, gid_t gid);
  /// Keeps exactly these capabilities (CAP_*) in permitted, effective and bounding set; nothing is
  /// inheritable or ambient. Never called: capabilities stay as they are.
  Sandbox& capabilities(std::vector<unsigned> kept);
  /// Closes every descriptor above 2 but these.
  Sandbox& descriptors(std::vector<int> kept);
  Sandbox& limits(const Limits& limits);
  /// Lets only these paths be reached by name. Also forbids TCP bind and connect, abstract sockets
  /// and signals to processes outside, as far as this kernel's Landlock knows them. Paths are
  /// opened now, so they must exist and be reachable for the user before the change.
  Sandbox& files(std::vector<Reachable> reachable);
  /// Leaves TCP connect to Landlock's allowed things; bind stays forbidden.
  Sandbox& may_connect();
  Sandbox& syscalls(Syscalls policy);

  Result<SandboxReport> enter();

 private:
  Result<void> close_others() const;
  Result<void> apply_limits() const;
  Result<void> drop_bounding() const;
  Result<void> change_user() const;
  Result<void> apply_capabilities() const;

  bool has_user_ = false;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  bool has_capabilities_ = false;
  std::vector<unsigned> capabilities_;
  bool has_descriptors_ = false;
  std::vector<int> descriptors_;
  Limits limits_;
  bool has_files_ = false;
  std::vector<Reachable> files_;
  bool may_connect_ = false;
  bool has_syscalls_ = false;
  Syscalls policy_ = Syscalls::kEverySafe;
};

/// Gives up further capabilities, e.g. those that only loading needed.
Result<void> drop_capabilities(const std::vector<unsigned>& dropped);

// Parts of Sandbox::enter(), each in a file of its own.
/// Opens the paths; empty when this kernel has no Landlock.
Result<Fd> make_landlock_ruleset(const std::vector<Reachable>& reachable, bool may_connect);
Result<void> enter_landlock(const Fd& ruleset);
Result<void> load_syscall_filter(Syscalls policy);

}  // namespace coff::agent
