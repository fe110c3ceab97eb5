// A network with two containers that talk, an engine and an agent: what actions are tried on.
#include "live/response/stage.hpp"

#include <time.h>
#include <unistd.h>

#include <charconv>
#include <sstream>

namespace coff::live {

namespace {
constexpr const char* kSettings =
    "response:\n  containers_max: 4\n  protect: [\"precious*\"]\n  approvers: APPROVERS\n"
    "profile:\n  base: minimal\nrules:\n  files: []\nbaseline:\n  window_s: 0\n";
}

void ResponseLive::SetUpTestSuite() {
  if (docker_missing() || ebpf_missing()) return;
  auto engine = Dockerd::start({.arguments = {"--live-restore"}});
  ASSERT_TRUE(engine) << engine.error().message();
  engine_ = std::move(*engine);
  ASSERT_TRUE(engine_->import_busybox_image());
  const auto number = static_cast<unsigned>(::getpid()) % 250;
  prefix_ = "10.213." + std::to_string(number);
  docker({"network", "create", "--ipv6", "--subnet", prefix_ + ".0/24", "--subnet",
          "fd00:c0ff:" + std::to_string(number) + "::/64", "coffnet"});
  docker({"run", "-d", "--name", "tunnel", "--network", "coffnet", "-v",
          std::string(COFF_TALKER) + ":/talker:ro", kBusyboxImage, "/talker", "listen", "7001"});
  approvers_ = ::testing::TempDir() + "/cofferdam-approvers-" + std::to_string(::getpid());
  std::string settings = kSettings;
  settings.replace(settings.find("APPROVERS"), 9, approvers_);
  auto product = Product::start({engine_->socket_path()}, settings);
  ASSERT_TRUE(product) << product.error().message();
  product_ = std::move(*product);
}

void ResponseLive::TearDownTestSuite() {
  product_.reset();
  if (engine_) {
    docker({"rm", "-f", "tunnel"});
    docker({"network", "rm", "coffnet"});
  }
  engine_.reset();
}

void ResponseLive::SetUp() {
  COFF_NEED("ebpf", ebpf_missing());
  COFF_NEED("docker", docker_missing());
  ASSERT_NE(product_, nullptr);
}

void ResponseLive::TearDown() {
  for (const std::string& name : started_) docker({"rm", "-f", name});
}

std::string ResponseLive::docker(std::vector<std::string> arguments) {
  const std::string first = arguments.empty() ? "" : arguments.front();
  const auto outcome = engine_->docker(std::move(arguments));
  EXPECT_TRUE(outcome) << first << ": " << outcome.error().message();
  return outcome.value_or("");
}

void ResponseLive::start(const std::string& name, const std::vector<std::string>& options,
                         const std::vector<std::string>& command, const std::string& network) {
  std::vector<std::string> arguments = {
      "run",       "-d",   "--name", name, "-v", std::string(COFF_TALKER) + ":/talker:ro",
      "--network", network};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.emplace_back(kBusyboxImage);
  arguments.insert(arguments.end(), command.begin(), command.end());
  started_.push_back(name);
  docker(std::move(arguments));
}

std::string ResponseLive::talk(const std::string& container, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"exec", container, "/talker"});
  return docker(std::move(arguments));
}

Outcome ResponseLive::respond(std::vector<std::string> arguments, int expected_status) {
  arguments.insert(arguments.begin(), "respond");
  const auto outcome = product_->cofferdam(arguments);
  EXPECT_TRUE(outcome) << outcome.error().message();
  if (!outcome) return {};
  EXPECT_EQ(outcome->status, expected_status) << outcome->out << outcome->err;
  return *outcome;
}

std::string ResponseLive::address_of(const std::string& container, bool six) {
  const std::string member = six ? "GlobalIPv6Address" : "IPAddress";
  return docker({"inspect", "--format",
                 "{{(index .NetworkSettings.Networks \"coffnet\")." + member + "}}", container});
}

std::size_t ResponseLive::heard(const std::string& line, const std::string& container) {
  std::istringstream lines(docker({"logs", container}));
  std::size_t count = 0;
  for (std::string each; std::getline(lines, each);) {
    if (each.find(line) != std::string::npos) ++count;
  }
  return count;
}

std::int64_t ResponseLive::last_bytes_us() {
  std::istringstream lines(docker({"logs", "--tail", "2000", "tunnel"}));
  std::int64_t last = 0;
  for (std::string each; std::getline(lines, each);) {
    if (!each.starts_with("bytes ")) continue;
    std::from_chars(each.data() + 6, each.data() + each.size(), last);
  }
  return last;
}

std::int64_t ResponseLive::now_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

std::vector<boost::json::value> ResponseLive::trail(const std::string& action,
                                                    const std::string& container,
                                                    const std::string& stage) {
  auto found = product_->events({"--text", stage});
  std::erase_if(found, [&](const auto& entry) {
    return text_at(entry, {"type"}) != "action" || text_at(entry, {"action"}) != action ||
           text_at(entry, {"container", "name"}) != container || text_at(entry, {"stage"}) != stage;
  });
  return found;
}

bool ResponseLive::in_trail(const std::string& action, const std::string& container,
                            const std::string& stage, std::size_t count) {
  return eventually([&] { return trail(action, container, stage).size() >= count; });
}

}  // namespace coff::live
