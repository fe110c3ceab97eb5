// Loads rules from a text that must be right, for tests of the room.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "rules/rules.hpp"

namespace coff::rules::testing {

/// The rules of one file; every problem fails the test.
inline std::shared_ptr<const RuleSet> load(std::string text) {
  Loader loader;
  loader.add("test.yaml", std::move(text));
  Loaded loaded = loader.finish();
  EXPECT_TRUE(loaded.ok()) << (loaded.problems.empty() ? "" : to_text(loaded.problems[0]));
  return loaded.rules;
}

}  // namespace coff::rules::testing
