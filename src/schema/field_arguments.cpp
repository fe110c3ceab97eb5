// evt.arg: the arguments of an event under libsinsp's names and in its spelling.
#include <sys/socket.h>

#include "schema/address.hpp"
#include "schema/arguments.hpp"
#include "schema/constants.hpp"
#include "schema/decode.hpp"
#include "schema/field_get.hpp"

namespace coff::schema {

namespace {

const FileInfo* file_of(const Event& event) { return std::get_if<FileInfo>(&event.detail); }
const CallInfo* call_of(const Event& event) { return std::get_if<CallInfo>(&event.detail); }
const SocketInfo* socket_of(const Event& event) { return std::get_if<SocketInfo>(&event.detail); }

Value result(const Subject& subject) {
  if (subject.event.failed()) {
    const std::string_view name = errno_name(-subject.event.result);
    if (!name.empty()) return name;
  }
  return std::to_string(subject.event.result);
}

Value descriptor(const Subject& subject) {
  if (const FileInfo* file = file_of(subject.event)) {
    return file->fd < 0 ? Value{} : Value{std::to_string(file->fd)};
  }
  const SocketInfo* socket = socket_of(subject.event);
  return socket == nullptr || socket->fd < 0 ? Value{} : Value{std::to_string(socket->fd)};
}

Value first_path(const Subject& subject) {
  const FileInfo* file = file_of(subject.event);
  return file == nullptr ? Value{} : value_of(file->path.name);
}
Value second_path(const Subject& subject) {
  const FileInfo* file = file_of(subject.event);
  return file == nullptr ? Value{} : value_of(file->path2.name);
}
Value file_text(const Subject& subject) {
  const FileInfo* file = file_of(subject.event);
  return file == nullptr ? Value{} : value_of(file->text);
}

// As libsinsp names and orders them; what else is known of a program has fields of its own.
Value program_flags(const Subject& subject, const Program& program) {
  std::string text;
  const auto add = [&](bool holds, std::string_view name) {
    if (!holds) return;
    if (!text.empty()) text += '|';
    text += name;
  };
  const unsigned flags = program.exe_flags;
  const Value writable = find_field("proc.is_exe_writable")->get(subject, {});
  const bool* may_write = std::get_if<bool>(&writable);
  add(may_write != nullptr && *may_write, "EXE_WRITABLE");
  add((flags & COFF_EXE_UPPER) != 0, "EXE_UPPER_LAYER");
  add((flags & COFF_EXE_MEMFD) != 0, "EXE_FROM_MEMFD");
  add((flags & COFF_EXE_OVERLAY) != 0 && (flags & COFF_EXE_UPPER) == 0, "EXE_LOWER_LAYER");
  return text_value(std::move(text));
}

Value flags(const Subject& subject) {
  const Event& event = subject.event;
  if (event.kind == Kind::open) return text_value(open_flags_text(file_of(event)->open_flags));
  if (event.kind == Kind::exec) {
    const Process* process = event.process.get();
    if (process == nullptr || process->program == nullptr) return {};
    return program_flags(subject, *process->program);
  }
  if (event.kind == Kind::setns || event.kind == Kind::unshare) {
    return text_value(namespace_flags_text(call_of(event)->ns_type));
  }
  const auto number = flags_argument(event);
  if (!number) return {};
  if (event.kind == Kind::mount) return text_value(mount_flags_text(*number));
  return std::to_string(*number);
}

Value mode(const Subject& subject) {
  const auto number = mode_argument(subject.event);
  return number ? text_value(mode_text(*number)) : Value{};
}

// The name of the host's user where there is one: "evt.arg.uid=nobody".
template <unsigned Place, bool Group>
Value id(const Subject& subject) {
  const auto number = id_argument(subject.event, Place);
  if (!number) return {};
  std::string_view name;
  if (subject.event.container != nullptr) {
    if (*number == 0) name = "root";
  } else if (subject.names != nullptr) {
    name = Group ? subject.names->group(*number) : subject.names->user(*number);
  }
  return name.empty() ? Value{std::to_string(*number)} : Value{name};
}

Value request(const Subject& subject) {
  return text_value(ptrace_request_name(call_of(subject.event)->args[0]));
}
Value command(const Subject& subject) {
  return text_value(bpf_command_name(call_of(subject.event)->args[0]));
}
Value call_number(const Subject& subject) {
  return std::to_string(call_of(subject.event)->args[0]);
}
Value signal(const Subject& subject) {
  const auto number = signal_argument(subject.event);
  return number ? text_value(signal_name(*number)) : Value{};
}
Value target_pid(const Subject& subject) {
  const CallInfo* call = call_of(subject.event);
  return call == nullptr ? Value{} : Value{std::to_string(call->target_pid)};
}
Value exec_filename(const Subject& subject) {
  const auto* exec = std::get_if<ExecInfo>(&subject.event.detail);
  return exec == nullptr ? Value{} : value_of(exec->filename);
}
Value exec_path(const Subject& subject) {
  const Process* process = subject.event.process.get();
  if (subject.event.failed() || process == nullptr || process->program == nullptr) return {};
  return value_of(process->program->exe);
}
Value exit_status(const Subject& subject) {
  const auto* exit = std::get_if<ExitInfo>(&subject.event.detail);
  return exit == nullptr ? Value{} : Value{std::to_string(exit->status)};
}
Value domain(const Subject& subject) {
  return text_value(family_name(socket_of(subject.event)->family));
}
Value socket_type(const Subject& subject) {
  return text_value(socket_type_name(socket_of(subject.event)->type));
}
Value protocol(const Subject& subject) {
  return std::to_string(socket_of(subject.event)->protocol);
}
Value bytes(const Subject& subject) { return std::to_string(socket_of(subject.event)->bytes); }

Value tuple(const Subject& subject) {
  const SocketInfo* socket = socket_of(subject.event);
  if (socket->family == AF_UNIX) return text_value(unix_path_text(socket->unix_path));
  if (socket->family != AF_INET && socket->family != AF_INET6) return {};
  const bool v6 = socket->family == AF_INET6;
  return address_text(socket->local.address, v6) + ':' + std::to_string(socket->local.port) + "->" +
         address_text(socket->remote.address, v6) + ':' + std::to_string(socket->remote.port);
}

struct Row {
  Kind kind;
  std::string_view name;
  Value (*get)(const Subject& subject);
};

// The order of an event's rows is the order of evt.arg[n].
// clang-format off
constexpr Row kRows[] = {
    {Kind::fork, "res", result},
    {Kind::exec, "res", result}, {Kind::exec, "filename", exec_filename},
    {Kind::exec, "exe_path", exec_path}, {Kind::exec, "flags", flags},
    {Kind::exit, "status", exit_status},
    {Kind::setid, "res", result}, {Kind::setid, "uid", id<0, false>},
    {Kind::setid, "gid", id<0, true>}, {Kind::setid, "ruid", id<0, false>},
    {Kind::setid, "euid", id<1, false>}, {Kind::setid, "suid", id<2, false>},
    {Kind::setid, "rgid", id<0, true>}, {Kind::setid, "egid", id<1, true>},
    {Kind::setid, "sgid", id<2, true>},
    {Kind::capset, "res", result}, {Kind::setsid, "res", result},
    {Kind::ptrace, "res", result}, {Kind::ptrace, "request", request},
    {Kind::ptrace, "pid", target_pid},
    {Kind::vm_access, "res", result}, {Kind::vm_access, "pid", target_pid},
    {Kind::pidfd_getfd, "res", result}, {Kind::pidfd_getfd, "pid", target_pid},
    {Kind::setns, "res", result}, {Kind::setns, "nstype", flags}, {Kind::setns, "flags", flags},
    {Kind::unshare, "res", result}, {Kind::unshare, "flags", flags},
    {Kind::chroot, "res", result}, {Kind::chroot, "path", first_path},
    {Kind::pivot_root, "res", result}, {Kind::pivot_root, "new_root", first_path},
    {Kind::pivot_root, "put_old", second_path},
    {Kind::mount, "res", result}, {Kind::mount, "dev", second_path},
    {Kind::mount, "dir", first_path}, {Kind::mount, "type", file_text},
    {Kind::mount, "flags", flags},
    {Kind::umount, "res", result}, {Kind::umount, "name", first_path},
    {Kind::umount, "flags", flags},
    {Kind::module_load, "res", result}, {Kind::module_load, "fd", descriptor},
    {Kind::module_load, "path", first_path}, {Kind::module_load, "flags", flags},
    {Kind::module_unload, "res", result}, {Kind::module_unload, "name", first_path},
    {Kind::module_unload, "flags", flags},
    {Kind::bpf, "res", result}, {Kind::bpf, "cmd", command},
    {Kind::memfd_create, "fd", descriptor}, {Kind::memfd_create, "name", first_path},
    {Kind::memfd_create, "flags", flags},
    {Kind::kill, "res", result}, {Kind::kill, "pid", target_pid}, {Kind::kill, "sig", signal},
    {Kind::userfaultfd, "res", result}, {Kind::userfaultfd, "flags", flags},
    {Kind::io_uring_setup, "res", result},
    {Kind::open, "fd", descriptor}, {Kind::open, "name", first_path}, {Kind::open, "flags", flags},
    {Kind::open, "mode", mode},
    {Kind::unlink, "res", result}, {Kind::unlink, "path", first_path},
    {Kind::unlink, "name", first_path}, {Kind::unlink, "flags", flags},
    {Kind::rmdir, "res", result}, {Kind::rmdir, "path", first_path},
    {Kind::rename, "res", result}, {Kind::rename, "oldpath", first_path},
    {Kind::rename, "newpath", second_path}, {Kind::rename, "flags", flags},
    {Kind::link, "res", result}, {Kind::link, "oldpath", first_path},
    {Kind::link, "newpath", second_path}, {Kind::link, "flags", flags},
    {Kind::symlink, "res", result}, {Kind::symlink, "target", first_path},
    {Kind::symlink, "linkpath", second_path},
    {Kind::mkdir, "res", result}, {Kind::mkdir, "path", first_path}, {Kind::mkdir, "mode", mode},
    {Kind::mknod, "res", result}, {Kind::mknod, "path", first_path}, {Kind::mknod, "mode", mode},
    {Kind::chmod, "res", result}, {Kind::chmod, "filename", first_path},
    {Kind::chmod, "mode", mode}, {Kind::chmod, "fd", descriptor},
    {Kind::chown, "res", result}, {Kind::chown, "path", first_path},
    {Kind::chown, "pathname", first_path}, {Kind::chown, "fd", descriptor},
    {Kind::truncate, "res", result}, {Kind::truncate, "path", first_path},
    {Kind::setxattr, "res", result}, {Kind::setxattr, "path", first_path},
    {Kind::setxattr, "name", file_text},
    {Kind::chdir, "res", result}, {Kind::chdir, "path", first_path},
    {Kind::chdir, "fd", descriptor},
    {Kind::mmap, "res", result}, {Kind::mmap, "fd", descriptor},
    {Kind::mprotect, "res", result},
    {Kind::socket, "fd", descriptor}, {Kind::socket, "domain", domain},
    {Kind::socket, "type", socket_type}, {Kind::socket, "proto", protocol},
    {Kind::bind, "res", result}, {Kind::bind, "fd", descriptor}, {Kind::bind, "addr", tuple},
    {Kind::listen, "res", result}, {Kind::listen, "fd", descriptor},
    {Kind::connect, "res", result}, {Kind::connect, "fd", descriptor},
    {Kind::connect, "tuple", tuple},
    {Kind::accept, "fd", descriptor}, {Kind::accept, "tuple", tuple},
    {Kind::sendto, "res", result}, {Kind::sendto, "fd", descriptor},
    {Kind::sendto, "size", bytes}, {Kind::sendto, "tuple", tuple},
    {Kind::recvfrom, "res", result}, {Kind::recvfrom, "fd", descriptor},
    {Kind::recvfrom, "size", bytes}, {Kind::recvfrom, "tuple", tuple},
    {Kind::dup_stdio, "res", result}, {Kind::dup_stdio, "fd", descriptor},
    {Kind::compat_call, "nr", call_number},
};
// clang-format on

/// Where the rows of each kind stand.
struct Rows {
  std::uint8_t first = 0;
  std::uint8_t last = 0;  ///< The one behind them.
};
constexpr std::array<Rows, COFF_KINDS> make_rows_of_kinds() {
  static_assert(std::size(kRows) < 256);
  std::array<Rows, COFF_KINDS> rows{};
  for (size_t at = std::size(kRows); at-- > 0;) {
    Rows& of_kind = rows[static_cast<size_t>(kRows[at].kind)];
    of_kind.first = static_cast<std::uint8_t>(at);
    if (of_kind.last == 0) of_kind.last = static_cast<std::uint8_t>(at + 1);
  }
  return rows;
}
constexpr std::array<Rows, COFF_KINDS> kRowsOfKinds = make_rows_of_kinds();

std::span<const Row> rows_of(const Event& event) {
  const auto kind = static_cast<size_t>(event.kind);
  if (kind >= kRowsOfKinds.size()) return {};
  const Rows& rows = kRowsOfKinds[kind];
  return std::span(kRows).subspan(rows.first, static_cast<size_t>(rows.last - rows.first));
}

// The argument names of one kind stand for different calls: setuid has no "gid".
bool has_argument(const Event& event, std::string_view name) {
  if (event.kind != Kind::setid || name == "res") return true;
  const std::string_view call = event_type_name(event);
  if (call == "setuid" || call == "setfsuid") return name == "uid";
  if (call == "setgid" || call == "setfsgid") return name == "gid";
  if (call == "setreuid") return name == "ruid" || name == "euid";
  if (call == "setregid") return name == "rgid" || name == "egid";
  if (call == "setresuid") return name == "ruid" || name == "euid" || name == "suid";
  if (call == "setresgid") return name == "rgid" || name == "egid" || name == "sgid";
  return false;
}

// The getters rely on it: a kernel event whose detail has the shape of its kind.
bool has_kernel_detail(const Event& event) {
  static_assert(std::is_same_v<std::variant_alternative_t<1, Detail>, ForkInfo>);
  static_assert(std::is_same_v<std::variant_alternative_t<7, Detail>, CgroupInfo>);
  const auto kind = static_cast<size_t>(event.kind);
  return kind < COFF_KINDS && event.detail.index() == static_cast<size_t>(kShapes[kind]) + 1;
}

}  // namespace

Value event_argument(const Subject& subject, std::string_view name) {
  if (!has_kernel_detail(subject.event)) return {};
  for (const Row& row : rows_of(subject.event)) {
    if (row.kind == subject.event.kind && row.name == name && has_argument(subject.event, name)) {
      return row.get(subject);
    }
  }
  return {};
}

bool has_named_argument(const Event& event, std::string_view name) {
  return std::ranges::any_of(rows_of(event), [&](const Row& row) {
    return row.kind == event.kind && row.name == name && has_argument(event, name);
  });
}

std::vector<std::string_view> event_argument_names(const Event& event) {
  std::vector<std::string_view> names;
  for (const Row& row : rows_of(event)) {
    if (row.kind == event.kind && has_argument(event, row.name)) names.push_back(row.name);
  }
  return names;
}

}  // namespace coff::schema
