// The control socket with a real agent: roles, records, limits, followers, hostile clients.
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/client.hpp"
#include "agent/control_session.hpp"
#include "agent/test_agent.hpp"
#include "trail/checkpoint.hpp"
#include "trail/commit.hpp"
#include "trail/commitments.hpp"
#include "trail/verify.hpp"

namespace coff::agent::test {
namespace {

constexpr uid_t kNobody = 65534;
/// A group that exists nowhere else in these tests.
constexpr gid_t kSomeGroup = 54321;

class Control : public SharedAgent {};

class ControlRoles : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "the agent needs root";
  }
};

/// Makes a call as another user, whose group has the same number, and a further group, in a child
/// process; "ok" or the code of the error.
std::string call_as(uid_t uid, gid_t group, const std::string& socket, const std::string& call) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::string said = "cannot change user";
    if (::setgroups(1, &group) == 0 && ::setresgid(uid, uid, uid) == 0 &&
        ::setresuid(uid, uid, uid) == 0) {
      auto client = ControlClient::connect(socket);
      said = client ? "" : std::string(code_name(client.error().code)) + " at connect";
      if (client) {
        const auto made = client->call(call, "{}", [](std::string_view) { return true; });
        said = made ? "ok" : std::string(code_name(made.error().code));
      }
    }
    [[maybe_unused]] const ssize_t ignored = ::write(ends[1], said.data(), said.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  const std::string said = read_to_end(Fd(ends[0]), 1000).value_or("");
  ::waitpid(child, nullptr, 0);
  return said;
}

/// A bare connection, for what no client of ours would send.
Fd connect_bare(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return socket;
}

std::string read_some(const Fd& socket, int timeout_ms = 5000) {
  pollfd entry{socket.get(), POLLIN, 0};
  if (::poll(&entry, 1, timeout_ms) != 1) return "nothing";
  char buffer[4096];
  const ssize_t got = ::recv(socket.get(), buffer, sizeof buffer, 0);
  return got <= 0 ? "closed" : std::string(buffer, static_cast<std::size_t>(got));
}

TEST_F(Control, RootMayAndEachCallIsAnEntry) {
  for (const char* call : {"ping", "status", "ps", "doctor", "config.show", "trail.checkpoint"}) {
    const auto items = agent().call(call);
    EXPECT_TRUE(items) << call << ": " << items.error().message();
    EXPECT_NE(agent().wait_entry({"\"type\":\"view\"", "\"call\":\"" + std::string(call) + "\"",
                                  "\"allowed\":true", "\"uid\":0", "\"loginuid\":"}),
              "")
        << call;
  }
  const auto checkpoint = agent().call("trail.checkpoint");
  ASSERT_TRUE(checkpoint && checkpoint->size() == 1);
  EXPECT_NE(checkpoint->front().find("— cofferdam/"), std::string::npos);
  const auto proof = agent().call("trail.prove", "{\"seq\":0}");
  ASSERT_TRUE(proof && proof->size() == 1) << proof.error().message();
  EXPECT_NE(proof->front().find("c2sp.org/tlog-proof@v1"), std::string::npos);
  const auto none = agent().call("trail.prove", "{\"seq\":123456}");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kNotFound);
}

