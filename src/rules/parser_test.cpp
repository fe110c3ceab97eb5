// The parser of conditions: the official parser's own vectors, places of errors, canonical text.
#include "rules/parser.hpp"

#include <gtest/gtest.h>

#include "rules/testing/vectors.hpp"

namespace coff::rules {
namespace {

TEST(Parser, AgreesWithTheOfficialVectors) {
  COFF_NEED_VECTORS(vectors, "falco-tests/vectors/filter_parser_accept_reject.json");
  size_t accepted = 0;
  for (const auto& each : vectors.as_array()) {
    const auto& entry = each.as_object();
    const std::string filter(entry.at("filter").as_string());
    const bool accept = entry.at("kind").as_string() == "accept";
    const auto parsed = parse_condition(filter, kDepthMax);
    EXPECT_EQ(parsed.has_value(), accept) << entry.at("test").as_string() << ": " << filter << "\n"
                                          << (parsed ? to_text(*parsed) : parsed.error().message);
    accepted += accept ? 1U : 0U;
    if (!parsed) continue;
    // What was read and written reads the same again.
    const std::string text = to_text(*parsed);
    const auto again = parse_condition(text);
    ASSERT_TRUE(again) << text << ": " << again.error().message;
    EXPECT_EQ(to_text(*again), text);
  }
  EXPECT_GE(accepted, 100U);
}

TEST(Parser, NamesThePlaceOfAnError) {
  const std::string text = "evt.type = open and\n  proc.name frob cat";
  const auto parsed = parse_condition(text);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().place.line, 2U);
  EXPECT_EQ(parsed.error().place.column, 13U);
  EXPECT_EQ(snippet(text, parsed.error().place), "  proc.name frob cat\n            ^");
}

TEST(Parser, BindsNotBeforeAndBeforeOr) {
  const auto parsed = parse_condition("a or not b and c or (d)");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(to_text(*parsed), "(a or (not b and c) or d)");
}

TEST(Parser, BoundsItsDepth) {
  const auto nested = [](size_t levels) {
    return std::string(levels, '(') + 'a' + std::string(levels, ')');
  };
  EXPECT_TRUE(parse_condition(nested(190)));
  EXPECT_FALSE(parse_condition(nested(250)));
  EXPECT_FALSE(parse_condition(nested(100'000)));
  EXPECT_FALSE(parse_condition(nested(25), kDepthMax));
  std::string transforms;
  for (int i = 0; i < 2000; ++i) transforms += "tolower(";
  EXPECT_FALSE(parse_condition(transforms));
}

TEST(Parser, UnescapesAsLibsinspDoes) {
  const auto value = [](std::string_view text) -> std::string {
    const auto parsed = parse_condition(text);
    return parsed ? parsed->right.text : "error: " + parsed.error().message;
  };
  EXPECT_EQ(value(R"(a.b = "x\ y")"), "x\\y");
  EXPECT_EQ(value(R"(a.b = "\x41\/\t")"), "A/\t");
  EXPECT_EQ(value(R"(a.b = 'it\'s')"), "it's");
  EXPECT_TRUE(value(R"(a.b = "\q")").starts_with("error: unknown escape"));
  EXPECT_TRUE(value(R"(a.b = "\x4")").starts_with("error:"));
  EXPECT_TRUE(value(R"(a.b = "a\\")").starts_with("error:"));  // The last quote does not close.
}

TEST(Parser, ListsOfManyElementsAreLinear) {
  std::string text = "proc.name in (x";
  for (int i = 0; i < 200'000; ++i) text += ", abcdef";
  text += ')';
  const auto parsed = parse_condition(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->right.items.size(), 200'001U);
}

TEST(Parser, ReadsOperandsOfOutputs) {
  size_t length = 0;
  const auto operand = parse_operand("proc.aname[2] rest", length);
  ASSERT_TRUE(operand);
  EXPECT_EQ(to_text(*operand), "proc.aname[2]");
  EXPECT_EQ(length, 13U);
}

}  // namespace
}  // namespace coff::rules
