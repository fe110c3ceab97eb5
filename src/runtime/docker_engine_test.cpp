// How an engine is followed when it misbehaves: malformed, slow, restarted, replaced.
#include "runtime/docker_engine.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "tests/support/scripted_engine.hpp"

namespace coff::runtime {
namespace {

using test::ScriptedEngine;

class Recorder final : public EngineListener {
 public:
  void on_container(const Engine&, Container container) override {
    note("container " + container.id + " " + container.engine + " " + container.image_digest);
  }
  void on_event(const Engine&, const EngineEvent& event) override {
    note("event " + event.action + " " + event.id);
  }
  void on_unknown(const Engine&, const std::string& id, const Error& why) override {
    note("unknown " + id + " " + std::string(code_name(why.code)));
  }
  void on_list(const Engine&, const std::vector<std::string>& ids, std::uint64_t) override {
    note("list " + std::to_string(ids.size()));
  }
  void on_state(const Engine&, bool connected) override { note(connected ? "up" : "down"); }

  size_t count(const std::string& what) const {
    const std::scoped_lock lock(mutex_);
    return static_cast<size_t>(std::ranges::count(notes_, what));
  }
  // Waits for the note to appear so often, at most ten seconds.
  bool sees(const std::string& what, size_t times = 1) const {
    for (int slice = 0; slice < 1000; ++slice) {
      if (count(what) >= times) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

 private:
  void note(std::string what) {
    const std::scoped_lock lock(mutex_);
    notes_.push_back(std::move(what));
  }
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

std::string event_line(const std::string& action, const std::string& id, std::int64_t wall_ns) {
  return R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":")" + id +
         R"(","Attributes":{"name":"n"}},"timeNano":)" + std::to_string(wall_ns) + "}\n";
}

// Answers as a small healthy engine would; tests override single targets.
std::string healthy(const std::string& target) {
  if (target == "/version") return ScriptedEngine::answer(200, R"({"Version":"1"})");
  if (target.ends_with("/info")) return ScriptedEngine::answer(200, R"({"ID":"engine-id"})");
  if (target.find("/events") != std::string::npos) return ScriptedEngine::stream_head();
  if (target.find("/containers/json") != std::string::npos)
    return ScriptedEngine::answer(200, "[]");
  if (target.find("/images/") != std::string::npos)
    return ScriptedEngine::answer(200, R"({"RepoDigests":["r@sha256:feed"]})");
  const size_t at = target.find("/containers/") + 12;
  const std::string id = target.substr(at, target.rfind('/') - at);
  return ScriptedEngine::answer(200, R"({"Id":")" + id + R"(","Image":"sha256:cafe"})");
}

DockerEngineOptions options_for(Connector connector) {
  return {.name = "scripted",
          .connector = std::move(connector),
          .retry_ms_min = 10,
          .retry_ms_max = 50,
          .probe_ms = 50};
}

TEST(DockerEngine, ListsInspectsAndFollows) {
  ScriptedEngine server([](const std::string& target) {
    if (target.find("/containers/json") != std::string::npos)
      return ScriptedEngine::answer(200, R"([{"Id":"old1"},{"Id":"old2"}])");
    return healthy(target);
  });
  Recorder recorder;
  DockerEngine engine(options_for(connect_to(server.path())), recorder);
  EXPECT_TRUE(recorder.sees("container old1 docker sha256:feed"));
  EXPECT_TRUE(recorder.sees("container old2 docker sha256:feed"));
  EXPECT_TRUE(recorder.sees("list 2"));
  server.say(ScriptedEngine::chunk(event_line("start", "new", 5)));
  EXPECT_TRUE(recorder.sees("event start new"));
  EXPECT_TRUE(recorder.sees("container new docker sha256:feed"));
  engine.request("asked");
  EXPECT_TRUE(recorder.sees("container asked docker sha256:feed"));
  EXPECT_EQ(engine.status().id, "engine-id");
  EXPECT_EQ(engine.kind(), "docker");
}

TEST(DockerEngine, GoesOnAfterALossWithoutTellingTwice) {
  const std::int64_t wall_ns = wall_now_ns();
  ScriptedEngine server([&](const std::string& target) {
    if (target.find("/events") != std::string::npos)
      return ScriptedEngine::stream_head() +
             ScriptedEngine::chunk(event_line("create", "a", wall_ns));
    return healthy(target);
  });
  Recorder recorder;
  const DockerEngine engine(options_for(connect_to(server.path())), recorder);
  ASSERT_TRUE(recorder.sees("event create a"));
  server.drop();
  ASSERT_TRUE(recorder.sees("down"));
  ASSERT_TRUE(recorder.sees("up", 2));
  server.say(ScriptedEngine::chunk(event_line("die", "a", wall_ns + 1)));
  ASSERT_TRUE(recorder.sees("event die a"));
  EXPECT_EQ(recorder.count("event create a"), 1U);
  // The second stream asks from the last event on.
  const std::string since = "since=" + std::to_string(wall_ns / 1'000'000'000) + ".";
  size_t streams = 0;
  for (const std::string& target : server.targets())
    streams += target.find(since) != std::string::npos ? 1U : 0U;
  EXPECT_GE(streams, 1U);
}

TEST(DockerEngine, SurvivesMalformedEventsAndAnswers) {
  ScriptedEngine server([](const std::string& target) {
    if (target.find("/containers/broken/") != std::string::npos)
      return ScriptedEngine::answer(200, "{\"Id\":");
    if (target.find("/containers/other/") != std::string::npos)
      return ScriptedEngine::answer(200, R"({"Id":"different"})");
    if (target.find("/containers/absent/") != std::string::npos)
      return ScriptedEngine::answer(404, R"({"message":"no such container"})");
    if (target.find("/images/") != std::string::npos) return ScriptedEngine::answer(500, "x");
    return healthy(target);
  });
  Recorder recorder;
  DockerEngine engine(options_for(connect_to(server.path())), recorder);
  ASSERT_TRUE(recorder.sees("up"));
  server.say(ScriptedEngine::chunk("no json\n{}\n[[[[\n" + event_line("start", "../../x", 1) +
                                   event_line("start", "fine", 2)));
  EXPECT_TRUE(recorder.sees("container fine docker "));
  EXPECT_EQ(engine.status().events, 1U);
  EXPECT_GE(engine.status().events_unread, 3U);
  for (const char* id : {"broken", "other", "absent", "../version", ""}) engine.request(id);
  EXPECT_TRUE(recorder.sees("unknown absent not_found"));
  EXPECT_TRUE(recorder.sees("unknown broken invalid"));
  EXPECT_TRUE(recorder.sees("unknown other invalid"));
  EXPECT_EQ(server.asked("/v1.40/containers/broken/"), 4U);
  EXPECT_TRUE(engine.status().connected);
}

TEST(DockerEngine, RetriesAnEngineThatMakesNoSense) {
  std::atomic<bool> sane = false;
  ScriptedEngine server([&](const std::string& target) {
    return sane ? healthy(target) : ScriptedEngine::answer(200, "<html>");
  });
  Recorder recorder;
  const DockerEngine engine(options_for(connect_to(server.path())), recorder);
  while (server.asked("/version") < 3) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(engine.status().connected);
  EXPECT_NE(engine.status().problem.find("JSON"), std::string::npos);
  sane = true;
  EXPECT_TRUE(recorder.sees("up"));
}

TEST(DockerEngine, TakesSocketsFromASupervisor) {
  ScriptedEngine server(healthy);
  std::atomic<int> given = 0;
  const Connector inner = connect_to(server.path());
  // The first attempts fail, as when the supervisor is not ready.
  const Connector supervisor = [&]() -> Result<Fd> {
    if (++given < 3) return fail(Code::kDenied, "not now");
    return inner();
  };
  Recorder recorder;
  const DockerEngine engine(options_for(supervisor), recorder);
  EXPECT_TRUE(recorder.sees("up"));
  EXPECT_TRUE(recorder.sees("list 0"));
}

// Listens on `path` in a process of its own until it is killed.
pid_t listen_elsewhere(const std::string& path) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) ::_exit(1);
  ::listen(listener, 8);
  ::pause();
  ::_exit(0);
}

TEST(DockerEngine, FollowsTheSocketToAnotherProcess) {
  const std::string other_path = "/tmp/coff-other." + std::to_string(::getpid());
  const pid_t other = listen_elsewhere(other_path);
  ASSERT_GT(other, 0);
  ScriptedEngine server(healthy);
  std::atomic<bool> replaced = false;
  const Connector first = connect_to(server.path());
  const Connector second = connect_to(other_path);
  Recorder recorder;
  const DockerEngine engine(options_for([&] { return replaced ? second() : first(); }), recorder);
  EXPECT_TRUE(recorder.sees("up"));
  // The old process still answers: only the path leads elsewhere now.
  replaced = true;
  EXPECT_TRUE(recorder.sees("down"));
  EXPECT_NE(engine.status().problem.find("another process"), std::string::npos);
  replaced = false;
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
  ::unlink(other_path.c_str());
  EXPECT_TRUE(recorder.sees("up", 2));
}

}  // namespace
}  // namespace coff::runtime
