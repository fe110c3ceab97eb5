// Fields of what a process comes from: parent, ancestors, session and process group.
#include "schema/field_get.hpp"
#include "schema/process_text.hpp"

namespace coff::schema {

namespace {

const Program* program_of(const Process* process) {
  return process == nullptr ? nullptr : process->program.get();
}

// Highest ancestor, or the process itself, in an unbroken chain with the same id.
template <std::uint32_t Process::* Id>
const Process* leader_of(const Event& event) {
  const Process* leader = event.process.get();
  if (leader == nullptr) return nullptr;
  while (leader->parent != nullptr && leader->parent.get()->*Id == leader->*Id) {
    leader = leader->parent.get();
  }
  return leader;
}

template <std::uint32_t Process::* Id>
Value leader_name(const Subject& subject, const Argument&) {
  const Process* leader = leader_of<Id>(subject.event);
  return leader == nullptr ? Value{} : value_of(leader->name);
}
template <std::uint32_t Process::* Id>
Value leader_exe(const Subject& subject, const Argument&) {
  const Process* leader = leader_of<Id>(subject.event);
  return leader == nullptr ? Value{} : text_value(argv0(*leader));
}
template <std::uint32_t Process::* Id>
Value leader_exepath(const Subject& subject, const Argument&) {
  const Program* program = program_of(leader_of<Id>(subject.event));
  return program == nullptr ? Value{} : value_of(program->exe);
}

template <std::uint32_t Process::* Id, std::uint32_t Process::* Pid>
Value is_leader(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  return process == nullptr ? Value{} : Value{process->*Id == process->*Pid};
}

Value parent_duration(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  if (process == nullptr || process->parent == nullptr) return {};
  const std::uint64_t start = process->parent->start_boot_ns;
  return start == 0 || subject.event.boot_ns < start ? Value{}
                                                     : Value{subject.event.boot_ns - start};
}

Value parent_path(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  const Program* program = process == nullptr ? nullptr : program_of(process->parent.get());
  return program == nullptr ? Value{} : value_of(program->exe);
}

Value ancestor_environment(const Subject& subject, const Argument& argument) {
  if (argument.index || argument.name.empty()) {
    return of_ancestors(subject, argument, environment_text);
  }
  const Process* process = subject.event.process.get();
  if (process == nullptr) return {};
  for (process = process->parent.get(); process != nullptr; process = process->parent.get()) {
    const std::string_view found = variable(*process, argument.name);
    if (!found.empty()) return found;
  }
  return std::string_view("");
}

std::string name_of(const Process& p) { return p.name; }
std::string exe_of(const Process& p) { return std::string(argv0(p)); }
std::string path_of(const Process& p) {
  return p.program == nullptr ? std::string() : p.program->exe;
}
std::uint64_t pid_of(const Process& p) { return p.pid; }

using enum Type;
constexpr Field kFields[] = {
    {"proc.ppid", kInteger, of_process<&Process::ppid>, "process.parent.pid",
     "process.parent_process.pid", "Process id of the parent on the host."},
    {"proc.pvpid", kInteger, of_parent<&Process::vpid>, "process.parent.vpid",
     "process.parent_process.namespace_pid",
     "Process id of the parent in the parent's pid namespace."},
    {"proc.is_sid_leader", kBool, is_leader<&Process::vsid, &Process::vpid>, "", "",
     "Whether the process leads its session."},
    {"proc.is_pgid_leader", kBool, is_leader<&Process::pgid, &Process::pid>, "", "",
     "Whether the process leads its process group."},
    {"proc.is_vpgid_leader", kBool, is_leader<&Process::vpgid, &Process::vpid>, "", "",
     "Whether the process leads its process group, by the ids of its pid namespace."},
    {"proc.sname", kText, leader_name<&Process::sid>, "process.session_leader.name", "",
     "Name of the oldest known process of the session."},
    {"proc.sid.exe", kText, leader_exe<&Process::sid>, "", "",
     "argv[0] of the oldest known process of the session."},
    {"proc.sid.exepath", kPath, leader_exepath<&Process::sid>, "process.session_leader.executable",
     "", "Program of the oldest known process of the session."},
    {"proc.pgid.name", kText, leader_name<&Process::pgid>, "process.group_leader.name", "",
     "Name of the oldest known process of the process group."},
    {"proc.pgid.exe", kText, leader_exe<&Process::pgid>, "", "",
     "argv[0] of the oldest known process of the process group."},
    {"proc.pgid.exepath", kPath, leader_exepath<&Process::pgid>, "process.group_leader.executable",
     "", "Program of the oldest known process of the process group."},
    {"proc.vpgid.name", kText, leader_name<&Process::vpgid>, "", "",
     "As proc.pgid.name, by the ids of the pid namespace."},
    {"proc.vpgid.exe", kText, leader_exe<&Process::vpgid>, "", "",
     "As proc.pgid.exe, by the ids of the pid namespace."},
    {"proc.vpgid.exepath", kPath, leader_exepath<&Process::vpgid>, "", "",
     "As proc.pgid.exepath, by the ids of the pid namespace."},
    {"proc.ppid.duration", kDuration, parent_duration, "", "", "Time since the parent started."},
    {"proc.ppid.ts", kTime,
     [](const Subject& s, const Argument&) -> Value {
       return s.event.process == nullptr ? Value{}
                                         : start_time(s.event, s.event.process->parent.get());
     },
     "process.parent.start", "process.parent_process.created_time", "Start of the parent."},
    {"proc.pname", kText, of_parent<&Process::name>, "process.parent.name",
     "process.parent_process.name", "Name of the parent as it was when the process was forked."},
    {"proc.pexe", kText,
     [](const Subject& s, const Argument&) -> Value {
       return s.event.process == nullptr || s.event.process->parent == nullptr
                  ? Value{}
                  : text_value(argv0(*s.event.process->parent));
     },
     "", "", "argv[0] of the parent."},
    {"proc.pexepath", kPath, parent_path, "process.parent.executable",
     "process.parent_process.file.path", "Program of the parent."},
    {"proc.pcmdline", kText,
     [](const Subject& s, const Argument&) -> Value {
       return s.event.process == nullptr || s.event.process->parent == nullptr
                  ? Value{}
                  : text_value(command_line_text(*s.event.process->parent));
     },
     "process.parent.command_line", "process.parent_process.cmd_line",
     "Name and arguments of the parent."},
    {"proc.aname", kText,
     [](const Subject& s, const Argument& a) { return of_ancestors(s, a, name_of); }, "", "",
     "Name of an ancestor: [1] the parent, [0] the process; without index any ancestor.",
     Takes::kOptIndex, true},
    {"proc.aexe", kText,
     [](const Subject& s, const Argument& a) { return of_ancestors(s, a, exe_of); }, "", "",
     "argv[0] of an ancestor, as proc.aname.", Takes::kOptIndex, true},
    {"proc.aexepath", kPath,
     [](const Subject& s, const Argument& a) { return of_ancestors(s, a, path_of); }, "", "",
     "Program of an ancestor, as proc.aname.", Takes::kOptIndex, true},
    {"proc.acmdline", kText,
     [](const Subject& s, const Argument& a) { return of_ancestors(s, a, command_line_text); }, "",
     "", "Name and arguments of an ancestor, as proc.aname.", Takes::kOptIndex, true},
    {"proc.aargs", kText,
     [](const Subject& s, const Argument& a) { return of_ancestors(s, a, arguments_text); }, "", "",
     "Arguments of an ancestor, as proc.aname.", Takes::kOptIndex, true},
    {"proc.apid", kUnsigned,
     [](const Subject& s, const Argument& a) { return of_ancestors(s, a, pid_of); }, "", "",
     "Process id of an ancestor, as proc.aname.", Takes::kOptIndex, true},
    {"proc.aenv", kText, ancestor_environment, "", "",
     "Environment of an ancestor, as proc.aname; [NAME] the variable of the nearest ancestor that "
     "has it.",
     Takes::kOptName, true},
    {"process.parent_id", kText,
     [](const Subject& s, const Argument&) -> Value {
       return s.event.process == nullptr || s.event.process->parent == nullptr
                  ? Value{}
                  : Value{process_id_text(s.event.process->parent->id)};
     },
     "process.parent.entity_id", "process.parent_process.uid", "Stable id of the parent."},
    {"process.depth", kUnsigned,
     [](const Subject& s, const Argument&) -> Value {
       return s.event.process == nullptr ? Value{} : Value{std::uint64_t{s.event.process->depth}};
     },
     "", "", "Number of known ancestors."},
};

}  // namespace

std::span<const Field> ancestry_fields() { return kFields; }

}  // namespace coff::schema
