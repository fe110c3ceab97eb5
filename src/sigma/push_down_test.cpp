// What the kernel has to forward for Sigma rules: paths of opens, and nothing for logs of others.
#include "rules/push_down.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sigma/testing/corpus.hpp"
#include "sigma/testing/fires.hpp"

namespace coff::sigma {
namespace {

std::string file_rule(const std::string& item, const std::string& condition = "s") {
  return "title: T\nlogsource: {category: file_event, product: linux}\ndetection:\n  s:\n    " +
         item + "\n  f:\n    TargetFilename|contains: quiet\n  condition: " + condition + "\n";
}

/// The clause for opens; null when there is none.
const FilterClause* open_clause(const KernelFilter& filter) {
  for (const FilterClause& clause : filter.clauses) {
    if (std::ranges::find(clause.kinds, unsigned{COFF_KIND_open}) != clause.kinds.end()) {
      return &clause;
    }
  }
  return nullptr;
}

using Paths = std::vector<std::string>;

TEST(PushDown, PathsOfOpensAreAskedOfTheKernel) {
  const auto clause_of = [](const std::string& text) {
    const KernelFilter filter = rules::kernel_filter(*testing::load_right(text).rules.rules);
    const FilterClause* clause = open_clause(filter);
    return clause == nullptr ? FilterClause{} : *clause;
  };
  FilterClause clause = clause_of(file_rule("TargetFilename: [/etc/Passwd, '/etc/x*']"));
  EXPECT_EQ(clause.path_exact, (Paths{"/etc/Passwd", "/etc/passwd"}));
  EXPECT_EQ(clause.path_prefix, (Paths{"/etc/x"}));
  EXPECT_EQ(clause.open_flags_any, unsigned{COFF_OPEN_WRITE});
  clause = clause_of(file_rule("TargetFilename|endswith: .sh", "s and not f"));
  EXPECT_EQ(clause.path_suffix, (Paths{".sh"})) << "what is left out restricts nothing";
  EXPECT_TRUE(clause.path_contains.empty());
  clause = clause_of(file_rule("TargetFilename: '/home/*/.bashrc'"));
  EXPECT_EQ(clause.path_suffix, (Paths{"/.bashrc"})) << "one end of a text with wildcards";
  clause = clause_of(file_rule("TargetFilename|re: '^/etc'"));
  EXPECT_FALSE(clause.kinds.empty());
  EXPECT_TRUE(clause.path_exact.empty() && clause.path_prefix.empty() &&
              clause.path_suffix.empty() && clause.path_contains.empty());
}

TEST(PushDown, RulesAboutProcessesNeedNoOpens) {
  const Loaded loaded =
      testing::load_right(testing::process_rule("  s:\n    Image|endswith: /nc\n", "s"));
  const KernelFilter filter = rules::kernel_filter(*loaded.rules.rules);
  ASSERT_EQ(filter.clauses.size(), 1U);
  EXPECT_EQ(filter.clauses[0].kinds, (std::vector<unsigned>{COFF_KIND_exec}));
}

using Corpus = testing::Corpus;

TEST_F(Corpus, OpensOfThePublicRulesAreRestrictedByPath) {
  const Loaded loaded = load_files({}, {path_});
  const KernelFilter filter = rules::kernel_filter(*loaded.rules.rules);
  for (const FilterClause& clause : filter.clauses) {
    if (std::ranges::find(clause.kinds, unsigned{COFF_KIND_open}) == clause.kinds.end()) continue;
    const size_t paths = clause.path_exact.size() + clause.path_prefix.size() +
                         clause.path_suffix.size() + clause.path_contains.size();
    EXPECT_GT(paths, 0U) << clause.reason << " would forward every open";
  }
  EXPECT_NE(open_clause(filter), nullptr);
}

}  // namespace
}  // namespace coff::sigma
