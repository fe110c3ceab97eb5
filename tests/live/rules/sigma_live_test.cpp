// Public Sigma rules and a correlation of ours, run by the agent: each fires on what a real
// container does, and spares its neighbour.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "live/rules/stage.hpp"
#include "live/support/require.hpp"
#include "rules/testing/vectors.hpp"

namespace coff::live {
namespace {

struct SigmaCase {
  std::string_view rule;
  std::string_view fires;
  std::string_view spares;
};

constexpr std::string_view kDecoding = "Decode Base64 Encoded Text";
constexpr std::string_view kDecodedThrice = "Three texts decoded by one program";
// Run before all cases.
constexpr std::string_view kCopies =
    "mkdir -p /srv/bin; cp /usr/bin/deed /srv/base64; cp /usr/bin/deed /srv/bin/bash; ";

constexpr SigmaCase kCases[] = {
    {kDecoding, "/srv/base64 -d x", "/srv/base64 x"},
    {"Persistence Via Sudoers.d Files", "mkdir -p /etc/sudoers.d; echo x > /etc/sudoers.d/x",
     "echo x > /etc/sudoers"},
    {"Linux Reverse Shell Indicator", "/srv/bin/bash stdio 1 127.0.0.2",
     "/srv/bin/bash stdio 1 127.0.0.1"},
    {"Split A File Into Pieces - Linux", "cp /usr/bin/deed /srv/split; /srv/split x",
     "cp /usr/bin/deed /srv/splits; /srv/splits x"},
    {"Modification of ld.so.preload", "echo > /etc/ld.so.preload", "echo > /etc/ld.so.conf"},
    {kDecodedThrice, "/srv/base64 -d a; /srv/base64 -d b; /srv/base64 -d c",
     "/srv/base64 -d a; /srv/base64 -d b"},
};

std::string mark_of(size_t number, char way) { return "g" + std::to_string(number) + way; }

void write_correlation(const std::string& path) {
  std::ofstream(path) << "title: " << kDecodedThrice
                      << "\n"
                         "id: 6a1a9a0e-5a7e-4b3c-9d1e-2f6b7c8d9e0f\n"
                         "correlation:\n"
                         "  type: event_count\n"
                         "  rules: [e2072cab-8c9a-459b-b63c-40ae79e27031]\n"
                         "  group-by: [ParentProcessId]\n"
                         "  timespan: 1m\n"
                         "  generate: true\n"
                         "  condition: {gte: 3}\n"
                         "level: high\n";
}

class SigmaLive : public ::testing::Test {
 protected:
  void SetUp() override {
    COFF_NEED("ebpf", ebpf_missing());
    COFF_NEED("docker", docker_missing());
    if (rules::testing::read_data("sigma-linux/LICENSE")) return;
    if (rules::testing::data_required()) FAIL() << "the Sigma rules are missing";
    GTEST_SKIP() << "the Sigma rules are not there";
  }
};

TEST_F(SigmaLive, RulesAndACorrelationFireInAContainerAndSpareTheNeighbour) {
  const Workspace folder = *Workspace::create();
  write_correlation(folder / "correlation.yml");
  // Paths of settings go no way back.
  const auto public_rules =
      std::filesystem::canonical(rules::testing::data_path("sigma-linux/linux"));
  auto started =
      Stage::start("  files: [" COFF_SOURCE_DIR "/rules]\n  repeat_seconds: 0\n  sigma_files: [" +
                   public_rules.string() + ", " + folder.path() + "]\n");
  ASSERT_TRUE(started) << started.error().message();
  Stage& stage = **started;
  for (size_t at = 0; at < std::size(kCases); ++at) {
    ASSERT_TRUE(stage.add(Place::kPlain, mark_of(at, 's'),
                          std::string(at == 0 ? kCopies : "") + std::string(kCases[at].spares)));
    ASSERT_TRUE(stage.add(Place::kPlain, mark_of(at, 'f'), kCases[at].fires));
  }
  const std::string said = stage.run();
  FoundByMark found;
  const auto missing = [&] {
    std::string names;
    for (size_t at = 0; at < std::size(kCases); ++at) {
      if (found[mark_of(at, 'f')].contains(std::string(kCases[at].rule))) continue;
      names += "  " + std::string(kCases[at].rule) + "\n";
    }
    return names;
  };
  EXPECT_TRUE(eventually([&] {
    found = stage.found();
    return missing().empty();
  })) << "did not fire:\n"
      << missing() << "the scripts said:\n"
      << said << stage.product().told();
  for (size_t at = 0; at < std::size(kCases); ++at) {
    EXPECT_FALSE(found[mark_of(at, 's')].contains(std::string(kCases[at].rule)))
        << "fired on the neighbour: " << kCases[at].rule;
  }
  // What the licence of the rules asks for.
  size_t kept = 0;
  for (const MarkedFinding& each : stage.findings()) {
    if (text_at(each.entry, {"finding", "rule"}) != kDecoding) continue;
    ++kept;
    EXPECT_EQ(text_at(each.entry, {"finding", "language"}), "sigma");
    EXPECT_NE(text_at(each.entry, {"finding", "author"}), "");
    EXPECT_NE(text_at(each.entry, {"finding", "license"}), "");
    EXPECT_EQ(text_at(each.entry, {"finding", "level"}), "low");
    EXPECT_NE(text_at(each.entry, {"finding", "attack"}), "[]");
  }
  EXPECT_GT(kept, 0U);
}

}  // namespace
}  // namespace coff::live
