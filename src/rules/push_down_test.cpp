// The push-down: what a rule matches is what the kernel would have forwarded.
#include "rules/push_down.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <random>

#include "bpf/calls.h"
#include "rules/testing/load.hpp"
#include "rules/testing/vectors.hpp"
#include "schema/constants.hpp"
#include "schema/decode.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::rules {
namespace {

using schema::testing::RecordBuilder;
using testing::load;

std::string rule(size_t number, std::string_view condition) {
  return "- rule: r" + std::to_string(number) +
         "\n  desc: d\n  priority: INFO\n  output: o\n  condition: " + std::string(condition) +
         "\n";
}

bool some(const std::vector<std::string>& list, auto&& fits) {
  return std::ranges::any_of(list, fits);
}

// What the kernel does with an absolute path, from the filter's own definition.
bool forwards(const KernelFilter& filter, const Event& event) {
  const auto& file = std::get<FileInfo>(event.detail);
  const std::string& path = file.path.name;
  return std::ranges::any_of(filter.clauses, [&](const FilterClause& clause) {
    if (std::ranges::find(clause.kinds, static_cast<unsigned>(event.kind)) == clause.kinds.end()) {
      return false;
    }
    if (event.container == nullptr ? !clause.on_host : !clause.in_containers) return false;
    std::uint32_t bits = (file.open_flags & (O_WRONLY | O_RDWR)) != 0 ? COFF_OPEN_WRITE : 0;
    if ((file.open_flags & (O_WRONLY | O_PATH)) == 0) bits |= COFF_OPEN_READ;
    if (clause.open_flags_any != 0 && (clause.open_flags_any & bits) == 0) return false;
    const bool any = clause.path_exact.empty() && clause.path_prefix.empty() &&
                     clause.path_suffix.empty() && clause.path_contains.empty();
    return any || some(clause.path_exact, [&](const auto& p) { return path == p; }) ||
           some(clause.path_prefix, [&](const auto& p) { return path.starts_with(p); }) ||
           some(clause.path_suffix, [&](const auto& p) { return path.ends_with(p); }) ||
           some(clause.path_contains, [&](const auto& p) { return path.find(p) != path.npos; });
  });
}

Event file_event(coff_kind kind, int call, std::string_view path, std::uint32_t flags,
                 bool container) {
  RecordBuilder builder(kind);
  builder.header().syscall = call;
  if (kind == COFF_KIND_open) {
    builder.file().open_flags = flags;
    builder.header().ret = builder.file().fd = 5;
  }
  builder.text(&coff_file::raw, path);
  Event event = schema::testing::sample_event(builder);
  if (container) return event;
  Process process = *event.process;
  process.container = event.container = nullptr;
  event.process = std::make_shared<const Process>(std::move(process));
  return event;
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
                                     "container.image.repository = shop/web"};
  const auto condition = [&](const auto& self, int depth) -> std::string {
    if (depth == 0) return pick(kChecks);
    const std::string a = self(self, depth - 1);
    if (random() % 6 == 0) return "not (" + a + ")";
    return "(" + a + (random() % 2 == 0 ? " and " : " or ") + self(self, depth - 1) + ")";
  };
  constexpr std::uint32_t kFlags[] = {O_RDONLY, O_WRONLY, O_RDWR, O_PATH, O_ACCMODE};
  size_t matched = 0;
  size_t filtered = 0;
  for (size_t number = 0; number < 1500; ++number) {
    const std::string text = condition(condition, static_cast<int>(random() % 4));
    const auto set = load(rule(number, text));
    const KernelFilter filter = kernel_filter(*set);
    Evaluator evaluator(set);
    for (int i = 0; i < 20; ++i) {
      const bool open = random() % 3 != 0;
      const Event event =
          file_event(open ? COFF_KIND_open : COFF_KIND_unlink, open ? SYS_openat : SYS_unlinkat,
                     pick(kPaths), kFlags[random() % std::size(kFlags)], random() % 2 == 0);
      const bool found = !evaluator.matches({.event = event, .number = 1}).empty();
      const bool forwarded = forwards(filter, event);
      EXPECT_TRUE(forwarded || !found) << text << " on " << event.container;
      matched += found ? 1U : 0U;
      filtered += forwarded ? 0U : 1U;
    }
  }
  EXPECT_GT(matched, 3000U);
  EXPECT_GT(filtered, 3000U);
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
