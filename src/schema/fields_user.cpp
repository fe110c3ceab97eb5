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
};

}  // namespace

std::span<const Field> user_fields() { return kFields; }

}  // namespace coff::schema
