// Sessions of people on the host: logins, and what su and sudo open within them.
#include "access/sessions.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace coff::access {

namespace {

/// Keys of logins are their audit sessions; those of su and sudo the ids of their processes, which
/// are hashes.
std::uint64_t key_of(const Credentials& credentials) {
  return std::uint64_t{1} << 32 | credentials.sessionid;
}

struct Opener {
  std::string_view program;
  std::string_view via;
  bool is_component = false;  ///< Nobody sits there.
};
constexpr Opener kOpeners[] = {
    {"sshd", "ssh", false},
    {"sshd-session", "ssh", false},
    {"dropbear", "ssh", false},
    {"login", "console", false},
    {"gdm-session-worker", "console", false},
    {"lightdm", "console", false},
    {"sddm-helper", "console", false},
    {"cron", "cron", true},
    {"crond", "cron", true},
    {"atd", "atd", true},
    {"systemd", "systemd", true},
    {"systemd-executor", "systemd", true},
};

const Opener* opener_of(std::string_view program) {
  const auto* found = std::find_if(std::begin(kOpeners), std::end(kOpeners),
                                   [&](const Opener& o) { return o.program == program; });
  return found == std::end(kOpeners) ? nullptr : found;
}

bool switches_user(const Process& process) {
  const std::string name = program_name(process);
  const bool root = process.credentials.euid == 0;
  return root && (name == "su" || name == "sudo" || name == "runuser" || name == "doas");
}

std::string command_of(const Process& process, size_t bytes_max) {
  std::string command;
  if (process.program == nullptr) return command;
  for (const auto& argument : process.program->argv) {
    if (!command.empty()) command += ' ';
    command += argument;
    if (command.size() > bytes_max) return command.substr(0, bytes_max);
  }
  return command;
}

}  // namespace

std::string terminal_name(std::uint32_t device) {
  constexpr unsigned kFirstPty = 136;
  constexpr unsigned kLastPty = 143;
  constexpr unsigned kConsoles = 4;
  constexpr unsigned kSerialFrom = 64;
  if (device == 0) return {};
  const unsigned major_number = major(device);
  const unsigned minor_number = minor(device);
  if (major_number >= kFirstPty && major_number <= kLastPty) {
    return "pts/" + std::to_string((major_number - kFirstPty) * 256 + minor_number);
  }
  if (major_number == kConsoles) {
    return minor_number < kSerialFrom ? "tty" + std::to_string(minor_number)
                                      : "ttyS" + std::to_string(minor_number - kSerialFrom);
  }
  return std::to_string(major_number) + ":" + std::to_string(minor_number);
}

std::string program_name(const Process& process) {
  if (process.program == nullptr || process.program->exe.empty()) return process.name;
  std::string_view path = process.program->exe;
  constexpr std::string_view kDeleted = " (deleted)";  // replaced by an update while it runs
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return std::string(path.substr(path.rfind('/') + 1));
}

Sessions::Open* Sessions::find_open(std::uint64_t key) {
  const auto found = sessions_.find(key);
  return found == sessions_.end() ? nullptr : &found->second;
}

PersonPtr Sessions::find(std::uint32_t audit_session) const {
  const auto found = sessions_.find(key_of({.sessionid = audit_session}));
  return found == sessions_.end() ? nullptr : found->second.session.person;
}

void Sessions::join(std::uint64_t key, const Process& process) {
  for (Open* open = find_open(key); open != nullptr; open = find_open(open->session.parent_key)) {
    open->members[process.id] = process.pid;
  }
}

void Sessions::leave(std::uint64_t key, std::uint64_t process, std::uint64_t boot_ns,
                     std::int64_t wall_ns) {
  while (Open* open = find_open(key)) {
    const std::uint64_t parent = open->session.parent_key;
    open->members.erase(process);
    if (open->members.empty()) {
      handlers_.on_end(open->session, boot_ns, wall_ns);
      sessions_.erase(key);
    }
    key = parent;
  }
}

Sessions::Open* Sessions::open_login(const Process& opener, const Credentials& credentials,
                                     const schema::UserNames& names, std::uint64_t boot_ns,
                                     std::int64_t wall_ns, bool older) {
  if (sessions_.size() >= kSessionsMax) return nullptr;
  const std::string program = program_name(opener);
  const Opener* known = opener_of(program);
  const std::uint64_t key = key_of(credentials);
  const Origin origin = known != nullptr && known->via == "ssh" && handlers_.find_origin
                            ? handlers_.find_origin(opener)
                            : Origin{};
  Person person{.key = key,
                .loginuid = credentials.loginuid,
                .sessionid = credentials.sessionid,
                .user = std::string(names.user(credentials.loginuid)),
                .address = origin.address,
                .terminal = terminal_name(opener.tty),
                .via = known == nullptr ? program : std::string(known->via)};
  if (person.user.empty()) person.user = "uid " + std::to_string(credentials.loginuid);
  // A name in the audit record is no proof when an ordinary program has put it there.
  const bool claimed = credentials.uid != 0 && !older;
  if (claimed || (known != nullptr && known->is_component)) person.component = program;
  Open& open = sessions_[key];
  open.session = {.key = key,
                  .person = std::make_shared<const Person>(std::move(person)),
                  .port = origin.port,
                  .program = opener.program == nullptr ? "" : opener.program->exe,
                  .pid = opener.pid,
                  .terminal = terminal_name(opener.tty),
                  .claimed = claimed,
                  .older = older,
                  .begin_boot_ns = older ? opener.start_boot_ns : boot_ns,
                  .begin_wall_ns = wall_ns};
  if (older) {
    open.session.begin_wall_ns -= static_cast<std::int64_t>(boot_ns - opener.start_boot_ns);
  }
  handlers_.on_begin(open.session);
  return &open;
}

