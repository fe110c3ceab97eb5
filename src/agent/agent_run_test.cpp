// The whole agent as real processes: confinement, restart, reload, stop, and what the trail says.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "agent/test_agent.hpp"
#include "trail/reader.hpp"
#include "trail/verify.hpp"
#include "trail/witness_server.hpp"

namespace coff::agent::test {
namespace {

constexpr Role kRoles[] = {Role::kKeeper, Role::kSensor, Role::kEngine, Role::kControl,
                           Role::kWitness};

class AgentRun : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "the agent needs root";
  }
};

/// What does not end the agent.
class AgentRuns : public SharedAgent {};

void expect_trail_good(const RunningAgent& agent) {
  const auto report = trail::verify_trail(agent.trail_dir(), {});
  ASSERT_TRUE(report) << report.error().message();
  for (const trail::Finding& finding : report->findings) {
    EXPECT_FALSE(finding.damage) << finding.kind << ": " << finding.detail;
  }
  EXPECT_TRUE(report->ok());
  EXPECT_GT(report->entries, 2U);
}

TEST_F(AgentRuns, EveryProcessIsConfined) {
  std::vector<std::string> uids;
  for (const Role role : kRoles) {
    SCOPED_TRACE(role_name(role));
    ProcessState state = agent().state_of(role);
    ASSERT_NE(state.pid, 0);
    const std::string uid = state.status["Uid"].substr(0, state.status["Uid"].find('\t'));
    EXPECT_NE(uid, "0");
    for (const std::string& other : uids) EXPECT_NE(uid, other);
    uids.push_back(uid);
    EXPECT_EQ(state.status["Groups"].find_first_not_of(' '), std::string::npos);
    EXPECT_EQ(state.status["Seccomp"], "2");
    EXPECT_EQ(state.status["NoNewPrivs"], "1");
    EXPECT_EQ(state.proc_owner, 0U) << "the process can be dumped";
    EXPECT_EQ(state.status["CapInh"], "0000000000000000");
    EXPECT_EQ(state.status["CapAmb"], "0000000000000000");
    if (role == Role::kSensor) continue;
    EXPECT_EQ(state.status["CapEff"], "0000000000000000");
    EXPECT_EQ(state.status["CapPrm"], "0000000000000000");
    EXPECT_EQ(state.status["CapBnd"], "0000000000000000");
  }
  // CAP_DAC_READ_SEARCH 2, CAP_NET_ADMIN 12, CAP_SYS_PTRACE 19, CAP_SYS_ADMIN 21,
  // CAP_SYS_RESOURCE 24, CAP_PERFMON 38, CAP_BPF 39: as far as the host gives them, no others.
  const std::uint64_t most = 1ULL << 2U | 1ULL << 12U | 1ULL << 19U | 1ULL << 21U | 1ULL << 24U |
                             1ULL << 38U | 1ULL << 39U;
  ProcessState sensor = agent().state_of(Role::kSensor);
  for (const char* set : {"CapEff", "CapPrm", "CapBnd"}) {
    const std::uint64_t held = std::stoull(sensor.status[set], nullptr, 16);
    EXPECT_EQ(held & ~most, 0U) << set << " " << sensor.status[set];
    EXPECT_NE(held & 1ULL << 19U, 0U);
  }
  struct stat key{};
  ASSERT_EQ(::stat((agent().trail_dir() + "/epoch-000001/key.pem").c_str(), &key), 0);
  EXPECT_EQ(key.st_mode & 077U, 0U) << "others can read the signing key";
  EXPECT_EQ(std::to_string(key.st_uid), uids[0]);
}

TEST_F(AgentRuns, SecondAgentIsRefused) {
  const std::string arguments[] = {std::string(kRunAgent), agent().dir() + "/cofferdam.yaml"};
  const auto second = spawn_self(arguments, {});
  ASSERT_TRUE(second);
  std::optional<Ending> ending;
  ASSERT_TRUE(eventually([&] {
    ending = *reap(*second);
    return ending.has_value();
  }));
  EXPECT_EQ(ending->text(), "exit 3");
  EXPECT_TRUE(agent().call("ping")) << "the first agent lost its socket";
}

