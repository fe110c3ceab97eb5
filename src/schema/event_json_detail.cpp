// One event as one JSON object: what happened, by shape.
#include <sys/socket.h>
#include <sys/wait.h>

#include "schema/address.hpp"
#include "schema/arguments.hpp"
#include "schema/constants.hpp"
#include "schema/event_writer.hpp"

namespace coff::schema {

namespace {

void write_path(EventWriter& writer, const Path& path) {
  writer.text("path", path.name);
  if (path.raw != path.name) writer.text("raw", path.raw);
  if (path.resolved != path.name) writer.text("resolved", path.resolved);
}

// Strings, because numbers above 2^53 are not safe in JSON readers.
void write_arguments(EventWriter& writer, const std::array<std::uint64_t, 6>& args) {
  size_t used = args.size();
  while (used > 0 && args[used - 1] == 0) --used;
  if (used == 0) return;
  constexpr std::string_view kDigits = "0123456789abcdef";
  writer.open_array("args");
  for (size_t at = 0; at < used; ++at) {
    std::string text;
    for (std::uint64_t value = args[at]; value != 0 || text.empty(); value >>= 4) {
      text.insert(text.begin(), kDigits[value & 15]);
    }
    writer.json.string("0x" + text);
  }
  writer.close();
}

void write_file(EventWriter& writer, const Event& event, const FileInfo& file) {
  writer.open("file");
  write_path(writer, file.path);
  if (!file.path2.raw.empty() || !file.path2.name.empty()) {
    writer.open(event.kind == Kind::mount ? "source" : "to");
    write_path(writer, file.path2);
    writer.close();
  }
  writer.text(event.kind == Kind::setxattr ? "attribute" : "fs_type", file.text);
  if (event.kind == Kind::open) writer.word("flags", open_flags_text(file.open_flags));
  if (event.kind == Kind::mount) writer.word("flags", mount_flags_text(file.args[3]));
  if (file.fd >= 0) writer.number("fd", file.fd);
  if (file.ino != 0) {
    writer.number("ino", file.ino);
    writer.number("dev", file.dev);
    writer.number("mode", file.mode);
    writer.number("uid", file.uid);
    writer.number("gid", file.gid);
  }
  writer.flag("created", (file.file_flags & COFF_FILE_CREATED) != 0);
  writer.flag("upper_layer", (file.file_flags & COFF_FILE_UPPER) != 0);
  writer.flag("overlay", (file.file_flags & COFF_FILE_OVERLAY) != 0);
  writer.flag("memfd", (file.file_flags & COFF_FILE_MEMFD) != 0);
  writer.flag("deleted", (file.file_flags & COFF_FILE_DELETED) != 0);
  if (event.kind != Kind::open) write_arguments(writer, file.args);
  writer.close();
}

void write_endpoint(EventWriter& writer, std::string_view key, const Endpoint& end, bool v6) {
  constexpr std::array<std::uint8_t, 16> kNone{};
  if (end.port == 0 && end.address == kNone) return;
  writer.open(key);
  writer.word("ip", address_text(end.address, v6));
  writer.number("port", static_cast<unsigned>(end.port));
  writer.close();
}

void write_socket(EventWriter& writer, const SocketInfo& socket) {
  writer.open("socket");
  const std::string_view family = family_name(socket.family);
  if (family.empty()) writer.number("family", static_cast<unsigned>(socket.family));
  else writer.word("family", family);
  writer.word("socket_type", socket_type_name(socket.type));
  writer.positive("protocol", socket.protocol);
  if (socket.family == AF_INET || socket.family == AF_INET6) {
    const bool v6 = socket.family == AF_INET6;
    write_endpoint(writer, "local", socket.local, v6);
    write_endpoint(writer, "remote", socket.remote, v6);
  }
  writer.text("path", socket.unix_path);
  if (socket.fd >= 0) writer.number("fd", socket.fd);
  if (socket.stdio >= 0) writer.number("stdio", socket.stdio);
  writer.positive("net_ns", socket.net_ns);
  writer.positive("flags", socket.flags);
  if (socket.cookie != 0) writer.hex("cookie", socket.cookie);
  writer.positive("bytes", socket.bytes);
  writer.positive("repeats", socket.repeats);
  writer.close();
}

void write_process_name(EventWriter& writer, const Process& process) {
  writer.hex("id", process.id);
  writer.number("pid", process.pid);
  if (process.vpid != process.pid) writer.positive("vpid", process.vpid);
  writer.text("name", process.name);
  if (process.container != nullptr) writer.text("container", process.container->id);
}

void write_flow(EventWriter& writer, const Event& event, const FlowInfo& flow) {
  const bool v6 = flow.family == AF_INET6;
  writer.open("flow");
  writer.word("state", flow_state_name(flow.state));
  writer.word("role", flow_role_name(flow.role));
  write_endpoint(writer, "local", flow.local, v6);
  write_endpoint(writer, "remote", flow.remote, v6);
  if (flow.key() != 0) writer.hex("key", flow.key());
  if (flow.opened_boot_ns != 0 && flow.state != COFF_FLOW_OPEN) {
    writer.number("duration_ns", event.boot_ns - flow.opened_boot_ns);
  }
  if (flow.state != COFF_FLOW_OPEN) {
    writer.number("bytes_out", flow.bytes_out);
    writer.number("bytes_in", flow.bytes_in);
    writer.positive("segments_out", flow.segments_out);
    writer.positive("segments_in", flow.segments_in);
    writer.positive("retransmits", flow.retransmits);
  }
  writer.positive("rtt_us", flow.rtt_us);
  writer.positive("net_ns", flow.net_ns);
  if (flow.cookie != 0) writer.hex("cookie", flow.cookie);
  writer.positive("unreported", flow.unreported);
  if (flow.worker != nullptr || flow.worker_pid != 0) {
    writer.open("worker");
    if (flow.worker != nullptr) write_process_name(writer, *flow.worker);
    else writer.number("pid", flow.worker_pid);
    writer.close();
  }
  writer.close();
}

void write_credential_change(EventWriter& writer, const CallInfo& call) {
  if (call.before_known) {
    writer.open("before");
    writer.number("uid", call.before.uid);
    writer.number("gid", call.before.gid);
    writer.number("euid", call.before.euid);
    writer.number("egid", call.before.egid);
    if (call.before.loginuid != kNoLogin) writer.number("login_uid", call.before.loginuid);
    writer.close();
  }
  writer.number("suid", call.suid);
  writer.number("sgid", call.sgid);
  writer.number("fsuid", call.fsuid);
  writer.number("fsgid", call.fsgid);
}

void write_call(EventWriter& writer, const Event& event, const CallInfo& call) {
  writer.open("call");
  switch (event.kind) {
    case Kind::setid: write_credential_change(writer, call); break;
    case Kind::loginuid:
      if (call.before_known && call.before.loginuid != kNoLogin) {
        writer.number("before_login_uid", call.before.loginuid);
      }
      break;
    case Kind::kill:
      if (const auto signal = signal_argument(event)) writer.word("signal", signal_name(*signal));
      break;
    case Kind::ptrace: writer.word("request", ptrace_request_name(call.args[0])); break;
    case Kind::bpf: writer.word("command", bpf_command_name(call.args[0])); break;
    case Kind::capset:
      writer.open("capabilities");
      writer.hex("permitted", call.capabilities.permitted);
      writer.hex("effective", call.capabilities.effective);
      writer.hex("inheritable", call.capabilities.inheritable);
      writer.close();
      break;
    default: break;
  }
  writer.word("namespaces", namespace_flags_text(call.ns_type));
  writer.text("text", call.text);
  if (call.target != nullptr || call.target_pid != 0) {
    writer.open("target");
    if (call.target != nullptr) write_process_name(writer, *call.target);
    else writer.number("pid", call.target_pid);
    writer.close();
  }
  write_arguments(writer, call.args);
  writer.close();
}

void write_exit(EventWriter& writer, const ExitInfo& exit) {
  const int status = static_cast<int>(exit.status);
  writer.open("exit");
  if (WIFSIGNALED(status)) {
    writer.word("signal", signal_name(static_cast<unsigned>(WTERMSIG(status))));
    writer.number("signal_number", WTERMSIG(status));
    writer.flag("core_dumped", WCOREDUMP(status));
  } else {
    writer.number("code", WEXITSTATUS(status));
  }
  writer.number("duration_ns", exit.duration_ns);
  writer.number("cpu_user_ns", exit.cpu_user_ns);
  writer.number("cpu_system_ns", exit.cpu_system_ns);
  writer.positive("max_rss_bytes", exit.max_rss_bytes);
  writer.close();
}

}  // namespace

void write_detail(EventWriter& writer, const Event& event, const JsonOptions& options) {
  if (const auto* fork = std::get_if<ForkInfo>(&event.detail)) {
    if (fork->child == nullptr) return;
    writer.open("child");
    write_process_name(writer, *fork->child);
    writer.close();
  } else if (const auto* exec = std::get_if<ExecInfo>(&event.detail)) {
    // A success says the same in "process".
    if (!event.failed() && event.process != nullptr && event.process->program != nullptr) return;
    writer.open("exec");
    writer.text("filename", exec->filename);
    writer.text("cwd", exec->cwd);
    writer.close();
  } else if (const auto* exit = std::get_if<ExitInfo>(&event.detail)) {
    write_exit(writer, *exit);
  } else if (const auto* file = std::get_if<FileInfo>(&event.detail)) {
    write_file(writer, event, *file);
  } else if (const auto* socket = std::get_if<SocketInfo>(&event.detail)) {
    write_socket(writer, *socket);
  } else if (const auto* call = std::get_if<CallInfo>(&event.detail)) {
    write_call(writer, event, *call);
  } else if (const auto* flow = std::get_if<FlowInfo>(&event.detail)) {
    write_flow(writer, event, *flow);
  } else if (const auto* cgroup = std::get_if<CgroupInfo>(&event.detail)) {
    writer.open("control_group");
    writer.text("path", cgroup->path);
    writer.number("id", cgroup->id);
    writer.number("hierarchy", cgroup->hierarchy);
    writer.close();
  } else if (const auto* engine = std::get_if<ContainerInfo>(&event.detail)) {
    constexpr size_t kAttributeRoom = 64;
    writer.open("engine");
    writer.text("action", redacted(engine->action, options));
    writer.open("attributes");
    for (const auto& [key, text] : engine->attributes) {
      if (!writer.has_room(kAttributeRoom)) break;
      writer.pair(key, redacted(text, options));
    }
    writer.close();
    writer.close();
  }
}

}  // namespace coff::schema
