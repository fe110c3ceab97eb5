// Tests of the field table: names, types, values, documentation.
#include "schema/field.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <set>

#include "base/fd.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::schema {
namespace {

using testing::RecordBuilder;

std::string get(const Event& event, std::string_view name, const UserNames* names = nullptr) {
  const auto reference = resolve_field(name);
  if (!reference) return "error: " + reference.error().what;
  const Value value = reference->get({.event = event, .names = names, .number = 7, .host = "box"});
  return std::holds_alternative<std::monostate>(value) ? "(none)" : value_text(value);
}

bool fits(const Value& value, const Field& field) {
  if (std::holds_alternative<std::monostate>(value)) return true;
  switch (field.type) {
    case Type::kBool: return std::holds_alternative<bool>(value);
    case Type::kInteger:
    case Type::kTime: return std::holds_alternative<std::int64_t>(value);
    case Type::kUnsigned:
    case Type::kDuration:
    case Type::kPort:
      return std::holds_alternative<std::uint64_t>(value) ||
             (field.list && std::holds_alternative<NumberList>(value));
    case Type::kText:
    case Type::kPath:
    case Type::kBytes:
      return std::holds_alternative<std::string>(value) ||
             std::holds_alternative<std::string_view>(value) ||
             (field.list && std::holds_alternative<TextList>(value));
    case Type::kAddress:
    case Type::kNetwork:
      return std::holds_alternative<Address>(value) ||
             (field.list && std::holds_alternative<AddressList>(value));
  }
  return false;
}

TEST(Field, NamesAreUniqueAndDocumented) {
  std::set<std::string_view> seen;
  for (const FieldGroup& group : field_groups()) {
    for (const Field& field : group.fields) {
      EXPECT_TRUE(seen.insert(field.name).second) << field.name << " twice";
      EXPECT_TRUE(field.doc.ends_with('.')) << field.name;
      EXPECT_EQ(field.doc.find('|'), std::string_view::npos) << field.name;
      EXPECT_EQ(find_field(field.name), &field);
      EXPECT_NE(field.get, nullptr) << field.name;
    }
  }
  EXPECT_GT(seen.size(), 150U);
  EXPECT_EQ(find_field("proc.nam"), nullptr);
  EXPECT_EQ(find_field(""), nullptr);
}

TEST(Field, ResolvesArguments) {
  EXPECT_TRUE(resolve_field("proc.aname"));
  EXPECT_TRUE(resolve_field("proc.aname[2]"));
  EXPECT_EQ(resolve_field("proc.env[\"A B\"]")->argument.name, "A B");
  EXPECT_EQ(resolve_field("evt.arg.flags")->argument.name, "flags");
  EXPECT_EQ(resolve_field("evt.type.is.open")->argument.name, "open");
  for (const char* bad :
       {"", "proc", "nope.x", "proc.name[1]", "proc.aname[x]", "proc.aname[]", "proc.aname[1",
        "evt.arg", "container.label", "proc.aname[99999999999]", "[", "proc.name."}) {
    EXPECT_FALSE(resolve_field(bad)) << bad;
  }
}

TEST(Field, EveryValueHasItsType) {
  for (int kind = 0; kind < COFF_KINDS; ++kind) {
    RecordBuilder builder(static_cast<coff_kind>(kind));
    Event event = testing::sample_event(builder);
    Event bare = event;
    bare.process = nullptr;
    bare.container = nullptr;
    Event odd = bare;
    odd.detail = {};
    for (const FieldGroup& group : field_groups()) {
      for (const Field& field : group.fields) {
        for (const Event* each : {&event, &bare, &odd}) {
          for (const Argument& argument :
               {Argument{}, Argument{0, "0"}, Argument{9, "9"}, Argument{std::nullopt, "flags"}}) {
            EXPECT_TRUE(fits(field.get({.event = *each}, argument), field))
                << field.name << " of " << kKindNames[kind];
          }
        }
      }
    }
  }
}

TEST(Field, AnswersForProcesses) {
  const Event event = testing::sample_exec();
  EXPECT_EQ(get(event, "evt.type"), "execve");
  EXPECT_EQ(get(event, "evt.num"), "7");
  EXPECT_EQ(get(event, "evt.res"), "SUCCESS");
  EXPECT_EQ(get(event, "evt.hostname"), "box");
  EXPECT_EQ(get(event, "proc.name"), "sh");
  EXPECT_EQ(get(event, "proc.exe"), "sh");
  EXPECT_EQ(get(event, "proc.exepath"), "/bin/dash");
  EXPECT_EQ(get(event, "proc.args"), "-c id");
  EXPECT_EQ(get(event, "proc.args[1]"), "id");
  EXPECT_EQ(get(event, "proc.args[2]"), "(none)");
  EXPECT_EQ(get(event, "proc.cmdline"), "sh -c id");
  EXPECT_EQ(get(event, "proc.cwd"), "/tmp/");
  EXPECT_EQ(get(event, "proc.env[DB_PASSWORD]"), "hunter2");
  EXPECT_EQ(get(event, "proc.env[DB]"), "");
  EXPECT_EQ(get(event, "proc.pname"), "nginx");
  EXPECT_EQ(get(event, "proc.pcmdline"), "nginx -g daemon off;");
  EXPECT_EQ(get(event, "proc.aname"), "nginx, containerd-shim");
  EXPECT_EQ(get(event, "proc.aname[0]"), "sh");
  EXPECT_EQ(get(event, "proc.aname[2]"), "containerd-shim");
  EXPECT_EQ(get(event, "proc.aname[3]"), "(none)");
  EXPECT_EQ(get(event, "proc.duration"), "2000000000");
  EXPECT_EQ(get(event, "proc.is_exe_lower_layer"), "true");
  EXPECT_EQ(get(event, "proc.is_exe_upper_layer"), "false");
  EXPECT_EQ(get(event, "process.id"), "000000000000beef");
  EXPECT_EQ(get(event, "user.uid"), "0");
  EXPECT_EQ(get(event, "user.name"), "root");
  EXPECT_EQ(get(event, "user.loginuid"), "1000");
  EXPECT_EQ(get(event, "container.id"), "4f1c0de5a1b2");
  EXPECT_EQ(get(event, "container.image.repository"), "shop/web");
  EXPECT_EQ(get(event, "container.image.tag"), "1.2");
  EXPECT_EQ(get(event, "container.privileged"), "false");
  EXPECT_EQ(get(event, "container.label[tier]"), "front");
  EXPECT_EQ(get(event, "container.mount.dest[/srv/*]"), "/www");
  EXPECT_EQ(get(event, "container.mount.dest[/etc]"), "none");
  EXPECT_EQ(get(event, "container.mounts"), "/srv/www:/www:ro:false:rprivate");
  EXPECT_EQ(get(event, "compose.service"), "web");
}

TEST(Field, AnswersForFiles) {
  RecordBuilder builder(COFF_KIND_open);
  builder.header().syscall = SYS_openat;
  builder.header().ret = 5;
  builder.file().fd = 5;
  builder.file().args[3] = 0755;
  builder.file().open_flags = O_WRONLY | O_CREAT | O_TRUNC;
  builder.text(&coff_file::raw, "../log/x").text(&coff_file::base, "/srv/app");
  Event event = testing::sample_event(builder);
  EXPECT_EQ(get(event, "evt.type"), "openat");
  EXPECT_EQ(get(event, "fd.name"), "/srv/log/x");
  EXPECT_EQ(get(event, "fd.nameraw"), "../log/x");
  EXPECT_EQ(get(event, "fd.directory"), "/srv/log");
  EXPECT_EQ(get(event, "fd.filename"), "x");
  EXPECT_EQ(get(event, "fd.typechar"), "f");
  EXPECT_EQ(get(event, "fd.num"), "5");
  EXPECT_EQ(get(event, "evt.is_open_write"), "true");
  EXPECT_EQ(get(event, "evt.is_open_read"), "false");
  EXPECT_EQ(get(event, "evt.is_open_exec"), "true");
  EXPECT_EQ(get(event, "evt.arg.flags"), "O_WRONLY|O_CREAT|O_TRUNC");
  EXPECT_EQ(get(event, "evt.arg[1]"), "/srv/log/x");
  EXPECT_EQ(get(event, "fs.path.name"), "/srv/log/x");
  EXPECT_EQ(get(event, "evt.args"),
            "fd=5 name=/srv/log/x flags=O_WRONLY|O_CREAT|O_TRUNC mode=S_IXOTH|S_IROTH|S_IXGRP|"
            "S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR");
  event.result = -13;
  EXPECT_EQ(get(event, "fs.path.name"), "(none)");
  EXPECT_EQ(get(event, "evt.res"), "EACCES");

  RecordBuilder link(COFF_KIND_symlink);
  link.text(&coff_file::raw, "/etc/shadow").text(&coff_file::raw2, "/tmp/l");
  event = testing::sample_event(link);
  EXPECT_EQ(get(event, "fs.path.source"), "/tmp/l");
  EXPECT_EQ(get(event, "fs.path.target"), "/etc/shadow");
  EXPECT_EQ(get(event, "evt.arg.target"), "/etc/shadow");
  EXPECT_EQ(get(event, "fd.name"), "(none)");
}

TEST(Field, AnswersForSockets) {
  RecordBuilder builder(COFF_KIND_accept);
  builder.header().syscall = SYS_accept4;
  builder.sock().family = AF_INET;
  builder.sock().type = SOCK_STREAM;
  builder.sock().local[0] = builder.sock().remote[0] = 10;
  builder.sock().local[3] = 1;
  builder.sock().remote[3] = 2;
  builder.sock().local_port = 80;
  builder.sock().remote_port = 50000;
  builder.sock().fd = 9;
  Event event = testing::sample_event(builder);
  EXPECT_EQ(get(event, "fd.name"), "10.0.0.2:50000->10.0.0.1:80");
  EXPECT_EQ(get(event, "fd.sport"), "80");
  EXPECT_EQ(get(event, "fd.cip"), "10.0.0.2");
  EXPECT_EQ(get(event, "fd.lip"), "10.0.0.1");
  EXPECT_EQ(get(event, "fd.rport"), "50000");
  EXPECT_EQ(get(event, "fd.ip"), "10.0.0.2, 10.0.0.1");
  EXPECT_EQ(get(event, "fd.l4proto"), "tcp");
  EXPECT_EQ(get(event, "fd.typechar"), "4");
  event.kind = Kind::connect;
  EXPECT_EQ(get(event, "fd.name"), "10.0.0.1:80->10.0.0.2:50000");
  event.kind = Kind::listen;
  EXPECT_EQ(get(event, "fd.name"), "10.0.0.1:80");
  EXPECT_EQ(get(event, "fd.cip"), "(none)");
  event.kind = Kind::socket;
  EXPECT_EQ(get(event, "fd.sip"), "(none)");
  EXPECT_EQ(get(event, "evt.arg.domain"), "AF_INET");
}

TEST(Field, AnswersForThirtyTwoBitCalls) {
  RecordBuilder builder(COFF_KIND_compat_call);
  builder.header().syscall = -1;
  builder.header().flags = COFF_F_COMPAT32;
  builder.call().args[0] = 20;
  const Event event = testing::sample_event(builder);
  EXPECT_EQ(get(event, "evt.type"), "compat_call");
  EXPECT_EQ(get(event, "evt.category"), "process");
  EXPECT_EQ(get(event, "evt.arg.nr"), "20");
  EXPECT_EQ(get(event, "syscall.type"), "(none)");
}

TEST(Field, AnswersForTheHost) {
  RecordBuilder builder(COFF_KIND_setid);
  builder.header().syscall = SYS_setuid;
  builder.call().args[0] = 65534;
  Event event = testing::sample_event(builder);
  event.container = nullptr;
  UserNames names;
  names.add_user(65534, "nobody");
  names.add_user(1000, "alice");
  EXPECT_EQ(get(event, "container.id"), "host");
  EXPECT_EQ(get(event, "container.image"), "(none)");
  EXPECT_EQ(get(event, "evt.arg.uid", &names), "nobody");
  EXPECT_EQ(get(event, "evt.arg.gid", &names), "(none)");
  EXPECT_EQ(get(event, "user.name", &names), "alice");
  EXPECT_EQ(get(event, "user.loginuid"), "-1");
  EXPECT_EQ(get(event, "user.loginname", &names), "(none)");
}

TEST(Field, FollowsElasticNames) {
  const char* shared = std::getenv("COFF_SHARED");
  const std::string folder = shared != nullptr ? shared : COFF_SOURCE_DIR "/../shared";
  const auto csv = read_file(folder + "/data/schemas/ecs/fields.csv", 16U << 20);
  const char* required = std::getenv("COFF_REQUIRE");
  if (!csv &&
      (required == nullptr || std::string_view(required).find("data") == std::string::npos)) {
    GTEST_SKIP() << "no Elastic Common Schema data";
  }
  ASSERT_TRUE(csv.has_value());
  size_t checked = 0;
  for (const FieldGroup& group : field_groups()) {
    for (const Field& field : group.fields) {
      if (field.ecs.empty()) continue;
      ++checked;
      EXPECT_NE(csv->find("," + std::string(field.ecs) + ","), std::string::npos)
          << field.name << " -> " << field.ecs;
    }
  }
  EXPECT_GT(checked, 40U);
}

TEST(Field, DocumentationIsCurrent) {
  const std::string path = COFF_SOURCE_DIR "/docs/fields.md";
  if (std::getenv("COFF_UPDATE") != nullptr) {
    ASSERT_TRUE(replace_file(path, fields_markdown()).has_value());
  }
  const auto stored = read_file(path, 1U << 20);
  ASSERT_TRUE(stored.has_value()) << "run schema_test with COFF_UPDATE=1";
  EXPECT_EQ(*stored, fields_markdown()) << "run schema_test with COFF_UPDATE=1";
}

}  // namespace
}  // namespace coff::schema
