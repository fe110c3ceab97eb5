// Names of the kernel's numbers: system calls, errors, signals, flags, families, capabilities.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "schema/event.hpp"

namespace coff::schema {

/// Name of a kind as in JSON and rules, e.g. "open", "container_start".
std::string_view kind_name(Kind kind);
/// What an event of the kind says, a sentence; "" for a number that is no kind.
std::string_view kind_doc(Kind kind);

/// Name of a system call of this machine's own ABI, "" when the headers don't know the number.
std::string_view syscall_name(std::int32_t number);
/// libsinsp's evt.type: the system call's name, otherwise the name of what stands for the kind
/// ("procexit" for exit, "clone" for fork, "execve" for exec), otherwise the kind's own name.
std::string_view event_type_name(const Event& event);

/// "ENOENT" for 2; "" when not an error number.
std::string_view errno_name(std::int64_t number);
/// "SIGKILL" for 9; "" when the number is no named signal.
std::string signal_name(std::uint64_t number);
/// "AF_INET" for 2; "" when not one that a container normally sees.
std::string_view family_name(std::uint64_t family);
/// "SOCK_STREAM" for 1, whatever flags are added; "" when not known.
std::string_view socket_type_name(std::uint64_t type);
/// "open", "closed", "failed" or "seen" for a coff_flow_state; "" when not known.
std::string_view flow_state_name(std::uint64_t state);
/// "client" or "server" for a coff_flow_role; "" when not known.
std::string_view flow_role_name(std::uint64_t role);
/// "PTRACE_ATTACH" for 16; "" when not known.
std::string_view ptrace_request_name(std::uint64_t request);
/// "BPF_PROG_LOAD" for 5; "" when not known.
std::string_view bpf_command_name(std::uint64_t command);

// Flags joined with "|", known names only, in a fixed order; "" for none.
std::string open_flags_text(std::uint32_t flags);       ///< O_RDONLY|O_CREAT…
std::string namespace_flags_text(std::uint64_t flags);  ///< CLONE_NEWNS|CLONE_NEWPID…
std::string mode_text(std::uint64_t mode);              ///< S_ISUID|S_IRUSR…
std::string mount_flags_text(std::uint64_t flags);      ///< MS_BIND|MS_REC…
std::string exe_flags_text(std::uint32_t flags);        ///< EXE_UPPER_LAYER|EXE_FROM_MEMFD…
/// "CAP_CHOWN CAP_KILL", as libsinsp's thread.cap_*; numbers beyond the names as "CAP_63".
std::string capabilities_text(std::uint64_t set);

}  // namespace coff::schema
