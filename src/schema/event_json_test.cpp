// Tests of the JSON record: content, economy, hostile strings, the byte budget.
#include "schema/event_json.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <boost/json.hpp>

#include "base/bytes.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::schema {
namespace {

using testing::RecordBuilder;

std::string json_of(const Event& event, const JsonOptions& options = {}) {
  std::string out;
  append_json(out, event, options);
  return out;
}

boost::json::object parsed(const std::string& text) {
  boost::json::error_code error;
  const auto value = boost::json::parse(text, error);
  EXPECT_FALSE(error) << error.message() << " in " << text;
  return error ? boost::json::object{} : value.as_object();
}

std::string text_at(const boost::json::object& object, std::string_view pointer) {
  boost::json::error_code error;
  const boost::json::value root = object;
  const auto* value = root.find_pointer(pointer, error);
  if (error || value == nullptr) return "(missing)";
  return value->is_string() ? std::string(value->as_string()) : boost::json::serialize(*value);
}

TEST(EventJson, WritesAnExec) {
  UserNames names;
  names.add_user(1000, "alice");
  const auto object = parsed(json_of(testing::sample_exec(), {.names = &names}));
  EXPECT_EQ(text_at(object, "/type"), "event");
  EXPECT_EQ(text_at(object, "/kind"), "exec");
  EXPECT_EQ(text_at(object, "/time"), "2025-11-24T16:01:45.000000000Z");
  EXPECT_EQ(text_at(object, "/boot"), "5000000000");
  EXPECT_EQ(text_at(object, "/result"), "0");
  EXPECT_EQ(text_at(object, "/process/id"), "000000000000beef");
  EXPECT_EQ(text_at(object, "/process/exe"), "/bin/dash");
  EXPECT_EQ(text_at(object, "/process/filename"), "/bin/sh");
  EXPECT_EQ(text_at(object, "/process/args"), R"(["sh","-c","id"])");
  EXPECT_EQ(text_at(object, "/process/start"), "2025-11-24T16:01:43.000000000Z");
  EXPECT_EQ(text_at(object, "/process/ancestors/0/name"), "nginx");
  EXPECT_EQ(text_at(object, "/process/ancestors/1/name"), "containerd-shim");
  EXPECT_EQ(text_at(object, "/user/name"), "root");
  EXPECT_EQ(text_at(object, "/user/login/name"), "alice");
  EXPECT_EQ(text_at(object, "/container/name"), "web");
  EXPECT_EQ(text_at(object, "/container/compose/service"), "web");
  EXPECT_EQ(text_at(object, "/exec"), "(missing)");
  EXPECT_EQ(text_at(object, "/truncated"), "(missing)");
}

TEST(EventJson, WritesAFailedOpen) {
  RecordBuilder builder(COFF_KIND_open);
  builder.header().ret = -13;
  builder.header().flags = COFF_F_TRUNCATED | COFF_F_IO_URING;
  builder.file().open_flags = O_RDWR | O_CREAT;
  builder.text(&coff_file::raw, "../etc/shadow").text(&coff_file::base, "/srv");
  const auto object = parsed(json_of(testing::sample_event(builder)));
  EXPECT_EQ(text_at(object, "/error"), "EACCES");
  EXPECT_EQ(text_at(object, "/truncated"), "true");
  EXPECT_EQ(text_at(object, "/io_uring"), "true");
  EXPECT_EQ(text_at(object, "/file/path"), "/etc/shadow");
  EXPECT_EQ(text_at(object, "/file/raw"), "../etc/shadow");
  EXPECT_EQ(text_at(object, "/file/flags"), "O_RDWR|O_CREAT");
  EXPECT_EQ(text_at(object, "/process/args"), "(missing)");
}

TEST(EventJson, WritesSocketsCallsAndExits) {
  RecordBuilder connect(COFF_KIND_connect);
  connect.sock().family = AF_INET;
  connect.sock().type = SOCK_STREAM;
  connect.sock().remote_port = 443;
  connect.sock().remote[0] = 10;
  connect.sock().remote[3] = 9;
  auto object = parsed(json_of(testing::sample_event(connect)));
  EXPECT_EQ(text_at(object, "/socket/remote"), R"({"ip":"10.0.0.9","port":443})");
  EXPECT_EQ(text_at(object, "/socket/local"), "(missing)");

  RecordBuilder kill(COFF_KIND_kill);
  kill.header().syscall = SYS_kill;
  kill.call().args[1] = 9;
  object = parsed(json_of(testing::sample_event(kill, testing::sample_process())));
  EXPECT_EQ(text_at(object, "/call/signal"), "SIGKILL");
  EXPECT_EQ(text_at(object, "/call/target/pid"), "412");
  EXPECT_EQ(text_at(object, "/call/args"), R"(["0x0","0x9"])");

  RecordBuilder exit(COFF_KIND_exit);
  exit.exit().exit_code = 3 << 8;
  object = parsed(json_of(testing::sample_event(exit)));
  EXPECT_EQ(text_at(object, "/exit/code"), "3");
  EXPECT_EQ(text_at(object, "/exit/duration_ns"), "2000000000");
}

TEST(EventJson, WritesEveryKind) {
  for (int kind = 0; kind < COFF_KINDS; ++kind) {
    RecordBuilder builder(static_cast<coff_kind>(kind));
    const Event event = testing::sample_event(builder);
    const auto object = parsed(json_of(event));
    EXPECT_EQ(text_at(object, "/kind"), kKindNames[kind]);
    EXPECT_EQ(json_of(event), json_of(event));
    EXPECT_LT(json_of(event).size(), 1100U) << "an event without details should stay small";
  }
}

TEST(EventJson, WritesEngineEvents) {
  Event event;
  event.kind = Kind::container_start;
  event.container = testing::sample_container();
  event.detail = ContainerInfo{"start", {{"na\"me", "we\nb"}, {"image", "shop/web:1.2"}}};
  const auto object = parsed(json_of(event));
  EXPECT_EQ(text_at(object, "/engine/attributes/na\"me"), "we\nb");
  EXPECT_EQ(text_at(object, "/container/mounts/0/source"), "/srv/www");
  EXPECT_EQ(text_at(object, "/container/ports/0/host_port"), "8080");
  EXPECT_EQ(text_at(object, "/container/labels/tier"), "front");
  EXPECT_EQ(text_at(object, "/process"), "(missing)");
}

TEST(EventJson, KeepsExactBytesOfBrokenText) {
  RecordBuilder builder(COFF_KIND_rename);
  const std::string_view broken("/tmp/\xff\n\x1b[31m\0x", 14);
  builder.text(&coff_file::raw, broken).text(&coff_file::raw2, "/tmp/ok");
  const auto object = parsed(json_of(testing::sample_event(builder)));
  EXPECT_EQ(text_at(object, "/file/path"), std::string("/tmp/\xEF\xBF\xBD\n\x1b[31m\0x", 16));
  const auto bytes = from_base64(text_at(object, "/bytes/file.path"));
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(*bytes, broken);
  EXPECT_EQ(text_at(object, "/bytes/file.to.path"), "(missing)");
}

TEST(EventJson, NamesThePlaceOfBrokenArguments) {
  Event event = testing::sample_exec();
  Program program = *event.process->program;
  program.argv = {"sh", "\x80", "ok"};
  Process process = *event.process;
  process.program = std::make_shared<const Program>(program);
  event.process = std::make_shared<const Process>(process);
  const auto object = parsed(json_of(event));
  EXPECT_EQ(text_at(object, "/bytes/process.args[1]"), "gA==");
}

TEST(EventJson, StaysWithinItsBudget) {
  for (const char* fill : {"x", "\x01", "\xff", "\xC3\xA9", "\""}) {
    std::string huge;
    while (huge.size() < 16'000) huge += fill;
    Program program;
    program.argv = {"sh", huge, huge, "tail"};
    program.env.assign(16'384, "");
    Process process = *testing::sample_process();
    process.program = std::make_shared<const Program>(program);
    Event event = testing::sample_exec();
    event.process = std::make_shared<const Process>(process);
    event.detail = FileInfo{.path = {huge, huge, huge + "1"}, .path2 = {huge, huge + "2", huge}};
    for (const size_t limit : {size_t{8'192}, size_t{56'000}}) {
      const std::string text = json_of(event, {.size_bytes_max = limit});
      EXPECT_LE(text.size(), limit) << fill;
      EXPECT_NE(text_at(parsed(text), "/cut/0"), "(missing)");
    }
  }
}

TEST(EventJson, RedactsSecrets) {
  const Redactor redactor;
  JsonOptions options{.redactor = &redactor, .commit = [](std::string_view secret) {
                        return "[secret of " + std::to_string(secret.size()) + "]";
                      }};
  const std::string text = json_of(testing::sample_exec(), options);
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
  EXPECT_EQ(text_at(parsed(text), "/process/env/1"), "DB_PASSWORD=[secret of 7]");
}

TEST(EventJson, GivesFullContextOnRequest) {
  RecordBuilder builder(COFF_KIND_open);
  const auto object = parsed(json_of(testing::sample_event(builder), {.full_context = true}));
  EXPECT_EQ(text_at(object, "/process/args/0"), "nginx");
  EXPECT_EQ(text_at(object, "/container/privileged"), "false");
}

TEST(EventJson, MembersAreTheObjectWithoutTypeAndTimes) {
  const Event event = testing::sample_exec();
  for (const bool full : {false, true}) {
    const JsonOptions options{.full_context = full};
    std::string members;
    append_json_members(members, event, options);
    auto whole = parsed(json_of(event, options));
    for (const char* name : {"type", "time", "boot"}) EXPECT_EQ(whole.erase(name), 1U) << name;
    EXPECT_EQ(parsed('{' + members + '}'), whole);
  }
}

}  // namespace
}  // namespace coff::schema
