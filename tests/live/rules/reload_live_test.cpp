// Rules are read again under load: no event is lost, and what was counted stays counted.
#include <gtest/gtest.h>

#include <thread>

#include "live/rules/stage.hpp"
#include "live/support/require.hpp"

namespace coff::live {
namespace {

constexpr int kRuns = 2000;
constexpr int kReloads = 20;

std::string explained(const Stage& stage, std::initializer_list<std::string_view> path) {
  const auto outcome = stage.product().cofferdam({"rules", "explain", "Miner started", "--json"});
  if (!outcome) return outcome.error().message();
  boost::json::error_code problem;
  return text_at(boost::json::parse(outcome->out, problem), path);
}

std::uint64_t kernel_lost(const Product& product) {
  const auto status = product.cofferdam({"status"});
  std::uint64_t lost = 0;
  constexpr std::string_view kName = ".lost";
  for (size_t at = status->out.find(kName); at != std::string::npos;
       at = status->out.find(kName, at + 1)) {
    lost += std::strtoull(status->out.c_str() + at + kName.size(), nullptr, 10);
  }
  return lost;
}

TEST(ReloadLive, LosesNoEventAndKeepsItsCounts) {
  COFF_NEED("ebpf", ebpf_missing());
  COFF_NEED("docker", docker_missing());
  auto started = Stage::start("  files: [" COFF_SOURCE_DIR "/rules]\n");
  ASSERT_TRUE(started) << started.error().message();
  Stage& stage = **started;
  ASSERT_TRUE(stage.add(Place::kPlain, "load",
                        "at=0; while [ $at -lt " + std::to_string(kRuns) +
                            " ]; do /usr/bin/xmrig; at=$((at + 1)); done"));
  {
    const std::jthread reloading([&](const std::stop_token& stop) {
      for (int at = 0; at < kReloads && !stop.stop_requested(); ++at) {
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        stage.product().reload();
      }
    });
    stage.run();
  }
  EXPECT_TRUE(eventually([&] {
    return explained(stage, {"counts", "matched"}) == std::to_string(kRuns);
  })) << explained(stage, {"counts"})
      << stage.product().told();
  // One finding, and a number: not two thousand.
  EXPECT_EQ(explained(stage, {"counts", "told"}), "1");
  EXPECT_EQ(explained(stage, {"counts", "repeats"}), std::to_string(kRuns - 1));
  EXPECT_EQ(kernel_lost(stage.product()), 0U);
  const auto status = stage.product().cofferdam({"status"});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->out.find("(0 reloads"), std::string::npos) << status->out.substr(0, 200);
}

TEST(FindingsLive, QuoteWhatCameBeforeAndNameTheirEntry) {
  COFF_NEED("ebpf", ebpf_missing());
  COFF_NEED("docker", docker_missing());
  auto started = Stage::start("  files: [" COFF_SOURCE_DIR "/rules]\n");
  ASSERT_TRUE(started) << started.error().message();
  Stage& stage = **started;
  ASSERT_TRUE(stage.add(Place::kPlain, "intruder",
                        "deed tcp 203.0.113.9 443; deed half /bin/sh -c true; /usr/bin/xmrig"));
  stage.run();
  boost::json::value finding;
  ASSERT_TRUE(eventually([&] {
    const auto found = stage.product().cofferdam({"findings", "--json"});
    boost::json::error_code problem;
    for (size_t begin = 0, end = 0; (end = found->out.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      auto each = boost::json::parse(found->out.substr(begin, end - begin), problem);
      if (text_at(each, {"finding", "rule"}) == "Miner started") finding = std::move(each);
    }
    return !text_at(finding, {"finding", "rule"}).empty();
  })) << stage.product().told();
  const std::string before = text_at(finding, {"finding", "before", "events"});
  EXPECT_NE(before.find("\"kind\":\"connect\""), std::string::npos) << before;
  EXPECT_NE(before.find("\"kind\":\"setid\""), std::string::npos) << before;
  EXPECT_NE(before.find("\"kind\":\"exit\""), std::string::npos) << before;
  EXPECT_NE(before.find("203.0.113.9"), std::string::npos) << before;
  EXPECT_NE(text_at(finding, {"finding", "before", "lacks"}), "[]");
  EXPECT_EQ(text_at(finding, {"finding", "attack"}), R"(["T1496"])");
  // The entry that it names is the event itself.
  const std::string entry = text_at(finding, {"finding", "entry"});
  ASSERT_FALSE(entry.empty()) << boost::json::serialize(finding);
  const auto shown =
      stage.product().cofferdam({"trail", "show", entry, "--dir", stage.product().trail_dir()});
  ASSERT_TRUE(shown);
  EXPECT_NE(shown->out.find("\"kind\":\"exec\""), std::string::npos) << shown->out << shown->err;
  EXPECT_NE(shown->out.find("xmrig"), std::string::npos) << shown->out;
  // The same in Falco's own shape.
  const auto falco = stage.product().cofferdam({"findings", "--format", "falco"});
  ASSERT_TRUE(falco);
  boost::json::error_code problem;
  const auto line = boost::json::parse(falco->out.substr(0, falco->out.find('\n')), problem);
  ASSERT_FALSE(problem) << falco->out;
  for (const char* member : {"time", "rule", "priority", "source", "hostname", "output"}) {
    EXPECT_FALSE(text_at(line, {member}).empty()) << member;
  }
  EXPECT_FALSE(text_at(line, {"output_fields", "evt.time"}).empty()) << falco->out;
}

}  // namespace
}  // namespace coff::live
