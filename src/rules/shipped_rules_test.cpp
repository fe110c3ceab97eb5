// The rules that ship with the program: they load cleanly, find what they name, and spare the rest.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/fd.hpp"
#include "rules/rule_tests.hpp"
#include "rules/rules.hpp"
#include "rules/testing/ordinary_work.hpp"
#include "rules/testing/vectors.hpp"

namespace coff::rules {
namespace {

constexpr const char* kFolder = COFF_SOURCE_DIR "/rules";
constexpr size_t kOfficialRules = 93;

const Loaded& shipped() {
  static const Loaded kLoaded = load_files({kFolder});
  return kLoaded;
}

TEST(ShippedRules, LoadWithoutAWord) {
  for (const Problem& problem : shipped().problems) ADD_FAILURE() << to_text(problem);
  EXPECT_GE(shipped().rules->rules().size(), 90U);
}

TEST(ShippedRules, EachHasDescriptionTagsAndFewEventTypes) {
  for (const Rule* rule : shipped().rules->rules()) {
    EXPECT_TRUE(rule->enabled) << rule->name;
    EXPECT_GE(rule->description.size(), 40U) << rule->name;
    EXPECT_TRUE(rule->description.ends_with('.')) << rule->name;
    EXPECT_TRUE(rule->output.starts_with(rule->name)) << rule->name;
    EXPECT_NE(rule->output.find("%container.name"), std::string::npos) << rule->name;
    const auto is_technique = [](const std::string& tag) {
      return tag.size() >= 5 && tag[0] == 'T' && tag[1] >= '0' && tag[1] <= '9';
    };
    EXPECT_TRUE(std::ranges::any_of(rule->tags, is_technique)) << rule->name;
    EXPECT_TRUE(std::ranges::any_of(rule->tags, [](const std::string& tag) {
      return tag.starts_with("mitre_");
    })) << rule->name;
  }
  EXPECT_LE(shipped().rules->event_types().size(), 70U);
}

TEST(ShippedRules, EachFindsAnEventAndSparesANeighbour) {
  std::set<std::string> files;
  for (const Rule* rule : shipped().rules->rules()) files.insert(rule->file);
  ASSERT_FALSE(files.empty());
  for (const std::string& file : files) {
    const std::vector<std::string> beside = rule_test_files(file);
    ASSERT_EQ(beside.size(), 1U) << file;
    const RuleTestReport report = run_rule_tests(beside[0]);
    EXPECT_TRUE(report.ok()) << beside[0];
    for (const Problem& problem : report.problems) ADD_FAILURE() << to_text(problem);
    for (const RuleTestOutcome& test : report.tests) {
      for (const std::string& failure : test.failures) {
        ADD_FAILURE() << test.file << ":" << test.line << ": " << test.name << ": " << failure;
      }
    }
    for (const std::string& rule : report.untested) ADD_FAILURE() << "no test finds " << rule;
    for (const std::string& rule : report.unspared) ADD_FAILURE() << "no test spares " << rule;
  }
}

TEST(ShippedRules, OrdinaryWorkRaisesNothingAboveNotice) {
  Evaluator evaluator(shipped().rules);
  const std::vector<const Rule*> rules = shipped().rules->rules();
  auto work = testing::ordinary_services();
  for (testing::Ordinary& each : testing::ordinary_builds()) work.push_back(std::move(each));
  ASSERT_GE(work.size(), 40U);
  for (const testing::Ordinary& each : work) {
    const schema::Subject subject{.event = each.event, .number = 1, .host = "box"};
    for (const std::uint32_t place : evaluator.matches(subject)) {
      EXPECT_GE(rules[place]->priority, Priority::kNotice)
          << each.what << ": " << rules[place]->name;
    }
  }
}

TEST(ShippedRules, LoadBesideTheOfficialOnes) {
  Loader loader;
  for (const std::string file :
       {"falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"}) {
    const auto text = testing::read_data("falco-rules/" + file);
    if (!text) {
      if (testing::data_required()) FAIL() << file << " is missing";
      GTEST_SKIP() << file << " is not there";
    }
    loader.add(file, *text);
  }
  std::set<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (!entry.path().string().ends_with(kRuleTestEnding)) paths.insert(entry.path());
  }
  for (const auto& path : paths) {
    const auto text = read_file(path.string(), Loader::kFileBytesMax);
    ASSERT_TRUE(text);
    loader.add(path.filename().string(), *text);
  }
  const Loaded both = loader.finish();
  EXPECT_TRUE(both.ok());
  EXPECT_EQ(both.rules->rules().size(), shipped().rules->rules().size() + kOfficialRules);
  for (const Rule* rule : shipped().rules->rules()) {
    EXPECT_EQ(both.rules->compiled_text(rule->name, size_t{1} << 16),
              shipped().rules->compiled_text(rule->name, size_t{1} << 16));
  }
}

TEST(ShippedRules, AreDocumentedEachInOneRow) {
  const auto text = read_file(COFF_SOURCE_DIR "/docs/rules.md", size_t{1} << 20);
  ASSERT_TRUE(text);
  size_t rows = 0;
  for (size_t at = 0; (at = text->find("\n| ", at)) != std::string::npos; ++at) ++rows;
  size_t headings = 0;
  for (size_t at = 0; (at = text->find("\n| rule |", at)) != std::string::npos; ++at) ++headings;
  EXPECT_EQ(rows - headings, shipped().rules->rules().size());
  for (const Rule* rule : shipped().rules->rules()) {
    const std::string row = "\n| " + rule->name + " | " + rule->description + " | " +
                            std::string(priority_name(rule->priority)) + " | ";
    EXPECT_NE(text->find(row), std::string::npos) << rule->name;
  }
}

}  // namespace
}  // namespace coff::rules
