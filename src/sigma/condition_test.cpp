// Conditions: every form, precedence, and what is refused.
#include "sigma/condition.hpp"

#include <gtest/gtest.h>

#include "sigma/testing/fires.hpp"

namespace coff::sigma {
namespace {

using testing::executed;
using testing::firing;
using testing::load;
using testing::load_right;
using testing::only_error;
using testing::process_rule;

std::string shown(const Condition& condition) {
  using enum Condition::Type;
  switch (condition.type) {
    case kName: return condition.name;
    case kSome: return "1:" + condition.name;
    case kAll: return "all:" + condition.name;
    case kNot: return "!" + shown(condition.children[0]);
    default: break;
  }
  std::string text;
  for (const Condition& child : condition.children) {
    if (!text.empty()) text += condition.type == kAnd ? "&" : "|";
    text += shown(child);
  }
  return '(' + text + ')';
}

std::string parsed(std::string_view text) {
  const auto condition = parse_condition(text);
  return condition ? shown(*condition) : "error: " + condition.error().message;
}

TEST(Condition, HasPrecedence) {
  EXPECT_EQ(parsed("a"), "a");
  EXPECT_EQ(parsed("a or b and not c"), "(a|(b&!c))");
  EXPECT_EQ(parsed("(a or b) and c"), "((a|b)&c)");
  EXPECT_EQ(parsed("not a and b"), "(!a&b)");
  EXPECT_EQ(parsed("not (a and b)"), "!(a&b)");
  EXPECT_EQ(parsed("not not a"), "!!a");
  EXPECT_EQ(parsed("1 of x_* and not all of them"), "(1:x_*&!all:them)");
  EXPECT_EQ(parsed("any of them"), "1:them");
  EXPECT_EQ(parsed("A AND NOT 1 OF THEM"), "(A&!1:them)");
  EXPECT_EQ(parsed("a\n  and b\n"), "(a&b)");
}

TEST(Condition, RefusesWithAPlace) {
  for (const auto& [text, offset] :
       std::initializer_list<std::pair<const char*, size_t>>{{"", 0},
                                                             {"a b", 2},
                                                             {"a and", 5},
                                                             {"(a", 2},
                                                             {"a)", 1},
                                                             {"not", 3},
                                                             {"2 of a*", 0},
                                                             {"1 of", 4},
                                                             {"a | x", 2},
                                                             {"a*", 0},
                                                             {"and a", 0},
                                                             {"1 of (a)", 5},
                                                             {"a or or b", 5}}) {
    const auto condition = parse_condition(text);
    ASSERT_FALSE(condition) << text;
    EXPECT_EQ(condition.error().offset, offset) << text << ": " << condition.error().message;
  }
  EXPECT_NE(parsed("a | count() > 5").find("correlation rule"), std::string::npos);
}

TEST(Condition, DepthIsLimited) {
  const std::string deep(100'000, '(');
  EXPECT_NE(parsed(deep.substr(0, 60'000)).find("nested deeper"), std::string::npos);
  EXPECT_NE(parsed(deep).find("64 KiB"), std::string::npos);
  std::string nots;
  for (int i = 0; i < 1000; ++i) nots += "not ";
  EXPECT_NE(parsed(nots + "a").find("nested deeper"), std::string::npos);
  EXPECT_EQ(parsed(std::string(100, '(') + "a" + std::string(100, ')')), "a");
}

TEST(Condition, ThemLeavesOutNamesWithUnderscore) {
  EXPECT_TRUE(is_meant("them", "a"));
  EXPECT_FALSE(is_meant("them", "_a"));
  EXPECT_FALSE(is_meant("*", "_a"));
  EXPECT_TRUE(is_meant("_*", "_a"));
  EXPECT_TRUE(is_meant("sel*_x", "selection_x"));
  EXPECT_FALSE(is_meant("sel*_x", "selection_y"));
}

constexpr const char* kThree =
    "  sel_a:\n    CommandLine|contains: aa\n"
    "  sel_b:\n    CommandLine|contains: bb\n"
    "  filter:\n    CommandLine|contains: cc\n"
    "  _hidden:\n    CommandLine|contains: dd\n";

bool fires(const std::string& condition, std::string_view line) {
  return !firing(load_right(process_rule(kThree, condition)), executed(line)).empty();
}

TEST(Condition, EveryFormIsAsked) {
  EXPECT_TRUE(fires("1 of sel_*", "x bb"));
  EXPECT_FALSE(fires("1 of sel_*", "x cc"));
  EXPECT_TRUE(fires("all of sel_*", "x aa bb"));
  EXPECT_FALSE(fires("all of sel_*", "x aa"));
  EXPECT_TRUE(fires("1 of them", "x cc"));
  EXPECT_FALSE(fires("1 of them", "x dd"));
  EXPECT_TRUE(fires("all of them", "x aa bb cc"));
  EXPECT_FALSE(fires("all of them", "x aa bb"));
  EXPECT_TRUE(fires("sel_a and not filter", "x aa"));
  EXPECT_FALSE(fires("sel_a and not filter", "x aa cc"));
  EXPECT_TRUE(fires("(sel_a or sel_b) and filter", "x bb cc"));
  EXPECT_TRUE(fires("_hidden", "x dd"));
  EXPECT_TRUE(fires("\n    - sel_a\n    - filter", "x cc"));
  EXPECT_FALSE(fires("\n    - sel_a\n    - filter", "x bb"));
}

TEST(Condition, ErrorPointsIntoTheFile) {
  const Loaded loaded = load(process_rule(kThree, "sel_a and nothing"));
  const std::string text = only_error(loaded);
  EXPECT_NE(text.find("there is no detection 'nothing'"), std::string::npos) << text;
  EXPECT_NE(text.find("test.yml:14:24:"), std::string::npos) << text;
  EXPECT_NE(text.find("                       ^"), std::string::npos) << text;
}

TEST(Condition, TooManyNamesAreRefused) {
  std::string detections;
  for (int i = 0; i < 900; ++i) {
    detections += "  s" + std::to_string(i) + ":\n    CommandLine: x\n";
  }
  std::string condition = "1 of s*";
  for (int i = 0; i < 2000; ++i) condition += " or 1 of s*";
  const Loaded loaded = load(process_rule(detections, condition));
  EXPECT_NE(only_error(loaded).find("too often"), std::string::npos);
}

}  // namespace
}  // namespace coff::sigma
