// The third-party suite of the official rules, run live in containers and on the host: every case
// must make its rule fire, with the fields that it expects.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "live/rules/stage.hpp"
#include "live/rules/suite_case.hpp"
#include "live/support/require.hpp"
#include "rules/testing/vectors.hpp"

namespace coff::live {
namespace {

constexpr size_t kCasesMin = 150;

std::optional<std::string> suite_missing() {
  const std::string folder = rules::testing::data_path("falco-tests/evtgen_suite");
  if (std::filesystem::is_directory(folder)) return {};
  return folder + " is not there";
}

std::string lower(std::string text) {
  for (char& byte : text) byte = byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
  return text;
}

// What is wrong with a case, "" for nothing.
std::string judge(const SuiteCase& wanted, const std::string& mark,
                  const std::vector<MarkedFinding>& findings) {
  std::string told = "not found";
  for (const MarkedFinding& each : findings) {
    if (!each.marks.contains(mark)) continue;
    if (text_at(each.entry, {"finding", "rule"}) != wanted.rule) continue;
    told.clear();
    const std::string priority = lower(text_at(each.entry, {"finding", "priority"}));
    if (priority != wanted.priority) told += " priority=" + priority;
    for (const auto& [name, value] : wanted.fields) {
      const auto& fields = each.entry.at("finding").at("fields").as_object();
      // A rule's output need not have the field.
      const auto* given = fields.if_contains(name);
      if (given == nullptr || !given->is_string()) continue;
      if (given->get_string() != value) {
        told += " " + name + "=" + std::string(given->get_string());
      }
    }
    if (told.empty()) return {};
  }
  return told;
}

TEST(SuiteLive, EveryCaseOfTheOfficialSuiteFires) {
  COFF_NEED("ebpf", ebpf_missing());
  COFF_NEED("docker", docker_missing());
  COFF_NEED("data", suite_missing());
  std::vector<SuiteCase> cases;
  for (const auto& file :
       std::filesystem::directory_iterator(rules::testing::data_path("falco-tests/evtgen_suite"))) {
    auto some = read_suite(file.path().string());
    ASSERT_TRUE(some) << some.error().message();
    std::ranges::move(*some, std::back_inserter(cases));
  }
  const std::string official =
      std::filesystem::weakly_canonical(rules::testing::data_path("falco-rules/falco_rules.yaml"));
  auto started = Stage::start("  files: [\"" + official +
                              "\"]\n  repeat_seconds: 0\n  findings_per_minute: 0\n");
  ASSERT_TRUE(started) << started.error().message();
  Stage& stage = **started;
  size_t run = 0;
  for (size_t at = 0; at < cases.size(); ++at) {
    if (!cases[at].cannot.empty()) {
      std::printf("not run: %s: %s\n", cases[at].name.c_str(), cases[at].cannot.c_str());
      continue;
    }
    ++run;
    ASSERT_TRUE(stage.add(cases[at].place, fmt::format("e{:04}", at), cases[at].script));
  }
  const std::string said = stage.run();
  std::string wrong;
  EXPECT_TRUE(eventually([&] {
    const auto findings = stage.findings();
    wrong.clear();
    for (size_t at = 0; at < cases.size(); ++at) {
      if (!cases[at].cannot.empty()) continue;
      const std::string mark = fmt::format("e{:04}", at);
      const std::string why = judge(cases[at], mark, findings);
      if (!why.empty()) wrong += mark + " " + cases[at].name + ": " + why + "\n";
    }
    return wrong.empty();
  })) << wrong
      << said;
  std::printf("%zu of %zu cases ran\n", run, cases.size());
  EXPECT_GE(run, kCasesMin);
}

}  // namespace
}  // namespace coff::live
