// From a checked kernel record to the shared model.
#include "schema/make_event.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "schema/path.hpp"

namespace coff::schema {

namespace {

// The kernel keeps the NUL behind a path name; an abstract name begins with one, and all of its
// bytes count.
std::string unix_name(std::string_view name) {
  if (!name.empty() && name.front() != '\0') name = name.substr(0, name.find('\0'));
  return std::string(name);
}

Path path_of(const Record& record, coff_str raw, coff_str base, coff_str resolved) {
  Path path;
  path.raw = record.text(raw);
  path.resolved = record.text(resolved);
  path.name = path.raw.empty() ? path.resolved : lexical_path(record.text(base), path.raw);
  return path;
}

FileInfo file_of(const Record& record) {
  const coff_file& file = record.file();
  FileInfo info{.ino = file.ino,
                .dev = file.dev,
                .mode = file.mode,
                .uid = file.uid,
                .gid = file.gid,
                .open_flags = file.open_flags,
                .file_flags = file.file_flags,
                .fd = file.fd};
  std::copy(std::begin(file.args), std::end(file.args), info.args.begin());
  info.path = path_of(record, file.raw, file.base, file.resolved);
  // "" with AT_EMPTY_PATH means the directory descriptor itself.
  if (info.path.name.empty()) info.path.name = record.text(file.base);
  switch (record.kind()) {
    case COFF_KIND_setxattr: info.text = record.text(file.raw2); break;
    case COFF_KIND_symlink:
      info.path.name = info.path.raw;
      info.path2 = path_of(record, file.raw2, file.base2, file.resolved2);
      break;
    case COFF_KIND_mount:
      // A source is a path only for bind and block device mounts; "tmpfs" or "a:/b" is none.
      info.path2.raw = record.text(file.raw2);
      info.path2.resolved = record.text(file.resolved2);
      info.path2.name =
          info.path2.raw.starts_with('/') ? lexical_path({}, info.path2.raw) : info.path2.raw;
      info.text = record.text(file.base2);
      break;
    default: info.path2 = path_of(record, file.raw2, file.base2, file.resolved2); break;
  }
  return info;
}

SocketInfo socket_of(const Record& record) {
  const coff_sock& sock = record.sock();
  SocketInfo info{.family = sock.family,
                  .type = sock.type,
                  .protocol = sock.protocol,
                  .unix_path = unix_name(record.text(sock.path)),
                  .fd = sock.fd,
                  .stdio = record.kind() == COFF_KIND_dup_stdio ? sock.fd2 : -1,
                  .net_ns = sock.net_ns,
                  .flags = sock.flags,
                  .cookie = sock.cookie,
                  .bytes = sock.bytes,
                  .repeats = sock.repeats};
  std::copy(std::begin(sock.local), std::end(sock.local), info.local.address.begin());
  std::copy(std::begin(sock.remote), std::end(sock.remote), info.remote.address.begin());
  info.local.port = sock.local_port;
  info.remote.port = sock.remote_port;
  return info;
}

// An IPv6 socket that talks IPv4 has its addresses in the last four bytes (RFC 4291, 2.5.5.2); the
// other end, an IPv4 socket, has the same ones in the first four.
void unmap(FlowInfo& flow) {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  const auto is_mapped = [&](const Endpoint& end) {
    return std::equal(kMapped.begin(), kMapped.end(), end.address.begin());
  };
  if (flow.family != AF_INET6 || !is_mapped(flow.local) || !is_mapped(flow.remote)) return;
  flow.family = AF_INET;
  for (Endpoint* end : {&flow.local, &flow.remote}) {
    std::array<std::uint8_t, 16> address{};
    std::copy(end->address.begin() + kMapped.size(), end->address.end(), address.begin());
    end->address = address;
  }
}

FlowInfo flow_of(const Record& record, Joined& joined) {
  const coff_flow& flow = record.flow();
  FlowInfo info{.state = flow.state,
                .role = flow.role,
                .family = flow.family,
                .opened_boot_ns = flow.opened,
                .bytes_out = flow.bytes_out,
                .bytes_in = flow.bytes_in,
                .segments_out = flow.segments_out,
                .segments_in = flow.segments_in,
                .retransmits = flow.retransmits,
                .rtt_us = flow.rtt_us,
                .isn_client = flow.isn_client,
                .isn_server = flow.isn_server,
                .net_ns = flow.net_ns,
                .cookie = flow.cookie,
                .unreported = flow.unreported,
                .worker = std::move(joined.other),
                .worker_pid = flow.worker_pid};
  std::copy(std::begin(flow.local), std::end(flow.local), info.local.address.begin());
  std::copy(std::begin(flow.remote), std::end(flow.remote), info.remote.address.begin());
  info.local.port = flow.local_port;
  info.remote.port = flow.remote_port;
  unmap(info);
  return info;
}

CallInfo call_of(const Record& record, Joined& joined) {
  const coff_call& call = record.call();
  CallInfo info{.target = std::move(joined.other),
                .target_pid = call.target_pid,
                .ns_type = call.ns_type,
                .text = std::string(record.text(call.text)),
                .before = joined.before == nullptr ? Credentials{} : *joined.before,
                .before_known = joined.before != nullptr,
                .capabilities = {.permitted = call.cap_permitted,
                                 .effective = call.cap_effective,
                                 .inheritable = call.cap_inheritable},
                .suid = call.suid,
                .sgid = call.sgid,
                .fsuid = call.fsuid,
                .fsgid = call.fsgid};
  std::copy(std::begin(call.args), std::end(call.args), info.args.begin());
  return info;
}

ExitInfo exit_of(const Record& record) {
  const coff_exit& exit = record.exit();
  const coff_hdr& header = exit.hdr;
  return {.status = exit.exit_code,
          .duration_ns = header.time > header.start ? header.time - header.start : 0,
          .cpu_user_ns = exit.cpu_user_ns,
          .cpu_system_ns = exit.cpu_system_ns,
          .max_rss_bytes = exit.max_rss_bytes};
}

Detail detail_of(const Record& record, Joined& joined) {
  switch (record.shape()) {
    case Shape::fork: return ForkInfo{.child = std::move(joined.other)};
    case Shape::exec:
      return ExecInfo{.filename = std::string(record.text(record.exec().filename)),
                      .cwd = std::string(record.text(record.exec().cwd))};
    case Shape::exit: return exit_of(record);
    case Shape::file: return file_of(record);
    case Shape::sock: return socket_of(record);
    case Shape::call: return call_of(record, joined);
    case Shape::flow: return flow_of(record, joined);
    case Shape::cgroup:
      return CgroupInfo{.path = std::string(record.text(record.cgroup().path)),
                        .id = record.cgroup().id,
                        .hierarchy = record.cgroup().hierarchy};
    case Shape::api: return {};  // read by whoever follows the connection, never an event
  }
  return {};
}

}  // namespace

Credentials credentials_of(const coff_hdr& header) {
  return {.uid = header.uid,
          .gid = header.gid,
          .euid = header.euid,
          .egid = header.egid,
          .loginuid = header.loginuid,
          .sessionid = header.sessionid};
}

Event make_event(const Record& record, std::int64_t boot_to_wall_ns, Joined joined) {
  const coff_hdr& header = record.header();
  return {.kind = static_cast<Kind>(header.kind),
          .flags = header.flags,
          .wall_ns =
              static_cast<std::int64_t>(header.time + static_cast<std::uint64_t>(boot_to_wall_ns)),
          .boot_ns = header.time,
          .result = header.ret,
          .syscall = header.syscall,
          .tid = header.tid,
          .cgroup = header.cgroup,
          .thread_name = std::string(record.comm()),
          .credentials = credentials_of(header),
          .process = std::move(joined.process),
          .container = std::move(joined.container),
          .detail = detail_of(record, joined)};
}

Program make_program(const Record& record) {
  const coff_exec& exec = record.exec();
  Program program{.exe = std::string(record.text(exec.exe)),
                  .filename = std::string(record.text(exec.filename)),
                  .argv = split_nul(record.text(exec.argv)),
                  .env = split_nul(record.text(exec.env)),
                  .argv_bytes = exec.argv_bytes,
                  .env_bytes = exec.env_bytes,
                  .ino = exec.ino,
                  .dev = exec.dev,
                  .size_bytes = exec.size_bytes,
                  .mtime_ns = exec.mtime_ns,
                  .ctime_ns = exec.ctime_ns,
                  .file_mode = exec.file_mode,
                  .file_uid = exec.file_uid,
                  .file_gid = exec.file_gid,
                  .exe_flags = exec.exe_flags};
  if ((record.header().flags & COFF_F_SNAPSHOT) == 0) program.exec_boot_ns = record.header().time;
  const std::string_view interp = record.text(exec.interp);
  if (interp != program.filename) program.interp = interp;
  return program;
}

Process make_process(const Record& record) {
  const coff_exec& exec = record.exec();
  const coff_hdr& header = exec.hdr;
  return {.pid = header.pid,
          .vpid = header.vpid,
          .ppid = header.ppid,
          .start_boot_ns = header.start,
          .since_boot_ns = header.time,
          .name = std::string(record.comm()),
          .program = std::make_shared<const Program>(make_program(record)),
          .cwd = std::string(record.text(exec.cwd)),
          .credentials = credentials_of(header),
          .capabilities = {.permitted = exec.cap_permitted,
                           .effective = exec.cap_effective,
                           .inheritable = exec.cap_inheritable,
                           .bounding = exec.cap_bounding,
                           .ambient = exec.cap_ambient},
          .namespaces = {.mnt = exec.mnt_ns,
                         .pid = exec.pid_ns,
                         .net = exec.net_ns,
                         .user = exec.user_ns,
                         .uts = exec.uts_ns,
                         .ipc = exec.ipc_ns,
                         .cgroup = exec.cgroup_ns},
          .tty = exec.tty,
          .sid = exec.sid,
          .pgid = exec.pgid,
          .vsid = exec.vsid,
          .vpgid = exec.vpgid,
          .seccomp_mode = exec.seccomp_mode,
          .no_new_privs = exec.no_new_privs != 0,
          .cgroup = header.cgroup};
}

Process make_child(const Record& record, const Process& parent) {
  const coff_fork& fork = record.fork();
  Process child = parent;
  child.id = 0;
  child.pid = fork.child_pid;
  child.vpid = fork.child_vpid;
  child.ppid = fork.hdr.pid;
  child.start_boot_ns = fork.child_start;
  child.since_boot_ns = fork.hdr.time;
  child.name = record.comm();
  child.credentials = credentials_of(fork.hdr);
  child.cgroup = fork.child_cgroup;
  child.namespaces.pid = fork.child_pid_ns;
  child.namespaces.mnt = fork.child_mnt_ns;
  child.namespaces.net = fork.child_net_ns;
  child.namespaces.user = fork.child_user_ns;
  child.sid = fork.child_sid;
  child.pgid = fork.child_pgid;
  child.container = nullptr;
  child.parent = nullptr;
  child.depth = 0;
  return child;
}

}  // namespace coff::schema
