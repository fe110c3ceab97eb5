// The seccomp filters: which system calls each kind of process may make.
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>

#include <memory>
#include <span>

#include "agent/sandbox.hpp"

namespace coff::agent {
namespace {

using Names = std::span<const char* const>;

// Only an attacker calls these in any process of ours: the process ends.
constexpr const char* kNever[] = {"init_module",
                                  "finit_module",
                                  "delete_module",
                                  "kexec_load",
                                  "kexec_file_load",
                                  "reboot",
                                  "swapon",
                                  "swapoff",
                                  "ptrace",
                                  "process_vm_readv",
                                  "process_vm_writev",
                                  "pidfd_getfd",
                                  "keyctl",
                                  "add_key",
                                  "request_key",
                                  "userfaultfd",
                                  "acct",
                                  "quotactl",
                                  "settimeofday",
                                  "clock_settime",
                                  "adjtimex",
                                  "clock_adjtime",
                                  "sethostname",
                                  "setdomainname",
                                  "iopl",
                                  "ioperm",
                                  "modify_ldt",
                                  "personality",
                                  "io_uring_setup",
                                  "open_by_handle_at"};
// Additionally in every process but the supervisor, which starts the others.
constexpr const char* kNeverInChild[] = {
    "execve",     "execveat",  "mount",    "umount2",  "pivot_root", "chroot",
    "move_mount", "open_tree", "fsopen",   "fsmount",  "fsconfig",   "mount_setattr",
    "unshare",    "setuid",    "setgid",   "setreuid", "setregid",   "setresuid",
    "setresgid",  "setgroups", "setfsuid", "setfsgid", "mknod",      "mknodat"};
// Additionally where nothing of the kernel's instrumentation is needed.
constexpr const char* kNeverInPeer[] = {"bpf", "perf_event_open", "setns", "syslog"};

// What the C and C++ run times need to compute, wait, and end.
constexpr const char* kRuntime[] = {"read",
                                    "write",
                                    "readv",
                                    "writev",
                                    "pread64",
                                    "pwrite64",
                                    "close",
                                    "fstat",
                                    "newfstatat",
                                    "lseek",
                                    "mmap",
                                    "munmap",
                                    "mprotect",
                                    "mremap",
                                    "madvise",
                                    "brk",
                                    "rt_sigaction",
                                    "rt_sigprocmask",
                                    "rt_sigreturn",
                                    "sigaltstack",
                                    "futex",
                                    "sched_yield",
                                    "getpid",
                                    "gettid",
                                    "exit",
                                    "exit_group",
                                    "clock_gettime",
                                    "clock_nanosleep",
                                    "nanosleep",
                                    "gettimeofday",
                                    "time",
                                    "getrandom",
                                    "restart_syscall",
                                    "tgkill",
                                    "getrusage",
                                    "sched_getaffinity",
                                    "fcntl",
                                    "set_robust_list",
                                    "rseq",
                                    "membarrier",
                                    "uname",
                                    "prctl",
                                    "getuid",
                                    "geteuid",
                                    "getgid",
                                    "getegid",
                                    "sysinfo",
                                    "dup"};
// Waiting and talking on sockets that exist already.
constexpr const char* kPeer[] = {
    "epoll_create1", "epoll_ctl",      "epoll_wait",      "epoll_pwait",
    "epoll_pwait2",  "poll",           "ppoll",           "pselect6",
    "select",        "timerfd_create", "timerfd_settime", "timerfd_gettime",
    "eventfd2",      "sendmsg",        "recvmsg",         "sendto",
    "recvfrom",      "sendmmsg",       "recvmmsg",        "accept4",
    "accept",        "getsockopt",     "setsockopt",      "getpeername",
    "getsockname",   "shutdown",       "socketpair",      "pipe2",
    "ioctl"};
// Reading files that Landlock and the user's rights leave reachable.
constexpr const char* kOpen[] = {"openat", "readlink",   "readlinkat", "statx",
                                 "access", "faccessat2", "getdents64"};
// Files of the trail and its index, and threads for them.
constexpr const char* kKeeper[] = {"open",
                                   "creat",
                                   "stat",
                                   "lstat",
                                   "rename",
                                   "renameat",
                                   "renameat2",
                                   "unlink",
                                   "unlinkat",
                                   "mkdir",
                                   "mkdirat",
                                   "rmdir",
                                   "link",
                                   "linkat",
                                   "fsync",
                                   "fdatasync",
                                   "sync_file_range",
                                   "ftruncate",
                                   "truncate",
                                   "fallocate",
                                   "flock",
                                   "fchmod",
                                   "fchmodat",
                                   "fchown",
                                   "fstatfs",
                                   "statfs",
                                   "fadvise64",
                                   "getcwd",
                                   "chdir",
                                   "utimensat",
                                   "getdents",
                                   "faccessat",
                                   "copy_file_range",
                                   "sched_setaffinity",
                                   "sched_setscheduler",
                                   "sched_getparam",
                                   "sched_getscheduler",
                                   "setpriority",
                                   "getpriority",
                                   "get_robust_list",
                                   "umask",
                                   "msync",
                                   "mlock",
                                   "munlock",
                                   "mincore",
                                   "preadv",
                                   "pwritev",
                                   "preadv2",
                                   "pwritev2"};

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

Result<void> add(const Filter& filter, Names names, std::uint32_t action) {
  for (const char* name : names) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) continue;  // Newer than the library, so refused by default.
    if (number < 0) continue;                 // Not on this architecture.
    const int code = seccomp_rule_add(filter.get(), action, number, 0);
    if (code != 0 && code != -EEXIST) {
      errno = -code;
      return fail_errno(std::string("cannot filter the system call ") + name);
    }
  }
  return {};
}

