// What is kept about a process is what each event of it would give.
#include "rules/owner.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include "rules/testing/load.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::rules {
namespace {

using schema::testing::RecordBuilder;
using testing::load;

// An event that differs from sample_exec() in everything but the process.
Event other_event(const ProcessPtr& process) {
  RecordBuilder builder(COFF_KIND_open);
  builder.header().syscall = SYS_openat;
  builder.header().ret = builder.file().fd = 5;
  builder.header().euid = builder.header().uid = 77;
  builder.header().loginuid = 78;
  builder.header().tid = 9999;
  builder.header().time = 99'000'000'000;
  builder.file().open_flags = O_RDONLY;
  builder.comm("thread");
  builder.text(&coff_file::raw, "/etc/other");
  Event event = schema::testing::sample_event(builder);
  event.process = process;
  event.container = nullptr;
  event.wall_ns += 5'000'000'000;
  return event;
}

ProcessPtr with(const Event& event, const std::function<void(Process&)>& change) {
  Process process = *event.process;
  change(process);
  return std::make_shared<const Process>(std::move(process));
}

std::vector<std::string> ways_to_write(const schema::Field& field) {
  const std::string name(field.name);
  switch (field.takes) {
    case schema::Takes::kNothing: return {name};
    case schema::Takes::kOptIndex: return {name, name + "[0]", name + "[1]", name + "[2]"};
    case schema::Takes::kOptName: return {name, name + "[PATH]", name + "[0]", name + "[1]"};
    default: return {};
  }
}

TEST(Owner, ValuesDependOnTheOwnerAlone) {
  const Event event = schema::testing::sample_exec();
  const Event same_process = other_event(event.process);
  // Another process of the same parent.
  Event same_parent = other_event(with(event, [](Process& process) {
    process.pid = process.vpid = 5;
    process.name = "other";
    process.sid = process.pgid = 7;
    process.program = nullptr;
    process.cwd = "/other";
  }));
  size_t of_process = 0;
  size_t of_parent = 0;
  for (const schema::FieldGroup& group : schema::field_groups()) {
    for (const schema::Field& field : group.fields) {
      for (const std::string& text : ways_to_write(field)) {
        const auto reference = schema::resolve_field(text);
        ASSERT_TRUE(reference) << text;
        const Owner owner = owner_of(*reference);
        if (owner == Owner::kEvent) continue;
        const schema::Value value = reference->get({.event = event, .number = 1, .host = "a"});
        EXPECT_EQ(value, reference->get({.event = same_process, .number = 2, .host = "b"})) << text;
        ++of_process;
        if (owner != Owner::kParent) continue;
        EXPECT_EQ(value, reference->get({.event = same_parent, .number = 3})) << text;
        ++of_parent;
      }
    }
  }
  EXPECT_GT(of_process, 60U);
  EXPECT_GT(of_parent, 20U);
}

// Addresses of processes that ended are used again by others.
TEST(Owner, AnswersNeverPassToAnotherProcess) {
  const auto set = load(
      "- rule: r\n  desc: d\n  priority: INFO\n  output: o\n"
      "  condition: proc.name in (a, b) and proc.pname = p and not proc.tty = 0\n");
  Evaluator evaluator(set);
  const Event event = schema::testing::sample_exec();
  size_t found = 0;
  for (std::uint32_t number = 0; number < 20'000; ++number) {
    const bool named = number % 3 == 0;
    const bool child = number % 2 == 0;
    const bool terminal = number % 5 != 0;
    const ProcessPtr parent = with(event, [&](Process& p) { p.name = child ? "p" : "q"; });
    const Event fresh = other_event(with(event, [&](Process& process) {
      process.name = named ? "b" : "c";
      process.tty = terminal ? 1 : 0;
      process.parent = parent;
    }));
    for (int again = 0; again < 2; ++again) {
      const bool holds = !evaluator.matches({.event = fresh, .number = number + 1}).empty();
      ASSERT_EQ(holds, named && child && terminal) << number;
      found += holds ? 1U : 0U;
    }
  }
  EXPECT_GT(found, 2000U);
}

TEST(Owner, AProcessWithoutAParentHasNoAnswersOfOne) {
  const auto set = load(
      "- rule: r\n  desc: d\n  priority: INFO\n  output: o\n"
      "  condition: not proc.pname = p and not proc.aname in (p, q)\n");
  Evaluator evaluator(set);
  const Event event = schema::testing::sample_exec();
  const ProcessPtr parent = with(event, [](Process& process) { process.name = "p"; });
  const Event child = other_event(with(event, [&](Process& p) { p.parent = parent; }));
  const Event orphan = other_event(with(event, [](Process& p) { p.parent = nullptr; }));
  for (int again = 0; again < 3; ++again) {
    EXPECT_TRUE(evaluator.matches({.event = child, .number = 1}).empty());
    EXPECT_FALSE(evaluator.matches({.event = orphan, .number = 1}).empty());
  }
}

}  // namespace
}  // namespace coff::rules
