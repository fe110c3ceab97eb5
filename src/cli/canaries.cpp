// The sensor's self-test: makes one harmless canary of each kind of event happen and looks for it.
#include "cli/canaries.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/clock.hpp"
#include "runtime/cgroup_tree.hpp"
#include "schema/constants.hpp"
#include "sensor/sensor.hpp"

namespace coff::cli {

namespace {

constexpr std::int64_t kWaitNs = 2'000'000'000;      // after the canaries' end
constexpr std::int64_t kLifeNsMax = 60'000'000'000;  // of the canaries, on an emulated machine
constexpr const char* kNowhere = "/nonexistent/cofferdam-canary";

// What the child does. Most calls fail on purpose: an attempt is an event, and changes nothing.
// They run in a fresh temporary directory, which is the working directory.
void canary_files() {
  const int fd = ::open("canary", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  [[maybe_unused]] int ignored = ::ftruncate(fd, 4096);
  ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  void* later = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  ::mprotect(later, 4096, PROT_READ | PROT_EXEC);
  ignored = ::fchmod(fd, 0700) + ::fchown(fd, 0, 0);
  ::fsetxattr(fd, "user.cofferdam", "1", 1, 0);
  ignored = ::link("canary", "hard") + ::symlink("canary", "soft") + ::rename("hard", "hard2");
  ignored = ::mkdir("directory", 0700) + ::rmdir("directory") + ::chdir(".");
  ::mknod("pipe", S_IFIFO | 0600, 0);
  for (const char* name : {"canary", "hard2", "soft", "pipe"}) ::unlink(name);
  ::syscall(SYS_memfd_create, "canary", MFD_CLOEXEC);
}

#ifdef __x86_64__

long compat_call(long number, long first, long second) {
  asm volatile("int $0x80"
               : "+a"(number)
               : "b"(first), "c"(second)
               : "memory", "r8", "r9", "r10", "r11");
  return number;
}

#endif

// By its 32-bit number a signal that is ignored by default: seen at the entry, or as a signal.
void canary_compat_call() {
#ifdef __x86_64__
  constexpr long kKill = 37;
  compat_call(kKill, ::getppid(), SIGURG);
#endif
}

// Whether the kernel has the entry at all: without it a call ends the process.
bool has_compat_entry() {
#ifdef __x86_64__
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr long kExit = 1;
    ::signal(SIGSEGV, SIG_DFL);
    compat_call(kExit, 0, 0);
    ::_exit(1);
  }
  int status = -1;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
#else
  return false;
#endif
}

void canary_privileges() {
  ::mount("none", kNowhere, "tmpfs", 0, nullptr);
  ::umount2(kNowhere, 0);
  ::syscall(SYS_pivot_root, kNowhere, kNowhere);
  ::syscall(SYS_move_mount, -1, kNowhere, -1, kNowhere, 0);
  ::syscall(SYS_open_tree, -1, kNowhere, 0);
  ::syscall(SYS_fsmount, -1, 0, 0);
  [[maybe_unused]] const int ignored = ::chroot(kNowhere);
  ::syscall(SYS_init_module, nullptr, 0, "");
  ::syscall(SYS_delete_module, "cofferdam_canary", O_NONBLOCK);
  ::setns(-1, 0);
  ::unshare(CLONE_FILES);
  ::ptrace(PTRACE_ATTACH, 0x7FFFFFF0, 0, 0);
  ::syscall(SYS_process_vm_readv, ::getpid(), nullptr, 0, nullptr, 0, 0);
  ::syscall(SYS_pidfd_getfd, -1, 0, 0);
  std::array<char, 128> attributes{};
  ::syscall(SYS_bpf, 5 /* BPF_PROG_LOAD, of nothing */, attributes.data(), attributes.size());
  ::syscall(SYS_userfaultfd, 0);
  ::syscall(SYS_io_uring_setup, 0, nullptr);
  ::syscall(SYS_capset, nullptr, nullptr);
  ::syscall(SYS_setresuid, -1, -1, -1);
  ::kill(::getppid(), SIGURG);  // ignored by default
}

void canary_sockets() {
  sockaddr_un name{.sun_family = AF_UNIX};
  std::snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "cofferdam-canary-%d", ::getpid());
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::bind(listener, address, sizeof name);
  ::listen(listener, 1);
  const int client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::connect(client, address, sizeof name);
  const int server = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  const int datagram = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  name.sun_path[1] = 'C';
  ::bind(datagram, address, sizeof name);
  ::sendto(datagram, "x", 1, 0, address, sizeof name);
  char byte = 0;
  socklen_t length = sizeof name;
  ::recvfrom(datagram, &byte, 1, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&name), &length);
  ::dup2(server, STDIN_FILENO);
}

[[noreturn]] void run_child(const std::string& directory, bool compat_entry) {
  if (::chdir(directory.c_str()) != 0) ::_exit(1);
  ::setsid();
  canary_files();
  canary_privileges();
  canary_sockets();
  if (compat_entry) canary_compat_call();
  ::execl(kNowhere, kNowhere, nullptr);
  ::execl("/proc/self/exe", "cofferdam", "version", nullptr);
  ::_exit(1);
}

