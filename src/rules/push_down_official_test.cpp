// The push-down of the official rules: they get what they match, and do not ask for every open.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <iterator>
#include <set>

#include "rules/program.hpp"
#include "rules/push_down.hpp"
#include "rules/rule_set.hpp"
#include "rules/testing/file_events.hpp"
#include "rules/testing/load.hpp"
#include "rules/testing/vectors.hpp"

namespace coff::rules {
namespace {

using testing::file_event;
using testing::forwards;

// Paths and process names that the checks of a rule set name.
void collect_texts(const Program& program, std::set<std::string>& paths,
                   std::set<std::string>& names) {
  for (const Check& check : program.checks()) {
    const std::string_view field = program.sources()[check.left].name;
    for (const std::string& text : check.constants.texts) {
      if (field == "proc.name") names.insert(text);
      if (field == "fd.filename") paths.insert("/srv/" + text);
      if (field != "fd.name" && field != "fd.directory") continue;
      const std::string path = text.starts_with('/') ? text : "/srv/" + text;
      paths.insert({path, path + (path.ends_with('/') ? "x" : "/x")});
    }
  }
}

TEST(PushDown, OfficialRulesGetTheOpensThatTheyMatch) {
  const std::string folder = testing::data_path("falco-rules/");
  if (!testing::read_data("falco-rules/falco_rules.yaml")) {
    if (testing::data_required()) FAIL() << "the official rules are missing";
    GTEST_SKIP() << "the official rules are not there";
  }
  LoadOptions options;
  options.selections = {{.rule = "*", .tag = "", .enable = true}};
  const Loaded loaded =
      load_files({folder + "falco_rules.yaml", folder + "falco-incubating_rules.yaml",
                  folder + "falco-sandbox_rules.yaml"},
                 std::move(options));
  const auto& compiled = loaded.rules->compiled();
  std::set<std::string> paths;
  std::set<std::string> names;
  collect_texts(loaded.rules->program(), paths, names);
  std::vector<KernelFilter> filters;
  for (const CompiledRule& each : compiled) {
    const CompiledRule* const only[] = {&each};
    filters.push_back(kernel_filter(loaded.rules->program(), only));
  }
  Evaluator evaluator(loaded.rules);
  std::set<std::uint32_t> matched;
  size_t number = 0;
  for (const std::string& path : paths) {
    for (const bool container : {false, true}) {
      for (const std::uint32_t flags : {O_RDONLY, O_WRONLY | O_CREAT | O_TRUNC}) {
        Event event = file_event(COFF_KIND_open, SYS_openat, path, flags, container);
        Process process = *event.process;
        // Every other one by a process that some rule names.
        if (++number % 2 == 0) process.name = *std::next(names.begin(), number / 2 % names.size());
        event.process = std::make_shared<const Process>(std::move(process));
        for (const std::uint32_t at : evaluator.matches({.event = event, .number = number})) {
          matched.insert(at);
          EXPECT_TRUE(forwards(filters[at], event)) << compiled[at].rule.name << " on " << path;
        }
      }
    }
  }
  EXPECT_GT(matched.size(), 12U);
}

TEST(PushDown, OfficialRulesFitTheKernel) {
  Loader loader;
  auto text = testing::read_data("falco-rules/falco_rules.yaml");
  if (!text) {
    if (testing::data_required()) FAIL() << "the official rules are missing";
    GTEST_SKIP() << "the official rules are not there";
  }
  loader.add("falco_rules.yaml", std::move(*text));
  const KernelFilter filter = kernel_filter(*loader.finish().rules);
  EXPECT_LE(filter.clauses.size(), kPushDownClausesMax);
  EXPECT_FALSE(filter.clauses.empty());
  const Event library =
      file_event(COFF_KIND_open, SYS_openat, "/usr/lib/libc.so.6", O_RDONLY, false);
  EXPECT_FALSE(forwards(filter, library)) << "reading a library matches no stable rule";
}

}  // namespace
}  // namespace coff::rules
