// Freeze, protect, cut, kill and the guard rails on real containers.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "live/response/stage.hpp"
#include "response/target.hpp"

namespace coff::live {
namespace {

class ActionsLive : public ResponseLive {
 protected:
  static std::string id_of(const std::string& container) {
    return docker({"inspect", "--format", "{{.Id}}", container});
  }
  static std::uint64_t ticks_of(const std::string& container) {
    std::uint64_t total = 0;
    const auto pids = response::processes_in(response::find_cgroup(id_of(container)));
    EXPECT_FALSE(pids.empty());
    for (const pid_t pid : pids) total += response::cpu_ticks_of(pid).value_or(0);
    return total;
  }
};

TEST_F(ActionsLive, FreezeStopsNestedGroupsTooAndThawRestores) {
  start("busy", {}, {"sh", "-c", "while :; do :; done"});
  const std::string group = response::find_cgroup(id_of("busy"));
  ASSERT_FALSE(group.empty());
  // A second process, in a control group of its own inside the container's.
  docker({"exec", "-d", "busy", "sh", "-c", "while :; do :; done"});
  ASSERT_TRUE(eventually([&] { return response::processes_in(group).size() == 2; }));
  const auto run_before = ticks_of("busy");
  ASSERT_TRUE(eventually([&] { return ticks_of("busy") > run_before; }));
  const std::string nested = group + "/nested";
  ASSERT_TRUE(run_ok({"mkdir", nested}));
  std::ofstream(nested + "/cgroup.procs") << response::processes_in(group).back() << std::flush;

  const Outcome done = respond({"freeze", "busy", "--json"});
  EXPECT_NE(done.out.find("\"cpu_ticks_since\":0"), std::string::npos) << done.out;
  const auto frozen = ticks_of("busy");
  ::usleep(400'000);
  EXPECT_EQ(ticks_of("busy"), frozen) << "something ran";
  EXPECT_EQ(response::processes_in(group).size(), 2U);
  respond({"freeze", "busy"});
  const Outcome thawed = respond({"thaw", "busy", "--json"});
  EXPECT_NE(thawed.out.find("\"frozen\":false"), std::string::npos) << thawed.out;
  EXPECT_TRUE(eventually([&] { return ticks_of("busy") > frozen; }));
  respond({"thaw", "busy"}, 1);
}

TEST_F(ActionsLive, ProtectChangesTheRestartPolicyAndReleaseRestoresIt) {
  start("web", {"--restart", "on-failure:3"}, {"sleep", "1000"});
  const auto policy = [] {
    return docker({"inspect", "--format",
                   "{{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy."
                   "MaximumRetryCount}}",
                   "web"});
  };
  respond({"protect", "web"});
  EXPECT_EQ(policy(), "no:0");
  respond({"protect", "web"});
  respond({"release", "web"});
  EXPECT_EQ(policy(), "on-failure:3");
}

TEST_F(ActionsLive, CutEndsTheConnectionsOfThisContainerAlone) {
  start("other", {}, {"/talker", "stream", address_of("tunnel"), "7001"});
  start("client", {}, {"/talker", "stream", address_of("tunnel"), "7001"});
  ASSERT_TRUE(eventually([&] { return heard("connected") >= 2; }));
  const Outcome done = respond({"cut", "client", "--json"});
  EXPECT_NE(done.out.find("\"ended\":\"1\""), std::string::npos) << done.out;
  EXPECT_TRUE(eventually([&] { return heard("broken 103", "client") == 1; }));  // ECONNABORTED
  EXPECT_EQ(heard("broken", "other"), 0U);
}

TEST_F(ActionsLive, KillTakesOneProcessOrAll) {
  start("doomed", {}, {"sleep", "1000"});
  docker({"exec", "-d", "doomed", "sleep", "2000"});
  const std::string group = response::find_cgroup(id_of("doomed"));
  ASSERT_TRUE(eventually([&] { return response::processes_in(group).size() == 2; }));
  auto pids = response::processes_in(group);
  std::ranges::sort(pids);
  respond({"kill", "doomed", "--pid", std::to_string(::getpid())}, 1);
  respond({"kill", "doomed", "--pid", std::to_string(pids.back())});
  EXPECT_EQ(response::processes_in(group), std::vector<pid_t>{pids.front()});
  const Outcome refused = respond({"kill", "doomed"}, 1);
  EXPECT_NE(refused.err.find("two people"), std::string::npos) << refused.err;
  respond({"kill", "doomed", "--break-glass", "drill"});
  EXPECT_TRUE(eventually(
      [] { return docker({"inspect", "--format", "{{.State.Running}}", "doomed"}) == "false"; }));
  ASSERT_TRUE(in_trail("kill", "doomed", "started"));
  EXPECT_EQ(text_at(trail("kill", "doomed", "started").back(), {"review"}), "required");
}

TEST_F(ActionsLive, GuardRailsRefuseUntilTheGlassIsBroken) {
  start("precious-db", {}, {"sleep", "1000"});
  start("labelled", {"--label", "cofferdam.protect=true"}, {"sleep", "1000"});
  EXPECT_NE(respond({"freeze", "precious-db"}, 1).err.find("response.protect"), std::string::npos);
  EXPECT_NE(respond({"freeze", "labelled"}, 1).err.find("cofferdam.protect"), std::string::npos);
  respond({"freeze", "labelled", "--break-glass", "drill"});
  EXPECT_NE(respond({"list"}).out.find("review required"), std::string::npos);
  respond({"release", "labelled"});
  EXPECT_EQ(respond({"freeze", "nobody-there"}, 1).out, "");
}

TEST_F(ActionsLive, MoreContainersThanTheLimitNeedAPerson) {
  // Earlier tests of this suite have used some of the four within the window.
  int status = 0;
  for (int number = 0; number < 6 && status == 0; ++number) {
    const std::string name = "many" + std::to_string(number);
    start(name, {}, {"sleep", "1000"});
    const auto outcome = product_->cofferdam({"respond", "freeze", name});
    ASSERT_TRUE(outcome);
    status = outcome->status;
    if (status != 0) {
      EXPECT_NE(outcome->err.find("response.containers_max"), std::string::npos) << outcome->err;
      respond({"freeze", name, "--break-glass", "drill"});
    }
    respond({"release", name});
  }
  EXPECT_EQ(status, 1) << "six containers in a row and nobody asked";
}

}  // namespace
}  // namespace coff::live
