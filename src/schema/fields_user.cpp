// Fields of users and groups.
#include "schema/field_get.hpp"

namespace coff::schema {

namespace {

// In a container only root's name is known: its other users are not the host's.
Value user_of(const Subject& subject, std::uint32_t uid) {
  if (subject.event.container != nullptr) {
    return uid == 0 ? Value{std::string_view("root")} : Value{};
  }
  return subject.names == nullptr ? Value{} : text_value(subject.names->user(uid));
}

Value group_of(const Subject& subject, std::uint32_t gid) {
  if (subject.event.container != nullptr) {
    return gid == 0 ? Value{std::string_view("root")} : Value{};
  }
  return subject.names == nullptr ? Value{} : text_value(subject.names->group(gid));
}

std::int64_t or_minus_one(std::uint32_t id) { return id == kNoLogin ? -1 : std::int64_t{id}; }

Value login_name(const Subject& subject, const Argument&) {
  const std::uint32_t uid = subject.event.credentials.loginuid;
  if (uid == kNoLogin || subject.names == nullptr) return {};
  return text_value(subject.names->user(uid));
}

// Of whoever is behind the process.
template <std::string Person::* kMember>
Value person_text(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  if (process == nullptr || process->person == nullptr) return {};
  return text_value(std::string_view(process->person.get()->*kMember));
}

using enum Type;
constexpr Field kFields[] = {
    {"user.uid", kUnsigned,
     [](const Subject& s, const Argument&) -> Value {
       return std::uint64_t{s.event.credentials.euid};
     },
     "user.effective.id", "actor.user.uid",
     "Effective user id, as in libsinsp; ids are the host's."},
    {"user.name", kText,
     [](const Subject& s, const Argument&) -> Value {
       return user_of(s, s.event.credentials.euid);
     },
     "user.effective.name", "actor.user.name",
     "Name of the effective user on the host. In a container only root (host id 0) has a name; "
     "libsinsp may know more by reading the container's files."},
    {"user.ruid", kUnsigned,
     [](const Subject& s, const Argument&) -> Value {
       return std::uint64_t{s.event.credentials.uid};
     },
     "user.id", "", "Real user id."},
    {"user.rname", kText,
     [](const Subject& s, const Argument&) -> Value { return user_of(s, s.event.credentials.uid); },
     "user.name", "", "Name of the real user, as user.name."},
    {"user.loginuid", kInteger,
     [](const Subject& s, const Argument&) -> Value {
       return or_minus_one(s.event.credentials.loginuid);
     },
     "process.entry_leader.user.id", "process.auid",
     "User that logged in (audit), kept through sudo and su; -1 when nobody did."},
    {"user.loginname", kText, login_name, "process.entry_leader.user.name", "",
     "Name of the user that logged in; a user of the host, in containers too."},
    {"user.sessionid", kInteger,
     [](const Subject& s, const Argument&) -> Value {
       return or_minus_one(s.event.credentials.sessionid);
     },
     "", "actor.session.uid", "Audit session of the login, -1 for none."},
    {"group.gid", kUnsigned,
     [](const Subject& s, const Argument&) -> Value {
       return std::uint64_t{s.event.credentials.egid};
     },
     "group.id", "process.group.uid", "Effective group id, as in libsinsp; ids are the host's."},
    {"group.name", kText,
     [](const Subject& s, const Argument&) -> Value {
       return group_of(s, s.event.credentials.egid);
     },
     "group.name", "process.group.name", "Name of the effective group, as user.name."},
    {"group.rgid", kUnsigned,
     [](const Subject& s, const Argument&) -> Value {
       return std::uint64_t{s.event.credentials.gid};
     },
     "user.group.id", "", "Real group id."},
    {"access.user", kText, person_text<&Person::user>, "", "",
     "Login user behind the process, also in a container when an engine was asked to start it."},
    {"access.component", kText, person_text<&Person::component>, "", "",
     "What started it where no person did: a program, \"restart policy\", \"health check\"."},
    {"access.address", kText, person_text<&Person::address>, "", "",
     "Address that the login came from, by the kernel's own socket."},
    {"access.terminal", kText, person_text<&Person::terminal>, "", "actor.session.terminal",
     "Terminal of the person, on the host: \"pts/3\"."},
    {"access.via", kText, person_text<&Person::via>, "", "",
     "How the person came to it: \"ssh\", \"console\", \"sudo\", \"docker exec\", "
     "\"docker start\"."},
    {"access.client", kText, person_text<&Person::client>, "", "",
     "Program that asked the engine: \"docker\", \"docker-compose\", \"curl\"."},
};

}  // namespace

std::span<const Field> user_fields() { return kFields; }

}  // namespace coff::schema
