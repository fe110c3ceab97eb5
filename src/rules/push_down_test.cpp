// The push-down: what a rule matches is what the kernel would have forwarded.
#include "rules/push_down.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cerrno>
#include <map>
#include <random>
#include <set>

#include "bpf/calls.h"
#include "rules/rule_set.hpp"
#include "rules/testing/file_events.hpp"
#include "rules/testing/load.hpp"
#include "schema/constants.hpp"
#include "schema/decode.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::rules {
namespace {

using testing::file_event;
using testing::forwards;
using testing::load;

std::string rule(size_t number, std::string_view condition) {
  return "- rule: r" + std::to_string(number) +
         "\n  desc: d\n  priority: INFO\n  output: o\n  condition: " + std::string(condition) +
         "\n";
}

// Every way to use each path.
std::vector<Event> all_events(std::span<const char* const> paths) {
  std::vector<Event> events;
  for (const char* path : paths) {
    for (const bool container : {false, true}) {
      for (const std::uint32_t flags : {O_RDONLY, O_WRONLY, O_RDWR, O_PATH, O_ACCMODE}) {
        events.push_back(file_event(COFF_KIND_open, SYS_openat, path, flags, container));
      }
      const auto add = [&](coff_kind kind, int call, std::uint32_t flags, bool fails,
                           std::string_view second) {
        events.push_back(file_event(kind, call, path, flags, container, fails, second));
      };
      add(COFF_KIND_open, SYS_openat, O_RDONLY, true, "");
      add(COFF_KIND_open, SYS_open, O_WRONLY, true, "");
      add(COFF_KIND_rmdir, SYS_unlinkat, 0, false, "");
      for (const bool fails : {false, true}) {
        add(COFF_KIND_unlink, SYS_unlinkat, 0, fails, "");
        add(COFF_KIND_rename, SYS_renameat2, 0, fails, events.size() % 2 == 0 ? "/etc/y" : "/x");
      }
      add(COFF_KIND_symlink, SYS_symlink, 0, false, "/etc/x/y");
      add(COFF_KIND_setxattr, SYS_setxattr, 0, false, "user.ssh");
    }
  }
  return events;
}

// The filter with one fault each: what it asks for is too little.
std::vector<std::pair<std::string, KernelFilter>> faulty(const KernelFilter& filter) {
  std::vector<std::pair<std::string, KernelFilter>> all;
  const auto add = [&](size_t at, const char* fault, auto&& change) {
    KernelFilter wrong = filter;
    change(wrong.clauses[at]);
    all.emplace_back(fault, std::move(wrong));
  };
  for (size_t at = 0; at < filter.clauses.size(); ++at) {
    const FilterClause& clause = filter.clauses[at];
    add(at, "a clause", [](FilterClause& c) { c.kinds.clear(); });
    add(at, "a kind", [](FilterClause& c) { c.kinds.pop_back(); });
    if (clause.on_host) add(at, "the host", [](FilterClause& c) { c.on_host = false; });
    if (clause.in_containers) {
      add(at, "containers", [](FilterClause& c) { c.in_containers = false; });
    }
    add(at, "the result", [](FilterClause& c) {
      c.only_failure = !c.only_failure;
      c.only_success = !c.only_failure;
    });
    add(at, "flags", [](FilterClause& c) {
      c.open_flags_any = c.open_flags_any == COFF_OPEN_WRITE ? COFF_OPEN_READ : COFF_OPEN_WRITE;
    });
    for (auto list : {&FilterClause::path_exact, &FilterClause::path_prefix,
                      &FilterClause::path_suffix, &FilterClause::path_contains}) {
      if ((clause.*list).empty()) continue;
      add(at, "a path", [&](FilterClause& c) { (c.*list).back() = "/never"; });
    }
    if (!clause.path_prefix.empty()) {
      add(at, "a prefix as a path", [](FilterClause& c) {
        c.path_exact.push_back(c.path_prefix.back());
        c.path_prefix.pop_back();
      });
    }
  }
  return all;
}

TEST(PushDown, NeverLosesWhatARuleMatches) {
  std::mt19937 random(5);
  const auto pick = [&](const auto& list) { return std::string(list[random() % std::size(list)]); };
  constexpr const char* kPaths[] = {"/etc/shadow",    "/etc", "/etc/x/y",     "/bin/sh",
                                    "/root/.ssh/key", "/x",   "/usr/lib/a.so"};
  constexpr const char* kChecks[] = {"evt.type in (open, openat)",
                                     "evt.type = unlinkat",
                                     "evt.is_open_write = true",
                                     "evt.is_open_read=true",
                                     "container.id = host",
                                     "container.id != host",
                                     "fd.directory in (/etc, /)",
                                     "fd.filename = shadow",
                                     "fd.name pmatch (/etc, /u*r)",
                                     "proc.name = nginx",
                                     "fd.num >= 0",
                                     "evt.num = 0",
                                     "fd.name endswith .so",
                                     "fd.name contains ssh",
                                     "fd.name exists",
                                     "fd.name startswith /etc",
                                     "evt.type != openat",
                                     "fd.name glob /b*",
                                     "fd.name glob *.so",
                                     "fd.name glob /usr/*/?.so",
                                     "fd.name glob /[eb]tc*",
                                     "fd.name = anyof (/etc, /bin/sh)",
                                     "fd.name = /x",
                                     "fd.name in (/etc, /bin/sh)",
                                     "fd.name = anyof (/x, /y)",
                                     "evt.failed = false",
                                     "evt.failed = true",
                                     "evt.res = SUCCESS",
                                     "evt.res != SUCCESS",
                                     "evt.res in (ENOENT, EACCES)",
                                     "evt.res in (ENOENT, SUCCESS)",
                                     "evt.rawres >= 0",
                                     "evt.rawres < 0",
                                     "evt.rawres > -2",
                                     "fd.num < 0",
                                     "evt.type in (renameat2, symlink)",
                                     "evt.arg.path startswith /etc",
                                     "evt.arg.newpath = /x",
                                     "evt.arg.name contains ssh",
                                     "evt.abspath = /etc/shadow",
                                     "fs.path.name startswith /etc",
                                     "fs.path.target endswith y",
                                     "fs.path.source in (/etc, /x, /etc/x/y)",
                                     "container.image.repository = shop/web"};
  const auto condition = [&](const auto& self, int depth) -> std::string {
    if (depth == 0) return pick(kChecks);
    const std::string a = self(self, depth - 1);
    if (random() % 6 == 0) return "not (" + a + ")";
    return "(" + a + (random() % 2 == 0 ? " and " : " or ") + self(self, depth - 1) + ")";
  };
  const std::vector<Event> events = all_events(kPaths);
  size_t matched = 0;
  size_t asked = 0;
  size_t filtered = 0;
  std::map<std::string, size_t> caught;
  for (size_t number = 0; number < 1500; ++number) {
    const std::string text = condition(condition, static_cast<int>(random() % 4));
    const auto set = load(rule(number, text));
    const KernelFilter filter = kernel_filter(*set);
    Evaluator evaluator(set);
    std::vector<const Event*> found;
    std::vector<const Event*> others;
    for (const Event& event : events) {
      const bool holds = !evaluator.matches({.event = event, .number = 1}).empty();
      (holds ? found : others).push_back(&event);
    }
    // What a rule does not match tells only that something is filtered at all.
    others.resize(std::min(others.size(), found.size() * 2 + 10));
    for (const Event* event : found) EXPECT_TRUE(forwards(filter, *event)) << text;
    for (const Event* event : others) filtered += forwards(filter, *event) ? 0U : 1U;
    matched += found.size();
    asked += found.size() + others.size();
    for (const auto& [fault, wrong] : faulty(filter)) {
      const bool seen = std::ranges::any_of(
          found, [&, &wrong = wrong](const Event* event) { return !forwards(wrong, *event); });
      caught[fault] += seen ? 1U : 0U;
    }
  }
  EXPECT_GT(matched * 10, asked * 3) << "too few events that rules match";
  EXPECT_GT(filtered, 3000U);
  // Each way to ask for too little is seen by the comparison above.
  for (const char* fault : {"a clause", "a kind", "the host", "containers", "the result", "flags",
                            "a path", "a prefix as a path"}) {
    EXPECT_GT(caught[fault], 20U) << fault;
  }
}

TEST(PushDown, NamesPathsFlagsAndPlaces) {
  const auto set = load(rule(0,
                             "evt.type in (open, openat) and evt.is_open_write=true and "
                             "container.id != host and fd.name startswith /etc/"));
  const KernelFilter filter = kernel_filter(*set);
  ASSERT_EQ(filter.clauses.size(), 1U);
  const FilterClause& clause = filter.clauses[0];
  EXPECT_EQ(clause.kinds, std::vector<unsigned>{COFF_KIND_open});
  EXPECT_FALSE(clause.on_host);
  EXPECT_TRUE(clause.in_containers);
  EXPECT_EQ(clause.open_flags_any, static_cast<std::uint32_t>(COFF_OPEN_WRITE));
  EXPECT_EQ(clause.path_prefix, std::vector<std::string>{"/etc/"});
  EXPECT_EQ(clause.reason, "rules: r0");
}

TEST(PushDown, NamesResultsAndPathsOfChanges) {
  const auto set = load(rule(0,
                             "evt.type in (rename, renameat2) and evt.res = SUCCESS and "
                             "evt.arg.newpath startswith /etc/") +
                        rule(1, "evt.type = openat and fd.num >= 0 and fd.name = /etc/shadow") +
                        rule(2, "evt.type = connect and evt.rawres < 0"));
  std::map<unsigned, FilterClause> by_kind;
  for (const FilterClause& clause : kernel_filter(*set).clauses) {
    for (const unsigned kind : clause.kinds) by_kind[kind] = clause;
  }
  EXPECT_EQ(by_kind.size(), 3U);
  EXPECT_TRUE(by_kind[COFF_KIND_rename].only_success);
  EXPECT_EQ(by_kind[COFF_KIND_rename].path_prefix, std::vector<std::string>{"/etc/"});
  EXPECT_TRUE(by_kind[COFF_KIND_open].only_success);
  EXPECT_TRUE(by_kind[COFF_KIND_connect].only_failure);
}

// The kernel asks about some kinds without their result, or without their paths.
TEST(PushDown, OtherKindsAreNotRestricted) {
  const auto set = load(rule(0, "evt.type in (kill, mount) and evt.failed = true") +
                        rule(1, "evt.type = mount and fs.path.source = /etc"));
  for (const FilterClause& clause : kernel_filter(*set).clauses) {
    EXPECT_FALSE(clause.only_failure || clause.only_success);
    EXPECT_TRUE(clause.path_exact.empty());
  }
}

// Every name that evt.type has for events of a kind asks for that kind.
TEST(PushDown, AsksForEachKindThatHasAType) {
  struct Made {
    std::string_view call;
    coff_kind kind;
  };
  std::vector<Made> all = {
#define COFF_X(call, program, kind, ...) {#call, COFF_KIND_##kind},
      COFF_CALLS(COFF_X)
#undef COFF_X
          {"unlinkat", COFF_KIND_rmdir},
      {"umount2", COFF_KIND_umount}};
  for (unsigned kind = 0; kind < COFF_KINDS; ++kind) {
    all.push_back({"", static_cast<coff_kind>(kind)});  // Not from a system call.
  }
  size_t named = 0;
  for (const Made& made : all) {
    Event event;
    event.kind = static_cast<Kind>(made.kind);
    for (std::int32_t number = 0; number < COFF_CALL_NUMBERS && !made.call.empty(); ++number) {
      if (schema::syscall_name(number) == made.call) event.syscall = number;
    }
    const std::string type(schema::event_type_name(event));
    named += event.syscall >= 0 ? 1U : 0U;
    const KernelFilter filter = kernel_filter(*load(rule(0, "evt.type = " + type)));
    const bool asked = std::ranges::any_of(filter.clauses, [&](const FilterClause& clause) {
      return std::ranges::find(clause.kinds, made.kind) != clause.kinds.end();
    });
    EXPECT_TRUE(asked) << type << " of kind " << schema::kKindNames[made.kind];
  }
  EXPECT_GT(named, 80U);
}

TEST(PushDown, ResolvedPathsAndHandlesDoNotAskForEveryOpen) {
  const auto filter_of = [](std::string_view condition) {
    return kernel_filter(*load(rule(1, condition)));
  };
  const Event other = file_event(COFF_KIND_open, 257, "/usr/lib/libc.so.6", 0, true);
  Event linked = file_event(COFF_KIND_open, 257, "/tmp/innocent", 0, true);
  std::get<FileInfo>(linked.detail).path.resolved = "/etc/shadow";
  const KernelFilter resolved = filter_of("evt.type = openat and file.resolved = /etc/shadow");
  EXPECT_TRUE(forwards(resolved, linked));
  EXPECT_FALSE(forwards(resolved, other));
  const Event by_handle = file_event(COFF_KIND_open, 304, "", 0, true);
  const KernelFilter handles = filter_of("evt.type = open_by_handle_at");
  EXPECT_TRUE(forwards(handles, by_handle));
  EXPECT_FALSE(forwards(handles, other));
  EXPECT_TRUE(forwards(filter_of("evt.type in (open_by_handle_at, openat)"), other));
}

}  // namespace
}  // namespace coff::rules
