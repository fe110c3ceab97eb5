// Learned behaviour with a real engine and a real kernel: a container is learned, then departs.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <set>

#include "live/agent/product.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/require.hpp"

namespace coff::live {
namespace {

namespace json = boost::json;

constexpr const char* kService = "compose:shop/web";
constexpr const char* kSettings =
    "baseline:\n  window_s: 8\n"
    "rules:\n  files: [" COFF_SOURCE_DIR "/rules]\n";

class BaselineLive : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (docker_missing() || ebpf_missing()) return;
    auto engine = Dockerd::start();
    ASSERT_TRUE(engine) << engine.error().message();
    engine_ = std::move(*engine);
    ASSERT_TRUE(engine_->import_busybox_image());
    auto product = Product::start({engine_->socket_path()}, kSettings);
    ASSERT_TRUE(product) << product.error().message();
    product_ = std::move(*product);
  }
  static void TearDownTestSuite() {
    product_.reset();
    engine_.reset();
  }
  void SetUp() override {
    COFF_NEED("ebpf", ebpf_missing());
    COFF_NEED("docker", docker_missing());
    ASSERT_NE(product_, nullptr);
    ASSERT_TRUE(product_->running()) << product_->told();
  }

  static Outcome baseline(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "baseline");
    const auto outcome = product_->cofferdam(arguments);
    EXPECT_TRUE(outcome) << outcome.error().message();
    EXPECT_EQ(outcome->status, 0) << arguments[1] << ": " << outcome->out << outcome->err;
    return outcome ? *outcome : Outcome{};
  }
  static json::object profile() {
    json::error_code problem;
    const json::value value = json::parse(baseline({"show", kService, "--json"}).out, problem);
    EXPECT_FALSE(problem);
    return value.is_object() ? value.get_object() : json::object();
  }
  static std::string state() {
    const auto listed = product_->cofferdam({"baseline", "list"});
    if (!listed || listed->out.find(kService) == std::string::npos) return {};
    return text_at(profile(), {"state"});
  }
  static void in_container(const std::string& script) {
    const auto outcome = engine_->docker({"exec", "shop-web", "sh", "-c", script});
    EXPECT_TRUE(outcome) << outcome.error().message();
  }
  /// "executable /tmp/x" and the like, of all departures in the trail.
  static std::multiset<std::string> departures() {
    std::multiset<std::string> found;
    for (const json::value& event : product_->events({"--kind", "departure"})) {
      if (text_at(event, {"type"}) != "event") continue;  // Findings about them.
      EXPECT_EQ(text_at(event, {"baseline", "service"}), kService) << json::serialize(event);
      EXPECT_FALSE(text_at(event, {"process", "exe"}).empty()) << json::serialize(event);
      EXPECT_EQ(text_at(event, {"container", "name"}), "shop-web");
      found.insert(text_at(event, {"baseline", "what"}) + ' ' +
                   text_at(event, {"baseline", "value"}));
    }
    return found;
  }
  static bool departed(const std::string& text) {
    return eventually([&] { return departures().contains(text); });
  }
  static bool found_by(const std::string& rule) {
    return eventually([&] {
      const auto findings = product_->cofferdam({"findings", "--json"});
      return findings && findings->out.find("\"rule\":\"" + rule + "\"") != std::string::npos;
    });
  }

  static inline std::unique_ptr<Dockerd> engine_;
  static inline std::unique_ptr<Product> product_;
};