TEST_F(ControlRoles, ErasingAValueIsForAdminsAndOnTheRecord) {
  const RunningAgent agent("control:\n  group: nogroup\nroles:\n  auditor:\n    users: [nobody]");
  std::string words[] = {"true", "--password=geheim"};
  char* const arguments[] = {words[0].data(), words[1].data(), nullptr};
  pid_t child = 0;
  ASSERT_EQ(::posix_spawn(&child, "/bin/true", nullptr, nullptr, arguments, environ), 0);
  ::waitpid(child, nullptr, 0);
  const std::string entry = agent.wait_entry({"\"kind\":\"exec\"", "--password=[redacted:"});
  ASSERT_NE(entry, "");
  const auto seq = trail::parse_decimal(entry.substr(13, entry.find(',', 13) - 13));
  ASSERT_TRUE(seq) << entry;
  const std::string commitment = trail::commitments_in(entry, "process.args").value().at(0);
  const auto sidecar = [&] {
    return trail::Sidecar::open(agent.trail_dir() + "/" + std::string(trail::kSidecarFile),
                                trail::Sidecar::Mode::kReadOnly)
        .value();
  };
  EXPECT_EQ(sidecar().find(commitment)->value, "geheim");

  EXPECT_EQ(call_as(kNobody, kNobody, agent.socket(), "trail.erase"), "denied");
  const std::string of = "{\"seq\":" + std::to_string(*seq);
  EXPECT_EQ(agent.call("trail.erase", of + "}").error().code, Code::kInvalid);
  const std::string why = ",\"reason\":\"asked to\"";
  EXPECT_EQ(agent.call("trail.erase", of + why + ",\"field\":\"user\"}").error().code,
            Code::kNotFound);
  EXPECT_EQ(agent.call("trail.erase", "{\"seq\":0" + why + "}").error().code, Code::kNotFound);
  EXPECT_TRUE(sidecar().find(commitment));

  const auto items = agent.call("trail.erase", of + why + ",\"who\":{\"uid\":7}}");
  ASSERT_TRUE(items) << items.error().message();
  EXPECT_EQ(sidecar().find(commitment).error().code, Code::kNotFound);
  EXPECT_EQ(sidecar().erasure(commitment).value()->reason, "asked to");
  const std::string told =
      agent.wait_entry({"\"type\":\"erase\"", commitment, "\"reason\":\"asked to\""});
  EXPECT_TRUE(told.contains("\"of\":{\"epoch\":1,\"seq\":" + std::to_string(*seq))) << told;
  EXPECT_TRUE(told.contains("\"who\":{\"uid\":0,\"user\":\"root\"")) << told;
  // Again: nothing is left, which is told too.
  const auto again = agent.call("trail.erase", of + why + "}");
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->front().contains("\"commitments\":[],\"absent\":1")) << again->front();
  const auto report = trail::verify_trail(agent.trail_dir(), {});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->ok());
}

TEST_F(Control, SocketModeKeepsOthersOut) {
  EXPECT_EQ(call_as(kNobody, kNobody, agent().socket(), "status"), "denied at connect");
}

