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

TEST(Loader, PointsIntoTheFileThroughFoldingListsAndMacros) {
  const Loaded folded =
      load({"- rule: r\n  desc: d\n  condition: >\n    evt.type = open and\n"
            "    proc.nope = x\n  output: o\n  priority: INFO\n"});
  ASSERT_EQ(folded.problems.size(), 1U) << messages(folded);
  EXPECT_EQ(folded.problems[0].line, 5U);
  EXPECT_EQ(folded.problems[0].column, 5U);
  EXPECT_EQ(folded.problems[0].context, "rule 'r', condition");
  EXPECT_NE(folded.problems[0].snippet.find("proc.nope = x\n"), std::string::npos);
  const Loaded listed =
      load({"- list: l\n  items: [aaaaaaaaaaaaaaaaaaaaaa, b]\n"
            "- macro: m\n  condition: proc.name in (l) and\n   proc.nope = x\n"
            "- rule: r\n  desc: d\n  condition: evt.type = open and m\n"
            "  output: o\n  priority: INFO\n"});
  ASSERT_EQ(listed.problems.size(), 1U) << messages(listed);
  EXPECT_EQ(listed.problems[0].line, 5U);
  EXPECT_EQ(listed.problems[0].column, 4U);
  EXPECT_EQ(listed.problems[0].context, "rule 'r', macro 'm', condition");
}

constexpr std::string_view kRule =
    "- rule: r\n  desc: d\n  condition: evt.type = open\n  output: o %fd.name\n"
    "  priority: INFO\n";

TEST(Loader, AnErrorCostsItsRuleAlone) {
  const Loaded loaded =
      load({"- rule: bad\n  desc: d\n  condition: evt.type = nosuchcall\n  output: o\n"
            "  priority: INFO\n" +
            std::string(kRule)});
  EXPECT_FALSE(loaded.ok());
  ASSERT_EQ(loaded.rules->rules().size(), 1U);
  EXPECT_EQ(loaded.rules->rules()[0]->name, "r");
}

TEST(Loader, AppendsWithoutParentheses) {
  const Loaded loaded =
      load({std::string(kRule) + "- rule: r\n  condition: or proc.name = x\n  append: true\n" +
            "- rule: r\n  condition: and proc.pid = 1\n  output: more\n  tags: [t]\n"
            "  override: {condition: append, output: append, tags: replace}\n"});
  EXPECT_TRUE(loaded.ok()) << messages(loaded);
  EXPECT_EQ(loaded.rules->compiled_text("r", 1000),
            "(evt.type = open or (proc.name = x and proc.pid = 1))");
  EXPECT_EQ(loaded.rules->rules()[0]->output, "o %fd.name more");
  EXPECT_EQ(loaded.rules->rules()[0]->tags, std::set<std::string>{"t"});
}

TEST(Loader, PutsListsInAsText) {
  const std::string lists =
      "- list: a\n  items: [x, 'y z']\n- list: none\n  items: []\n"
      "- list: both\n  items: [a, w]\n";
  const auto compiled = [&](const std::string& condition) {
    return load({lists + "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: '" +
                 condition + "'\n"})
        .rules->compiled_text("r", 1000);
  };
  EXPECT_EQ(compiled("proc.name in (a, b)"), "proc.name in (x, \"y z\", b)");
  EXPECT_EQ(compiled("proc.name in (both)"), "proc.name in (x, \"y z\", w)");
  EXPECT_EQ(compiled("proc.name in (none, b)"), "proc.name in (b)");
  EXPECT_EQ(compiled("proc.name in (b, none)"), "proc.name in (b)");
  EXPECT_EQ(compiled("proc.name = \"is none here\""), "proc.name = \"is  here\"");
  EXPECT_EQ(compiled("proc.name in (aa)"), "proc.name in (aa)");
}

TEST(Loader, SkipsWhatItDoesNotKnowWhenAsked) {
  const std::string unknown =
      "- rule: s\n  desc: d\n  condition: no.such = 1\n  output: o\n  priority: INFO\n"
      "  skip-if-unknown-filter: true\n";
  const Loaded loaded = load({unknown + std::string(kRule)});
  EXPECT_TRUE(loaded.ok()) << messages(loaded);
  EXPECT_EQ(loaded.rules->rules().size(), 1U);
  EXPECT_TRUE(says(loaded, Problem::Severity::kWarning, "nonexistent field no.such"));
}

TEST(Loader, RefusesLoopsAndBombs) {
  const Loaded loop = load({"- macro: a\n  condition: b\n- macro: b\n  condition: a\n"});
  EXPECT_FALSE(loop.ok());
  // Each macro doubles the one before: as a tree it would not fit anywhere.
  std::string doubling = "- macro: m0\n  condition: proc.name = x\n";
  for (int i = 1; i < 64; ++i) {
    const std::string before = "m" + std::to_string(i - 1);
    doubling += "- macro: m" + std::to_string(i) + "\n  condition: (" + before +
                " or proc.pid = " + std::to_string(i) + ") and (" + before + " or proc.pid = 0)\n";
  }
  const std::string rule =
      "- rule: r\n  desc: d\n  condition: m63\n  output: o\n  priority: INFO\n";
  const Loaded bomb = load({doubling + rule});
  EXPECT_EQ(bomb.rules->rules().size(), 1U) << messages(bomb);
  EXPECT_LE(bomb.rules->compiled_text("r", 1000).size(), 1000U);
  std::string lists = "- list: l0\n  items: [" + std::string(100'000, 'x') + "]\n";
  std::string condition = "proc.name in (l0";
  for (int i = 0; i < 100; ++i) condition += ", l0";
  const Loaded large = load({lists + "- rule: r\n  desc: d\n  condition: " + condition +
                             ")\n  output: o\n  priority: INFO\n"});
  EXPECT_FALSE(large.ok());
}

TEST(Loader, ReadsAliasesButNotWithoutEnd) {
  const Loaded loaded = load({"- list: a\n  items: &x [p, q]\n- list: b\n  items: *x\n"});
  EXPECT_TRUE(loaded.ok()) << messages(loaded);
  EXPECT_EQ(loaded.lists, 2U);
  std::string laughs = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    laughs += "- &a" + std::to_string(i) + " [" + before;
    for (int n = 0; n < 9; ++n) laughs += ", " + before;
    laughs += "]\n";
  }
  EXPECT_TRUE(says(load({laughs}), Problem::Severity::kError, "values in one file"));
  EXPECT_FALSE(load({"- &a [*a]\n"}).ok());
}

TEST(Loader, SelectsByNameTagAndPriority) {
  const std::string two = std::string(kRule) +
                          "- rule: other\n  desc: d\n  condition: evt.type = open\n  output: o\n"
                          "  priority: CRITICAL\n  tags: [net]\n  enabled: false\n";
  LoadOptions options;
  options.selections = {{.rule = "*", .tag = "", .enable = false},
                        {.rule = "", .tag = "net", .enable = true}};
  const Loaded loaded = load({two}, options);
  EXPECT_FALSE(loaded.rules->rules()[0]->enabled);
  EXPECT_TRUE(loaded.rules->rules()[1]->enabled);
  LoadOptions grave;
  grave.priority_max = Priority::kError;
  EXPECT_FALSE(load({two}, grave).rules->rules()[0]->enabled);
  EXPECT_EQ(loaded.rules->event_types(), std::vector<std::string_view>{"open"});
}

}  // namespace
}  // namespace coff::rules
