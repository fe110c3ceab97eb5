// Reads the JSON of an event back: what happened, by shape.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "schema/constants.hpp"
#include "schema/decode.hpp"
#include "schema/event_read_parts.hpp"

namespace coff::schema {

namespace {

// The names are the writer's own; a flag of several bits is asked for first.
template <typename Text>
std::optional<std::uint64_t> find_flag(std::string_view name, Text text,
                                       std::initializer_list<std::uint64_t> wide) {
  for (const std::uint64_t bits : wide) {
    if (text(bits) == name) return bits;
  }
  for (unsigned bit = 0; bit < 32; ++bit) {
    if (text(std::uint64_t{1} << bit) == name) return std::uint64_t{1} << bit;
  }
  return {};
}

void read_path(ObjectReader& reader, Path& path) {
  reader.text("path", path.name);
  path.raw = path.resolved = path.name;
  reader.text("raw", path.raw);
  reader.text("resolved", path.resolved);
}

void read_arguments(ObjectReader& reader, std::array<std::uint64_t, 6>& args) {
  size_t count = 0;
  reader.each("args", [&](const boost::json::value& value) {
    if (count == args.size()) return reader.complain("args", "has more than six");
    args[count++] = reader.hex_of("args", value);
  });
}

void read_file(ObjectReader& reader, const Event& event, FileInfo& file) {
  read_path(reader, file.path);
  reader.object(event.kind == Kind::mount ? "source" : "to",
                [&](ObjectReader& second) { read_path(second, file.path2); });
  reader.text(event.kind == Kind::setxattr ? "attribute" : "fs_type", file.text);
  read_arguments(reader, file.args);
  if (event.kind == Kind::open) read_flags(reader, "flags", open_flag_named, file.open_flags);
  if (event.kind == Kind::mount) read_flags(reader, "flags", mount_flag_named, file.args[3]);
  reader.number("fd", file.fd);
  reader.number("ino", file.ino);
  reader.number("dev", file.dev);
  reader.number("mode", file.mode);
  reader.number("uid", file.uid);
  reader.number("gid", file.gid);
  constexpr auto kFlag = [](unsigned bit) { return std::uint32_t{bit}; };
  reader.flag("created", kFlag(COFF_FILE_CREATED), file.file_flags);
  reader.flag("upper_layer", kFlag(COFF_FILE_UPPER), file.file_flags);
  reader.flag("overlay", kFlag(COFF_FILE_OVERLAY), file.file_flags);
  reader.flag("memfd", kFlag(COFF_FILE_MEMFD), file.file_flags);
  reader.flag("deleted", kFlag(COFF_FILE_DELETED), file.file_flags);
}

// The number whose name stands there; false when none has it.
bool read_named(ObjectReader& reader, std::string_view key,
                std::string_view (*named)(std::uint64_t), std::uint16_t& number) {
  constexpr std::uint16_t kNumbersMax = 64;
  if (!reader.is_text(key)) {
    reader.number(key, number);
    return true;
  }
  const std::string name = reader.text(key);
  for (std::uint16_t at = 0; at < kNumbersMax; ++at) {
    if (named(at) != name) continue;
    number = at;
    return true;
  }
  return false;
}

void read_endpoint(ObjectReader& reader, int family, Endpoint& end) {
  const std::string address = reader.text("ip");
  if (!address.empty() && ::inet_pton(family, address.c_str(), end.address.data()) != 1) {
    reader.complain("ip", "must be an address of the socket's family");
  }
  reader.number("port", end.port);
}

void read_socket(ObjectReader& reader, SocketInfo& socket) {
  if (!read_named(reader, "family", family_name, socket.family)) {
    reader.complain("family", "is not known");
  }
  if (!read_named(reader, "socket_type", socket_type_name, socket.type)) {
    reader.complain("socket_type", "is not known");
  }
  reader.number("protocol", socket.protocol);
  const int inet = socket.family == AF_INET6 ? AF_INET6 : AF_INET;
  reader.object("local", [&](ObjectReader& end) { read_endpoint(end, inet, socket.local); });
  reader.object("remote", [&](ObjectReader& end) { read_endpoint(end, inet, socket.remote); });
  reader.text("path", socket.unix_path);
  reader.number("fd", socket.fd);
  reader.number("stdio", socket.stdio);
  reader.number("net_ns", socket.net_ns);
  reader.number("flags", socket.flags);
  reader.hex("cookie", socket.cookie);
  reader.number("bytes", socket.bytes);
  reader.number("repeats", socket.repeats);
}

ProcessPtr read_other(ObjectReader& reader, std::uint32_t* pid) {
  auto process = std::make_shared<Process>();
  reader.hex("id", process->id);
  reader.number("pid", process->pid);
  process->vpid = process->pid;
  reader.number("vpid", process->vpid);
  reader.text("name", process->name);
  reader.skip("container");
  if (pid != nullptr) *pid = process->pid;
  return process->id == 0 && process->name.empty() ? nullptr : process;
}

// What follows from the arguments is read where somebody wrote it instead of them.
void read_derived(ObjectReader& reader, const Event& event, CallInfo& call) {
  constexpr std::uint64_t kRequestsMax = 0x5000;
  reader.skip("signal");
  const bool given = reader.has("args");
  const std::string request = reader.text("request");
  const std::string command = reader.text("command");
  if (given || (event.kind != Kind::ptrace && event.kind != Kind::bpf)) return;
  for (std::uint64_t number = 0; number < kRequestsMax; ++number) {
    const bool found = event.kind == Kind::ptrace
                           ? !request.empty() && ptrace_request_name(number) == request
                           : !command.empty() && bpf_command_name(number) == command;
    if (found) {
      call.args[0] = number;
      return;
    }
  }
  if (!request.empty()) reader.complain("request", "is not known");
  if (!command.empty()) reader.complain("command", "is not known");
}

void read_call(ObjectReader& reader, const Event& event, CallInfo& call) {
  reader.object("before", [&](ObjectReader& before) {
    call.before_known = true;
    before.number("uid", call.before.uid);
    before.number("gid", call.before.gid);
    before.number("euid", call.before.euid);
    before.number("egid", call.before.egid);
    before.number("login_uid", call.before.loginuid);
  });
  if (reader.has("before_login_uid")) call.before_known = true;
  reader.number("before_login_uid", call.before.loginuid);
  reader.number("suid", call.suid);
  reader.number("sgid", call.sgid);
  reader.number("fsuid", call.fsuid);
  reader.number("fsgid", call.fsgid);
  reader.object("capabilities",
                [&](ObjectReader& sets) { read_capabilities(sets, call.capabilities); });
  read_flags(reader, "namespaces", namespace_flag_named, call.ns_type);
  reader.text("text", call.text);
  reader.object("target",
                [&](ObjectReader& target) { call.target = read_other(target, &call.target_pid); });
  read_derived(reader, event, call);
  read_arguments(reader, call.args);
}

void read_exit(ObjectReader& reader, ExitInfo& exit) {
  std::uint32_t code = 0;
  std::uint32_t signal = 0;
  reader.number("code", code);
  reader.number("signal_number", signal);
  reader.skip("signal");
  exit.status = (code & 0xffU) << 8U | (signal & 0x7fU);
  reader.flag("core_dumped", std::uint32_t{0x80}, exit.status);
  reader.number("duration_ns", exit.duration_ns);
  reader.number("cpu_user_ns", exit.cpu_user_ns);
  reader.number("cpu_system_ns", exit.cpu_system_ns);
  reader.number("max_rss_bytes", exit.max_rss_bytes);
}

// The number whose name stands there, among the few that a flow has.
std::uint8_t flow_number(ObjectReader& reader, std::string_view key,
                         std::string_view (*named)(std::uint64_t)) {
  constexpr std::uint8_t kNumbersMax = 16;
  const std::string name = reader.text(key);
  for (std::uint8_t at = 0; at < kNumbersMax && !name.empty(); ++at) {
    if (named(at) == name) return at;
  }
  if (!name.empty()) reader.complain(key, "is not known");
  return 0;
}

void read_flow(ObjectReader& reader, const Event& event, FlowInfo& flow) {
  flow.state = flow_number(reader, "state", flow_state_name);
  flow.role = flow_number(reader, "role", flow_role_name);
  flow.family = AF_INET;
  for (const auto& [key, end] :
       {std::pair{"local", &flow.local}, std::pair{"remote", &flow.remote}}) {
    reader.object(key, [&, end = end](ObjectReader& inner) {
      const std::string address = inner.text("ip");
      if (address.find(':') != std::string::npos) flow.family = AF_INET6;
      if (!address.empty() && ::inet_pton(flow.family, address.c_str(), end->address.data()) != 1) {
        inner.complain("ip", "must be an address");
      }
      inner.number("port", end->port);
    });
  }
  std::uint64_t key = 0;
  reader.hex("key", key);
  flow.isn_client = static_cast<std::uint32_t>(key >> 32U);
  flow.isn_server = static_cast<std::uint32_t>(key);
  std::uint64_t duration_ns = 0;
  reader.number("duration_ns", duration_ns);
  if (duration_ns != 0 && duration_ns < event.boot_ns) {
    flow.opened_boot_ns = event.boot_ns - duration_ns;
  }
  reader.number("bytes_out", flow.bytes_out);
  reader.number("bytes_in", flow.bytes_in);
  reader.number("segments_out", flow.segments_out);
  reader.number("segments_in", flow.segments_in);
  reader.number("retransmits", flow.retransmits);
  reader.number("rtt_us", flow.rtt_us);
  reader.number("net_ns", flow.net_ns);
  reader.hex("cookie", flow.cookie);
  reader.number("unreported", flow.unreported);
  reader.object("worker",
                [&](ObjectReader& worker) { flow.worker = read_other(worker, &flow.worker_pid); });
}

void read_engine(ObjectReader& reader, ContainerInfo& engine) {
  reader.text("action", engine.action);
  reader.object("attributes", [&](ObjectReader& attributes) {
    for (const auto& member : attributes.whole()) {
      if (!member.value().is_string()) return attributes.complain(member.key(), "must be a string");
      engine.attributes.emplace_back(member.key(), member.value().get_string());
    }
  });
}

}  // namespace

std::optional<std::uint64_t> exe_flag_named(std::string_view name) {
  return find_flag(
      name, [](std::uint64_t bits) { return exe_flags_text(static_cast<std::uint32_t>(bits)); },
      {});
}

std::optional<std::uint64_t> open_flag_named(std::string_view name) {
  if (name == "O_RDONLY") return O_RDONLY;
  if (name == "O_WRONLY") return O_WRONLY;
  if (name == "O_RDWR") return O_RDWR;
  return find_flag(name,
                   [](std::uint64_t bits) {
                     const std::string text = open_flags_text(static_cast<std::uint32_t>(bits));
                     constexpr std::string_view kAccess = "O_RDONLY|";
                     return text.starts_with(kAccess) ? text.substr(kAccess.size()) : text;
                   },
                   {O_TMPFILE, O_SYNC});
}

std::optional<std::uint64_t> mount_flag_named(std::string_view name) {
  return find_flag(name, mount_flags_text, {});
}

std::optional<std::uint64_t> namespace_flag_named(std::string_view name) {
  return find_flag(name, namespace_flags_text, {});
}

void read_detail(ObjectReader& record, Event& event) {
  // A departure tells the event that it was seen in.
  const Kind told = event.departure == nullptr ? event.kind : event.departure->trigger;
  const auto kind = static_cast<size_t>(told);
  if (told == Kind::process_seen || told == Kind::departure) return;
  if (kind >= COFF_KINDS) {
    ContainerInfo& engine = event.detail.emplace<ContainerInfo>();
    record.object("engine", [&](ObjectReader& reader) { read_engine(reader, engine); });
    return;
  }
  switch (kShapes[kind]) {
    case Shape::fork: {
      ForkInfo& fork = event.detail.emplace<ForkInfo>();
      record.object("child", [&](ObjectReader& child) { fork.child = read_other(child, nullptr); });
      break;
    }
    case Shape::exec: {
      ExecInfo& exec = event.detail.emplace<ExecInfo>();
      if (event.process != nullptr) exec.filename = event.process->program->filename;
      record.object("exec", [&](ObjectReader& reader) {
        reader.text("filename", exec.filename);
        reader.text("cwd", exec.cwd);
      });
      break;
    }
    case Shape::exit: {
      ExitInfo& exit = event.detail.emplace<ExitInfo>();
      record.object("exit", [&](ObjectReader& reader) { read_exit(reader, exit); });
      break;
    }
    case Shape::file: {
      FileInfo& file = event.detail.emplace<FileInfo>();
      record.object("file", [&](ObjectReader& reader) { read_file(reader, event, file); });
      break;
    }
    case Shape::sock: {
      SocketInfo& socket = event.detail.emplace<SocketInfo>();
      record.object("socket", [&](ObjectReader& reader) { read_socket(reader, socket); });
      break;
    }
    case Shape::call: {
      CallInfo& call = event.detail.emplace<CallInfo>();
      record.object("call", [&](ObjectReader& reader) { read_call(reader, event, call); });
      break;
    }
    case Shape::api: break;
    case Shape::flow: {
      FlowInfo& flow = event.detail.emplace<FlowInfo>();
      record.object("flow", [&](ObjectReader& reader) { read_flow(reader, event, flow); });
      break;
    }
    case Shape::cgroup: {
      CgroupInfo& group = event.detail.emplace<CgroupInfo>();
      record.object("control_group", [&](ObjectReader& reader) {
        reader.text("path", group.path);
        reader.number("id", group.id);
        reader.number("hierarchy", group.hierarchy);
      });
      break;
    }
  }
}

}  // namespace coff::schema
