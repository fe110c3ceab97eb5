// Who talks to whom between real containers, as the command line tells it.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "live/agent/product.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/require.hpp"

namespace coff::live {
namespace {

namespace json = boost::json;

class FlowsLive : public testing::Test {
 protected:
  void SetUp() override {
    COFF_NEED("ebpf", ebpf_missing());
    COFF_NEED("docker", docker_missing());
    auto engine = Dockerd::start({.bridge = Bridge::kPrivate});
    ASSERT_TRUE(engine) << engine.error().message();
    engine_ = std::move(*engine);
    ASSERT_TRUE(engine_->import_busybox_image());
    start_container({"--name", "shop-app", "-p", "127.0.0.1:18080:8080"},
                    "httpd -f -p 8080 -h /etc");
    start_container({"--name", "shop-web"}, "sleep 600");
    start_container({"--name", "listener"}, "sh -c 'sleep 600 | nc -l -p 7000'");
    server_ = inspect("shop-app");
    listener_ = inspect("listener");
    ASSERT_FALSE(server_.empty());
  }

  void start_container(std::vector<std::string> options, const std::string& program) {
    std::vector<std::string> arguments = {"run", "-d", "--init=false"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {kBusyboxImage, "sh", "-c", "exec " + program});
    const auto started = engine_->docker(arguments, {.time_ms_max = 60'000});
    ASSERT_TRUE(started) << started.error().message();
  }
  std::string inspect(const std::string& name) {
    auto address =
        engine_->docker({"inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", name});
    return address ? *address : "";
  }
  /// Runs in shop-web; whatever it answers.
  void in_web(const std::string& command) {
    std::ignore = engine_->docker({"exec", "shop-web", "sh", "-c", command});
  }
  static json::value flows(const Product& product, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"flows", "list", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto outcome = product.cofferdam(arguments);
    if (!outcome) return {};
    json::error_code problem;
    json::value value = json::parse(outcome->out, problem);
    EXPECT_FALSE(problem) << outcome->out;
    return value;
  }
  /// The edge between two containers, or programs of the host; null when there is none. The
  /// shell of busybox starts its applets as "exe", so a program says nothing there.
  static json::value edge(const json::value& flows, const std::string& from,
                          const std::string& to) {
    const auto* list = flows.is_object() ? flows.get_object().if_contains("edges") : nullptr;
    if (list == nullptr) return {};
    const auto name = [](const json::value& each, std::string_view side) {
      const std::string container = text_at(each, {side, "container", "name"});
      return container.empty() ? text_at(each, {side, "process"}) : container;
    };
    for (const json::value& each : list->get_array()) {
      if (name(each, "client") == from && name(each, "server") == to) return each;
    }
    return {};
  }

  std::unique_ptr<Dockerd> engine_;
  std::string server_;
  std::string listener_;
};

TEST_F(FlowsLive, BothEndsOfContainersAreKnown) {
  // A connection that is older than the agent, held open by both sides.
  const auto held = engine_->docker(
      {"exec", "-d", "shop-web", "sh", "-c", "sleep 600 | nc " + listener_ + " 7000"});
  ASSERT_TRUE(held) << held.error().message();
  ASSERT_TRUE(eventually([&] {
    const auto listed = engine_->docker({"exec", "shop-web", "netstat", "-tn"});
    return listed && listed->find(":7000") != std::string::npos &&
           listed->find("ESTABLISHED") != std::string::npos;
  }));
  auto started = Product::start({engine_->socket_path()});
  ASSERT_TRUE(started) << started.error().message();
  const Product& product = **started;

  for (int request = 0; request < 3; ++request) {
    in_web("wget -q -O /dev/null http://" + server_ + ":8080/hostname");
  }
  in_web("wget -q -O /dev/null http://" + server_ + ":9/");
  // By the published port: the engine's proxy is an end of two connections.
  const auto published = run({"wget", "-q", "-O", "/dev/null", "http://127.0.0.1:18080/hostname"});

  json::value all;
  EXPECT_TRUE(eventually([&] {
    all = flows(product);
    return text_at(edge(all, "shop-web", "shop-app"), {"connections"}) == "3";
  })) << json::serialize(all)
      << product.told();
  const json::value used = edge(all, "shop-web", "shop-app");
  EXPECT_EQ(text_at(used, {"port"}), "8080");
  EXPECT_EQ(text_at(used, {"failed"}), "0");
  EXPECT_GT(std::stoul("0" + text_at(used, {"bytes_to_server"})), 100U);
  EXPECT_GT(std::stoul("0" + text_at(used, {"bytes_to_client"})), 100U);
  EXPECT_EQ(text_at(used, {"server", "container", "image"}).find("coff/busybox"), 0U);

  EXPECT_TRUE(eventually([&] {
    all = flows(product);
    return text_at(edge(all, "shop-web", "listener"), {"existed_before"}) == "true";
  })) << json::serialize(all);
  if (published && published->status == 0) {
    EXPECT_TRUE(eventually([&] {
      all = flows(product);
      return edge(all, "docker-proxy", "shop-app").is_object();
    })) << json::serialize(all);
  }
  std::vector<json::value> told;
  EXPECT_TRUE(eventually([&] {
    told = product.events({"--kind", "edge"});
    return std::any_of(told.begin(), told.end(), [&](const json::value& each) {
      return text_at(each, {"edge", "port"}) == "9" &&
             text_at(each, {"edge", "last_error"}) == "ECONNREFUSED";
    });
  })) << (told.empty() ? "no edge" : json::serialize(told.back()));

  const auto reach = product.cofferdam({"flows", "reach", "shop-web", "--by", "container"});
  ASSERT_TRUE(reach);
  EXPECT_NE(reach->out.find("shop-web -> shop-app"), std::string::npos) << reach->out;
  const auto impact = product.cofferdam({"flows", "impact", "shop-app", "--by", "container"});
  ASSERT_TRUE(impact);
  EXPECT_NE(impact->out.find("shop-web -> shop-app"), std::string::npos) << impact->out;
  const auto drawn = product.cofferdam({"flows", "graph", "--by", "container"});
  ASSERT_TRUE(drawn);
  EXPECT_NE(drawn->out.find("\"shop-web\" -> \"shop-app\""), std::string::npos);
}

TEST_F(FlowsLive, EveryConnectionCounts) {
  auto started = Product::start({engine_->socket_path()});
  ASSERT_TRUE(started) << started.error().message();
  const Product& product = **started;
  constexpr unsigned kConnections = 800;
  in_web("i=0; while [ $i -lt " + std::to_string(kConnections) + " ]; do nc " + server_ +
         " 8080 </dev/null >/dev/null; i=$((i+1)); done");
  json::value all;
  EXPECT_TRUE(eventually([&] {
    all = flows(product);
    return text_at(edge(all, "shop-web", "shop-app"), {"connections"}) ==
           std::to_string(kConnections);
  })) << json::serialize(all);
  EXPECT_EQ(text_at(all, {"coverage", "lost"}), "0");
}

}  // namespace
}  // namespace coff::live
