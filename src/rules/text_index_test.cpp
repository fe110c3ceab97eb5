// One pass over a text finds what comparing each text by itself finds.
#include "rules/text_index.hpp"

#include <gtest/gtest.h>

#include <random>

#include "rules/text_match.hpp"

namespace coff::rules {
namespace {

using Kind = TextIndex::Kind;

struct Pattern {
  Kind kind;
  std::string text;
};

bool holds(const Pattern& pattern, std::string_view text) {
  switch (pattern.kind) {
    case Kind::kExact: return text == pattern.text;
    case Kind::kPrefix: return text.starts_with(pattern.text);
    case Kind::kSuffix: return text.ends_with(pattern.text);
    case Kind::kContains: break;
  }
  return text.find(pattern.text) != text.npos;
}

class TextIndexes : public ::testing::Test {
 protected:
  std::string word(std::string_view letters, size_t length) {
    std::string text;
    for (size_t at = 0; at < length; ++at) text += letters[random_() % letters.size()];
    return text;
  }

  void compare(const std::vector<Pattern>& patterns, const std::vector<std::string>& texts,
               bool fold_case) {
    TextIndex index(fold_case);
    for (std::uint32_t bit = 0; bit < patterns.size(); ++bit) {
      ASSERT_TRUE(index.add(patterns[bit].kind, patterns[bit].text, bit));
    }
    index.build();
    for (const std::string& text : texts) {
      // In memory of exactly that size, so that a step too far is seen.
      const std::vector<char> bytes(text.begin(), text.end());
      std::vector<std::uint64_t> bits(index.words(), 0);
      index.run({bytes.data(), bytes.size()}, bits);
      for (size_t bit = 0; bit < patterns.size(); ++bit) {
        const bool found = (bits[bit / 64] >> (bit % 64) & 1) != 0;
        ASSERT_EQ(found, holds(patterns[bit], fold_case ? lowered(text) : text))
            << "'" << patterns[bit].text << "' in '" << text << "'";
        hits_ += found ? 1U : 0U;
      }
    }
  }

  std::mt19937 random_{3};
  size_t hits_ = 0;
};

TEST_F(TextIndexes, FindWhatEachComparisonFinds) {
  for (int round = 0; round < 200; ++round) {
    std::vector<Pattern> patterns;
    std::vector<std::string> texts;
    const size_t count = 1 + random_() % 40;
    for (size_t at = 0; at < count; ++at) {
      const auto kind = static_cast<Kind>(random_() % 4);
      patterns.push_back({kind, word("ab/.-", 1 + random_() % 9)});
    }
    for (size_t at = 0; at < 60; ++at) {
      std::string text = word("ab/.-", random_() % 50);
      if (random_() % 2 == 0) text += patterns[random_() % count].text;
      if (random_() % 2 == 0) text.insert(0, patterns[random_() % count].text);
      texts.push_back(random_() % 8 == 0 ? patterns[random_() % count].text : text);
    }
    compare(patterns, texts, false);
  }
  EXPECT_GT(hits_, 10'000U);
}

// More patterns than groups of them, with and without short ones.
TEST_F(TextIndexes, FindManyContainedTexts) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  for (const size_t shortest : {1U, 2U, 3U, 4U, 6U}) {
    std::vector<Pattern> patterns;
    std::vector<std::string> texts;
    for (size_t at = 0; at < 300; ++at) {
      patterns.push_back({Kind::kContains, word(kLetters, shortest + random_() % 8)});
    }
    for (size_t at = 0; at < 300; ++at) {
      std::string text = word(kLetters, random_() % 20) + patterns[at].text;
      if (at % 3 != 0) text += word(kLetters, random_() % 20);
      texts.push_back(std::move(text));
    }
    compare(patterns, texts, false);
  }
  EXPECT_GT(hits_, 1500U);
}

TEST_F(TextIndexes, FindLongContainedTexts) {
  std::vector<Pattern> patterns = {{Kind::kContains, std::string(300, 'a') + "b"},
                                   {Kind::kContains, "ab"},
                                   {Kind::kContains, "a"}};
  compare(
      patterns,
      {std::string(4000, 'a'), std::string(4000, 'a') + "b", std::string(299, 'a') + "b", "b", ""},
      false);
  EXPECT_EQ(hits_, 1U + 3U + 2U);
}

TEST_F(TextIndexes, FoldCase) {
  std::vector<Pattern> patterns;
  std::vector<std::string> texts;
  for (size_t at = 0; at < 30; ++at) {
    patterns.push_back({Kind::kContains, word("abz@[_ ", 1 + random_() % 4)});
  }
  for (size_t at = 0; at < 2000; ++at) texts.push_back(word("aAbBzZ@`[{_ ", random_() % 40));
  compare(patterns, texts, true);
  EXPECT_GT(hits_, 1000U);
}

}  // namespace
}  // namespace coff::rules