TEST_F(AgentRuns, ReloadTakesGoodAndKeepsOldOnBad) {
  agent().write_config("log_level: warning");
  agent().signal(SIGHUP);
  const std::string good = agent().wait_entry({"\"type\":\"config\"", "\"ok\":true"});
  EXPECT_NE(good.find("log_level"), std::string::npos) << good;
  const auto shown = agent().call("config.show");
  ASSERT_TRUE(shown && !shown->empty());
  EXPECT_NE(shown->front().find("\"warning\""), std::string::npos) << shown->front();

  agent().write_config("log_levle: debug");
  agent().signal(SIGHUP);
  const std::string bad = agent().wait_entry({"\"type\":\"config\"", "\"ok\":false"});
  EXPECT_NE(bad.find("log_levle"), std::string::npos) << bad;
  const auto kept = agent().call("config.show");
  ASSERT_TRUE(kept && !kept->empty());
  EXPECT_NE(kept->front().find("\"warning\""), std::string::npos);
  EXPECT_EQ(*shown, *kept);
}

TEST_F(AgentRun, StartAndStopAreEntriesAndTheTrailVerifies) {
  RunningAgent agent;
  EXPECT_NE(agent.wait_entry({"\"type\":\"agent\"", "\"action\":\"start\""}), "");
  EXPECT_NE(agent.wait_entry({"\"type\":\"heartbeat\"", "\"accepted\":"}), "");
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.wait_end(), "exit 0");
  EXPECT_NE(agent.wait_entry({"\"type\":\"agent\"", "\"action\":\"stop\""}), "");
  EXPECT_NE(::access(agent.socket().c_str(), F_OK), 0) << "the socket is left behind";
  expect_trail_good(agent);
}

TEST_F(AgentRun, KilledProcessesComeBackAndTheTrailTells) {
  RunningAgent agent;
  for (const Role role : kRoles) {
    SCOPED_TRACE(role_name(role));
    const pid_t before = agent.pid_of(role);
    ASSERT_NE(before, 0);
    ::kill(before, SIGKILL);
    ASSERT_TRUE(eventually([&] {
      const pid_t now = agent.pid_of(role);
      return now != 0 && now != before;
    }));
    agent.wait_ready();
    EXPECT_NE(agent.wait_entry({"\"action\":\"process_died\"",
                                "\"process\":\"" + std::string(role_name(role)) + "\"",
                                "\"pid\":" + std::to_string(before), "\"signal\":9"}),
              "");
    EXPECT_NE(agent.wait_entry({"\"action\":\"process_restarted\"",
                                "\"process\":\"" + std::string(role_name(role)) + "\""}),
              "");
  }
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.wait_end(), "exit 0");
  expect_trail_good(agent);
}

TEST_F(AgentRun, WhatNobodyWatchedIsAGap) {
  RunningAgent agent;
  ASSERT_NE(agent.wait_entry({"\"type\":\"watch\"", "\"action\":\"begin\""}), "");
  for (const std::string& entry : agent.entries()) {
    EXPECT_FALSE(entry.contains("\"type\":\"gap\"")) << "nobody had watched before: " << entry;
  }
  ::kill(agent.pid_of(Role::kSensor), SIGKILL);
  const std::string crash = agent.wait_entry({"\"type\":\"gap\"", "\"reason\":\"crash\""});
  EXPECT_TRUE(crash.contains("\"in_order\":false")) << crash;
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.wait_end(), "exit 0");
  const std::string end = agent.wait_entry({"\"type\":\"watch\"", "\"action\":\"end\""});
  ASSERT_NE(end, "");
  agent.start();
  const std::string gap = agent.wait_entry({"\"type\":\"gap\"", "\"reason\":\"restart\""});
  EXPECT_TRUE(gap.contains("\"in_order\":true")) << gap;
  // From the very moment at which the first sensor stopped reading.
  const std::string time = end.substr(end.find("\"time\":"), 40);
  EXPECT_TRUE(gap.contains("\"from\":{" + time)) << gap << " against " << end;
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.wait_end(), "exit 0");
  expect_trail_good(agent);
}

