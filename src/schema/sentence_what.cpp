// One event as one readable line: what happened.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>

#include "schema/address.hpp"
#include "schema/arguments.hpp"
#include "schema/constants.hpp"
#include "schema/sentence_writer.hpp"

namespace coff::schema {

namespace {

// The verb of kinds whose sentence is "verb path".
std::string_view path_verb(Kind kind) {
  switch (kind) {
    case Kind::unlink: return "deleted ";
    case Kind::rmdir: return "removed directory ";
    case Kind::mkdir: return "made directory ";
    case Kind::mknod: return "made special file ";
    case Kind::truncate: return "truncated ";
    case Kind::chdir: return "went to ";
    case Kind::chroot: return "changed root to ";
    case Kind::pivot_root: return "exchanged the root for ";
    case Kind::umount: return "unmounted ";
    case Kind::open_tree: return "picked up the mount ";
    case Kind::module_load: return "loaded kernel module ";
    case Kind::module_unload: return "unloaded kernel module ";
    case Kind::memfd_create: return "created memory file ";
    case Kind::mmap: return "mapped as executable ";
    case Kind::mprotect: return "made executable the mapping of ";
    default: return {};
  }
}

bool is_notable(Kind kind) {
  switch (kind) {
    case Kind::chroot:
    case Kind::pivot_root:
    case Kind::umount:
    case Kind::open_tree:
    case Kind::module_load:
    case Kind::module_unload:
    case Kind::memfd_create: return true;
    default: return false;
  }
}

std::string octal(std::uint32_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", mode & 07777U);
  return text;
}

std::string seconds_text(std::uint64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", static_cast<double>(ns) / 1e9);
  return text;
}

std::string_view open_purpose(const FileInfo& file) {
  if ((file.open_flags & O_PATH) != 0) return " as a handle";
  switch (file.open_flags & O_ACCMODE) {
    case O_RDONLY: return " to read";
    case O_WRONLY: return " to write";
    default: return " to read and write";
  }
}

void say_open(SentenceWriter& writer, const FileInfo& file) {
  const bool created = (file.file_flags & COFF_FILE_CREATED) != 0;
  writer.say(created ? "created " : "opened ").show(file.path.name);
  writer.say(open_purpose(file));
  if ((file.open_flags & O_TRUNC) != 0) writer.say(", emptied");
}

void say_change(SentenceWriter& writer, const Event& event, const FileInfo& file) {
  writer.say("changed ");
  if (event.kind == Kind::chmod) {
    writer.say("mode of ").show(file.path.name);
    const auto mode = mode_argument(event);
    if (!mode) return;
    const bool setid = (*mode & (S_ISUID | S_ISGID)) != 0;
    writer.say(" to ").say(octal(*mode), setid ? Tone::kBad : Tone::kPlain);
  } else if (event.kind == Kind::chown) {
    writer.say("owner of ").show(file.path.name);
  } else {
    writer.say("attribute ").show(file.text).say(" of ").show(file.path.name);
  }
}

void say_file(SentenceWriter& writer, const Event& event, const FileInfo& file) {
  switch (event.kind) {
    case Kind::open: return say_open(writer, file);
    case Kind::rename:
      writer.say("renamed ").show(file.path.name).say(" to ").show(file.path2.name);
      return;
    case Kind::link:
      writer.say("linked ").show(file.path.name).say(" as ").show(file.path2.name);
      return;
    case Kind::symlink:
      writer.say("made symbolic link ").show(file.path2.name).say(" to ").show(file.path.name);
      return;
    case Kind::chmod:
    case Kind::chown:
    case Kind::setxattr: return say_change(writer, event, file);
    case Kind::mount:
      writer.say("mounted ", Tone::kNotable).show(file.path2.name).say(" on ");
      writer.show(file.path.name);
      if (!file.text.empty()) writer.say(" (").show(file.text).say(")");
      return;
    case Kind::move_mount:
      writer.say("moved mount ", Tone::kNotable).show(file.path.name).say(" to ");
      writer.show(file.path2.name);
      return;
    default:
      writer.say(path_verb(event.kind), is_notable(event.kind) ? Tone::kNotable : Tone::kPlain);
      writer.show(file.path.name.empty() ? file.path.raw : file.path.name);
      return;
  }
}

std::string endpoint_text(const SocketInfo& socket, const Endpoint& end) {
  if (socket.family == AF_UNIX) return unix_path_text(socket.unix_path);
  const bool v6 = socket.family == AF_INET6;
  if (!v6 && socket.family != AF_INET) return std::string(family_name(socket.family));
  const std::string ip = address_text(end.address, v6);
  return (v6 ? '[' + ip + ']' : ip) + ':' + std::to_string(end.port);
}

void say_socket(SentenceWriter& writer, Kind kind, const SocketInfo& socket) {
  const auto local = [&] { return endpoint_text(socket, socket.local); };
  const auto remote = [&] { return endpoint_text(socket, socket.remote); };
  switch (kind) {
    case Kind::socket:
      writer.say("made a socket ", Tone::kNet).say(family_name(socket.family));
      writer.say(" ").say(socket_type_name(socket.type));
      return;
    case Kind::bind: writer.say("bound a socket to ", Tone::kNet).show(local()); return;
    case Kind::listen: writer.say("listens on ", Tone::kNet).show(local()); return;
    case Kind::connect: writer.say("connected to ", Tone::kNet).show(remote()); return;
    case Kind::accept:
      writer.say("accepted ", Tone::kNet).show(remote()).say(" on ").show(local());
      return;
    case Kind::sendto: writer.say("sent to ", Tone::kNet).show(remote()); break;
    case Kind::recvfrom: writer.say("received from ", Tone::kNet).show(remote()); break;
    default: {
      constexpr std::string_view kNames[] = {"standard input", "standard output", "standard error"};
      const auto at = static_cast<size_t>(socket.stdio);
      writer.say("turned ", Tone::kBad).say(at < 3 ? kNames[at] : "a descriptor");
      writer.say(" into the connection to ").show(remote());
      return;
    }
  }
  if (socket.bytes != 0) writer.say(", ").number(socket.bytes).say(" bytes");
}

void say_flow(SentenceWriter& writer, const Event& event, const FlowInfo& flow) {
  const auto text = [&](const Endpoint& end) {
    const bool v6 = flow.family == AF_INET6;
    const std::string ip = address_text(end.address, v6);
    return (v6 ? '[' + ip + ']' : ip) + ':' + std::to_string(end.port);
  };
  const bool client = flow.role == COFF_FLOW_CLIENT;
  switch (flow.state) {
    case COFF_FLOW_FAILED: writer.say("could not connect", Tone::kNotable); break;
    case COFF_FLOW_OPEN: writer.say("opened a connection", Tone::kNet); break;
    case COFF_FLOW_SEEN: writer.say("has a connection", Tone::kNet); break;
    default: writer.say("ended a connection", Tone::kNet); break;
  }
  writer.say(client ? " to " : " from ").show(text(flow.remote));
  if (!client) writer.say(" on ").show(text(flow.local));
  if (flow.state != COFF_FLOW_CLOSED) return;
  writer.say(", ").number(flow.bytes_out).say(" bytes out, ").number(flow.bytes_in).say(" in");
  if (flow.opened_boot_ns != 0) {
    writer.say(", ").say(seconds_text(event.boot_ns - flow.opened_boot_ns));
  }
}

void say_target(SentenceWriter& writer, const CallInfo& call) {
  std::uint32_t pid = call.target_pid;
  if (const Process* target = call.target.get()) {
    writer.show(target->name, Tone::kProcess);
    pid = target->pid;
  } else {
    writer.say("process");
  }
  writer.say("[").number(pid).say("]");
}

void say_setid(SentenceWriter& writer, const Event& event, const CallInfo& call) {
  writer.say("changed user to ", Tone::kNotable).say("uid ").number(event.credentials.uid);
  writer.say(" gid ").number(event.credentials.gid);
  if (call.before_known) writer.say(" (was uid ").number(call.before.uid).say(")");
}

void say_call(SentenceWriter& writer, const Event& event, const CallInfo& call) {
  switch (event.kind) {
    case Kind::setid: return say_setid(writer, event, call);
    case Kind::loginuid:
      writer.say("changed the login user", Tone::kNotable);
      if (call.before_known && call.before.loginuid != kNoLogin) {
        writer.say(" (was uid ").number(call.before.loginuid).say(")");
      }
      return;
    case Kind::kill: {
      const auto signal = signal_argument(event);
      writer.say("sent ").say(signal ? signal_name(*signal) : "a signal").say(" to ");
      return say_target(writer, call);
    }
    case Kind::ptrace:
      writer.say("traced ", Tone::kNotable);
      say_target(writer, call);
      writer.say(" (").say(ptrace_request_name(call.args[0])).say(")");
      return;
    case Kind::vm_access:
      writer.say("accessed the memory of ", Tone::kNotable);
      return say_target(writer, call);
    case Kind::pidfd_getfd:
      writer.say("took a descriptor of ", Tone::kNotable);
      return say_target(writer, call);
    case Kind::oom_kill:
      writer.say("ran out of memory: the kernel killed ", Tone::kBad);
      return say_target(writer, call);
    case Kind::setns:
    case Kind::unshare:
      writer.say(event.kind == Kind::setns ? "joined namespaces " : "left namespaces ",
                 Tone::kNotable);
      writer.say(namespace_flags_text(call.ns_type));
      if (!call.text.empty()) writer.say(" ").show(call.text);
      return;
    case Kind::bpf:
      writer.say("called bpf ", Tone::kNotable).say(bpf_command_name(call.args[0]));
      if (!call.text.empty()) writer.say(" ").show(call.text);
      return;
    case Kind::capset:
      writer.say("set capabilities ").say(capabilities_text(call.capabilities.effective));
      return;
    case Kind::compat_call:
      writer.say("made system call ", Tone::kNotable).number(call.args[0]);
      return;
    default: writer.say(event_type_name(event)); return;
  }
}

void say_exit(SentenceWriter& writer, const ExitInfo& exit) {
  const int status = static_cast<int>(exit.status);
  if (WIFSIGNALED(status)) {
    writer.say("was killed by ").say(signal_name(static_cast<unsigned>(WTERMSIG(status))));
    if (WCOREDUMP(status)) writer.say(" (core dumped)");
  } else {
    writer.say("ended with ").number(static_cast<unsigned>(WEXITSTATUS(status)));
  }
  writer.say(" after ").say(seconds_text(exit.duration_ns));
}

void say_engine(SentenceWriter& writer, const Event& event) {
  const auto* engine = std::get_if<ContainerInfo>(&event.detail);
  switch (event.kind) {
    case Kind::container_create: writer.say("container created", Tone::kGood); return;
    case Kind::container_start: writer.say("container started", Tone::kGood); return;
    case Kind::container_stop: writer.say("container stopped", Tone::kNotable); return;
    case Kind::container_remove: writer.say("container removed", Tone::kNotable); return;
    default: writer.say("container ").show(engine == nullptr ? "" : engine->action); return;
  }
}

void say_program(SentenceWriter& writer, const Event& event) {
  const Program* program = event.process == nullptr ? nullptr : event.process->program.get();
  if (program != nullptr) writer.show(command_text(*program, writer.options()));
  else writer.say("?");
  if (program == nullptr || event.kind != Kind::exec) return;
  if ((program->exe_flags & COFF_EXE_MEMFD) != 0) writer.say(" from memory", Tone::kBad);
  if ((program->exe_flags & COFF_EXE_UPPER) != 0) writer.say(" not from the image", Tone::kBad);
}

void say_departure(SentenceWriter& writer, const Event& event) {
  const Departure& departure = *event.departure;
  writer.say("departs from ").show(departure.service, Tone::kContainer).say(": new ", Tone::kBad);
  writer.say(departure.what, Tone::kBad).say(" ").show(departure.value);
}

}  // namespace

void say_what(SentenceWriter& writer, const Event& event) {
  if (event.departure != nullptr) {
    say_departure(writer, event);
  } else if (const auto* exec = std::get_if<ExecInfo>(&event.detail)) {
    writer.say("exec ", Tone::kGood);
    if (event.failed()) writer.show(exec->filename);
    else say_program(writer, event);
  } else if (const auto* fork = std::get_if<ForkInfo>(&event.detail)) {
    writer.say("forked");
    if (fork->child != nullptr) writer.say(" process ").number(fork->child->pid);
  } else if (const auto* exit = std::get_if<ExitInfo>(&event.detail)) {
    say_exit(writer, *exit);
  } else if (const auto* file = std::get_if<FileInfo>(&event.detail)) {
    say_file(writer, event, *file);
  } else if (const auto* socket = std::get_if<SocketInfo>(&event.detail)) {
    say_socket(writer, event.kind, *socket);
  } else if (const auto* flow = std::get_if<FlowInfo>(&event.detail)) {
    say_flow(writer, event, *flow);
  } else if (const auto* call = std::get_if<CallInfo>(&event.detail)) {
    say_call(writer, event, *call);
  } else if (const auto* cgroup = std::get_if<CgroupInfo>(&event.detail)) {
    writer.say(event.kind == Kind::cgroup_mkdir ? "made control group " : "removed control group ");
    writer.show(cgroup->path);
  } else if (event.kind == Kind::process_seen) {
    writer.say("was already running: ");
    say_program(writer, event);
  } else {
    say_engine(writer, event);
  }
}

}  // namespace coff::schema