TEST_F(Control, MalformedRequestsAreAnswered) {
  const Fd socket = connect_bare(agent().socket());
  for (const std::string_view request :
       {"\n", "x\n", "[]\n", "{\"call\":7}\n", "{\"call\":\"no.such\"}\n",
        "{\"call\":\"ping\",\"call\":{}}\n", "{\"call\":\"\\u0000\"}\n",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n"}) {
    ASSERT_TRUE(write_all(socket, request));
    EXPECT_NE(read_some(socket).find("\"code\":\"invalid\""), std::string::npos) << request;
  }
  ASSERT_TRUE(write_all(socket, "{\"call\":\"ping\"}\n{\"call\":\"ping\"}\n"));
  std::string answers;
  while (answers.find("done") == answers.rfind("done")) {
    const std::string more = read_some(socket);
    ASSERT_NE(more, "closed");
    ASSERT_NE(more, "nothing");
    answers += more;
  }
  EXPECT_TRUE(agent().call("ping"));
}

TEST_F(Control, TooLongRequestEndsTheConnection) {
  const Fd socket = connect_bare(agent().socket());
  const std::string endless(kRequestBytesMax + 20'000, 'x');
  [[maybe_unused]] const auto ignored = write_all(socket, endless);
  EXPECT_NE(read_some(socket).find("\"code\":\"limit\""), std::string::npos);
  EXPECT_TRUE(eventually([&] { return read_some(socket, 0) == "closed"; }));
  EXPECT_TRUE(agent().call("ping"));
}

TEST_F(Control, TooManyCallsAndClientsAreRefused) {
  const Fd socket = connect_bare(agent().socket());
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += "{\"call\":\"ping\"}\n";
  ASSERT_TRUE(write_all(socket, flood));
  std::string answers;
  EXPECT_TRUE(eventually([&] {
    answers += read_some(socket, 100);
    return answers.find("\"code\":\"busy\"") != std::string::npos;
  }));
  std::vector<Fd> many;
  for (int i = 0; i < 100; ++i) many.push_back(connect_bare(agent().socket()));
  EXPECT_NE(read_some(many.back()).find("\"code\":\"busy\""), std::string::npos);
  EXPECT_TRUE(eventually([&] { return read_some(many.back(), 100) == "closed"; }));
  many.clear();
  EXPECT_TRUE(agent().call("ping"));  // once the agent has seen that they left
}

TEST_F(Control, FollowersSeeHeartbeats) {
  auto client = ControlClient::connect(agent().socket());
  ASSERT_TRUE(client);
  std::string seen;
  const auto followed = client->call(
      "events.follow", "{\"kind\":[\"heartbeat\"],\"text\":\"sensor\"}",
      [&](std::string_view item) {
        seen = item;
        return false;
      },
      20'000);
  ASSERT_TRUE(followed) << followed.error().message();
  EXPECT_NE(seen.find("\"type\":\"heartbeat\""), std::string::npos) << seen;
}

TEST_F(Control, QueriesFindEntriesByTypeAndText) {
  ASSERT_NE(agent().wait_entry({"\"type\":\"heartbeat\""}), "");
  const auto query = [&](const std::string& arguments) {
    std::vector<std::string> items;
    eventually([&] {
      items = agent().call("events.query", arguments).value_or(std::vector<std::string>());
      return !items.empty();
    });
    return items;
  };
  const auto beats = query("{\"kind\":[\"heartbeat\"],\"limit\":1}");
  ASSERT_EQ(beats.size(), 1U);
  EXPECT_NE(beats[0].find("\"type\":\"heartbeat\""), std::string::npos);
  std::vector<std::string> all;
  EXPECT_TRUE(eventually([&] {
    all = query("{\"since\":\"2020-01-01T00:00:00Z\"}");
    return all.size() > 2;
  }));
  // The newest of all; on a busy host that is not the whole trail.
  const auto genesis = query("{\"kind\":[\"genesis\"]}");
  ASSERT_EQ(genesis.size(), 1U);
  EXPECT_NE(genesis[0].find("\"type\":\"genesis\""), std::string::npos);
  const auto wrong = agent().call("events.query", "{\"since\":\"yesterday\"}");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::kInvalid);
  const auto none = agent().call("events.query", "{\"container\":\"no-such-container\"}");
  ASSERT_TRUE(none) << none.error().message();
  EXPECT_TRUE(none->empty());
}

TEST_F(ControlRoles, OthersAreDeniedAndRolesReload) {
  const std::string open = "control:\n  group: nogroup\n";
  const RunningAgent agent(open + "roles:\n  viewer:\n    groups: ['54321']");
  EXPECT_EQ(call_as(kNobody, kSomeGroup, agent.socket(), "status"), "ok");
  EXPECT_EQ(call_as(kNobody, kSomeGroup, agent.socket(), "trail.checkpoint"), "denied");
  EXPECT_EQ(call_as(kNobody, kNobody, agent.socket(), "status"), "denied");
  EXPECT_NE(agent.wait_entry(
                {"\"type\":\"view\"", "\"call\":\"status\"", "\"allowed\":false", "\"uid\":65534"}),
            "");
  agent.write_config(open + "roles:\n  auditor:\n    users: [nobody]");
  agent.signal(SIGHUP);
  ASSERT_NE(agent.wait_entry({"\"type\":\"config\"", "\"ok\":true"}), "");
  EXPECT_EQ(call_as(kNobody, kNobody, agent.socket(), "trail.checkpoint"), "ok");
}

TEST(Follow, FilterMatches) {
  const LiveEvent event{.kind = "exec",
                        .container_id = "abcdef",
                        .container_name = "web",
                        .json = "{\"x\":\"/bin\"}"};
  EXPECT_TRUE(FollowFilter{}.matches(event));
  EXPECT_TRUE((FollowFilter{.kinds = {"open", "exec"}}.matches(event)));
  EXPECT_FALSE((FollowFilter{.kinds = {"open"}}.matches(event)));
  EXPECT_TRUE((FollowFilter{.container = "abc"}.matches(event)));
  EXPECT_TRUE((FollowFilter{.container = "web"}.matches(event)));
  EXPECT_FALSE((FollowFilter{.container = "we"}.matches(event)));
  EXPECT_TRUE((FollowFilter{.text = "/bin"}.matches(event)));
  EXPECT_FALSE((FollowFilter{.text = "/sbin"}.matches(event)));
}

TEST(Names, PeerGetsOnlyItsNames) {
  const Names names{.users = {{"alice", 1000}, {"bob", 1001}}, .groups = {{"ops", 5}, {"dev", 6}}};
  const auto back = decode_names(encode_names(names));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->users, names.users);
  EXPECT_EQ(back->groups, names.groups);
  const config::Peer peer = peer_of(*back, 1001, {6, 7});
  EXPECT_EQ(peer.user, "bob");
  EXPECT_EQ(peer.groups, std::vector<std::string>{"dev"});
  EXPECT_EQ(peer_of(*back, 7, {}).user, "");
  EXPECT_FALSE(decode_names("abc"));
}

}  // namespace
}  // namespace coff::agent::test