// In a container anybody may write any login user that he likes: what the engine was asked tells
// who is there, and no such claim replaces it.
void Sessions::take_login(const Event& event, const schema::UserNames& names) {
  if (event.process == nullptr || event.credentials.loginuid == kNoLogin) return;
  if (event.container != nullptr) return;
  const Process& process = *event.process;
  Open* open = find_open(key_of(event.credentials));
  if (open == nullptr) {
    open = open_login(process, event.credentials, names, event.boot_ns, event.wall_ns, false);
  }
  if (open == nullptr) return;
  if (process.person != nullptr && process.person->key != open->session.key) {
    leave(process.person->key, process.id, event.boot_ns, event.wall_ns);
  }
  join(open->session.key, process);
  handlers_.set_person(process, open->session.person);
}

void Sessions::take_fork(const Event& event) {
  const auto* fork = std::get_if<ForkInfo>(&event.detail);
  if (fork == nullptr || fork->child == nullptr || event.process == nullptr) return;
  PersonPtr person = fork->child->person;
  // The login was noticed with this very fork.
  if (person == nullptr && event.container == nullptr && event.credentials.loginuid != kNoLogin) {
    person = find(event.credentials.sessionid);
    if (person != nullptr) handlers_.set_person(*fork->child, person);
  }
  if (person != nullptr) join(person->key, *fork->child);
}

void Sessions::open_switch(const Event& event) {
  const Process& process = *event.process;
  if (sessions_.size() >= kSessionsMax) return;
  Person person = *process.person;
  const std::uint64_t parent = person.key;
  person.key = process.id;
  person.via = program_name(process);
  person.terminal = terminal_name(process.tty);
  Open& open = sessions_[person.key];
  open.session = {.key = process.id,
                  .parent_key = parent,
                  .person = std::make_shared<const Person>(std::move(person)),
                  .program = process.program->exe,
                  .pid = process.pid,
                  .target = command_of(process, kCommandBytesMax),
                  .terminal = terminal_name(process.tty),
                  .begin_boot_ns = event.boot_ns,
                  .begin_wall_ns = event.wall_ns};
  join(open.session.key, process);
  handlers_.on_begin(open.session);
  handlers_.set_person(process, open.session.person);
}

void Sessions::take_exec(const Event& event) {
  if (event.failed() || event.process == nullptr || event.process->person == nullptr) return;
  const Process& process = *event.process;
  const std::string command = command_of(process, kCommandBytesMax);
  for (Open* open = find_open(process.person->key); open != nullptr;
       open = find_open(open->session.parent_key)) {
    Session& session = open->session;
    ++session.programs;
    if (session.commands.size() < kCommandsMax) session.commands.push_back(command);
    if (session.terminal.empty()) session.terminal = terminal_name(process.tty);
    const bool inner = session.parent_key != 0 && process.id != session.key;
    if (inner && session.target_uid == kNoLogin) session.target_uid = event.credentials.euid;
  }
  const bool opened = find_open(process.id) != nullptr;
  if (!opened && find_open(process.person->key) != nullptr && switches_user(process)) {
    open_switch(event);
  }
}

void Sessions::take_exit(const Event& event) {
  if (event.process == nullptr || event.process->person == nullptr) return;
  leave(event.process->person->key, event.process->id, event.boot_ns, event.wall_ns);
}

void Sessions::take(const Event& event, const schema::UserNames& names) {
  if (event.kind == Kind::exec && !event.failed() && event.process != nullptr) {
    // Set just before the exec: that it changed is not told by an event of its own.
    const PersonPtr& person = event.process->person;
    if (person == nullptr || person->sessionid != event.credentials.sessionid) {
      take_login(event, names);
    }
  }
  switch (event.kind) {
    case Kind::loginuid: take_login(event, names); break;
    case Kind::fork: take_fork(event); break;
    case Kind::exec: take_exec(event); break;
    case Kind::exit: take_exit(event); break;
    default: break;
  }
}

// The oldest process of an audit session has opened it, as far as one can know afterwards.
void Sessions::learn(std::vector<ProcessPtr> processes, const schema::UserNames& names,
                     std::uint64_t boot_ns, std::int64_t wall_ns) {
  std::sort(processes.begin(), processes.end(), [](const ProcessPtr& a, const ProcessPtr& b) {
    return a->start_boot_ns < b->start_boot_ns;
  });
  for (const ProcessPtr& process : processes) {
    if (process->container != nullptr || process->credentials.loginuid == kNoLogin) continue;
    Open* open = find_open(key_of(process->credentials));
    if (open == nullptr) {
      open = open_login(*process, process->credentials, names, boot_ns, wall_ns, true);
    }
    if (open == nullptr) return;
    join(open->session.key, *process);
    handlers_.set_person(*process, open->session.person);
  }
}

void Sessions::prune(const std::function<bool(std::uint32_t, std::uint64_t)>& exists,
                     std::uint64_t boot_ns, std::int64_t wall_ns) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> gone;
  for (const auto& [key, open] : sessions_) {
    for (const auto& [id, pid] : open.members) {
      if (!exists(pid, id)) gone.emplace_back(key, id);
    }
  }
  for (const auto& [key, id] : gone) leave(key, id, boot_ns, wall_ns);
}

}  // namespace coff::access
