// What the writer of events wrote is read back as the same event; what is wrong is named.
#include "schema/event_read.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "schema/constants.hpp"
#include "schema/decode.hpp"
#include "schema/event_json.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::schema {
namespace {

std::string json_of(const Event& event) {
  std::string text;
  append_json(text, event, {.full_context = true});
  return text;
}

Result<Event> read(std::string_view text) {
  return read_event(boost::json::parse(text).as_object(), {.strict = true});
}

TEST(EventRead, EveryKindComesBackEqual) {
  for (unsigned kind = 0; kind < COFF_KINDS; ++kind) {
    if (kShapes[kind] == Shape::api) continue;
    testing::RecordBuilder builder(static_cast<coff_kind>(kind));
    const std::string written = json_of(testing::sample_event(builder));
    const auto event = read(written);
    ASSERT_TRUE(event) << written << event.error().message();
    EXPECT_EQ(json_of(*event), written);
  }
}

TEST(EventRead, AContainersStartComesBackEqual) {
  Event event;
  event.kind = Kind::container_start;
  event.wall_ns = 1'764'000'000'000'000'000;
  event.container = testing::sample_container();
  event.detail = ContainerInfo{.action = "start", .attributes = {{"name", "web"}}};
  const std::string written = json_of(event);
  const auto again = read(written);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(json_of(*again), written);
}

TEST(EventRead, ADepartureAndAPersonComeBackEqual) {
  Event event = testing::sample_exec();
  auto process = std::make_shared<Process>(*event.process);
  Person person;
  person.user = "anna";
  person.loginuid = 1000;
  person.sessionid = 7;
  person.address = "192.0.2.7";
  person.terminal = "pts/0";
  person.via = "docker exec";
  person.client = "docker";
  process->person = std::make_shared<const Person>(std::move(person));
  event.process = std::move(process);
  Departure departure;
  departure.trigger = event.kind;
  departure.service = "compose:shop/web";
  departure.what = "executable";
  departure.value = "/bin/sh";
  departure.state = "watching";
  departure.outside_image = true;
  event.kind = Kind::departure;
  event.departure = std::make_shared<const Departure>(std::move(departure));
  const std::string written = json_of(event);
  EXPECT_NE(written.find("\"by\":{\"user\":\"anna\""), std::string::npos) << written;
  const auto again = read(written);
  ASSERT_TRUE(again) << written << again.error().message();
  EXPECT_EQ(json_of(*again), written);
}

TEST(EventRead, FlagsAreReadByName) {
  const auto event = read(R"({"kind":"open","file":{"path":"/a","flags":"O_RDWR|O_CREAT|O_SYNC"},
    "process":{"file":{"flags":"EXE_UPPER_LAYER|EXE_SETID"}}})");
  ASSERT_TRUE(event) << event.error().message();
  EXPECT_EQ(open_flags_text(std::get<FileInfo>(event->detail).open_flags), "O_RDWR|O_CREAT|O_SYNC");
  EXPECT_EQ(event->process->program->exe_flags, unsigned{COFF_EXE_UPPER | COFF_EXE_SETID});
  EXPECT_EQ(syscall_name(event->syscall), "openat");
}

TEST(EventRead, WhatIsWrongIsNamed) {
  const auto problem = [](std::string_view text) {
    const auto event = read(text);
    return event ? std::string("none") : event.error().message();
  };
  EXPECT_NE(problem(R"({"kind":"opne"})").find("kind"), std::string::npos);
  EXPECT_NE(problem(R"({})").find("kind"), std::string::npos);
  EXPECT_NE(problem(R"({"kind":"open","syscall":"none"})").find("syscall"), std::string::npos);
  EXPECT_NE(problem(R"({"kind":"open","file":{"flags":"O_X"}})").find("file.flags"),
            std::string::npos);
  EXPECT_NE(problem(R"({"kind":"open","process":{"pid":-1}})").find("process.pid"),
            std::string::npos);
  EXPECT_NE(problem(R"({"kind":"open","process":{"ancestors":[7]}})").find("process.ancestors"),
            std::string::npos);
  EXPECT_NE(problem(R"({"kind":"connect","socket":{"family":"AF_INET","remote":{"ip":"::1"}}})")
                .find("socket.remote.ip"),
            std::string::npos);
  EXPECT_NE(problem(R"({"kind":"open","container":{"labels":{"a":1}}})").find("labels"),
            std::string::npos);
  EXPECT_NE(problem(R"({"kind":"open","paht":1})").find("paht"), std::string::npos);
}

TEST(EventRead, IgnoresWhatItDoesNotKnowUnlessStrict) {
  const auto record = boost::json::parse(R"({"kind":"open","later":{"a":[1]}})").as_object();
  EXPECT_TRUE(read_event(record));
  EXPECT_FALSE(read_event(record, {.strict = true}));
}

}  // namespace
}  // namespace coff::schema
