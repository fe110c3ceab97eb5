// Filters: which rules they change, and that a broken one changes none.
#include <gtest/gtest.h>

#include "sigma/testing/fires.hpp"

namespace coff::sigma {
namespace {

using testing::executed;
using testing::firing;

constexpr const char* kRules =
    "title: A\nid: 11111111-1111-1111-1111-111111111111\n"
    "logsource: {category: process_creation, product: linux}\n"
    "detection: {s: {CommandLine|contains: x}, condition: s}\n---\n"
    "title: B\nname: rule_b\nlogsource: {category: process_creation, product: linux}\n"
    "detection: {s: {CommandLine|contains: x}, condition: s or 1 of s*}\n---\n"
    "title: C\nname: rule_c\nlogsource: {category: file_event, product: linux}\n"
    "detection: {s: {Image|contains: x}, condition: 1 of them}\n---\n";

std::set<std::string> with(const std::string& rules, const std::string& line,
                           const std::string& condition = "not 1 of sel*",
                           const std::string& source = "{category: process_creation}") {
  const Loaded loaded = testing::load_right(
      kRules + ("title: F\nlogsource: " + source + "\nfilter:\n  rules: " + rules +
                "\n  selection: {CommandLine|contains: quiet}\n  condition: " + condition + "\n"));
  EXPECT_EQ(loaded.filters, 1U);
  return firing(loaded, executed(line));
}

TEST(Filters, ChangeTheRulesThatTheyName) {
  const std::set<std::string> both = {"A", "B"};
  EXPECT_EQ(with("[11111111-1111-1111-1111-111111111111]", "x quiet"),
            (std::set<std::string>{"B"}));
  EXPECT_EQ(with("[rule_b]", "x quiet"), (std::set<std::string>{"A"}));
  EXPECT_EQ(with("[rule_b]", "x"), both);
  EXPECT_EQ(with("any", "x quiet"), std::set<std::string>());
  EXPECT_EQ(with("any", "x"), both);
  EXPECT_EQ(with("any", "x quiet", "selection"), both);
  EXPECT_EQ(with("any", "x", "all of them"), std::set<std::string>());
  EXPECT_EQ(with("any", "x quiet", "not selection", "{category: file_event}"), both);
}

TEST(Filters, AreNamedWhenTheyFitNothing) {
  const Loaded loaded = testing::load_right(
      std::string(kRules) +
      "title: F\nlogsource: {product: linux}\nfilter:\n  rules: [nobody]\n  s: {a: b}\n"
      "  condition: not s\n");
  ASSERT_EQ(loaded.rules.problems.size(), 1U);
  EXPECT_EQ(loaded.rules.problems[0].code, "SIGMA_FILTER");
}

TEST(Filters, BrokenOnesChangeNothing) {
  const std::pair<std::string, std::string> kCases[] = {
      {"  rules: any\n  s: {a: b}\n  condition: not t\n", "no detection 't'"},
      {"  rules: any\n  s: {a: b}\n  condition: not (\n", "a detection"},
      {"  rules: any\n  s: {a|re|cidr: b}\n  condition: not s\n", "exclude each other"},
      {"  rules: any\n  s: {a: b}\n", "one 'condition'"},
      {"  s: {a: b}\n  condition: not s\n", "needs 'rules'"},
  };
  for (const auto& [body, message] : kCases) {
    const Loaded loaded =
        testing::load(kRules + ("title: F\nlogsource: {product: linux}\nfilter:\n" + body));
    const std::string error = testing::only_error(loaded);
    EXPECT_NE(error.find(message), std::string::npos) << error;
    EXPECT_EQ(firing(loaded, executed("x")).size(), 2U) << body;
  }
}

}  // namespace
}  // namespace coff::sigma
