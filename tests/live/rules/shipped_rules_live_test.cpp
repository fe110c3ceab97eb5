// Every shipped rule fires on a real kernel, in a real container or on the host, and spares its
// neighbour there.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "live/rules/stage.hpp"
#include "live/support/require.hpp"
#include "rules/rules.hpp"

namespace coff::live {
namespace {

constexpr Exempt kExempt[] = {
    {"Kernel module from an unusual place",
     "needs a module that fits the running kernel; src/rules tests it with made events"},
};

// What this machine cannot do, and why.
std::vector<Exempt> exempt_here() {
  std::vector<Exempt> exempt;
  if (!missing_capabilities().empty()) {
    exempt.push_back({"Privileged container started",
                      "this machine may not give every capability, so none can be started"});
  }
  if (::access("/proc/modules", F_OK) != 0) {
    exempt.push_back({"Kernel module load attempted in a container",
                      "this kernel was built without modules and has no such call"});
  }
#ifndef __x86_64__
  exempt.push_back({"32-bit calls by a 64-bit program in a container",
                    "this machine has no 32-bit entry for 64-bit programs"});
#endif
  return exempt;
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const auto cases :
       {escape_cases(), execution_cases(), file_cases(), network_cases(), host_cases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

std::string mark_of(size_t number, char way) { return fmt::format("c{:03}{}", number, way); }

class ShippedRulesLive : public ::testing::Test {
 protected:
  void SetUp() override {
    COFF_NEED("ebpf", ebpf_missing());
    COFF_NEED("docker", docker_missing());
  }
};

TEST_F(ShippedRulesLive, EachHasACase) {
  const auto loaded = rules::load_files({COFF_SOURCE_DIR "/rules"});
  std::set<std::string_view> named;
  for (const Case& each : all_cases()) {
    EXPECT_TRUE(named.insert(each.rule).second) << "twice: " << each.rule;
  }
  for (const Exempt& each : kExempt) {
    EXPECT_TRUE(named.insert(each.rule).second) << each.rule;
    std::printf("not run: %s: %s\n", each.rule.data(), each.reason.data());
  }
  EXPECT_LE(std::size(kExempt), 3U);
  for (const rules::Rule* rule : loaded.rules->rules()) {
    // What departs has to be learned first: tests/live/agent/baseline_live_test.cpp.
    if (rule->file.ends_with("/80-baseline.yaml")) continue;
    EXPECT_EQ(named.erase(rule->name), 1U) << "without a case: " << rule->name;
  }
  for (const std::string_view name : named) ADD_FAILURE() << "no such rule: " << name;
}

// Runs all cases under the shipped rules and these further lines of the section `rules`.
FoundByMark run_cases(const std::vector<Case>& cases, const std::string& rules_lines) {
  auto started =
      Stage::start("  files: [" COFF_SOURCE_DIR "/rules]\n  repeat_seconds: 0\n" + rules_lines);
  EXPECT_TRUE(started) << started.error().message();
  FoundByMark found;
  if (!started) return found;
  Stage& stage = **started;
  // The neighbour first, so that it has been judged when the other's finding is there.
  for (size_t at = 0; at < cases.size(); ++at) {
    EXPECT_TRUE(stage.add(cases[at].place, mark_of(at, 's'), cases[at].spares));
    EXPECT_TRUE(stage.add(cases[at].place, mark_of(at, 'f'), cases[at].fires));
  }
  std::set<std::string_view> exempt;
  for (const Exempt& each : exempt_here()) {
    exempt.insert(each.rule);
    std::printf("not run: %s: %s\n", each.rule.data(), each.reason.data());
  }
  const std::string said = stage.run();
  const auto missing = [&] {
    std::string names;
    for (size_t at = 0; at < cases.size(); ++at) {
      if (exempt.contains(cases[at].rule)) continue;
      if (found[mark_of(at, 'f')].contains(std::string(cases[at].rule))) continue;
      names += "  " + mark_of(at, 'f') + " " + std::string(cases[at].rule) + "\n";
    }
    return names;
  };
  EXPECT_TRUE(eventually([&] {
    found = stage.found();
    return missing().empty();
  })) << "did not fire:\n"
      << missing() << "the scripts said:\n"
      << said << stage.product().told();
  return found;
}

FoundByMark& with_push_down() {
  static FoundByMark found;
  return found;
}

TEST_F(ShippedRulesLive, EachFiresAndSparesTheNeighbour) {
  const std::vector<Case> cases = all_cases();
  ASSERT_GE(cases.size(), 100U);
  FoundByMark& found = with_push_down();
  found = run_cases(cases, "");
  for (size_t at = 0; at < cases.size(); ++at) {
    EXPECT_FALSE(found[mark_of(at, 's')].contains(std::string(cases[at].rule)))
        << "fired on the neighbour: " << cases[at].rule;
  }
}

// What the kernel keeps back because no rule asks for it would have made no finding.
TEST_F(ShippedRulesLive, TheSameIsFoundWhenTheKernelForwardsEverything) {
  const std::vector<Case> cases = all_cases();
  FoundByMark& filtered = with_push_down();
  if (filtered.empty()) filtered = run_cases(cases, "");
  FoundByMark unfiltered = run_cases(cases, "  push_down: 'off'\n");
  size_t compared = 0;
  for (size_t at = 0; at < cases.size(); ++at) {
    for (const char way : {'s', 'f'}) {
      const std::string mark = mark_of(at, way);
      EXPECT_EQ(filtered[mark], unfiltered[mark]) << mark << " " << cases[at].rule;
      compared += filtered[mark].size();
    }
  }
  EXPECT_GE(compared, cases.size() - 5);
}

}  // namespace
}  // namespace coff::live
