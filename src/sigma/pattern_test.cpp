// Texts with wildcards: reading them, and matching against a reference that tries everything.
#include "sigma/pattern.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "sigma/testing/fires.hpp"

namespace coff::sigma {
namespace {

TEST(Pattern, ReadsEscapesAsTheSpecificationSays) {
  EXPECT_EQ(parse_pattern("a*b?c").wild, "*?");
  EXPECT_EQ(parse_pattern(R"(a\*b)").runs[0], "a*b");
  EXPECT_EQ(parse_pattern(R"(a\?b)").runs[0], "a?b");
  EXPECT_EQ(parse_pattern(R"(C:\Windows)").runs[0], R"(C:\Windows)");
  EXPECT_EQ(parse_pattern(R"(a\\b)").runs[0], R"(a\b)");
  EXPECT_EQ(parse_pattern(R"(a\\\b)").runs[0], R"(a\\b)");
  EXPECT_EQ(parse_pattern(R"(a\\\\b)").runs[0], R"(a\\b)");
  EXPECT_EQ(parse_pattern(R"(a\\*)").runs[0], R"(a\)");
  EXPECT_EQ(parse_pattern(R"(a\\*)").wild, "*");
  EXPECT_EQ(parse_pattern(R"(a\\\*)").runs[0], R"(a\*)");
  EXPECT_EQ(parse_pattern("a**b").wild, "*");
  EXPECT_EQ(parse_pattern("\\").runs[0], "\\");
}

TEST(Pattern, IsReadBackEqual) {
  for (const char* text : {"", "*", "a*b", R"(\*\?\\)", "a?b*c", R"(\\)", "[a]"}) {
    EXPECT_EQ(parse_pattern(to_text(parse_pattern(text))), parse_pattern(text)) << text;
  }
}

// Every way in which the pattern could be laid over the text.
bool tries(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return tries(pattern.substr(1), text) || (!text.empty() && tries(pattern, text.substr(1)));
  }
  const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const bool fits = !text.empty() && (pattern[0] == '?' || fold(pattern[0]) == fold(text[0]));
  return fits && tries(pattern.substr(1), text.substr(1));
}

TEST(Pattern, RulesMatchAsTheReferenceDoes) {
  std::mt19937 random(11);
  const auto pick = [&](std::string_view letters, size_t length_max) {
    std::string text;
    const size_t length = random() % (length_max + 1);
    for (size_t at = 0; at < length; ++at) text += letters[random() % letters.size()];
    return text;
  };
  size_t positive = 0;
  for (int round = 0; round < 400; ++round) {
    const std::string pattern = pick("aB[*?", 6);
    if (pattern.empty()) continue;
    const std::string rule =
        testing::process_rule("  selection:\n    CommandLine: '" + pattern + "'\n", "selection");
    const Loaded loaded = testing::load_right(rule);
    for (int each = 0; each < 5; ++each) {
      const std::string text = "a" + pick("abAB[", 6);
      const bool wanted = tries(pattern, text);
      positive += wanted ? 1 : 0;
      EXPECT_EQ(matches(parse_pattern(pattern), text, true), wanted) << pattern << " / " << text;
      EXPECT_EQ(testing::firing(loaded, testing::executed(text)).size(), wanted ? 1U : 0U)
          << pattern << " / " << text;
    }
  }
  EXPECT_GT(positive, 100U);
}

TEST(Pattern, ManyStarsStayLinear) {
  std::string pattern;
  for (int i = 0; i < 500; ++i) pattern += "*a";
  const std::string rule =
      testing::process_rule("  selection:\n    CommandLine: '" + pattern + "b'\n", "selection");
  const Loaded loaded = testing::load_right(rule);
  const Event event = testing::executed("x" + std::string(16'000, 'a') + "c");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(testing::firing(loaded, event).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

}  // namespace
}  // namespace coff::sigma
