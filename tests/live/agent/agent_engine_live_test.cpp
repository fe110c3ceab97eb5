// The real agent beside a real engine: what it tells of containers.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "live/agent/product_suite.hpp"
#include "live/support/short_containers.hpp"

namespace coff::live {
namespace {

namespace json = boost::json;

class AgentEngine : public ProductSuite {
 protected:
  static Result<Outcome> cofferdam(std::vector<std::string> arguments) {
    return product_->cofferdam(std::move(arguments));
  }
  static std::vector<json::value> events(std::vector<std::string> filter) {
    return product_->events(std::move(filter));
  }
};

TEST_F(AgentEngine, TellsWhatRanInAContainer) {
  ASSERT_TRUE(engine_->docker({"run", "--rm", "--network", "none", "--name", "probe", "-e",
                               "DB_PASSWORD=geheim", kBusyboxImage, "sh", "-c",
                               "touch /etc/shadow; cat /etc/shadow; cp /bin/busybox /tmp/true; "
                               "/tmp/true --password=geheim"}));
  const auto recorded = [] {
    return any_of(events({"--container", "probe"}), [](const json::value& event) {
      return text_at(event, {"kind"}) == "exec" &&
             text_at(event, {"process", "exe"}) == "/tmp/true";
    });
  };
  ASSERT_TRUE(eventually(recorded));
  const auto of_probe = events({"--container", "probe"});
  EXPECT_TRUE(any_of(of_probe, [](const json::value& event) {
    return text_at(event, {"kind"}) == "open" &&
           text_at(event, {"file", "path"}) == "/etc/shadow" &&
           text_at(event, {"container", "image"}) == kBusyboxImage;
  }));
  // A lifecycle record waits for its container's metadata, two seconds at most.
  EXPECT_TRUE(eventually([] {
    return any_of(events({"--container", "probe"}), [](const json::value& event) {
      return text_at(event, {"kind"}) == "container_start" &&
             text_at(event, {"container", "name"}) == "probe" &&
             text_at(event, {"container", "metadata"}) == "complete";
    });
  }));
  for (const json::value& event : of_probe) {
    EXPECT_EQ(json::serialize(event).find("geheim"), std::string::npos);
  }
}

TEST_F(AgentEngine, ListsContainersAndTheirProcesses) {
  ASSERT_TRUE(engine_->docker({"run", "-d", "--network", "none", "--name", "lister", kBusyboxImage,
                               "sh", "-c", "sleep 1000 & exec sleep 2000"}));
  EXPECT_TRUE(eventually([] {
    const auto list = cofferdam({"ps", "lister"});
    return list && list->status == 0 && list->out.find("sleep 2000") != std::string::npos &&
           list->out.find("sleep 1000") != std::string::npos &&
           list->out.find(kBusyboxImage) != std::string::npos;
  }));
  const auto none = cofferdam({"ps", "no-such-container"});
  ASSERT_TRUE(none);
  EXPECT_EQ(none->status, 1);
  EXPECT_TRUE(engine_->docker({"rm", "-f", "lister"}));
}

TEST_F(AgentEngine, ShortContainersAreNamed) {
  const size_t count = short_containers();
  run_short_containers(*engine_, "short", {"usleep", "20000"});
  std::set<std::string> named;
  ASSERT_TRUE(eventually([&] {
    for (const json::value& event : events({"--kind", "container_start", "--limit", "10000"})) {
      const std::string name = text_at(event, {"container", "name"});
      if (name.starts_with("short-") && text_at(event, {"container", "image"}) == kBusyboxImage) {
        named.insert(name);
      }
    }
    return named.size() == count;
  })) << named.size()
      << "\n"
      << product_->told();
  std::set<std::string> ran;
  for (const json::value& event : events({"--kind", "exec", "--limit", "10000"})) {
    if (text_at(event, {"process", "name"}) != "usleep") continue;
    const std::string id = text_at(event, {"container", "id"});
    EXPECT_EQ(id.size(), 64U) << json::serialize(event);
    ran.insert(id);
  }
  EXPECT_EQ(ran.size(), count);
}

TEST_F(AgentEngine, HostileNamesStayData) {
  const std::string hostile = "evil\x1b[31m\nname\xff\"\\";
  ASSERT_TRUE(engine_->docker({"run", "--rm", "--network", "none", "--label",
                               "l=" + std::string("a\"b"), "--name", "hostile", kBusyboxImage, "sh",
                               "-c", "echo > \"/etc/$1\"; /bin/true \"$1\"", "sh", hostile}));
  ASSERT_TRUE(
      eventually([] { return !events({"--container", "hostile", "--kind", "exec"}).empty(); }));
  const auto printed = cofferdam({"events", "--container", "hostile"});
  ASSERT_TRUE(printed);
  EXPECT_EQ(printed->out.find('\x1b'), std::string::npos);
  EXPECT_NE(printed->out.find("\\x1b[31m"), std::string::npos);
}

// Last, because it stops the agent.
TEST_F(AgentEngine, ZTheTrailVerifiesAfterTheAgentStopped) {
  const auto doctor = cofferdam({"doctor"});
  ASSERT_TRUE(doctor);
  EXPECT_NE(doctor->out.find("hooks attached"), std::string::npos);
  EXPECT_NE(doctor->out.find("witness"), std::string::npos);
  product_->stop();
  const auto verified = cofferdam({"trail", "verify", "--dir", product_->trail_dir()});
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->status, 0) << verified->out << verified->err;
  const auto shown = cofferdam({"trail", "show", "--dir", product_->trail_dir()});
  ASSERT_TRUE(shown);
  EXPECT_NE(shown->out.find("\"type\":\"heartbeat\""), std::string::npos);
  EXPECT_EQ(shown->out.find("\"type\":\"gap\""), std::string::npos);
}

}  // namespace
}  // namespace coff::live