// Kinds that the canaries above make, as far as this kernel has the calls.
constexpr Kind kCanaries[] = {
    Kind::fork,        Kind::exec,       Kind::exit,         Kind::open,
    Kind::truncate,    Kind::mmap,       Kind::mprotect,     Kind::chmod,
    Kind::chown,       Kind::setxattr,   Kind::link,         Kind::symlink,
    Kind::rename,      Kind::mkdir,      Kind::rmdir,        Kind::chdir,
    Kind::mknod,       Kind::unlink,     Kind::memfd_create, Kind::mount,
    Kind::umount,      Kind::pivot_root, Kind::move_mount,   Kind::open_tree,
    Kind::fsmount,     Kind::chroot,     Kind::module_load,  Kind::module_unload,
    Kind::setns,       Kind::unshare,    Kind::ptrace,       Kind::vm_access,
    Kind::pidfd_getfd, Kind::bpf,        Kind::userfaultfd,  Kind::io_uring_setup,
    Kind::capset,      Kind::setid,      Kind::setsid,       Kind::kill,
    Kind::socket,      Kind::bind,       Kind::listen,       Kind::connect,
    Kind::accept,      Kind::sendto,     Kind::recvfrom,     Kind::dup_stdio,
    Kind::compat_call};

// Kinds whose only calls this kernel lacks or refuses to let us see.
bool is_blind(Kind kind, const std::vector<sensor::Blindness>& blindness, std::string& why) {
  constexpr std::pair<Kind, std::string_view> kCalls[] = {
      {Kind::module_load, "system call init_module"},
      {Kind::module_unload, "system call delete_module"},
      {Kind::mprotect, "kernel program on_exit_protect"},
      {Kind::userfaultfd, "system call userfaultfd"},
      {Kind::io_uring_setup, "system call io_uring_setup"},
      {Kind::pidfd_getfd, "system call pidfd_getfd"},
      {Kind::kill, "signals between processes"}};
  for (const auto& row : blindness) {
    for (const auto& [about, what] : kCalls) {
      if (about == kind && row.what == what) {
        why = row.reason;
        return true;
      }
    }
  }
  return false;
}

KernelFilter everything() {
  FilterClause all{.reason = "self-test"};
  for (unsigned kind = 0; kind < COFF_KINDS; ++kind) all.kinds.push_back(kind);
  return {{all}};
}

}  // namespace

Result<SelfTest> run_self_test() {
  const runtime::Hierarchy hierarchy = TRY(runtime::choose_hierarchy());
  const auto sensor =
      TRY(sensor::Sensor::open({.load = {.cgroup_controller = hierarchy.controller},
                                .filter = everything(),
                                .hierarchy = hierarchy.number,
                                .resolver = [](std::string_view) { return std::string(); }}));
  char directory[] = "/tmp/cofferdam-canary-XXXXXX";
  if (::mkdtemp(directory) == nullptr) return fail_errno("cannot make a temporary directory");
  // Its output is not ours to print.
  const Fd null = TRY(open_file("/dev/null", O_RDWR));
  const bool compat_entry = has_compat_entry();
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("cannot start the canary process");
  if (child == 0) {
    ::dup2(null.get(), STDOUT_FILENO);
    run_child(directory, compat_entry);
  }
  std::set<Kind> seen;
  const auto take = [&](Event&& event) {
    const auto pid = static_cast<std::uint32_t>(child);
    const auto* forked = std::get_if<ForkInfo>(&event.detail);
    if (event.process != nullptr && event.process->pid == pid) seen.insert(event.kind);
    if (forked != nullptr && forked->child != nullptr && forked->child->pid == pid) {
      seen.insert(Kind::fork);
    }
  };
  std::int64_t deadline_ns = boot_now_ns() + kLifeNsMax;
  bool ended = false;
  while (boot_now_ns() < deadline_ns && !(ended && seen.contains(Kind::exit))) {
    TRY(sensor->poll(take));
    ::usleep(5000);
    if (!ended && ::waitpid(child, nullptr, WNOHANG) == child) {
      ended = true;
      deadline_ns = boot_now_ns() + kWaitNs;
    }
  }
  TRY(sensor->poll(take));
  if (!ended) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  ::rmdir(directory);
  SelfTest result{.blindness = sensor->programs().blindness()};
  for (const Kind kind : kCanaries) {
    CanaryOutcome outcome{.kind = std::string(schema::kind_name(kind)),
                          .arrived = seen.contains(kind)};
    if (!outcome.arrived) outcome.blind = is_blind(kind, result.blindness, outcome.detail);
    if (kind == Kind::compat_call && !compat_entry) {
      outcome.blind = true;
      outcome.detail = "this kernel has no such entry";
    }
    if (!outcome.arrived && !outcome.blind) outcome.detail = "no event arrived";
    result.canaries.push_back(std::move(outcome));
  }
  return result;
}

}  // namespace coff::cli