TEST_F(BaselineLive, WhatIsNewAfterTheWindowIsAnEventAndAFinding) {
  ASSERT_TRUE(engine_->docker(
      {"run", "-d", "--network", "none", "--name", "shop-web", "--label",
       "com.docker.compose.project=shop", "--label", "com.docker.compose.service=web",
       kBusyboxImage, "sh", "-c",
       "while true; do echo x >> /tmp/app.log; cat /tmp/app.log > /dev/null; sleep 1; done"}));
  ASSERT_TRUE(eventually([] { return state() == "learning"; })) << product_->told();
  // A person looked in while it was learned: that is known, too.
  in_container("echo hello");
  ASSERT_TRUE(eventually([] { return state() == "watching"; })) << product_->told();
  EXPECT_EQ(departures(), std::multiset<std::string>());
  const std::string known = json::serialize(profile());
  for (const char* value : {"/bin/busybox", "/tmp/app.log", "(outside) > /bin/busybox"}) {
    EXPECT_NE(known.find(value), std::string::npos) << value << " in " << known;
  }

  in_container(
      "cp /bin/busybox /tmp/evil; /tmp/evil true; echo y > /opt-elsewhere; unshare -U true; true");
  EXPECT_TRUE(departed("executable /tmp/evil")) << json::serialize(profile());
  EXPECT_TRUE(departed("file /tmp/evil"));
  EXPECT_TRUE(departed("file /opt-elsewhere"));
  EXPECT_TRUE(departed("call unshare CLONE_NEWUSER")) << json::serialize(profile());
  EXPECT_TRUE(found_by("Program that its service never ran"));
  EXPECT_TRUE(found_by("File that its service never wrote"));
  EXPECT_TRUE(found_by("Sensitive call that its service never made"));
  // Once each, however often it happens.
  const auto before = departures();
  in_container("/tmp/evil true; /tmp/evil true; echo y > /opt-elsewhere");
  ASSERT_TRUE(eventually([] {
    return json::serialize(profile()).find("\"count\":3") != std::string::npos;
  })) << json::serialize(profile());
  EXPECT_EQ(departures(), before);
}

TEST_F(BaselineLive, ProfilesSurviveARestartAndPinnedOnesStay) {
  ASSERT_EQ(state(), "watching");
  baseline({"pin", "shop/web"});
  const auto departures_before = departures();
  const json::object before = profile();
  product_->stop();
  ASSERT_TRUE(product_->start_again());
  const json::object after = profile();
  EXPECT_EQ(text_at(after, {"state"}), "pinned");
  EXPECT_EQ(text_at(after, {"fingerprint"}), text_at(before, {"fingerprint"}));
  EXPECT_EQ(after.at("departures").as_array().size(), before.at("departures").as_array().size());
  const auto told = departures();
  EXPECT_EQ(told, departures_before) << "what ran already is no news";
  in_container("/tmp/evil true; cp /bin/busybox /tmp/worse; /tmp/worse true; true");
  EXPECT_TRUE(departed("executable /tmp/worse"));
  EXPECT_EQ(departures().count("executable /tmp/evil"), 1U) << "told before the restart";
  EXPECT_GT(departures().size(), told.size());
}

TEST_F(BaselineLive, PeopleAcceptExportForgetAndImport) {
  ASSERT_EQ(state(), "pinned");
  baseline({"accept", kService, "executable", "/tmp/evil"});
  const auto again =
      product_->cofferdam({"baseline", "accept", kService, "executable", "/tmp/evil"});
  ASSERT_TRUE(again);
  EXPECT_NE(again->status, 0);
  baseline({"accept", kService, "--all"});
  EXPECT_TRUE(profile().at("departures").as_array().empty());
  const std::string file = engine_->workspace() / "profile.json";
  std::ofstream(file) << baseline({"export", kService}).out;
  const std::string fingerprint = text_at(profile(), {"fingerprint"});
  baseline({"forget", kService});
  EXPECT_NE(state(), "pinned");
  baseline({"import", file});
  EXPECT_EQ(state(), "pinned");
  EXPECT_EQ(text_at(profile(), {"fingerprint"}), fingerprint);
  // Who did it stands in the trail.
  EXPECT_TRUE(eventually(
      [] { return !product_->events({"--kind", "view", "--text", "baseline.accept"}).empty(); }));
}

}  // namespace
}  // namespace coff::live
