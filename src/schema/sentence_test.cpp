// Tests of the live feed's lines.
#include "schema/sentence.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "schema/testing/sample_events.hpp"

namespace coff::schema {
namespace {

using testing::RecordBuilder;

std::string line(const Event& event, SentenceOptions options = {}) {
  options.utc = true;
  std::string out;
  append_sentence(out, event, options);
  return out;
}

bool is_terminal_safe(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](char byte) {
    const auto value = static_cast<unsigned char>(byte);
    return value < 0x20 || value == 0x7F;
  });
}

TEST(Sentence, ReadsWell) {
  UserNames names;
  names.add_user(1000, "alice");
  EXPECT_EQ(line(testing::sample_exec(), {.names = &names}),
            "16:01:45.000 web(shop/web:1.2) nginx[412] exec /bin/sh -c id  "
            "by alice (login) as root");

  RecordBuilder open(COFF_KIND_open);
  open.header().ret = -13;
  open.file().open_flags = O_RDWR;
  open.text(&coff_file::raw, "/etc/shadow");
  EXPECT_EQ(line(testing::sample_event(open)),
            "16:01:45.000 web(shop/web:1.2) nginx[412] opened /etc/shadow to read and write "
            "failed (EACCES)  as uid 1000");

  RecordBuilder connect(COFF_KIND_connect);
  connect.sock().family = AF_INET6;
  connect.sock().remote[15] = 1;
  connect.sock().remote_port = 443;
  EXPECT_EQ(line(testing::sample_event(connect)),
            "16:01:45.000 web(shop/web:1.2) nginx[412] connected to [::1]:443  as uid 1000");

  RecordBuilder exit(COFF_KIND_exit);
  exit.exit().exit_code = 9;
  EXPECT_EQ(line(testing::sample_event(exit)),
            "16:01:45.000 web(shop/web:1.2) nginx[412] was killed by SIGKILL after 2.000 s  "
            "as uid 1000");
}

TEST(Sentence, TellsTheHost) {
  RecordBuilder builder(COFF_KIND_unlink);
  builder.text(&coff_file::raw, "/etc/motd");
  Event event = testing::sample_event(builder);
  event.container = nullptr;
  UserNames names;
  names.add_user(1000, "alice");
  EXPECT_EQ(line(event, {.names = &names}),
            "16:01:45.000 host nginx[412] deleted /etc/motd  as alice");
}

TEST(Sentence, NamesThirtyTwoBitCalls) {
  RecordBuilder builder(COFF_KIND_compat_call);
  builder.header().syscall = -1;
  builder.header().flags = COFF_F_COMPAT32;
  builder.call().args[0] = 20;
  Event event = testing::sample_event(builder);
  event.container = nullptr;
  EXPECT_EQ(line(event), "16:01:45.000 host nginx[412] made system call 20 (32-bit)  as uid 1000");
}

TEST(Sentence, HidesSecrets) {
  Event event = testing::sample_exec();
  Process process = *event.process;
  Program program = *process.program;
  program.argv = {"mysql", "--password=hunter2"};
  process.program = std::make_shared<const Program>(program);
  event.process = std::make_shared<const Process>(process);
  const Redactor redactor;
  EXPECT_NE(line(event, {.redactor = &redactor}).find("--password=***"), std::string::npos);
}

TEST(Sentence, EveryKindIsOneSafeLine) {
  using std::string_literals::operator""s;
  const std::string hostile = "\n\x1b]0;x\x07\x1b[2J\r\0\xff\xe2\x80\xae"s + std::string(5000, 'A');
  for (int kind = 0; kind < COFF_KINDS; ++kind) {
    RecordBuilder builder(static_cast<coff_kind>(kind));
    builder.comm("e\x1b[31mvil\n");
    if (kShapes[kind] == Shape::file) {
      builder.text(&coff_file::raw, hostile).text(&coff_file::raw2, hostile);
    }
    if (kShapes[kind] == Shape::sock) {
      builder.sock().family = AF_UNIX;
      builder.text(&coff_sock::path, hostile);
    }
    if (kShapes[kind] == Shape::call) builder.text(&coff_call::text, hostile);
    if (kShapes[kind] == Shape::cgroup) builder.text(&coff_cgroup::path, hostile);
    if (kShapes[kind] == Shape::exec) builder.text(&coff_exec::argv, hostile);
    Event event = testing::sample_event(builder);
    Process process = make_child(*Record::parse(RecordBuilder(COFF_KIND_fork).build()),
                                 *testing::sample_process());
    process.name = hostile;
    event.process = std::make_shared<const Process>(process);
    Container container = *testing::sample_container();
    container.name = container.image = hostile;
    event.container = std::make_shared<const Container>(container);
    const std::string text = line(event);
    EXPECT_TRUE(is_terminal_safe(text)) << kKindNames[kind];
    EXPECT_LT(text.size(), 4000U) << kKindNames[kind];
    EXPECT_GT(text.size(), 40U) << kKindNames[kind];
  }
}

TEST(Sentence, ColoursAreReset) {
  const std::string text = line(testing::sample_exec(), {.colour = true});
  EXPECT_NE(text.find("\x1b[36mweb\x1b[0m"), std::string::npos);
  EXPECT_GT(text.rfind("\x1b[0m"), text.rfind("\x1b[3"));
}

TEST(Sentence, SpeaksForEngines) {
  Event event;
  event.kind = Kind::container_start;
  event.container = testing::sample_container();
  event.wall_ns = testing::kSampleOffset;
  event.detail = ContainerInfo{"start", {}};
  EXPECT_EQ(line(event), "16:01:40.000 web(shop/web:1.2) container started");
  event.kind = Kind::container_other;
  event.detail = ContainerInfo{"exec_create: sh\x1b[0m", {}};
  EXPECT_EQ(line(event), "16:01:40.000 web(shop/web:1.2) container exec_create: sh\\x1b[0m");
}

}  // namespace
}  // namespace coff::schema
