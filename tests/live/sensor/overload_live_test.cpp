// Under more load than the reader takes, the priority lane loses nothing and the rest is counted.
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "live/sensor/collector.hpp"
#include "live/support/require.hpp"

namespace coff::live {
namespace {

TEST(Overload, AStalledReaderLosesNoExecAndCountsTheRest) {
  COFF_NEED("ebpf", ebpf_missing());
  // A small ring for files, so that the storm fills it for certain.
  sensor::LoadOptions load;
  load.ring_bytes[COFF_LANE_FILE] = 1U << 20;
  auto collector = Collector::open(everything(), load);
  ASSERT_TRUE(collector) << collector.error().message();
  collector->drain();
  collector->clear();
  const auto before = collector->sensor().totals();
  // Nobody reads while these run: at least two seconds of the machine's whole rate.
  std::jthread opens([] { EXPECT_TRUE(run({COFF_ACTOR, "opens", "300000"})); });
  std::jthread more([] { EXPECT_TRUE(run({COFF_ACTOR, "storm", "1500"})); });
  EXPECT_TRUE(run({COFF_ACTOR, "storm", "1500"}));
  more.join();
  opens.join();
  usleep(2'000'000);
  collector->drain();
  const auto after = collector->sensor().totals();
  for (const coff_kind kind : {COFF_KIND_fork, COFF_KIND_exec, COFF_KIND_exit}) {
    EXPECT_EQ(after[kind].lost, before[kind].lost) << kind;
    EXPECT_GE(after[kind].sent - before[kind].sent, 3000U) << kind;
  }
  size_t execs = 0;
  for (const Event& event : collector->events()) {
    execs += event.kind == Kind::exec && event.process != nullptr && !event.failed() &&
             event.process->program->argv == std::vector<std::string>{"actor", "true"};
  }
  EXPECT_EQ(execs, 3000U);
  const auto produced = [&](size_t kind) {
    return after[kind].sent + after[kind].filtered + after[kind].lost -
           (before[kind].sent + before[kind].filtered + before[kind].lost);
  };
  EXPECT_GE(produced(COFF_KIND_open), 300'000U);
  EXPECT_GT(after[COFF_KIND_open].lost, before[COFF_KIND_open].lost);
  const auto losses = collector->sensor().take_losses();
  std::uint64_t told = 0;
  for (const auto& loss : losses.rows) {
    if (loss.kind == COFF_KIND_open) told += loss.ring + loss.scratch;
  }
  EXPECT_EQ(told, after[COFF_KIND_open].lost);
  EXPECT_TRUE(collector->sensor().take_losses().rows.empty());
}

TEST(Overload, AnExecOvertakenByItsOwnOpensIsStillKnown) {
  COFF_NEED("ebpf", ebpf_missing());
  auto collector = Collector::open();
  ASSERT_TRUE(collector) << collector.error().message();
  // A program that is linked dynamically opens its libraries at once.
  ASSERT_TRUE(collector->run(
      {"/bin/sh", "-c", "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done"}));
  size_t opens = 0;
  for (const Event& event : collector->events()) {
    if (event.kind != Kind::open || event.process == nullptr) continue;
    ++opens;
    EXPECT_LE(event.process->since_boot_ns, event.boot_ns);
  }
  EXPECT_EQ(collector->sensor().processes().unknown_count(), 0U);
  EXPECT_GE(opens, 200U);
}

}  // namespace
}  // namespace coff::live
