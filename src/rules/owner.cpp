// Which values stay the same for every event of one process.
#include "rules/owner.hpp"

#include <algorithm>
#include <string_view>

namespace coff::rules {

namespace {

// No field that looks at the event's time, thread, credentials or container.
constexpr std::string_view kOfProcess[] = {
    "proc.name",
    "proc.exe",
    "proc.exepath",
    "proc.filename",
    "proc.interpreter",
    "proc.args",
    "proc.cmdline",
    "proc.exeline",
    "proc.cmdnargs",
    "proc.cmdlenargs",
    "proc.env",
    "proc.cwd",
    "proc.tty",
    "proc.pid",
    "proc.vpid",
    "proc.ppid",
    "proc.sid",
    "proc.host_sid",
    "proc.pgid",
    "proc.vpgid",
    "proc.is_sid_leader",
    "proc.is_pgid_leader",
    "proc.is_vpgid_leader",
    "proc.sname",
    "proc.sid.exe",
    "proc.sid.exepath",
    "proc.pgid.name",
    "proc.pgid.exe",
    "proc.pgid.exepath",
    "proc.vpgid.name",
    "proc.vpgid.exe",
    "proc.vpgid.exepath",
    "proc.is_exe_upper_layer",
    "proc.is_exe_lower_layer",
    "proc.is_exe_from_memfd",
    "proc.is_exe_deleted",
    "proc.is_exe_setid",
    "proc.is_exe_tmpfs",
    "proc.is_exe_writable",
    "proc.exe_ino",
    "proc.exe_ino.ctime",
    "proc.exe_ino.mtime",
    "proc.loginshellid",
    "thread.cap_permitted",
    "thread.cap_effective",
    "thread.cap_inheritable",
    "process.cap_bounding",
    "process.cap_ambient",
    "process.id",
    "process.depth",
    "process.seccomp",
    "process.no_new_privs",
    "ns.mnt",
    "ns.pid",
    "ns.net",
    "ns.user",
};

constexpr std::string_view kOfParent[] = {
    "proc.pname", "proc.pexe", "proc.pexepath", "proc.pcmdline", "proc.pvpid", "process.parent_id",
};

// Of the process itself with the index 0, of what is above it with others and without.
constexpr std::string_view kOfAncestors[] = {
    "proc.aname", "proc.aexe", "proc.aexepath", "proc.acmdline",
    "proc.aargs", "proc.apid", "proc.aenv",
};

bool has(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

Owner owner_of(const schema::FieldReference& field) {
  const std::string_view name = field.field->name;
  if (has(kOfProcess, name)) return Owner::kProcess;
  if (has(kOfParent, name)) return Owner::kParent;
  if (!has(kOfAncestors, name)) return Owner::kEvent;
  return field.argument.index == 0U ? Owner::kProcess : Owner::kParent;
}

Owner common_owner(Owner a, Owner b) {
  if (a == b) return a;
  // A process has one parent.
  return a == Owner::kEvent || b == Owner::kEvent ? Owner::kEvent : Owner::kProcess;
}

}  // namespace coff::rules
