// One event as one JSON object: its own members and its subject.
#include "schema/event_json.hpp"

#include "base/clock.hpp"
#include "schema/constants.hpp"
#include "schema/event_writer.hpp"

namespace coff::schema {

namespace {

bool has_result(Kind kind) {
  switch (kind) {
    case Kind::exit:
    case Kind::oom_kill:
    case Kind::compat_call:
    case Kind::cgroup_mkdir:
    case Kind::cgroup_rmdir:
    case Kind::fork:
    case Kind::process_seen: return false;
    default: return static_cast<unsigned>(kind) < COFF_KINDS;
  }
}

void write_time(EventWriter& writer, std::string_view key, std::int64_t wall_ns) {
  std::string text;
  append_time(text, wall_ns);
  writer.word(key, text);
}

bool starts_process(const Event& event) {
  return (event.kind == Kind::exec && !event.failed()) || event.kind == Kind::process_seen;
}

void write_list(EventWriter& writer, std::string_view key, const std::vector<std::string>& list) {
  constexpr size_t kElementRoom = 24;
  writer.open_array(key);
  for (const std::string& each : list) {
    if (!writer.has_room(kElementRoom)) break;
    writer.element(each);
  }
  writer.close();
}

void write_program(EventWriter& writer, const Program& program, const JsonOptions& options) {
  writer.text("filename", program.filename);
  writer.text("interpreter", program.interp);
  if (options.redactor == nullptr) {
    write_list(writer, "args", program.argv);
    write_list(writer, "env", program.env);
  } else {
    write_list(writer, "args", options.redactor->redact_arguments(program.argv, options.commit));
    write_list(writer, "env", options.redactor->redact_environment(program.env, options.commit));
  }
  writer.positive("args_bytes", program.argv_bytes);
  writer.positive("env_bytes", program.env_bytes);
  if (program.ino == 0) return;
  writer.open("file");
  writer.number("ino", program.ino);
  writer.number("dev", program.dev);
  writer.number("size", program.size_bytes);
  write_time(writer, "mtime", static_cast<std::int64_t>(program.mtime_ns));
  write_time(writer, "ctime", static_cast<std::int64_t>(program.ctime_ns));
  writer.number("mode", program.file_mode);
  writer.number("uid", program.file_uid);
  writer.number("gid", program.file_gid);
  writer.word("flags", exe_flags_text(program.exe_flags));
  writer.close();
}

void write_context(EventWriter& writer, const Event& event, const JsonOptions& options) {
  const Process& process = *event.process;
  if (process.start_boot_ns != 0) {
    write_time(writer, "start",
               event.wall_ns - static_cast<std::int64_t>(event.boot_ns - process.start_boot_ns));
  }
  writer.text("cwd", process.cwd);
  if (process.program != nullptr) write_program(writer, *process.program, options);
  writer.positive("sid", process.sid);
  writer.positive("pgid", process.pgid);
  writer.positive("vsid", process.vsid);
  writer.positive("vpgid", process.vpgid);
  writer.open("capabilities");
  writer.hex("permitted", process.capabilities.permitted);
  writer.hex("effective", process.capabilities.effective);
  writer.hex("inheritable", process.capabilities.inheritable);
  writer.hex("bounding", process.capabilities.bounding);
  writer.hex("ambient", process.capabilities.ambient);
  writer.close();
  writer.open("namespaces");
  writer.positive("mnt", process.namespaces.mnt);
  writer.positive("pid", process.namespaces.pid);
  writer.positive("net", process.namespaces.net);
  writer.positive("user", process.namespaces.user);
  writer.positive("uts", process.namespaces.uts);
  writer.positive("ipc", process.namespaces.ipc);
  writer.positive("cgroup", process.namespaces.cgroup);
  writer.close();
  writer.positive("seccomp", process.seccomp_mode);
  writer.flag("no_new_privs", process.no_new_privs);
}

}  // namespace

void write_process(EventWriter& writer, const Event& event, const JsonOptions& options) {
  if (event.process == nullptr) return;
  const Process& process = *event.process;
  writer.open("process");
  writer.hex("id", process.id);
  writer.number("pid", process.pid);
  if (process.vpid != process.pid) writer.positive("vpid", process.vpid);
  writer.positive("ppid", process.ppid);
  writer.text("name", process.name);
  if (process.program != nullptr) writer.text("exe", process.program->exe);
  writer.positive("tty", process.tty);
  if (event.tid != 0 && event.tid != process.pid) {
    writer.open("thread");
    writer.number("tid", event.tid);
    writer.text("name", event.thread_name);
    writer.close();
  }
  if (starts_process(event) || options.full_context) write_context(writer, event, options);
  if (process.parent != nullptr) {
    writer.open_array("ancestors");
    unsigned level = 0;
    for (const Process* ancestor = process.parent.get();
         ancestor != nullptr && level < kAncestorsMax; ancestor = ancestor->parent.get()) {
      writer.open_element();
      writer.hex("id", ancestor->id);
      writer.number("pid", ancestor->pid);
      writer.text("name", ancestor->name);
      writer.close();
      ++level;
    }
    writer.close();
  }
  writer.close();
}

std::string_view user_name(const Event& event, const UserNames* names, std::uint32_t uid) {
  if (event.container != nullptr) return uid == 0 ? "root" : std::string_view{};
  return names == nullptr ? std::string_view{} : names->user(uid);
}

std::string_view group_name(const Event& event, const UserNames* names, std::uint32_t gid) {
  if (event.container != nullptr) return gid == 0 ? "root" : std::string_view{};
  return names == nullptr ? std::string_view{} : names->group(gid);
}

void write_user(EventWriter& writer, const Event& event, const JsonOptions& options) {
  if (event.process == nullptr) return;
  const Credentials& credentials = event.credentials;
  writer.open("user");
  writer.number("uid", credentials.uid);
  writer.text("name", user_name(event, options.names, credentials.uid));
  writer.number("gid", credentials.gid);
  writer.text("group", group_name(event, options.names, credentials.gid));
  if (credentials.euid != credentials.uid) writer.number("euid", credentials.euid);
  if (credentials.egid != credentials.gid) writer.number("egid", credentials.egid);
  if (credentials.loginuid != kNoLogin) {
    writer.open("login");
    writer.number("uid", credentials.loginuid);
    // Login users are users of the host, wherever the process runs.
    if (options.names != nullptr) writer.text("name", options.names->user(credentials.loginuid));
    if (credentials.sessionid != kNoLogin) writer.number("session", credentials.sessionid);
    writer.close();
  }
  writer.close();
}

void write_person(EventWriter& writer, const Event& event) {
  if (event.process == nullptr || event.process->person == nullptr) return;
  const Person& person = *event.process->person;
  writer.open("by");
  writer.text("user", person.user);
  if (person.loginuid != kNoLogin) writer.number("uid", person.loginuid);
  if (person.sessionid != kNoLogin) writer.number("session", person.sessionid);
  writer.text("component", person.component);
  writer.text("address", person.address);
  writer.text("terminal", person.terminal);
  writer.text("via", person.via);
  writer.text("client", person.client);
  writer.close();
}

std::string redacted(std::string_view text, const JsonOptions& options) {
  if (options.redactor == nullptr) return std::string(text);
  return options.redactor->redact_text(text, options.commit);
}

namespace {

void write_departure(EventWriter& writer, const Departure& departure) {
  writer.open("baseline");
  writer.text("service", departure.service);
  writer.word("what", departure.what);
  writer.text("value", departure.value);
  writer.word("trigger", kind_name(departure.trigger));
  writer.word("state", departure.state);
  writer.flag("outside_image", departure.outside_image);
  writer.flag("image_changed", departure.image_changed);
  writer.number("learned_s", departure.learned_s);
  writer.number("samples", departure.samples);
  writer.close();
}

// Everything behind type, kind and times.
void write_rest(EventWriter& writer, const Event& event, const JsonOptions& options) {
  if (event.departure != nullptr) {
    write_departure(writer, *event.departure);
    Event trigger = event;
    trigger.kind = event.departure->trigger;
    trigger.departure = nullptr;
    return write_rest(writer, trigger, options);
  }
  writer.word("syscall", syscall_name(event.syscall));
  if (has_result(event.kind)) {
    writer.number("result", event.result);
    if (event.failed()) writer.word("error", errno_name(-event.result));
  }
  writer.flag("truncated", (event.flags & COFF_F_TRUNCATED) != 0);
  writer.flag("unread", (event.flags & COFF_F_UNREAD) != 0);
  writer.flag("compat32", (event.flags & COFF_F_COMPAT32) != 0);
  writer.flag("io_uring", (event.flags & COFF_F_IO_URING) != 0);
  writer.flag("snapshot", (event.flags & COFF_F_SNAPSHOT) != 0);
  writer.positive("cgroup", event.cgroup);
  write_detail(writer, event, options);
  write_user(writer, event, options);
  write_person(writer, event);
  write_container(writer, event, options);
  write_process(writer, event, options);
  writer.finish();
}

}  // namespace

void append_json(std::string& out, const Event& event, const JsonOptions& options) {
  COFF_ASSERT(options.redactor == nullptr || options.commit != nullptr);
  EventWriter writer(out, options);
  writer.json.begin_object();
  writer.word("type", "event");
  writer.word("kind", kind_name(event.kind));
  write_time(writer, "time", event.wall_ns);
  writer.number("boot", event.boot_ns);
  write_rest(writer, event, options);
  writer.json.end_object();
}

void append_json_members(std::string& out, const Event& event, const JsonOptions& options) {
  COFF_ASSERT(options.redactor == nullptr || options.commit != nullptr);
  EventWriter writer(out, options);
  writer.word("kind", kind_name(event.kind));
  write_rest(writer, event, options);
}

}  // namespace coff::schema
