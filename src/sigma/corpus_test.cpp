// The public rules for Linux: every one loads, and says where it runs.
#include <gtest/gtest.h>

#include <map>

#include "sigma/testing/corpus.hpp"
#include "sigma/testing/fires.hpp"

namespace coff::sigma {
namespace {

using testing::Corpus;

TEST_F(Corpus, EveryRuleLoads) {
  const Loaded loaded = load_files({}, {path_});
  for (const rules::Problem& problem : loaded.rules.problems) {
    EXPECT_EQ(problem.code, "SIGMA_NOT_HERE") << rules::to_text(problem);
  }
  std::map<std::string, size_t> loaded_of;
  std::map<std::string, size_t> blind_of;
  size_t without = 0;
  for (const RuleStatus& status : loaded.statuses) {
    if (status.state == State::kNoLogSource) {
      ++without;
      EXPECT_NE(status.notes.at(0).find("no such log source here"), std::string::npos);
      continue;
    }
    ++loaded_of[status.log_source];
    if (status.state == State::kBlind) {
      ++blind_of[status.log_source];
      EXPECT_FALSE(status.notes.empty()) << status.title;
    }
  }
  EXPECT_EQ(loaded.statuses.size(), 210U);
  EXPECT_EQ(without, 22U);
  EXPECT_EQ(loaded_of["linux/process_creation"], 122U);
  EXPECT_EQ(loaded_of["linux/file_event"], 8U);
  EXPECT_EQ(loaded_of["linux/network_connection"], 5U);
  EXPECT_EQ(loaded_of["linux/auditd"], 53U);
  // Of these SERVICE_STOP, syslog and sysinfo; and host names of addresses.
  EXPECT_EQ(blind_of["linux/auditd"], 3U);
  EXPECT_EQ(blind_of["linux/network_connection"], 3U);
  EXPECT_EQ(blind_of.size(), 2U);
  EXPECT_EQ(loaded.rules.rules->rules().size(), 188U);
}

TEST_F(Corpus, RulesKeepWhoseTheyAre) {
  const Loaded loaded = load_files({}, {path_});
  for (const rules::Rule* rule : loaded.rules.rules->rules()) {
    const rules::Provenance& of = rule->provenance;
    EXPECT_EQ(of.language, "sigma");
    EXPECT_FALSE(of.author.empty()) << rule->name;
    EXPECT_EQ(of.id.size(), 36U) << rule->name;
    EXPECT_EQ(of.license, "Detection Rule License (DRL) 1.1") << rule->name;
    EXPECT_FALSE(of.level.empty()) << rule->name;
    EXPECT_FALSE(of.references.empty() && rule->tags.empty()) << rule->name;
  }
}

}  // namespace
}  // namespace coff::sigma
