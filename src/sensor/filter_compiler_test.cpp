// Clauses become tables that forward at least what the clauses ask for.
#include "sensor/filter_compiler.hpp"

#include <gtest/gtest.h>

namespace coff::sensor {
namespace {

FilterClause writes_below_etc() {
  return {.reason = "writes below /etc",
          .kinds = {COFF_KIND_open},
          .on_host = false,
          .open_flags_any = COFF_OPEN_WRITE,
          .only_success = true,
          .path_prefix = {"/etc/"}};
}

TEST(FilterCompiler, HonoursClassFlagsResultAndPath) {
  const auto compiled = compile_filter({{writes_below_etc()}});
  const auto forwards = [&](coff_class cls, unsigned bits, const char* path) {
    return would_forward(*compiled.tables, COFF_KIND_open, cls, bits, {path});
  };
  EXPECT_TRUE(forwards(COFF_CLASS_CONTAINER, COFF_OPEN_WRITE, "/etc/passwd"));
  EXPECT_TRUE(forwards(COFF_CLASS_UNKNOWN, COFF_OPEN_WRITE, "/etc/passwd"));
  EXPECT_FALSE(forwards(COFF_CLASS_HOST, COFF_OPEN_WRITE, "/etc/passwd"));
  EXPECT_FALSE(forwards(COFF_CLASS_CONTAINER, COFF_OPEN_READ, "/etc/passwd"));
  EXPECT_FALSE(forwards(COFF_CLASS_CONTAINER, COFF_OPEN_WRITE, "/tmp/passwd"));
  EXPECT_FALSE(forwards(COFF_CLASS_CONTAINER, COFF_OPEN_WRITE | COFF_OPEN_FAILED, "/etc/passwd"));
  EXPECT_TRUE(forwards(COFF_CLASS_CONTAINER, COFF_OPEN_WRITE, "passwd"));
}

TEST(FilterCompiler, StateChangesPassAnEmptyFilter) {
  const auto compiled = compile_filter({});
  for (const unsigned kind : {COFF_KIND_exec, COFF_KIND_exit, COFF_KIND_setid, COFF_KIND_setns,
                              COFF_KIND_mount, COFF_KIND_module_load, COFF_KIND_chdir}) {
    EXPECT_TRUE(would_forward(*compiled.tables, kind, COFF_CLASS_HOST, 0, {}));
  }
  EXPECT_FALSE(
      would_forward(*compiled.tables, COFF_KIND_open, COFF_CLASS_HOST, COFF_OPEN_READ, {"/x"}));
}

TEST(FilterCompiler, MoreClausesThanBitsForwardMoreNeverLess) {
  KernelFilter filter;
  for (unsigned at = 0; at < 200; ++at) {
    FilterClause clause = writes_below_etc();
    clause.reason = "clause " + std::to_string(at);
    clause.kinds = {COFF_KIND_open, COFF_KIND_unlink + at % 12, COFF_KIND_socket + at / 30};
    clause.open_flags_any = 1U << (at % 4);
    clause.on_host = at % 8 < 4;
    clause.path_prefix = {"/dir" + std::to_string(at) + "/"};
    filter.clauses.push_back(clause);
  }
  const auto compiled = compile_filter(filter);
  EXPECT_GT(compiled.merged_clauses, 0U);
  EXPECT_FALSE(compiled.notes.empty());
  for (const auto& clause : filter.clauses) {
    EXPECT_TRUE(would_forward(*compiled.tables, COFF_KIND_open, COFF_CLASS_CONTAINER,
                              clause.open_flags_any, {clause.path_prefix[0] + "file"}));
  }
}

}  // namespace
}  // namespace coff::sensor
