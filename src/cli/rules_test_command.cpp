// cofferdam rules test: runs the unit tests that lie beside rule files.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"
#include "cli/rules.hpp"
#include "rules/rule_tests.hpp"

namespace coff::cli {

namespace {

struct Totals {
  size_t tests = 0;
  size_t failed = 0;
  size_t problems = 0;
};

void print_text(const rules::RuleTestReport& report) {
  for (const rules::Problem& problem : report.problems) {
    std::printf("%s\n", rules::to_text(problem).c_str());
  }
  for (const rules::RuleTestOutcome& test : report.tests) {
    for (const std::string& failure : test.failures) {
      std::printf("%s:%zu: %s: %s\n", printable(test.file).c_str(), test.line,
                  printable(test.name).c_str(), printable(failure).c_str());
    }
  }
  for (const std::string& rule : report.untested) {
    std::printf("no test finds: %s\n", printable(rule).c_str());
  }
  for (const std::string& rule : report.unspared) {
    std::printf("no test spares: %s\n", printable(rule).c_str());
  }
}

void write_json(JsonWriter& json, const rules::RuleTestReport& report) {
  json.begin_object().key("problems").begin_array();
  for (const rules::Problem& problem : report.problems) json.raw(rules::to_json(problem));
  json.end_array().key("tests").begin_array();
  for (const rules::RuleTestOutcome& test : report.tests) {
    json.begin_object()
        .member("file", test.file)
        .member("line", test.line)
        .member("name", test.name)
        .member("ok", test.failures.empty())
        .key("failures")
        .begin_array();
    for (const std::string& failure : test.failures) json.string(failure);
    json.end_array().end_object();
  }
  json.end_array().key("untested").begin_array();
  for (const std::string& rule : report.untested) json.string(rule);
  json.end_array().key("unspared").begin_array();
  for (const std::string& rule : report.unspared) json.string(rule);
  json.end_array().end_object();
}

void test(const RulesArguments& arguments, Global& global) {
  const auto paths = rule_files_of(arguments, global);
  if (!paths) return;
  Totals totals;
  std::string text;
  JsonWriter json(text);
  json.begin_array();
  for (const std::string& path : *paths) {
    for (const std::string& file : rules::rule_test_files(path)) {
      const rules::RuleTestReport report = rules::run_rule_tests(file);
      totals.tests += report.tests.size();
      totals.problems += report.problems.size();
      for (const auto& each : report.tests) totals.failed += each.failures.empty() ? 0 : 1;
      if (global.json) write_json(json, report);
      else print_text(report);
    }
  }
  json.end_array();
  if (global.json) std::printf("%s\n", text.c_str());
  else {
    std::printf("%zu tests, %zu failed, %zu problems\n", totals.tests, totals.failed,
                totals.problems);
  }
  // Nothing tested is nothing shown.
  if (totals.tests == 0 || totals.failed > 0 || totals.problems > 0) global.exit_code = kFound;
}

}  // namespace

void add_rules_test(CLI::App& rules, Global& global) {
  const auto arguments = std::make_shared<RulesArguments>();
  CLI::App* command = rules.add_subcommand("test", "Run the unit tests of rule files");
  command->add_option("FILE", arguments->files,
                      "Rule files, their NAME.test.yaml, or folders; those of the configuration "
                      "without");
  command->callback([&global, arguments] { test(*arguments, global); });
}

}  // namespace coff::cli
