// Fields of the process: identity, program, ancestors, session.
#include <sys/wait.h>

#include "schema/constants.hpp"
#include "schema/field_get.hpp"
#include "schema/process_text.hpp"

namespace coff::schema {

namespace {

const Program* program_of(const Process* process) {
  return process == nullptr ? nullptr : process->program.get();
}

Value arguments(const Subject& subject, const Argument& argument) {
  const Program* program = program_of(subject.event.process.get());
  if (program == nullptr) return {};
  if (!argument.index) return arguments_text(*subject.event.process);
  const size_t at = size_t{*argument.index} + 1;
  return at < program->argv.size() ? Value{std::string_view(program->argv[at])} : Value{};
}

Value environment(const Subject& subject, const Argument& argument) {
  const Process* process = subject.event.process.get();
  if (program_of(process) == nullptr) return {};
  if (argument.name.empty()) return environment_text(*process);
  return variable(*process, argument.name);
}

// libsinsp ends the working directory with a slash, and rules rely on it ("/dev/shm/").
Value working_directory(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  if (process == nullptr || process->cwd.empty()) return {};
  return process->cwd.back() == '/' ? process->cwd : process->cwd + '/';
}

Value duration(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  if (process == nullptr || process->start_boot_ns == 0) return {};
  if (subject.event.boot_ns < process->start_boot_ns) return {};
  return subject.event.boot_ns - process->start_boot_ns;
}

template <std::uint64_t Program::* Time>
Value inode_time(const Subject& subject, const Argument&) {
  const Program* program = program_of(subject.event.process.get());
  if (program == nullptr || program->ino == 0) return {};
  return static_cast<std::int64_t>(program->*Time);
}

Value change_before_start(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  const Program* program = program_of(process);
  if (program == nullptr || program->ino == 0 || process->start_boot_ns == 0) return {};
  const std::int64_t start = wall_of(subject.event, process->start_boot_ns);
  const auto changed = static_cast<std::int64_t>(program->ctime_ns);
  return changed >= start ? Value{} : Value{static_cast<std::uint64_t>(start - changed)};
}

template <std::uint32_t Set, std::uint32_t Clear>
Value exe_flags(const Subject& subject, const Argument&) {
  const Program* program = program_of(subject.event.process.get());
  if (program == nullptr) return {};
  return (program->exe_flags & Set) == Set && (program->exe_flags & Clear) == 0;
}

template <std::uint64_t Capabilities::* Set>
Value capabilities(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  return process == nullptr ? Value{} : Value{capabilities_text(process->capabilities.*Set)};
}

Value exit_code(const Subject& subject, const Argument&) {
  const auto* exit = std::get_if<ExitInfo>(&subject.event.detail);
  if (exit == nullptr || !WIFEXITED(static_cast<int>(exit->status))) return {};
  return std::int64_t{WEXITSTATUS(static_cast<int>(exit->status))};
}

Value exit_signal(const Subject& subject, const Argument&) {
  const auto* exit = std::get_if<ExitInfo>(&subject.event.detail);
  if (exit == nullptr || !WIFSIGNALED(static_cast<int>(exit->status))) return {};
  return std::int64_t{WTERMSIG(static_cast<int>(exit->status))};
}

Value count_arguments(const Subject& subject, const Argument&) {
  const Program* program = program_of(subject.event.process.get());
  if (program == nullptr || program->argv.empty()) return {};
  return std::uint64_t{program->argv.size() - 1};
}

Value length_arguments(const Subject& subject, const Argument&) {
  const Program* program = program_of(subject.event.process.get());
  if (program == nullptr) return {};
  std::uint64_t length = 0;
  for (size_t at = 1; at < program->argv.size(); ++at) length += program->argv[at].size();
  return length;
}

using enum Type;
constexpr Field kFields[] = {
    {"proc.name", kText, of_process<&Process::name>, "process.name", "process.name",
     "Name of the process, at most 15 bytes (comm of its first thread)."},
    {"proc.exe", kText,
     [](const Subject& s, const Argument&) -> Value {
       return s.event.process == nullptr ? Value{} : text_value(argv0(*s.event.process));
     },
     "", "", "First argument (argv[0]), whatever the caller chose."},
    {"proc.exepath", kPath, of_program<&Program::exe>, "process.executable", "process.file.path",
     "Path of the program as the kernel resolved it."},
    {"proc.filename", kPath, of_program<&Program::filename>, "", "",
     "Path of the program as given to execve."},
    {"proc.interpreter", kPath, of_program<&Program::interp>, "", "",
     "Interpreter that runs a script; unset for other programs."},
    {"proc.args", kText, arguments, "process.args", "",
     "Arguments without argv[0], joined with blanks; [n] the n-th, from 0. Up to 16 KiB instead of "
     "libsinsp's 4.",
     Takes::kOptIndex},
    {"proc.cmdline", kText,
     [](const Subject& s, const Argument&) -> Value {
       return s.event.process == nullptr ? Value{}
                                         : text_value(command_line_text(*s.event.process));
     },
     "process.command_line", "process.cmd_line", "proc.name and proc.args."},
    {"proc.exeline", kText,
     [](const Subject& s, const Argument&) -> Value {
       return s.event.process == nullptr ? Value{}
                                         : text_value(std::string(argv0(*s.event.process)) + " " +
                                                      arguments_text(*s.event.process));
     },
     "", "", "proc.exe and proc.args."},
    {"proc.cmdnargs", kUnsigned, count_arguments, "process.args_count", "",
     "Number of arguments without argv[0]."},
    {"proc.cmdlenargs", kUnsigned, length_arguments, "", "",
     "Total length of the arguments without argv[0]."},
    {"proc.env", kText, environment, "process.env_vars", "process.environment_variables",
     "Environment joined with blanks; [NAME] the value of one variable, empty when not set. Up to "
     "8 KiB.",
     Takes::kOptName},
    {"proc.cwd", kPath, working_directory, "process.working_directory", "process.working_directory",
     "Working directory, with a slash at the end."},
    {"proc.tty", kUnsigned,
     [](const Subject& s, const Argument&) -> Value {
       return s.event.process == nullptr ? Value{} : Value{std::uint64_t{s.event.process->tty}};
     },
     "process.tty.char_device.minor", "", "Device number of the controlling terminal, 0 for none."},
    {"proc.pid", kInteger, of_process<&Process::pid>, "process.pid", "process.pid",
     "Process id on the host."},
    {"proc.vpid", kInteger, of_process<&Process::vpid>, "process.vpid", "process.namespace_pid",
     "Process id in its own pid namespace."},
    {"proc.sid", kInteger, of_process<&Process::vsid>, "", "",
     "Session id in the process's own pid namespace."},
    {"proc.host_sid", kInteger, of_process<&Process::sid>, "process.session_leader.pid", "",
     "Session id on the host."},
    {"proc.pgid", kInteger, of_process<&Process::pgid>, "process.group_leader.pid", "",
     "Process group on the host."},
    {"proc.vpgid", kInteger, of_process<&Process::vpgid>, "process.group_leader.vpid", "",
     "Process group in the process's own pid namespace."},
    {"proc.duration", kDuration, duration, "", "", "Time since the process started."},
    {"proc.pid.ts", kTime,
     [](const Subject& s, const Argument&) -> Value {
       return start_time(s.event, s.event.process.get());
     },
     "process.start", "process.created_time", "Start of the process."},
    {"proc.is_exe_upper_layer", kBool, exe_flags<COFF_EXE_UPPER, 0>, "", "",
     "Whether the program lies in the upper layer of an overlay: not in the image."},
    {"proc.is_exe_lower_layer", kBool, exe_flags<COFF_EXE_OVERLAY, COFF_EXE_UPPER>, "", "",
     "Whether the program lies in a lower layer of an overlay."},
    {"proc.is_exe_from_memfd", kBool, exe_flags<COFF_EXE_MEMFD, 0>, "", "",
     "Whether the program is an anonymous memory file."},
    {"proc.is_exe_deleted", kBool, exe_flags<COFF_EXE_DELETED, 0>, "", "",
     "Whether the program had no name left when it started."},
    {"proc.is_exe_setid", kBool, exe_flags<COFF_EXE_SETID, 0>, "", "",
     "Whether the program has a set-user-id or set-group-id bit."},
    {"proc.is_exe_tmpfs", kBool, exe_flags<COFF_EXE_TMPFS, 0>, "", "",
     "Whether the program lies on a memory file system."},
    {"proc.exe_ino", kUnsigned, of_program<&Program::ino>, "file.inode", "",
     "Inode number of the program."},
    {"proc.exe_ino.ctime", kTime, inode_time<&Program::ctime_ns>, "", "",
     "Last change of the program's inode."},
    {"proc.exe_ino.mtime", kTime, inode_time<&Program::mtime_ns>, "", "",
     "Last change of the program's content."},
    {"proc.exe_ino.ctime_duration_proc_start", kDuration, change_before_start, "", "",
     "Time from the last change of the program's inode to the start of the process, unset when it "
     "changed later."},
    {"thread.tid", kInteger, of_event<&Event::tid>, "process.thread.id", "process.tid",
     "Thread id on the host."},
    {"thread.name", kText, of_event<&Event::thread_name>, "process.thread.name", "",
     "Name of the thread."},
    {"thread.ismain", kBool,
     [](const Subject& s, const Argument&) -> Value {
       return s.event.process == nullptr ? Value{} : Value{s.event.process->pid == s.event.tid};
     },
     "", "", "Whether it is the first thread of the process."},
    {"thread.cap_permitted", kText, capabilities<&Capabilities::permitted>,
     "process.thread.capabilities.permitted", "", "Permitted capabilities, joined with blanks."},
    {"thread.cap_effective", kText, capabilities<&Capabilities::effective>,
     "process.thread.capabilities.effective", "", "Effective capabilities, joined with blanks."},
    {"thread.cap_inheritable", kText, capabilities<&Capabilities::inheritable>, "", "",
     "Inheritable capabilities, joined with blanks."},
    {"process.cap_bounding", kText, capabilities<&Capabilities::bounding>, "", "",
     "Bounding set of capabilities, joined with blanks."},
    {"process.cap_ambient", kText, capabilities<&Capabilities::ambient>, "", "",
     "Ambient capabilities, joined with blanks."},
    {"process.id", kText,
     [](const Subject& s, const Argument&) -> Value {
       return s.event.process == nullptr ? Value{} : Value{process_id_text(s.event.process->id)};
     },
     "process.entity_id", "process.uid",
     "Stable id of the process, 16 hexadecimal digits: another one after pid reuse or a reboot."},
    {"process.seccomp", kInteger, of_process<&Process::seccomp_mode>, "", "",
     "Seccomp mode: 0 none, 1 strict, 2 filter."},
    {"process.no_new_privs", kBool, of_process<&Process::no_new_privs>, "", "",
     "Whether the process gave up gaining privileges by exec."},
    {"process.exit_code", kInteger, exit_code, "process.exit_code", "exit_code",
     "Exit status of a process that ended by itself."},
    {"process.exit_signal", kInteger, exit_signal, "", "", "Signal that ended the process."},
    {"process.cgroup", kUnsigned, of_event<&Event::cgroup>, "", "", "Id of the control group."},
    {"ns.mnt", kInteger, of_process<&Process::namespaces, &Namespaces::mnt>, "", "",
     "Mount namespace."},
    {"ns.pid", kInteger, of_process<&Process::namespaces, &Namespaces::pid>, "", "",
     "Process id namespace."},
    {"ns.net", kInteger, of_process<&Process::namespaces, &Namespaces::net>, "", "",
     "Network namespace."},
    {"ns.user", kInteger, of_process<&Process::namespaces, &Namespaces::user>, "", "",
     "User namespace."},
};

}  // namespace

std::span<const Field> process_fields() { return kFields; }

}  // namespace coff::schema