/// Threads may be made, processes not. clone3 hides its flags from filters; ENOSYS makes the C
/// library use clone instead.
Result<void> allow_threads(const Filter& filter) {
  int code = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
  if (code == 0) {
    code = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  }
  if (code == 0) return {};
  errno = -code;
  return fail_errno("cannot filter the making of threads");
}

/// Sockets of the Internet's families may be made and connected; others (Unix, netlink) not.
Result<void> allow_internet(const Filter& filter) {
  int code = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(connect), 0);
  for (const auto family : {AF_INET, AF_INET6}) {
    if (code != 0) break;
    code = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                            SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family)));
  }
  if (code == 0) return {};
  errno = -code;
  return fail_errno("cannot filter the making of sockets");
}

Result<void> fill(const Filter& filter, Syscalls policy) {
  const bool allow_list = policy != Syscalls::kEverySafe && policy != Syscalls::kSensor;
  TRY(add(filter, kNever, SCMP_ACT_KILL_PROCESS));
  if (policy != Syscalls::kEverySafe) TRY(add(filter, kNeverInChild, SCMP_ACT_KILL_PROCESS));
  if (!allow_list) return {};
  TRY(add(filter, kNeverInPeer, SCMP_ACT_KILL_PROCESS));
  TRY(add(filter, kRuntime, SCMP_ACT_ALLOW));
  if (policy != Syscalls::kWorker) TRY(add(filter, kPeer, SCMP_ACT_ALLOW));
  if (policy == Syscalls::kKeeper || policy == Syscalls::kControl || policy == Syscalls::kWitness) {
    TRY(add(filter, kOpen, SCMP_ACT_ALLOW));
  }
  if (policy == Syscalls::kWitness) TRY(allow_internet(filter));
  if (policy == Syscalls::kKeeper) TRY(add(filter, kKeeper, SCMP_ACT_ALLOW));
  if (policy == Syscalls::kControl || policy == Syscalls::kWorker) return {};
  return allow_threads(filter);
}

}  // namespace

Result<void> load_syscall_filter(Syscalls policy) {
  const bool deny_list = policy == Syscalls::kEverySafe || policy == Syscalls::kSensor;
  const Filter filter(seccomp_init(deny_list ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM)),
                      &seccomp_release);
  if (!filter) return fail(Code::kUnsupported, "cannot make a seccomp filter");
  TRY(fill(filter, policy));
  // 32-bit and x32 calls have other numbers; libseccomp's default ends the process for those.
  // Threads that a library has already started must not stay outside.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  const int code = seccomp_load(filter.get());
  if (code != 0) {
    errno = -code;
    return fail_errno("cannot load the seccomp filter");
  }
  return {};
}

}  // namespace coff::agent
