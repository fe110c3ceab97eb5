// Unit tests of rules: a YAML file beside the rule file says which events must be found.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/rules.hpp"

namespace coff::rules {

/// One test and what came of it.
struct RuleTestOutcome {
  std::string file;
  size_t line = 1;
  std::string name;
  std::vector<std::string> failures;  ///< Sentences; empty: it passed.
};

struct RuleTestReport {
  std::vector<RuleTestOutcome> tests;
  std::vector<Problem> problems;  ///< Of the test file, and errors of the rules that it loads.
  std::vector<std::string>
      untested;  ///< Rules of the file beside it that no test says to be found.
  std::vector<std::string> unspared;  ///< The same, of rules that no test says to be spared.

  /// Something was tested, and nothing failed.
  [[nodiscard]] bool ok() const;
};

/// Ends of names of test files.
inline constexpr std::string_view kRuleTestEnding = ".test.yaml";

/// Runs the tests of one file in the format of docs/formats/rules.md. Its name is NAME.test.yaml;
/// the rules are those of NAME.yaml, after the files that its `rules` names. A file is at most
/// Loader::kFileBytesMax, and holds at most 10,000 tests.
RuleTestReport run_rule_tests(const std::string& path);

/// The test files that `path` means: itself, the one beside a rule file, or those of a folder.
std::vector<std::string> rule_test_files(const std::string& path);

}  // namespace coff::rules
