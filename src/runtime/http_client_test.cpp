// HTTP answers of every kind: whole, chunked, cut short, too long, too slow, and no HTTP at all.
#include "runtime/http_client.hpp"

#include <unistd.h>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "tests/support/scripted_engine.hpp"

namespace coff::runtime {
namespace {

using test::ScriptedEngine;

constexpr std::int64_t kSecondNs = 1'000'000'000;

// One request and its answer, however it ends.
Result<HttpAnswer> ask(HttpClient& client, const std::string& target, size_t bytes_max = 1000) {
  std::optional<Result<HttpAnswer>> answer;
  const auto asked = client.get(target, bytes_max, [&](Result<HttpAnswer> got) { answer = got; });
  if (!asked) return std::unexpected<Error>(asked.error());
  const std::int64_t until_ns = boot_now_ns() + 15 * kSecondNs;
  while (!answer && boot_now_ns() < until_ns) client.run(20, -1);
  return answer.value_or(fail(Code::kInternal, "no callback"));
}

Code code_of(const Result<HttpAnswer>& answer) {
  return answer ? Code::kInternal : answer.error().code;
}

TEST(HttpClient, ReadsWholeAndChunkedAnswers) {
  ScriptedEngine engine([](const std::string& target) {
    if (target == "/whole") return ScriptedEngine::answer(200, "body");
    if (target == "/empty") return std::string("HTTP/1.1 204 No Content\r\n\r\n");
    if (target == "/until-end")
      return "HTTP/1.1 200 OK\r\n\r\ntail" + std::string(ScriptedEngine::kClose);
    return ScriptedEngine::stream_head() + ScriptedEngine::chunk("ab") +
           ScriptedEngine::chunk("cd") + ScriptedEngine::chunk("");
  });
  HttpClient client(connect_to(engine.path()));
  EXPECT_EQ(ask(client, "/whole")->body, "body");
  EXPECT_EQ(ask(client, "/chunked")->body, "abcd");
  EXPECT_EQ(ask(client, "/empty")->status, 204);
  EXPECT_EQ(ask(client, "/until-end")->body, "tail");
  EXPECT_EQ(ask(client, "/whole")->body, "body");
}

TEST(HttpClient, RefusesWhatIsNoAnswer) {
  std::string bytes;
  ScriptedEngine engine([&](const std::string&) { return bytes; });
  const std::string close(ScriptedEngine::kClose);
  const std::pair<std::string, Code> cases[] = {
      {close, Code::kIo},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort" + close, Code::kIo},
      {ScriptedEngine::stream_head() + "5\r\nab" + close, Code::kIo},
      {ScriptedEngine::stream_head() + "zz\r\nab\r\n", Code::kInvalid},
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", Code::kInvalid},
      {std::string("\0\0\0\0\r\n\r\n", 8), Code::kInvalid},
      {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", Code::kInvalid},
      {ScriptedEngine::answer(200, std::string(1001, 'x')), Code::kLimit},
      {ScriptedEngine::stream_head() + ScriptedEngine::chunk(std::string(1001, 'x')), Code::kLimit},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(80'000, 'h') + "\r\n\r\n", Code::kLimit},
  };
  for (const auto& [sent, code] : cases) {
    bytes = sent;
    HttpClient client(connect_to(engine.path()));
    EXPECT_EQ(code_of(ask(client, "/x")), code) << sent.substr(0, 60);
  }
}

TEST(HttpClient, GivesUpOnASlowEngine) {
  ScriptedEngine engine([](const std::string&) { return std::string("HTTP/1.1 200 OK\r\n"); });
  HttpClient client(connect_to(engine.path()), 200);
  const std::int64_t before_ns = boot_now_ns();
  EXPECT_EQ(code_of(ask(client, "/slow")), Code::kTimeout);
  EXPECT_LT(boot_now_ns() - before_ns, 5 * kSecondNs);
}

TEST(HttpClient, SurvivesAnIdleConnectionThatWasClosed) {
  ScriptedEngine engine([](const std::string&) { return ScriptedEngine::answer(200, "again"); });
  HttpClient client(connect_to(engine.path()));
  EXPECT_EQ(ask(client, "/one")->body, "again");
  engine.drop();
  const auto second = ask(client, "/two");
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(second->body, "again");
}

TEST(HttpClient, BoundsRequestsAtOnce) {
  ScriptedEngine engine([](const std::string&) { return std::string(); });
  HttpClient client(connect_to(engine.path()));
  for (size_t number = 0; number < kRequestsMax; ++number)
    ASSERT_TRUE(client.get("/x", 10, [](const Result<HttpAnswer>&) {}));
  const auto refused = client.get("/x", 10, [](const Result<HttpAnswer>&) {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kBusy);
}

TEST(HttpClient, StreamsLinesAndLeavesLongOnesOut) {
  ScriptedEngine engine([](const std::string&) { return ScriptedEngine::stream_head(); });
  HttpClient client(connect_to(engine.path()));
  std::vector<std::string> lines;
  size_t left_out = 0;
  bool opened = false;
  std::optional<Error> closed;
  ASSERT_TRUE(client.stream({.target = "/events",
                             .line_bytes_max = 10,
                             .opened = [&] { opened = true; },
                             .line = [&](std::string_view line) { lines.emplace_back(line); },
                             .line_left_out = [&] { ++left_out; },
                             .closed = [&](const Error& why) { closed = why; }}));
  const auto run_until = [&](const auto& condition) {
    const std::int64_t until_ns = boot_now_ns() + 10 * kSecondNs;
    while (!condition() && boot_now_ns() < until_ns) client.run(20, -1);
  };
  run_until([&] { return opened; });
  EXPECT_TRUE(opened);
  EXPECT_EQ(client.stream_peer(), ::getpid());
  engine.say(ScriptedEngine::chunk("one\ntw") + ScriptedEngine::chunk("o\n\n") +
             ScriptedEngine::chunk(std::string(5000, 'x')) + ScriptedEngine::chunk("\nend\nrest"));
  run_until([&] { return lines.size() == 3; });
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "end"}));
  EXPECT_EQ(left_out, 1U);
  engine.drop();
  run_until([&] { return closed.has_value(); });
  ASSERT_TRUE(closed);
  EXPECT_FALSE(client.streaming());
}

TEST(Connector, NamesWhatIsWrong) {
  const auto absent = connect_to("/nowhere/engine.sock")();
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::kNotFound);
  const auto too_long = connect_to("/" + std::string(200, 'x'))();
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, Code::kInvalid);
}

}  // namespace
}  // namespace coff::runtime
