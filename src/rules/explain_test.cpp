// What is told about one rule.
#include "rules/explain.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "rules/testing/load.hpp"
#include "rules/testing/vectors.hpp"

namespace coff::rules {
namespace {

using testing::load;

std::string rule(std::string_view condition) {
  return "- macro: opened\n  condition: evt.type in (open, openat)\n"
         "- rule: r\n  desc: d\n  priority: INFO\n  output: o\n  enabled: false\n  condition: " +
         std::string(condition) + "\n";
}

TEST(Explain, SaysWhatTheKernelDecides) {
  const auto set =
      load(rule("opened and evt.is_open_write=true and container.id != host and "
                "(fd.name startswith /etc/ or fd.name in (/x, \"/y z\"))"));
  const auto explained = explain(*set, "r");
  ASSERT_TRUE(explained);
  EXPECT_EQ(explained->rule->name, "r");
  EXPECT_NE(explained->condition.find("evt.type in (open, openat)"), std::string::npos);
  EXPECT_EQ(explained->event_types, (std::vector<std::string_view>{"open", "openat"}));
  EXPECT_EQ(explained->kinds, std::vector<std::string_view>{"open"});
  ASSERT_EQ(explained->kernel.size(), 1U);
  EXPECT_EQ(explained->kernel[0],
            "open for writing, in containers: the path /x, \"/y z\" or a path that begins with "
            "/etc/");
  EXPECT_TRUE(explained->unfiltered.empty());
}

TEST(Explain, NamesThePartThatKeepsPathsOut) {
  const auto set =
      load(rule("opened and (fd.name = /x or (proc.name = a and fd.name glob \"*b*\") or "
                "fd.name = /y)"));
  const auto explained = explain(*set, "r");
  ASSERT_TRUE(explained);
  ASSERT_EQ(explained->unfiltered.size(), 1U);
  EXPECT_NE(explained->unfiltered[0].find("opens of any path"), std::string::npos);
  EXPECT_NE(explained->unfiltered[0].find("the kernel can't decide \"fd.name glob *b*\""),
            std::string::npos)
      << explained->unfiltered[0];
  EXPECT_EQ(explained->unfiltered[0].find("/y"), std::string::npos) << explained->unfiltered[0];
}

TEST(Explain, SaysWhenEveryKindIsAsked) {
  const auto set = load(rule("proc.name = a"));
  const auto explained = explain(*set, "r");
  ASSERT_TRUE(explained);
  EXPECT_EQ(explained->kinds.size(), static_cast<size_t>(COFF_KINDS));
  ASSERT_EQ(explained->unfiltered.size(), 2U);
  EXPECT_NE(explained->unfiltered[0].find("every kind"), std::string::npos);
  EXPECT_NE(explained->unfiltered[1].find("no necessary path condition in"), std::string::npos);
  EXPECT_FALSE(explain(*set, "other"));
}

TEST(Explain, ExplainsEveryOfficialRule) {
  const std::string folder = testing::data_path("falco-rules/");
  if (!testing::read_data("falco-rules/falco_rules.yaml")) {
    if (testing::data_required()) FAIL() << "the official rules are missing";
    GTEST_SKIP() << "the official rules are not there";
  }
  const Loaded loaded =
      load_files({folder + "falco_rules.yaml", folder + "falco-incubating_rules.yaml",
                  folder + "falco-sandbox_rules.yaml"});
  size_t open_rules = 0;
  size_t narrowed = 0;
  for (const Rule* each : loaded.rules->rules()) {
    const auto explained = explain(*loaded.rules, each->name);
    ASSERT_TRUE(explained) << each->name;
    EXPECT_FALSE(explained->condition.empty());
    EXPECT_EQ(explained->kernel.size(), explained->clauses.size());
    const bool open = std::ranges::find(explained->kinds, "open") != explained->kinds.end();
    open_rules += open ? 1U : 0U;
    narrowed += open && explained->unfiltered.empty() ? 1U : 0U;
  }
  EXPECT_GT(open_rules, 10U);
  EXPECT_GT(narrowed * 2, open_rules) << "most open rules name their paths";
}

}  // namespace
}  // namespace coff::rules
