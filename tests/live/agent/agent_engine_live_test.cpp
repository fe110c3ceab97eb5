// The whole product as a person uses it: the real agent beside a real engine, asked by its command
// line.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "live/support/dockerd.hpp"
#include "live/support/require.hpp"
#include "live/support/short_containers.hpp"

namespace coff::live {
namespace {

namespace json = boost::json;

std::optional<std::string> ebpf_missing() {
  if (geteuid() != 0) return "loading kernel programs needs root";
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0) return "this kernel tells no types (BTF)";
  return {};
}

std::string text_at(const json::value& value, std::initializer_list<std::string_view> path) {
  const json::value* at = &value;
  for (const std::string_view name : path) {
    if (!at->is_object()) return {};
    at = at->get_object().if_contains(name);
    if (at == nullptr) return {};
  }
  return at->is_string() ? std::string(at->get_string()) : json::serialize(*at);
}

class AgentEngine : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (docker_missing() || ebpf_missing()) return;
    auto engine = Dockerd::start();
    ASSERT_TRUE(engine) << engine.error().message();
    engine_ = std::move(*engine);
    ASSERT_TRUE(engine_->import_busybox_image());
    const Workspace& place = engine_->workspace();
    // The trail keeper is nobody's friend: it must be able to reach its own directory.
    ASSERT_EQ(::chmod(place.path().c_str(), 0711), 0);
    std::ofstream(place / "cofferdam.yaml")
        << "data_dir: " << place / "trail-data" << "\nrun_dir: " << place / "agent-run"
        << "\nengines: ['" << engine_->socket_path() << "']\n";
    auto agent = Child::start({COFF_PROGRAM, "agent", "--config", place / "cofferdam.yaml"},
                              place / "agent.log");
    ASSERT_TRUE(agent) << agent.error().message();
    agent_ = std::move(*agent);
    ASSERT_TRUE(eventually([] {
      const auto status = cofferdam({"status"});
      return status && status->status == 0 &&
             status->out.find("kernel.exec.sent") != std::string::npos &&
             status->out.find("\"connected\":true") != std::string::npos;
    })) << read_log();
  }
  static void TearDownTestSuite() {
    agent_.stop(20'000);
    engine_.reset();
  }
  void SetUp() override {
    COFF_NEED("ebpf", ebpf_missing());
    COFF_NEED("docker", docker_missing());
    ASSERT_TRUE(agent_.running()) << read_log();
  }

  static bool eventually(const std::function<bool()>& holds) {
    for (int attempt = 0; attempt < 150; ++attempt) {
      if (holds()) return true;
      ::usleep(200'000);
    }
    return false;
  }
  static std::string read_log() {
    std::ostringstream text;
    text << std::ifstream(engine_->workspace() / "agent.log").rdbuf();
    return text.str();
  }
  static std::string read_status() {
    const auto status = cofferdam({"status"});
    return status ? status->out : status.error().message();
  }
  static Result<Outcome> cofferdam(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), COFF_PROGRAM);
    arguments.insert(arguments.end(), {"--config", engine_->workspace() / "cofferdam.yaml"});
    return run(arguments);
  }
  /// Events as the command line gives them, parsed.
  static std::vector<json::value> events(std::vector<std::string> filter) {
    filter.insert(filter.begin(), {"events", "--json"});
    const auto outcome = cofferdam(std::move(filter));
    std::vector<json::value> values;
    if (!outcome) return values;
    std::istringstream lines(outcome->out);
    for (std::string line; std::getline(lines, line);) {
      json::error_code problem;
      values.push_back(json::parse(line, problem));
      EXPECT_FALSE(problem) << line;
    }
    return values;
  }
  static bool any_of(const std::vector<json::value>& values,
                     const std::function<bool(const json::value&)>& wanted) {
    return std::any_of(values.begin(), values.end(), wanted);
  }

  static std::unique_ptr<Dockerd> engine_;
  static Child agent_;
};
std::unique_ptr<Dockerd> AgentEngine::engine_;
Child AgentEngine::agent_;

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
      << read_status() << read_log();
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
  agent_.stop(20'000);
  const auto verified =
      cofferdam({"trail", "verify", "--dir", engine_->workspace() / "trail-data/trail"});
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->status, 0) << verified->out << verified->err;
  const auto shown =
      cofferdam({"trail", "show", "--dir", engine_->workspace() / "trail-data/trail"});
  ASSERT_TRUE(shown);
  EXPECT_NE(shown->out.find("\"type\":\"heartbeat\""), std::string::npos);
  EXPECT_EQ(shown->out.find("\"type\":\"gap\""), std::string::npos);
}

}  // namespace
}  // namespace coff::live
