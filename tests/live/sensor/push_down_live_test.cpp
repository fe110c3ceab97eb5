// What rules ask of the kernel: calls that no rule can hold for are filtered there, and counted.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <set>

#include "base/fd.hpp"
#include "live/sensor/collector.hpp"
#include "live/support/require.hpp"
#include "rules/push_down.hpp"
#include "rules/rules.hpp"

namespace coff::live {
namespace {

constexpr const char* kRules = R"yaml(
- rule: names given below the watched folder
  desc: d
  priority: INFO
  output: o
  condition: evt.type in (rename, renameat, renameat2) and evt.res = SUCCESS and
             evt.arg.newpath startswith /tmp/coff-push-down/watched/
- rule: files removed below the watched folder
  desc: d
  priority: INFO
  output: o
  condition: evt.type in (unlink, unlinkat) and evt.arg.name startswith /tmp/coff-push-down/watched/
- rule: the watched file opened
  desc: d
  priority: INFO
  output: o
  condition: evt.type in (open, openat) and fd.num >= 0 and
             fd.name startswith /tmp/coff-push-down/watched/
)yaml";

constexpr const char* kFolder = "/tmp/coff-push-down";
constexpr int kTimes = 50;

std::string below(const char* name) { return std::string(kFolder) + '/' + name; }

// Each call with a path that a rule watches, one that none does, and one that fails.
bool work() {
  bool done = true;
  for (int at = 0; at < kTimes; ++at) {
    for (const char* folder : {"watched/", "other/"}) {
      const std::string file = below(folder) + std::to_string(at);
      const Fd made(::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
      done = done && made.valid() && ::rename(file.c_str(), (file + ".new").c_str()) == 0 &&
             ::unlink((file + ".new").c_str()) == 0;
    }
    const std::string missing = below("watched/missing");
    done = done && ::open(missing.c_str(), O_RDONLY | O_CLOEXEC) < 0;
    done = done && ::rename(missing.c_str(), (missing + ".new").c_str()) != 0;
    done = done && ::unlink(missing.c_str()) != 0;
  }
  return done;
}

TEST(PushDownLive, CallsThatNoRuleCanHoldForAreFilteredAndCounted) {
  COFF_NEED("ebpf", ebpf_missing());
  std::filesystem::remove_all(kFolder);
  std::filesystem::create_directories(below("watched"));
  std::filesystem::create_directories(below("other"));
  rules::Loader loader;
  loader.add("push_down.yaml", kRules);
  const rules::Loaded loaded = loader.finish();
  ASSERT_TRUE(loaded.ok());
  auto collector = Collector::open(rules::kernel_filter(*loaded.rules));
  ASSERT_TRUE(collector) << collector.error().message();
  collector->drain();
  const auto before = collector->sensor().totals();
  // In another process: the sensor does not report its own.
  const pid_t child = ::fork();
  if (child == 0) _exit(work() ? 0 : 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  collector->drain();
  const auto after = collector->sensor().totals();
  std::filesystem::remove_all(kFolder);

  struct Wanted {
    Kind kind;
    size_t matched;    ///< Calls of the child that a rule holds for.
    size_t forwarded;  ///< Events of the child: the unlink rule takes failed ones, too.
    size_t filtered;
  };
  constexpr size_t kEach = kTimes;
  const Wanted all[] = {{Kind::open, kEach, kEach, 2 * kEach},
                        {Kind::rename, kEach, kEach, 2 * kEach},
                        {Kind::unlink, 2 * kEach, 2 * kEach, kEach}};
  rules::Evaluator evaluator(loaded.rules);
  for (const Wanted& wanted : all) {
    size_t matched = 0;
    size_t forwarded = 0;
    for (const Event& event : collector->events()) {
      const bool ours = event.kind == wanted.kind && event.process != nullptr &&
                        event.process->pid == static_cast<std::uint32_t>(child);
      if (!ours) continue;
      ++forwarded;
      matched += evaluator.matches({.event = event, .number = forwarded}).size();
    }
    const auto at = static_cast<size_t>(wanted.kind);
    EXPECT_EQ(matched, wanted.matched) << at;
    EXPECT_EQ(forwarded, wanted.forwarded) << at;
    EXPECT_GE(after[at].filtered - before[at].filtered, wanted.filtered) << at;
  }
}

}  // namespace
}  // namespace coff::live
