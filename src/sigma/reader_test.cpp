// Files: what is refused and where, that the rest loads, and that size costs what it must.
#include <gtest/gtest.h>

#include <chrono>

#include "sigma/testing/fires.hpp"

namespace coff::sigma {
namespace {

using testing::executed;
using testing::firing;
using testing::load;
using testing::load_right;
using testing::only_error;
using testing::process_rule;

TEST(Reader, ABrokenDocumentLeavesTheOthers) {
  const std::string good = process_rule("  s:\n    CommandLine: a\n", "s");
  const std::string broken =
      "title: Broken\nlogsource: {product: linux}\ndetection:\n  s: {a: b}\n";
  const Loaded loaded = load(broken + "---\n" + good + "---\n" + broken);
  EXPECT_EQ(loaded.rules.rules->rules().size(), 1U);
  EXPECT_FALSE(loaded.rules.ok());
  ASSERT_EQ(loaded.rules.problems.size(), 2U);
  EXPECT_EQ(loaded.rules.problems[0].context, "rule 'Broken'");
  EXPECT_EQ(loaded.rules.problems[1].line, 18U);
}

TEST(Reader, AFileThatIsNoYamlIsNamedWithItsPlace) {
  Loader loader;
  loader.add("bad.yml", "title: x\n  y: [\n");
  loader.add("good.yml", process_rule("  s:\n    CommandLine: a\n", "s"));
  const Loaded loaded = loader.finish();
  ASSERT_EQ(loaded.rules.problems.size(), 1U);
  EXPECT_EQ(loaded.rules.problems[0].code, "SIGMA_YAML");
  EXPECT_EQ(loaded.rules.problems[0].file, "bad.yml");
  EXPECT_EQ(loaded.rules.problems[0].line, 2U);
  EXPECT_EQ(loaded.rules.rules->rules().size(), 1U);
}

TEST(Reader, EveryMistakeIsNamed) {
  const std::string head = "title: T\nlogsource: {category: process_creation}\n";
  const std::pair<std::string, std::string> kCases[] = {
      {"- a\n", "a Sigma document is a mapping"},
      {"title: x\n", "neither 'detection'"},
      {"detection: {s: {a: b}, condition: s}\n", "a rule needs a 'title'"},
      {"title: T\ndetection: {s: {a: b}, condition: s}\n", "needs a 'logsource'"},
      {head + "detection: {s: {a: b}}\n", "no 'condition'"},
      {head + "detection: {condition: s}\n", "there is no detection"},
      {head + "detection: [a]\n", "detections are a mapping"},
      {head + "detection: {s: [[a]], condition: s}\n", "a detection is a mapping"},
      {head + "level: grave\ndetection: {s: {a: b}, condition: s}\n", "the level is"},
      {head + "title: U\ndetection: {s: {a: b}, condition: s}\n", "stands twice"},
      {head + "detection: {s: {a: b, a: c}, condition: s}\n", "stands twice"},
      {head + "detection: {s: {a: b}, condition: s, timeframe: 5m}\n", "correlation rule"},
      {"action: global\ntitle: x\n", "of old Sigma"},
      {"title: [a]\ndetection: {}\n", "'title' is a text"},
      {head + "detection: {s: {a: b}, condition: {x: y}}\n", "'condition' is a text"},
  };
  for (const auto& [text, message] : kCases) {
    const std::string error = only_error(load(text));
    EXPECT_NE(error.find(message), std::string::npos) << text << "\n" << error;
    EXPECT_NE(error.find("^"), std::string::npos) << error;
  }
}

TEST(Reader, WhoseRuleItIsStandsInTheFinding) {
  const std::string rule =
      "title: T\nid: d2d642d7-b393-43fe-bae4-e81ed5915c4b\nstatus: stable\nlevel: high\n"
      "author: 'Ö. Günal, somebody'\nlicense: MIT\nreferences:\n  - https://example.org/a\n"
      "tags: [attack.execution, attack.t1053.002]\n"
      "logsource: {category: process_creation, product: linux}\n"
      "detection:\n  s: {CommandLine: 'at now'}\n  condition: s\n";
  const Loaded loaded = load_right(rule);
  const Event event = executed("at now");
  rules::Evaluator evaluator(loaded.rules.rules);
  const auto matched = evaluator.matches({.event = event, .number = 1});
  ASSERT_EQ(matched.size(), 1U);
  const rules::Finding finding = evaluator.finding(matched[0]);
  EXPECT_EQ(finding.priority, rules::Priority::kError);
  EXPECT_NE(finding.output.find("command=at now"), std::string::npos) << finding.output;
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  rules::write_provenance(json, finding.provenance);
  json.end_object();
  EXPECT_EQ(text,
            "{\"language\":\"sigma\",\"rule_id\":\"d2d642d7-b393-43fe-bae4-e81ed5915c4b\","
            "\"author\":\"Ö. Günal, somebody\",\"license\":\"MIT\",\"level\":\"high\","
            "\"status\":\"stable\",\"references\":[\"https://example.org/a\"]}");
  EXPECT_EQ(finding.provenance.attack, (std::vector<std::string>{"T1053.002"}));
  EXPECT_NE(rules::falco_json(finding, "box").find("\"author\":\"Ö. Günal"), std::string::npos);
}

TEST(Reader, RulesStandBesideThoseOfFalco) {
  Loader loader({.selections = {{.rule = "T", .tag = {}, .enable = false}}});
  loader.rules().add("falco.yaml",
                     "- rule: F\n  desc: d\n  condition: evt.type=execve\n  output: o\n"
                     "  priority: error\n");
  loader.add("a.yml", process_rule("  s:\n    CommandLine: a\n", "s"));
  const Loaded loaded = loader.finish();
  ASSERT_EQ(loaded.rules.rules->rules().size(), 2U);
  EXPECT_FALSE(loaded.rules.rules->rules()[1]->enabled) << "selections are for both";
  EXPECT_EQ(firing(loaded, executed("a")), (std::set<std::string>{"F"}));
}

TEST(Reader, FailedCallsAndOtherEventsAreNotMeant) {
  const Loaded loaded = load_right(process_rule("  s:\n    CommandLine: app\n", "s"));
  EXPECT_FALSE(firing(loaded, executed("app")).empty());
  EXPECT_TRUE(firing(loaded, rules::testing::run("app").failed(2).event()).empty());
  EXPECT_TRUE(firing(loaded, rules::testing::wrote("/etc/x").event()).empty());
}

double load_seconds(std::string text) {
  const auto start = std::chrono::steady_clock::now();
  const Loaded loaded = load(std::move(text));
  EXPECT_LE(loaded.rules.rules->rules().size(), 1U);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(Reader, LongListsLoadInLinearTime) {
  const auto with_values = [](const std::string& modifier, size_t count) {
    std::string list = "  s:\n    CommandLine" + modifier + ":\n";
    for (size_t at = 0; at < count; ++at) list += "      - value" + std::to_string(at) + "\n";
    return process_rule(list, "s");
  };
  for (const std::string modifier : {"", "|contains", "|contains|all", "|endswith"}) {
    const double small = load_seconds(with_values(modifier, 12'500));
    const double large = load_seconds(with_values(modifier, 50'000));
    EXPECT_LT(large, small * 12 + 0.5) << modifier;
  }
  const Loaded loaded = load_right(with_values("|contains", 50'000));
  EXPECT_FALSE(firing(loaded, executed("x value49999")).empty());
  EXPECT_TRUE(firing(loaded, executed("x valve")).empty());
}

TEST(Reader, DeepFilesAreRefused) {
  EXPECT_NE(only_error(load(std::string(50'000, '['))).find("nested deeper"), std::string::npos);
  EXPECT_NE(only_error(load(std::string(50'000, '-'))).size(), 0U);
  std::string maps = "title: T\nlogsource: {product: linux}\ndetection:\n  s: ";
  for (int i = 0; i < 40; ++i) maps += "{a: ";
  EXPECT_FALSE(load(maps).rules.ok());
}

}  // namespace
}  // namespace coff::sigma
