// The automaton against a plain search, on patterns and paths made from one another.
#include "sensor/path_automaton.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>

namespace coff::sensor {
namespace {

bool plain_match(const PathPattern& pattern, std::string_view path) {
  switch (pattern.match) {
    case PathMatch::kExact: return path == pattern.text;
    case PathMatch::kPrefix: return path.starts_with(pattern.text);
    case PathMatch::kSuffix: return path.ends_with(pattern.text);
    case PathMatch::kContains: return path.find(pattern.text) != std::string_view::npos;
  }
  return false;
}

std::uint64_t plain_mask(const std::vector<PathPattern>& patterns, std::string_view path) {
  std::uint64_t mask = 0;
  for (const auto& pattern : patterns) mask |= plain_match(pattern, path) ? pattern.clauses : 0;
  return mask;
}

TEST(PathAutomaton, AnswersEachAnchoring) {
  const auto filter = std::make_unique<coff_filter>();
  EXPECT_EQ(compile_paths({{PathMatch::kExact, "/etc/shadow", 1},
                           {PathMatch::kPrefix, "/etc/", 2},
                           {PathMatch::kSuffix, ".pem", 4},
                           {PathMatch::kContains, "/.ssh/", 8}},
                          *filter),
            0U);
  EXPECT_EQ(run_automaton(*filter, "/etc/shadow"), 3U);
  EXPECT_EQ(run_automaton(*filter, "/etc/shadow2"), 2U);
  EXPECT_EQ(run_automaton(*filter, "/x/etc/shadow"), 0U);
  EXPECT_EQ(run_automaton(*filter, "/root/.ssh/id.pem"), 12U);
  EXPECT_EQ(run_automaton(*filter, "/usr/lib/libc.so.6"), 0U);
}

TEST(PathAutomaton, DetoursMatchEveryClause) {
  const auto filter = std::make_unique<coff_filter>();
  compile_paths({{PathMatch::kExact, "/etc/shadow", 1}}, *filter);
  for (const char* path : {"/tmp/../etc/shadow", "/etc//shadow", "/etc/./shadow", "/etc/shadow/",
                           "/tmp/..", "/tmp/."}) {
    EXPECT_EQ(run_automaton(*filter, path), ~0ULL) << path;
  }
  EXPECT_EQ(run_automaton(*filter, "/tmp/.hidden"), 0U);
  EXPECT_EQ(run_automaton(*filter, "/tmp/..hidden"), 0U);
}

// Paths built from fragments of the patterns, so that near misses are common.
TEST(PathAutomaton, AgreesWithPlainSearchOnRandomPatterns) {
  std::mt19937 random(20261124);
  const std::vector<std::string> fragments = {
      "/etc", "/et", "shadow", "/bin", ".so", "/", "a", "sh", "/s", "dow", "ssh", "-", "\xC3\xA9"};
  const auto pick = [&](size_t count_max) {
    std::string text;
    for (size_t n = 1 + random() % count_max; n > 0; --n) {
      text += fragments[random() % fragments.size()];
    }
    return text;
  };
  const auto filter = std::make_unique<coff_filter>();
  size_t matched = 0;
  for (int round = 0; round < 60; ++round) {
    std::vector<PathPattern> patterns;
    for (int n = 0; n < 40; ++n) {
      patterns.push_back({static_cast<PathMatch>(random() % 4), pick(4), 1ULL << (random() % 64)});
    }
    ASSERT_EQ(compile_paths(patterns, *filter), 0U);
    for (int n = 0; n < 200; ++n) {
      const std::string path = "/" + pick(6);
      const std::uint64_t mask = run_automaton(*filter, path);
      const std::uint64_t wanted = plain_mask(patterns, path);
      EXPECT_EQ(mask & wanted, wanted) << path;
      const bool detour = path.find("//") != std::string::npos || path.ends_with("/");
      if (!detour) {
        EXPECT_EQ(mask, wanted) << path;
      }
      if (wanted != 0) ++matched;
    }
  }
  EXPECT_GT(matched, 1000U);
}

TEST(PathAutomaton, StaysSoundWhenPatternsDoNotFit) {
  std::mt19937 random(7);
  std::vector<PathPattern> patterns;
  for (int n = 0; n < 3000; ++n) {
    std::string text = "/opt/";
    for (int at = 0; at < 30; ++at) text += static_cast<char>(1 + random() % 255);
    patterns.push_back({static_cast<PathMatch>(random() % 4), text, 1ULL << (n % 64)});
  }
  const auto filter = std::make_unique<coff_filter>();
  EXPECT_GT(compile_paths(patterns, *filter), 0U);
  for (const auto& pattern : patterns) {
    EXPECT_NE(run_automaton(*filter, pattern.text) & pattern.clauses, 0U);
  }
}

TEST(PathAutomaton, WithoutPatternsNothingMatches) {
  const auto filter = std::make_unique<coff_filter>();
  compile_paths({}, *filter);
  EXPECT_EQ(filter->has_paths, 0U);
  EXPECT_EQ(run_automaton(*filter, "/etc/shadow"), 0U);
}

}  // namespace
}  // namespace coff::sensor
