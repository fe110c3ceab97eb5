// Names of the kernel's numbers.
#include "schema/constants.hpp"

#include <asm/unistd.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <iterator>
#include <span>

#include "schema/decode.hpp"

namespace coff::schema {

namespace {

struct Named {
  std::uint64_t number;
  std::string_view name;
};

constexpr Named kSyscalls[] = {
#define COFF_SYSCALL(name) {__NR_##name, #name},
#include "schema/syscalls.inc"
#undef COFF_SYSCALL
};
constexpr size_t kSyscallNumbers = 1024;  // Highest number in use is below 500.

constexpr std::array<std::string_view, kSyscallNumbers> kSyscallNames = [] {
  std::array<std::string_view, kSyscallNumbers> names{};
  for (const Named& each : kSyscalls) {
    if (each.number < kSyscallNumbers) names[each.number] = each.name;
  }
  return names;
}();

// clang-format off
constexpr Named kFamilies[] = {
    {0, "AF_UNSPEC"}, {1, "AF_UNIX"}, {2, "AF_INET"}, {10, "AF_INET6"}, {15, "AF_KEY"},
    {16, "AF_NETLINK"}, {17, "AF_PACKET"}, {21, "AF_RDS"}, {29, "AF_CAN"}, {30, "AF_TIPC"},
    {31, "AF_BLUETOOTH"}, {38, "AF_ALG"}, {39, "AF_NFC"}, {40, "AF_VSOCK"}, {43, "AF_SMC"},
    {44, "AF_XDP"}};
constexpr Named kSocketTypes[] = {
    {1, "SOCK_STREAM"}, {2, "SOCK_DGRAM"}, {3, "SOCK_RAW"}, {4, "SOCK_RDM"},
    {5, "SOCK_SEQPACKET"}, {6, "SOCK_DCCP"}, {10, "SOCK_PACKET"}};
constexpr Named kPtraceRequests[] = {
    {0, "PTRACE_TRACEME"}, {1, "PTRACE_PEEKTEXT"}, {2, "PTRACE_PEEKDATA"}, {3, "PTRACE_PEEKUSR"},
    {4, "PTRACE_POKETEXT"}, {5, "PTRACE_POKEDATA"}, {6, "PTRACE_POKEUSR"}, {7, "PTRACE_CONT"},
    {8, "PTRACE_KILL"}, {9, "PTRACE_SINGLESTEP"}, {12, "PTRACE_GETREGS"}, {13, "PTRACE_SETREGS"},
    {14, "PTRACE_GETFPREGS"}, {15, "PTRACE_SETFPREGS"}, {16, "PTRACE_ATTACH"},
    {17, "PTRACE_DETACH"}, {24, "PTRACE_SYSCALL"}, {31, "PTRACE_SYSEMU"},
    {32, "PTRACE_SYSEMU_SINGLESTEP"}, {0x4200, "PTRACE_SETOPTIONS"},
    {0x4201, "PTRACE_GETEVENTMSG"}, {0x4202, "PTRACE_GETSIGINFO"}, {0x4203, "PTRACE_SETSIGINFO"},
    {0x4204, "PTRACE_GETREGSET"}, {0x4205, "PTRACE_SETREGSET"}, {0x4206, "PTRACE_SEIZE"},
    {0x4207, "PTRACE_INTERRUPT"}, {0x4208, "PTRACE_LISTEN"}, {0x4209, "PTRACE_PEEKSIGINFO"},
    {0x420a, "PTRACE_GETSIGMASK"}, {0x420b, "PTRACE_SETSIGMASK"},
    {0x420c, "PTRACE_SECCOMP_GET_FILTER"}, {0x420d, "PTRACE_SECCOMP_GET_METADATA"},
    {0x420e, "PTRACE_GET_SYSCALL_INFO"}};
constexpr std::string_view kBpfCommands[] = {
    "BPF_MAP_CREATE", "BPF_MAP_LOOKUP_ELEM", "BPF_MAP_UPDATE_ELEM", "BPF_MAP_DELETE_ELEM",
    "BPF_MAP_GET_NEXT_KEY", "BPF_PROG_LOAD", "BPF_OBJ_PIN", "BPF_OBJ_GET", "BPF_PROG_ATTACH",
    "BPF_PROG_DETACH", "BPF_PROG_TEST_RUN", "BPF_PROG_GET_NEXT_ID", "BPF_MAP_GET_NEXT_ID",
    "BPF_PROG_GET_FD_BY_ID", "BPF_MAP_GET_FD_BY_ID", "BPF_OBJ_GET_INFO_BY_FD", "BPF_PROG_QUERY",
    "BPF_RAW_TRACEPOINT_OPEN", "BPF_BTF_LOAD", "BPF_BTF_GET_FD_BY_ID", "BPF_TASK_FD_QUERY",
    "BPF_MAP_LOOKUP_AND_DELETE_ELEM", "BPF_MAP_FREEZE", "BPF_BTF_GET_NEXT_ID",
    "BPF_MAP_LOOKUP_BATCH", "BPF_MAP_LOOKUP_AND_DELETE_BATCH", "BPF_MAP_UPDATE_BATCH",
    "BPF_MAP_DELETE_BATCH", "BPF_LINK_CREATE", "BPF_LINK_UPDATE", "BPF_LINK_GET_FD_BY_ID",
    "BPF_LINK_GET_NEXT_ID", "BPF_ENABLE_STATS", "BPF_ITER_CREATE", "BPF_LINK_DETACH",
    "BPF_PROG_BIND_MAP"};
constexpr std::string_view kCapabilities[] = {
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
    "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
    "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"};

// O_TMPFILE and O_SYNC hold O_DIRECTORY and O_DSYNC: the longer ones come first.
constexpr Named kOpenFlags[] = {
    {O_CREAT, "O_CREAT"}, {O_APPEND, "O_APPEND"}, {O_TMPFILE, "O_TMPFILE"}, {O_SYNC, "O_SYNC"},
    {O_DSYNC, "O_DSYNC"}, {O_EXCL, "O_EXCL"}, {O_NONBLOCK, "O_NONBLOCK"}, {O_TRUNC, "O_TRUNC"},
    {O_DIRECT, "O_DIRECT"}, {O_DIRECTORY, "O_DIRECTORY"}, {O_CLOEXEC, "O_CLOEXEC"},
    {O_NOFOLLOW, "O_NOFOLLOW"}, {O_NOATIME, "O_NOATIME"}, {O_NOCTTY, "O_NOCTTY"},
    {O_PATH, "O_PATH"}};
constexpr Named kNamespaceFlags[] = {
    {CLONE_NEWNS, "CLONE_NEWNS"}, {CLONE_NEWUTS, "CLONE_NEWUTS"}, {CLONE_NEWIPC, "CLONE_NEWIPC"},
    {CLONE_NEWNET, "CLONE_NEWNET"}, {CLONE_NEWPID, "CLONE_NEWPID"},
    {CLONE_NEWUSER, "CLONE_NEWUSER"}, {CLONE_NEWCGROUP, "CLONE_NEWCGROUP"},
    {0x80, "CLONE_NEWTIME"}};
constexpr Named kModes[] = {
    {S_IXOTH, "S_IXOTH"}, {S_IWOTH, "S_IWOTH"}, {S_IROTH, "S_IROTH"}, {S_IXGRP, "S_IXGRP"},
    {S_IWGRP, "S_IWGRP"}, {S_IRGRP, "S_IRGRP"}, {S_IXUSR, "S_IXUSR"}, {S_IWUSR, "S_IWUSR"},
    {S_IRUSR, "S_IRUSR"}, {S_ISVTX, "S_ISVTX"}, {S_ISGID, "S_ISGID"}, {S_ISUID, "S_ISUID"}};
constexpr Named kMountFlags[] = {
    {MS_RDONLY, "MS_RDONLY"}, {MS_NOSUID, "MS_NOSUID"}, {MS_NODEV, "MS_NODEV"},
    {MS_NOEXEC, "MS_NOEXEC"}, {MS_SYNCHRONOUS, "MS_SYNCHRONOUS"}, {MS_REMOUNT, "MS_REMOUNT"},
    {MS_MANDLOCK, "MS_MANDLOCK"}, {MS_DIRSYNC, "MS_DIRSYNC"}, {MS_NOATIME, "MS_NOATIME"},
    {MS_NODIRATIME, "MS_NODIRATIME"}, {MS_BIND, "MS_BIND"}, {MS_MOVE, "MS_MOVE"},
    {MS_REC, "MS_REC"}, {MS_SILENT, "MS_SILENT"}, {MS_UNBINDABLE, "MS_UNBINDABLE"},
    {MS_PRIVATE, "MS_PRIVATE"}, {MS_SLAVE, "MS_SLAVE"}, {MS_SHARED, "MS_SHARED"},
    {MS_RELATIME, "MS_RELATIME"}, {MS_STRICTATIME, "MS_STRICTATIME"}};
constexpr Named kExeFlags[] = {
    {COFF_EXE_UPPER, "EXE_UPPER_LAYER"}, {COFF_EXE_MEMFD, "EXE_FROM_MEMFD"},
    {COFF_EXE_OVERLAY, "EXE_OVERLAY"}, {COFF_EXE_DELETED, "EXE_DELETED"},
    {COFF_EXE_SETID, "EXE_SETID"}, {COFF_EXE_32BIT, "EXE_32BIT"}, {COFF_EXE_TMPFS, "EXE_TMPFS"}};

constexpr std::string_view kKindDocs[COFF_KINDS] = {
#define COFF_X(name, shape, lane, doc) doc,
    COFF_EVENTS(COFF_X)
#undef COFF_X
};
constexpr Named kOwnKinds[] = {
    {static_cast<std::uint64_t>(Kind::container_create), "container_create"},
    {static_cast<std::uint64_t>(Kind::container_start), "container_start"},
    {static_cast<std::uint64_t>(Kind::container_stop), "container_stop"},
    {static_cast<std::uint64_t>(Kind::container_remove), "container_remove"},
    {static_cast<std::uint64_t>(Kind::container_other), "container_other"},
    {static_cast<std::uint64_t>(Kind::process_seen), "process_seen"},
    {static_cast<std::uint64_t>(Kind::departure), "departure"}};
constexpr std::string_view kOwnKindDocs[] = {
    "An engine created a container.", "A container started; its metadata is attached.",
    "A container stopped.", "A container was removed.",
    "An engine reported something else about a container.",
    "A process older than the agent was found, at the start or after a loss.",
    "A container did something that its service never did while it was learned."};
// clang-format on
static_assert(std::size(kOwnKinds) == std::size(kOwnKindDocs));

std::string_view name_in(std::span<const Named> table, std::uint64_t number) {
  for (const Named& each : table) {
    if (each.number == number) return each.name;
  }
  return {};
}

// A flag is named when all of its bits are set and no name before it took them.
void append_flags(std::string& text, std::span<const Named> table, std::uint64_t flags) {
  for (const Named& each : table) {
    if (each.number == 0 || (flags & each.number) != each.number) continue;
    if (!text.empty()) text += '|';
    text += each.name;
    flags &= ~each.number;
  }
}

std::string flags_text(std::span<const Named> table, std::uint64_t flags) {
  std::string text;
  append_flags(text, table, flags);
  return text;
}

}  // namespace

std::string_view kind_name(Kind kind) {
  const auto number = static_cast<size_t>(kind);
  return number < COFF_KINDS ? kKindNames[number] : name_in(kOwnKinds, number);
}

std::string_view kind_doc(Kind kind) {
  const auto number = static_cast<size_t>(kind);
  if (number < COFF_KINDS) return kKindDocs[number];
  const size_t own = number - static_cast<size_t>(Kind::container_create);
  return own < std::size(kOwnKindDocs) ? kOwnKindDocs[own] : std::string_view{};
}

std::string_view syscall_name(std::int32_t number) {
  if (number < 0 || static_cast<size_t>(number) >= kSyscallNumbers) return {};
  return kSyscallNames[static_cast<size_t>(number)];
}

std::string_view event_type_name(const Event& event) {
  if (event.kind == Kind::exit) return "procexit";
  if (event.kind == Kind::departure) return kind_name(event.kind);
  const std::string_view name = syscall_name(event.syscall);
  if (!name.empty()) return name;
  switch (event.kind) {
    case Kind::fork: return "clone";
    case Kind::exec: return "execve";
    case Kind::setid: return "setuid";
    case Kind::vm_access: return "process_vm_readv";
    case Kind::module_load: return "finit_module";
    case Kind::module_unload: return "delete_module";
    case Kind::dup_stdio: return "dup2";
    default: return kind_name(event.kind);
  }
}

std::string_view errno_name(std::int64_t number) {
  if (number <= 0 || number > 4095) return {};
  const char* name = strerrorname_np(static_cast<int>(number));
  return name == nullptr ? std::string_view{} : name;
}

std::string signal_name(std::uint64_t number) {
  const char* name = number < 65 ? sigabbrev_np(static_cast<int>(number)) : nullptr;
  return name == nullptr ? std::string{} : std::string("SIG") + name;
}

std::string_view family_name(std::uint64_t family) { return name_in(kFamilies, family); }

std::string_view socket_type_name(std::uint64_t type) {
  constexpr std::uint64_t kTypeMask = 15;  // SOCK_CLOEXEC and SOCK_NONBLOCK lie above.
  return name_in(kSocketTypes, type & kTypeMask);
}

std::string_view flow_state_name(std::uint64_t state) {
  switch (state) {
    case COFF_FLOW_OPEN: return "open";
    case COFF_FLOW_CLOSED: return "closed";
    case COFF_FLOW_FAILED: return "failed";
    case COFF_FLOW_SEEN: return "seen";
    default: return {};
  }
}

std::string_view flow_role_name(std::uint64_t role) {
  switch (role) {
    case COFF_FLOW_CLIENT: return "client";
    case COFF_FLOW_SERVER: return "server";
    default: return {};
  }
}

std::string_view ptrace_request_name(std::uint64_t request) {
  return name_in(kPtraceRequests, request);
}

std::string_view bpf_command_name(std::uint64_t command) {
  return command < std::size(kBpfCommands) ? kBpfCommands[command] : std::string_view{};
}

std::string open_flags_text(std::uint32_t flags) {
  constexpr std::string_view kAccess[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
  std::string text;
  if ((flags & O_PATH) == 0) text = kAccess[flags & O_ACCMODE];
  append_flags(text, kOpenFlags, flags);
  return text;
}

std::string namespace_flags_text(std::uint64_t flags) { return flags_text(kNamespaceFlags, flags); }
std::string mode_text(std::uint64_t mode) { return flags_text(kModes, mode); }
std::string mount_flags_text(std::uint64_t flags) { return flags_text(kMountFlags, flags); }
std::string exe_flags_text(std::uint32_t flags) { return flags_text(kExeFlags, flags); }

std::string capabilities_text(std::uint64_t set) {
  std::string text;
  for (unsigned number = 0; number < 64; ++number) {
    if ((set >> number & 1) == 0) continue;
    if (!text.empty()) text += ' ';
    if (number < std::size(kCapabilities)) {
      text += kCapabilities[number];
    } else {
      text += "CAP_" + std::to_string(number);
    }
  }
  return text;
}

}  // namespace coff::schema
