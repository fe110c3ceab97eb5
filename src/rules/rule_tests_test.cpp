// Tests of rules pass, fail and complain as their file says.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "rules/rule_tests.hpp"

namespace coff::rules {
namespace {

constexpr const char* kRules = R"(
- rule: Shadow read
  desc: Somebody reads it.
  condition: evt.type = openat and fd.name = /etc/shadow and evt.is_open_read = true
  output: "%proc.name read %fd.name in %container.name"
  priority: WARNING
- rule: Never
  desc: Nothing tests it.
  condition: evt.type = openat and fd.name = /never
  output: never
  priority: WARNING
)";

class RuleTests : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = "/tmp/coff-rule-test.XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    folder_ = path;
    std::ofstream(folder_ / "a.yaml") << kRules;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  RuleTestReport run(const std::string& text) {
    const std::string file = folder_ / "a.test.yaml";
    std::ofstream(file) << text;
    return run_rule_tests(file);
  }
  std::filesystem::path folder_;
};

constexpr const char* kEvent =
    "{kind: open, file: {path: /etc/shadow, flags: O_RDONLY|O_CLOEXEC, fd: 3}, "
    "process: {name: cat, pid: 7}, container: {name: web}}";

TEST_F(RuleTests, Pass) {
  const RuleTestReport report =
      run(std::string("tests:\n- name: reading\n  event: ") + kEvent +
          "\n  finds: Shadow read\n  spares: [Never]\n  output: cat read /etc/shadow in web\n");
  for (const Problem& problem : report.problems) ADD_FAILURE() << to_text(problem);
  ASSERT_EQ(report.tests.size(), 1U);
  EXPECT_TRUE(report.tests[0].failures.empty()) << report.tests[0].failures[0];
  EXPECT_EQ(report.tests[0].name, "reading");
  EXPECT_EQ(report.untested, std::vector<std::string>{"Never"});
  EXPECT_EQ(report.unspared, std::vector<std::string>{"Shadow read"});
  EXPECT_TRUE(report.ok());
}

TEST_F(RuleTests, Fail) {
  const RuleTestReport report =
      run(std::string("tests:\n- event: ") + kEvent +
          "\n  finds: [Never, No such]\n  spares: [Shadow read]\n  output: nothing\n");
  ASSERT_EQ(report.tests.size(), 1U);
  EXPECT_EQ(report.tests[0].failures.size(), 5U);
  EXPECT_EQ(report.tests[0].line, 2U);
  EXPECT_FALSE(report.ok());
}

TEST_F(RuleTests, WrongFilesAreProblems) {
  for (const std::string text :
       {"", "tests: []", "tests: [{finds: x}]", "[1, 2]", "tests: [{event: {kind: open}}]",
        "tests: [{event: 7, finds: Never}]", "other: 1\ntests: [{event: {kind: open}, finds: a}]",
        "tests: {", "tests: [7]", "rules: [missing.yaml]\ntests: [{event: {}, finds: Never}]"}) {
    EXPECT_FALSE(run(text).ok()) << text;
  }
  const RuleTestReport misspelt =
      run("tests:\n- event: {kind: open, file: {paht: /etc/shadow}}\n  spares: Shadow read\n");
  ASSERT_EQ(misspelt.tests.size(), 1U);
  ASSERT_EQ(misspelt.tests[0].failures.size(), 1U);
  EXPECT_NE(misspelt.tests[0].failures[0].find("file.paht"), std::string::npos)
      << misspelt.tests[0].failures[0];
}

TEST_F(RuleTests, AreFoundBesideTheirRulesAndAreNoRules) {
  run("tests: []");
  const std::string file = folder_ / "a.test.yaml";
  EXPECT_EQ(rule_test_files(folder_ / "a.yaml"), std::vector<std::string>{file});
  EXPECT_EQ(rule_test_files(folder_), std::vector<std::string>{file});
  EXPECT_TRUE(load_files({folder_.string()}).ok());
}

}  // namespace
}  // namespace coff::rules
