// Fields of libsinsp that follow from other facts: input and output, log-in shells, pid namespaces.
#include <sys/socket.h>
#include <sys/stat.h>

#include "schema/arguments.hpp"
#include "schema/constants.hpp"
#include "schema/field_get.hpp"

namespace coff::schema {

namespace {

bool reads(const Event& event) { return event.kind == Kind::recvfrom; }
bool writes(const Event& event) { return event.kind == Kind::sendto; }

Value direction(const Subject& subject, const Argument&) {
  if (reads(subject.event)) return std::string_view("read");
  return writes(subject.event) ? Value{std::string_view("write")} : Value{};
}

template <bool Read, bool Write>
Value transferred(const Subject& subject, const Argument&) {
  const auto* socket = std::get_if<SocketInfo>(&subject.event.detail);
  const bool counts = (Read && reads(subject.event)) || (Write && writes(subject.event));
  return socket == nullptr || !counts ? Value{} : Value{socket->bytes};
}

enum class Class : unsigned char { kFile, kNet, kMemory, kOther };

Class class_of(const Event& event) {
  if (event.kind == Kind::mmap || event.kind == Kind::mprotect) return Class::kMemory;
  if (std::holds_alternative<FileInfo>(event.detail)) return Class::kFile;
  return std::holds_alternative<SocketInfo>(event.detail) ? Class::kNet : Class::kOther;
}

template <Class Which>
Value failed(const Subject& subject, const Argument&) {
  const bool counts = subject.event.failed() && class_of(subject.event) == Which;
  return counts ? Value{std::uint64_t{1}} : Value{};
}

Value one(const Subject&, const Argument&) { return std::uint64_t{1}; }

Value async_type(const Subject& subject, const Argument&) {
  if (static_cast<unsigned>(subject.event.kind) < COFF_KINDS) return {};
  return text_value(kind_name(subject.event.kind));
}

// Arguments by their numbers, where libsinsp's numbers are the kernel's own.
Value raw_argument(const Subject& subject, const Argument& argument) {
  const Event& event = subject.event;
  const std::string_view name = argument.name;
  if (name == "res")
    return static_cast<unsigned>(event.kind) < COFF_KINDS ? Value{event.result} : Value{};
  if (name == "fd") {
    if (const auto* file = std::get_if<FileInfo>(&event.detail)) {
      return file->fd < 0 ? Value{} : Value{std::int64_t{file->fd}};
    }
    const auto* socket = std::get_if<SocketInfo>(&event.detail);
    return socket == nullptr || socket->fd < 0 ? Value{} : Value{std::int64_t{socket->fd}};
  }
  std::optional<std::int64_t> number;
  if (name == "mode") number = mode_argument(event);
  if (name == "sig") number = signal_argument(event);
  if (name == "uid" || name == "gid") number = id_argument(event, 0);
  if (const auto* call = std::get_if<CallInfo>(&event.detail); call != nullptr && name == "pid") {
    number = call->target_pid;
  }
  return number ? Value{*number} : Value{};
}

Value descriptor_id(const Subject& subject, const Argument&) {
  const auto* file = std::get_if<FileInfo>(&subject.event.detail);
  const auto* socket = std::get_if<SocketInfo>(&subject.event.detail);
  std::int32_t fd = -1;
  if (file != nullptr) fd = file->fd;
  if (socket != nullptr) fd = socket->fd;
  return fd < 0 ? Value{} : Value{std::to_string(subject.event.tid) + std::to_string(fd)};
}

// "container:value" of another field.
Value in_container(const Subject& subject, std::string_view field) {
  const Value container = find_field("container.id")->get(subject, {});
  const Value value = find_field(field)->get(subject, {});
  if (std::holds_alternative<std::monostate>(value)) return {};
  return value_text(container) + ':' + value_text(value);
}

Value login_shell(const Subject& subject, const Argument&) {
  Value found;
  for (const Process* each = subject.event.process.get(); each != nullptr;
       each = each->parent.get()) {
    if (std::string_view(each->name).ends_with("sh")) found = std::int64_t{each->pid};
  }
  return found;
}

// By mode, owner and group; root may write everything.
Value may_write_program(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  if (process == nullptr || process->program == nullptr || process->program->ino == 0) return {};
  const Program& program = *process->program;
  if (process->credentials.euid == 0) return true;
  if (process->credentials.euid == program.file_uid) return (program.file_mode & S_IWUSR) != 0;
  if (process->credentials.egid == program.file_gid) return (program.file_mode & S_IWGRP) != 0;
  return (program.file_mode & S_IWOTH) != 0;
}

Value pid_namespace_start(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  const std::uint32_t space = process == nullptr ? 0 : process->namespaces.pid;
  for (; process != nullptr && space != 0; process = process->parent.get()) {
    if (process->vpid != 1 || process->namespaces.pid != space) continue;
    const Value start = start_time(subject.event, process);
    const auto* wall = std::get_if<std::int64_t>(&start);
    return wall == nullptr || *wall < 0 ? Value{} : Value{static_cast<std::uint64_t>(*wall)};
  }
  return {};
}

Value change_before_namespace(const Subject& subject, const Argument&) {
  const Value start = pid_namespace_start(subject, {});
  const Process* process = subject.event.process.get();
  const auto* wall = std::get_if<std::uint64_t>(&start);
  if (wall == nullptr || process->program == nullptr || process->program->ino == 0) return {};
  const std::uint64_t changed = process->program->ctime_ns;
  return changed > *wall ? Value{} : Value{*wall - changed};
}

Value thread_in_namespace(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  const bool main = process != nullptr && process->pid == subject.event.tid;
  return main ? Value{std::int64_t{process->vpid}} : Value{};
}

Value health_check(const Subject& subject, const Argument&) {
  const Container* container = subject.event.container.get();
  const Process* process = subject.event.process.get();
  if (container == nullptr || container->metadata != Metadata::kComplete || process == nullptr) {
    return {};
  }
  if (container->health_check.empty() || process->program == nullptr) return false;
  std::string line;
  for (const std::string& argument : process->program->argv) {
    line.append(line.empty() ? "" : " ").append(argument);
  }
  return line == container->health_check || line == "/bin/sh -c " + container->health_check;
}

using enum Type;
constexpr Field kFields[] = {
    {"evt.is_io", kBool,
     [](const Subject& s, const Argument&) -> Value { return reads(s.event) || writes(s.event); },
     "", "", "Whether it is sendto or recvfrom: reads and writes are not observed."},
    {"evt.is_io_read", kBool,
     [](const Subject& s, const Argument&) -> Value { return reads(s.event); }, "", "",
     "Whether it is recvfrom."},
    {"evt.is_io_write", kBool,
     [](const Subject& s, const Argument&) -> Value { return writes(s.event); }, "", "",
     "Whether it is sendto."},
    {"evt.io_dir", kText, direction, "", "", "read or write; unset for other calls."},
    {"evt.is_wait", kBool, [](const Subject&, const Argument&) -> Value { return false; }, "", "",
     "Always false: calls that only wait are not observed."},
    {"evt.buflen", kUnsigned, transferred<true, true>, "", "",
     "Bytes that sendto or recvfrom transferred."},
    {"evt.buflen.in", kUnsigned, transferred<true, false>, "", "", "As evt.buflen, of recvfrom."},
    {"evt.buflen.out", kUnsigned, transferred<false, true>, "", "", "As evt.buflen, of sendto."},
    {"evt.buflen.net", kUnsigned, transferred<true, true>, "", "", "Same as evt.buflen."},
    {"evt.buflen.net.in", kUnsigned, transferred<true, false>, "", "", "Same as evt.buflen.in."},
    {"evt.buflen.net.out", kUnsigned, transferred<false, true>, "", "", "Same as evt.buflen.out."},
    {"evt.count.error.file", kUnsigned, failed<Class::kFile>, "", "", "1 for failed file calls."},
    {"evt.count.error.net", kUnsigned, failed<Class::kNet>, "", "", "1 for failed network calls."},
    {"evt.count.error.memory", kUnsigned, failed<Class::kMemory>, "", "",
     "1 for failed calls about memory."},
    {"evt.count.error.other", kUnsigned, failed<Class::kOther>, "", "",
     "1 for other failed calls."},
    {"evt.count.exit", kUnsigned, one, "", "", "Always 1: events are made when a call returns."},
    {"evt.asynctype", kText, async_type, "", "",
     "Kind of an event that the agent made; unset for the kernel's."},
    {"evt.rawarg", kInteger, raw_argument, "", "",
     "One argument as a number: res, fd, mode, sig, pid, uid, gid. Other names mean evt.arg.",
     Takes::kName},
    {"fd.uid", kText, descriptor_id, "", "", "Thread id and descriptor number, joined."},
    {"fd.containername", kText,
     [](const Subject& s, const Argument&) { return in_container(s, "fd.name"); }, "", "",
     "container.id and fd.name with a colon between."},
    {"fd.containerdirectory", kText,
     [](const Subject& s, const Argument&) { return in_container(s, "fd.directory"); }, "", "",
     "container.id and fd.directory with a colon between."},
    {"proc.loginshellid", kInteger, login_shell, "", "",
     "Process id of the oldest shell among the process and its ancestors."},
    {"proc.is_exe_writable", kBool, may_write_program, "", "",
     "Whether the user may write the program's file, by its mode, owner and group."},
    {"proc.pidns_init_start_ts", kUnsigned, pid_namespace_start, "", "",
     "Start of the first process of the pid namespace, nanoseconds since 1970."},
    {"proc.exe_ino.ctime_duration_pidns_start", kDuration, change_before_namespace, "", "",
     "Time from the last change of the program's inode to the start of the pid namespace."},
    {"thread.vtid", kInteger, thread_in_namespace, "", "",
     "Thread id in the pid namespace, known of the first thread only."},
    {"proc.is_container_healthcheck", kBool, health_check, "", "",
     "Whether the command line is that of the container's health check."},
    {"evt.outputtime", kText,
     [](const Subject& s, const Argument&) -> Value {
       return find_field("evt.time.iso8601")->get(s, {});
     },
     "", "", "Same as evt.time.iso8601."},
};

}  // namespace

std::span<const Field> derived_fields() { return kFields; }

}  // namespace coff::schema
