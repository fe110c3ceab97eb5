// Reads the JSON of an event back: its own members, its user, its process.
#include "schema/event_read.hpp"

#include <sys/syscall.h>

#include "base/clock.hpp"
#include "schema/constants.hpp"
#include "schema/event_read_parts.hpp"

namespace coff::schema {

namespace {

constexpr std::int32_t kSyscallsMax = 1024;

// The call that a record of a kind has when it does not say.
struct UsualCall {
  Kind kind;
  std::int32_t number;
};
constexpr UsualCall kUsualCalls[] = {{Kind::exec, SYS_execve},
                                     {Kind::open, SYS_openat},
                                     {Kind::unlink, SYS_unlinkat},
                                     {Kind::rename, SYS_renameat2},
                                     {Kind::link, SYS_linkat},
                                     {Kind::symlink, SYS_symlinkat},
                                     {Kind::mkdir, SYS_mkdirat},
                                     {Kind::mknod, SYS_mknodat},
                                     {Kind::chmod, SYS_fchmodat},
                                     {Kind::chown, SYS_fchownat},
                                     {Kind::setid, SYS_setresuid},
                                     {Kind::umount, SYS_umount2},
                                     {Kind::accept, SYS_accept4},
                                     {Kind::dup_stdio, SYS_dup3},
                                     {Kind::module_load, SYS_finit_module},
                                     {Kind::module_unload, SYS_delete_module},
                                     {Kind::vm_access, SYS_process_vm_readv}};

std::int32_t call_named(std::string_view name) {
  for (std::int32_t number = 0; number < kSyscallsMax; ++number) {
    if (syscall_name(number) == name) return number;
  }
  return -1;
}

void read_call(ObjectReader& record, Event& event) {
  if (record.has("syscall")) {
    const std::string name = record.text("syscall");
    event.syscall = call_named(name);
    if (event.syscall < 0) record.complain("syscall", "is no call of this machine");
    return;
  }
  if (!record.by_hand()) return;
  for (const UsualCall& usual : kUsualCalls) {
    if (usual.kind == event.kind) event.syscall = usual.number;
  }
  if (event.syscall < 0) event.syscall = call_named(kind_name(event.kind));
}

Kind kind_named(ObjectReader& reader, std::string_view key) {
  const std::string name = reader.text(key);
  for (unsigned number = 0; number <= static_cast<unsigned>(kLastKind); ++number) {
    if (!name.empty() && kind_name(static_cast<Kind>(number)) == name) {
      return static_cast<Kind>(number);
    }
  }
  reader.complain(key, "is no kind of event");
  return Kind::exec;
}

void read_departure(ObjectReader& record, Event& event) {
  record.object("baseline", [&](ObjectReader& reader) {
    auto departure = std::make_shared<Departure>();
    reader.text("service", departure->service);
    reader.text("what", departure->what);
    reader.text("value", departure->value);
    departure->trigger = kind_named(reader, "trigger");
    reader.text("state", departure->state);
    reader.truth("outside_image", departure->outside_image);
    reader.truth("image_changed", departure->image_changed);
    reader.number("learned_s", departure->learned_s);
    reader.number("samples", departure->samples);
    event.departure = std::move(departure);
  });
}

PersonPtr read_person(ObjectReader& record) {
  std::shared_ptr<Person> person;
  record.object("by", [&](ObjectReader& reader) {
    person = std::make_shared<Person>();
    reader.text("user", person->user);
    reader.number("uid", person->loginuid);
    reader.number("session", person->sessionid);
    reader.text("component", person->component);
    reader.text("address", person->address);
    reader.text("terminal", person->terminal);
    reader.text("via", person->via);
    reader.text("client", person->client);
  });
  return person;
}

void read_time(ObjectReader& record, std::string_view key, std::int64_t& wall_ns) {
  if (!record.has(key)) return;
  const std::string text = record.text(key);
  if (const auto time = parse_time(text)) wall_ns = *time;
  else record.complain(key, "must be a time");
}

void read_user(ObjectReader& user, Event& event) {
  Credentials& who = event.credentials;
  user.number("uid", who.uid);
  user.number("gid", who.gid);
  who.euid = who.uid;
  who.egid = who.gid;
  user.number("euid", who.euid);
  user.number("egid", who.egid);
  user.skip("name");
  user.skip("group");
  user.object("login", [&](ObjectReader& login) {
    login.number("uid", who.loginuid);
    login.number("session", who.sessionid);
    login.skip("name");
  });
}

void read_program(ObjectReader& process, Program& program) {
  process.text("exe", program.exe);
  if (process.by_hand()) program.filename = program.exe;
  process.text("filename", program.filename);
  process.text("interpreter", program.interp);
  process.texts("args", program.argv);
  process.texts("env", program.env);
  process.number("args_bytes", program.argv_bytes);
  process.number("env_bytes", program.env_bytes);
  process.object("file", [&](ObjectReader& file) {
    file.number("ino", program.ino);
    file.number("dev", program.dev);
    file.number("size", program.size_bytes);
    std::int64_t time = 0;
    read_time(file, "mtime", time);
    program.mtime_ns = static_cast<std::uint64_t>(time);
    read_time(file, "ctime", time);
    program.ctime_ns = static_cast<std::uint64_t>(time);
    file.number("mode", program.file_mode);
    file.number("uid", program.file_uid);
    file.number("gid", program.file_gid);
    read_flags(file, "flags", exe_flag_named, program.exe_flags);
  });
}

ProcessPtr read_ancestors(ObjectReader& process, const ContainerPtr& container) {
  std::vector<Process> found;
  process.objects("ancestors", [&](ObjectReader& each) {
    Process& ancestor = found.emplace_back();
    each.hex("id", ancestor.id);
    each.number("pid", ancestor.pid);
    each.text("name", ancestor.name);
    ancestor.container = container;
    auto program = std::make_shared<Program>();
    each.text("exe", program->exe);
    each.texts("args", program->argv);
    each.texts("env", program->env);
    if (!program->exe.empty() || !program->argv.empty()) ancestor.program = std::move(program);
  });
  ProcessPtr parent;
  for (auto at = found.rbegin(); at != found.rend(); ++at) {
    at->parent = std::move(parent);
    parent = std::make_shared<const Process>(std::move(*at));
  }
  return parent;
}

void read_process(ObjectReader& reader, Event& event, const PersonPtr& person) {
  auto process = std::make_shared<Process>();
  process->person = person;
  auto program = std::make_shared<Program>();
  reader.hex("id", process->id);
  reader.number("pid", process->pid);
  process->vpid = process->pid;
  reader.number("vpid", process->vpid);
  reader.number("ppid", process->ppid);
  reader.text("name", process->name);
  reader.number("tty", process->tty);
  reader.text("cwd", process->cwd);
  read_program(reader, *program);
  for (const auto& [key, number] :
       {std::pair{"sid", &process->sid}, std::pair{"pgid", &process->pgid},
        std::pair{"vsid", &process->vsid}, std::pair{"vpgid", &process->vpgid},
        std::pair{"seccomp", &process->seccomp_mode}}) {
    reader.number(key, *number);
  }
  reader.truth("no_new_privs", process->no_new_privs);
  reader.object("capabilities",
                [&](ObjectReader& sets) { read_capabilities(sets, process->capabilities); });
  reader.object("namespaces", [&](ObjectReader& spaces) {
    Namespaces& all = process->namespaces;
    for (const auto& [key, number] :
         {std::pair{"mnt", &all.mnt}, std::pair{"pid", &all.pid}, std::pair{"net", &all.net},
          std::pair{"user", &all.user}, std::pair{"uts", &all.uts}, std::pair{"ipc", &all.ipc},
          std::pair{"cgroup", &all.cgroup}}) {
      spaces.number(key, *number);
    }
  });
  reader.object("thread", [&](ObjectReader& thread) {
    thread.number("tid", event.tid);
    thread.text("name", event.thread_name);
  });
  std::int64_t start = 0;
  read_time(reader, "start", start);
  const std::int64_t age = event.wall_ns - start;
  if (start != 0 && age >= 0 && static_cast<std::uint64_t>(age) < event.boot_ns) {
    process->start_boot_ns = event.boot_ns - static_cast<std::uint64_t>(age);
  }
  process->parent = read_ancestors(reader, event.container);
  process->credentials = event.credentials;
  process->container = event.container;
  process->cgroup = event.cgroup;
  process->program = std::move(program);
  if (event.tid == 0) event.tid = process->pid;
  if (event.thread_name.empty()) event.thread_name = process->name;
  event.process = std::move(process);
}

void read_record(ObjectReader& record, Event& event) {
  record.skip("type");
  event.kind = kind_named(record, "kind");
  read_departure(record, event);
  const Kind kind = event.kind;
  // What happened is told as of the event that departs.
  if (event.departure != nullptr) event.kind = event.departure->trigger;
  read_time(record, "time", event.wall_ns);
  record.number("boot", event.boot_ns);
  read_call(record, event);
  record.number("result", event.result);
  record.skip("error");
  constexpr auto kFlag = [](unsigned bit) { return static_cast<std::uint8_t>(bit); };
  record.flag("truncated", kFlag(COFF_F_TRUNCATED), event.flags);
  record.flag("unread", kFlag(COFF_F_UNREAD), event.flags);
  record.flag("compat32", kFlag(COFF_F_COMPAT32), event.flags);
  record.flag("io_uring", kFlag(COFF_F_IO_URING), event.flags);
  record.flag("snapshot", kFlag(COFF_F_SNAPSHOT), event.flags);
  record.number("cgroup", event.cgroup);
  record.object("container", [&](ObjectReader& container) { read_container(container, event); });
  record.object("user", [&](ObjectReader& user) { read_user(user, event); });
  const PersonPtr person = read_person(record);
  record.object("process", [&](ObjectReader& process) { read_process(process, event, person); });
  read_detail(record, event);
  event.kind = kind;
  record.skip("bytes");
  record.skip("cut");
}

}  // namespace

Result<Event> read_event(const boost::json::object& record, const EventReadOptions& options) {
  ReadState state{.strict = options.strict, .by_hand = !record.contains("type"), .problem = {}};
  Event event;
  event.syscall = -1;
  {
    ObjectReader reader(record, "", state);
    read_record(reader, event);
  }
  if (!state.problem.empty()) return fail(Code::kInvalid, state.problem);
  return event;
}

}  // namespace coff::schema
