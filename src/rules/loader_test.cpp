// Loading rule files: the official vectors and rule files, places of problems, limits.
#include <gtest/gtest.h>

#include <filesystem>

#include "rules/rules.hpp"
#include "rules/testing/vectors.hpp"

namespace coff::rules {
namespace {

Loaded load(const std::vector<std::string>& texts, LoadOptions options = {}) {
  Loader loader(std::move(options));
  for (const std::string& text : texts) loader.add("test.yaml", text);
  return loader.finish();
}

std::string messages(const Loaded& loaded) {
  std::string text;
  for (const Problem& problem : loaded.problems) text += to_text(problem) + '\n';
  return text;
}

bool says(const Loaded& loaded, Problem::Severity severity, std::string_view what) {
  return std::ranges::any_of(loaded.problems, [&](const Problem& problem) {
    return problem.severity == severity && problem.message.find(what) != problem.message.npos;
  });
}

// Names that the vectors use for long messages.
std::string message_of(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"WARNING_APPEND", "'append' key is deprecated"},
      {"WARNING_ENABLED", "The standalone 'enabled' key usage is deprecated"},
      {"WARNING_NO_EVTTYPE", "Rule matches too many evt.type values"},
      {"ERROR_OVERRIDE_APPEND", "Keys 'override' and 'append: true' cannot be used together"},
      {"ERROR_NO_PREVIOUS_LIST", "List uses 'append' or 'override.items: append' but no list"},
      {"ERROR_NO_PREVIOUS_MACRO", "Macro uses 'append' or 'override.condition: append' but no"},
      {"ERROR_NO_PREVIOUS_RULE_APPEND", "Rule uses 'append' or 'override.<key>: append' but no"},
      {"ERROR_NO_PREVIOUS_RULE_REPLACE", "An 'override.<key>: replace' to a rule was requested"},
  };
  for (const auto& [each, message] : kNames) {
    if (each == name) return std::string(message);
  }
  return std::string(name);
}

constexpr std::string_view kRuleHead =
    "- rule: test_rule\n  desc: test rule\n  condition: evt.type = open\n"
    "  output: command=%proc.cmdline\n  priority: INFO\n";

TEST(Loader, AgreesWithTheOfficialVectors) {
  COFF_NEED_VECTORS(vectors, "falco-tests/vectors/rule_loader.json");
  size_t compiled_seen = 0;
  for (const auto& each : vectors.as_array()) {
    const std::string name(each.at("name").as_string());
    std::vector<std::string> texts;
    for (const auto& text : each.at("rules").as_array()) {
      std::string rules(text.as_string());
      // Some vectors are the exceptions of a rule that the test's own helper writes.
      const size_t first = rules.find_first_not_of(" \n");
      if (rules.compare(first, 11, "exceptions:") == 0) rules.insert(0, kRuleHead);
      texts.push_back(std::move(rules));
    }
    const auto& wanted = each.at("load_ok").as_array();
    const Loaded loaded = load(texts);
    if (!wanted.empty()) {
      EXPECT_EQ(loaded.ok(), wanted.back().as_bool()) << name << "\n" << messages(loaded);
    }
    for (const auto& pair : each.at("compiled").as_array()) {
      const std::string rule(pair.at(0).as_string());
      EXPECT_EQ(loaded.rules->compiled_text(rule, 1 << 20), std::string(pair.at(1).as_string()))
          << name;
      ++compiled_seen;
    }
    for (const auto& message : each.at("messages").as_array()) {
      const bool warning = message.at(0).as_string() == "warning";
      const std::string text = message_of(std::string_view(message.at(1).as_string()));
      EXPECT_EQ(
          says(loaded, warning ? Problem::Severity::kWarning : Problem::Severity::kError, text),
          message.at(2).as_bool())
          << name << ": " << text << "\n"
          << messages(loaded);
    }
  }
  EXPECT_GE(compiled_seen, 10U);
}

TEST(Loader, LoadsTheOfficialRulesWithoutAnErrorOrASkippedRule) {
  const std::pair<std::string, size_t> kFiles[] = {{"falco_rules.yaml", 25},
                                                   {"falco-incubating_rules.yaml", 31},
                                                   {"falco-sandbox_rules.yaml", 37},
                                                   {"archive/falco-deprecated_rules.yaml", 4}};
  Loader all;
  size_t total = 0;
  for (const auto& [file, count] : kFiles) {
    const auto text = testing::read_data("falco-rules/" + file);
    if (!text) {
      if (testing::data_required()) FAIL() << file << " is missing";
      GTEST_SKIP() << file << " is not there";
    }
    Loader alone;
    alone.add(file, *text);
    const Loaded loaded = alone.finish();
    EXPECT_TRUE(loaded.ok()) << messages(loaded);
    EXPECT_EQ(loaded.rules->rules().size(), count) << file;
    for (const Problem& problem : loaded.problems) {
      EXPECT_TRUE(problem.code == "LOAD_UNUSED_MACRO" || problem.code == "LOAD_UNUSED_LIST" ||
                  problem.code == "LOAD_DEPRECATED_ITEM")
          << to_text(problem);
    }
    all.add(file, *text);
    total += count;
  }
  const Loaded loaded = all.finish();
  EXPECT_TRUE(loaded.ok()) << messages(loaded);
  EXPECT_EQ(loaded.rules->rules().size(), total);
}

}  // namespace
}  // namespace coff::rules