TEST_F(AgentRun, TrailVerifiesAfterTheSupervisorWasKilled) {
  RunningAgent agent;
  ASSERT_TRUE(agent.call("ping"));
  std::vector<pid_t> children;
  for (const Role role : kRoles) children.push_back(agent.pid_of(role));
  agent.signal(SIGKILL);
  EXPECT_EQ(agent.wait_end(), "signal 9 (Killed)");
  for (const pid_t child : children) {
    EXPECT_TRUE(eventually([&] {
      return ::access(("/proc/" + std::to_string(child)).c_str(), F_OK) != 0;
    })) << "a process outlives its supervisor";
  }
  expect_trail_good(agent);
  // The lock and the socket that were left behind don't hinder the next start.
  agent.start();
  ASSERT_TRUE(agent.call("ping"));
}

std::string witness_lines(const trail::WitnessServer& server, const trail::Witness& witness) {
  return "trail:\n  witness_interval_s: 1\n  witnesses:\n    - url: http://127.0.0.1:" +
         std::to_string(server.port()) + "/\n      vkey: " + witness.key().to_string();
}

TEST_F(AgentRun, WitnessesCosignAndTellARollback) {
  const TemporaryDirectory elsewhere;
  RunningAgent agent;
  const std::string epoch = agent.trail_dir() + "/epoch-000001";
  std::string vkey = read_file(epoch + "/vkey", 4096).value();
  vkey.pop_back();
  auto witness = trail::Witness::open({.dir = elsewhere.path() + "/witness",
                                       .name = "witness.example/w1",
                                       .logs = {trail::VerifierKey::parse(vkey).value()}})
                     .value();
  const auto server = trail::WitnessServer::listen(witness, "127.0.0.1", 0).value();
  std::jthread serving([&] { EXPECT_TRUE(server->run(false)); });

  const std::string saved = elsewhere.path() + "/saved";
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.wait_end(), "exit 0");
  std::filesystem::copy(agent.trail_dir(), saved, std::filesystem::copy_options::recursive);
  agent.write_config(witness_lines(*server, witness));
  agent.start();
  EXPECT_TRUE(eventually([&] {
    const auto status = agent.call("status");
    if (!status) return false;
    for (const std::string& part : *status) {
      if (part.contains("witness.example/w1") && !part.contains("\"age_s\":-1")) return true;
    }
    return false;
  }));
  const auto reader = trail::EpochReader::open(epoch).value();
  const auto witnessed = reader.witnessed();
  ASSERT_TRUE(witnessed) << witnessed.error().message();
  EXPECT_TRUE(trail::verify_note(witnessed->note, witness.key()).valid);
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.wait_end(), "exit 0");

  // Somebody with the key puts an older state back.
  std::filesystem::remove_all(agent.trail_dir());
  std::filesystem::copy(saved, agent.trail_dir(), std::filesystem::copy_options::recursive);
  agent.start();
  const std::string gap = agent.wait_entry({"\"type\":\"gap\"", "\"reason\":\"rollback\""});
  EXPECT_TRUE(gap.contains("witness.example/w1")) << gap;
  EXPECT_TRUE(std::filesystem::exists(agent.trail_dir() + "/epoch-000002"));
  // Recording goes on there.
  EXPECT_NE(agent.wait_entry({"\"type\":\"heartbeat\"", "\"keeper\":"}), "");
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.wait_end(), "exit 0");
  expect_trail_good(agent);
  server->stop();
}

TEST_F(AgentRun, WrongConfigurationDoesNotStart) {
  const TemporaryDirectory directory;
  const std::string file = directory.path() + "/wrong.yaml";
  const auto opened = open_file(file, O_CREAT | O_WRONLY);
  ASSERT_TRUE(opened && write_all(*opened, "no_such_key: 1\n"));
  const std::string arguments[] = {std::string(kRunAgent), file};
  const auto agent = spawn_self(arguments, {});
  ASSERT_TRUE(agent);
  std::optional<Ending> ending;
  ASSERT_TRUE(eventually([&] {
    ending = *reap(*agent);
    return ending.has_value();
  }));
  EXPECT_EQ(ending->text(), "exit 3");
}

}  // namespace
}  // namespace coff::agent::test
