// Every observed call is made for real on the host, and its event is looked for.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>

#include "live/sensor/collector.hpp"
#include "live/support/require.hpp"
#include "live/support/workspace.hpp"
#include "sensor/calls.hpp"

namespace coff::live {
namespace {

constexpr const char* kActorName = "coff_actor";

class SensorLive : public ::testing::Test {
 protected:
  // One sensor for all tests: loading and detaching take seconds.
  static void SetUpTestSuite() {
    if (ebpf_missing()) return;
    auto collector = Collector::open();
    ASSERT_TRUE(collector) << collector.error().message();
    collector_.emplace(std::move(*collector));
  }
  static void TearDownTestSuite() { collector_.reset(); }
  void SetUp() override {
    COFF_NEED("ebpf", ebpf_missing());
    ASSERT_TRUE(collector_);
    collector_->drain();
    collector_->clear();
  }
  static Collector& collector() { return *collector_; }
  const Event& first(Kind kind, std::string_view name = kActorName) {
    const Event* event = collector().first(kind, name);
    EXPECT_NE(event, nullptr) << "no event of kind " << static_cast<int>(kind);
    static const Event kNone;
    return event == nullptr ? kNone : *event;
  }

 private:
  static std::optional<Collector> collector_;
};
std::optional<Collector> SensorLive::collector_;

bool is_blind(const sensor::Sensor& sensor, std::string_view call) {
  for (const auto& blindness : sensor.programs().blindness()) {
    if (blindness.what == "system call " + std::string(call)) return true;
  }
  return false;
}

TEST_F(SensorLive, ReportsEveryObservedCall) {
  const auto workspace = Workspace::create();
  ASSERT_TRUE(workspace);
  const auto outcome = collector().run({COFF_ACTOR, "calls", workspace->path()});
  ASSERT_TRUE(outcome) << outcome.error().message();
  ASSERT_EQ(outcome->status, 0) << outcome->err;
  std::set<std::int32_t> seen;
  for (const Event* event : collector().select([](const Event& candidate) {
         return candidate.process != nullptr && candidate.process->name == kActorName;
       })) {
    seen.insert(event->syscall);
  }
  size_t expected = 0;
  for (const auto& call : sensor::observed_calls()) {
    if (call.number < 0 || is_blind(collector().sensor(), call.name)) continue;
    ++expected;
    EXPECT_TRUE(seen.contains(call.number)) << call.name << " made no event";
  }
  EXPECT_GT(expected, 70U);
}

TEST_F(SensorLive, AnOpenHasItsThreeNames) {
  const auto workspace = Workspace::create();
  ASSERT_TRUE(workspace);
  ASSERT_TRUE(collector().run({"ln", "-s", "/etc/hostname", *workspace / "link"}));
  ASSERT_TRUE(collector().run(
      {"sh", "-c", "cd " + workspace->path() + " && exec cat ./link ../../etc/hostname"}));
  const auto opens = collector().select([](const Event& event) {
    return event.kind == Kind::open && event.process != nullptr && event.process->name == "cat" &&
           std::get<FileInfo>(event.detail).path.resolved == "/etc/hostname";
  });
  ASSERT_EQ(opens.size(), 2U);
  const auto& linked = std::get<FileInfo>(opens[0]->detail);
  EXPECT_EQ(linked.path.raw, "./link");
  EXPECT_EQ(linked.path.name, *workspace / "link");
  EXPECT_NE(linked.ino, 0U);
  EXPECT_GE(linked.fd, 0);
  const auto& relative = std::get<FileInfo>(opens[1]->detail);
  EXPECT_EQ(relative.path.raw, "../../etc/hostname");
  EXPECT_EQ(relative.path.name, "/etc/hostname");
}

TEST_F(SensorLive, AnExecIsWhole) {
  ASSERT_TRUE(collector().run({"env", "-i", "COFF_TEST=yes", "OTHER=no", "/bin/sh", "-c", "exit 7",
                               "two words", std::string("line\nbreak \xff")}));
  // Other shells may run on this machine: ours is our child.
  const auto ours = collector().select([](const Event& candidate) {
    return candidate.process != nullptr && candidate.process->name == "sh" &&
           candidate.process->ppid == static_cast<std::uint32_t>(getpid());
  });
  const auto of_kind = [&](Kind kind) {
    const auto found = std::find_if(ours.begin(), ours.end(),
                                    [&](const Event* event) { return event->kind == kind; });
    return found == ours.end() ? nullptr : *found;
  };
  ASSERT_NE(of_kind(Kind::exec), nullptr);
  ASSERT_NE(of_kind(Kind::exit), nullptr);
  const Event& event = *of_kind(Kind::exec);
  const Process& process = *event.process;
  const std::vector<std::string> argv = {"/bin/sh", "-c", "exit 7", "two words",
                                         std::string("line\nbreak \xff")};
  EXPECT_EQ(process.program->argv, argv);
  EXPECT_EQ(process.program->env, std::vector<std::string>{"COFF_TEST=yes"});
  EXPECT_TRUE(process.program->exe.ends_with("/dash")) << process.program->exe;
  EXPECT_EQ(process.program->filename, "/bin/sh");
  EXPECT_NE(process.program->ino, 0U);
  EXPECT_GT(process.program->mtime_ns, 1'000'000'000'000'000'000U);
  EXPECT_EQ(process.credentials.uid, 0U);
  EXPECT_NE(process.namespaces.mnt, 0U);
  EXPECT_NE(process.capabilities.effective, 0U);
  EXPECT_FALSE(process.cwd.empty());
  ASSERT_NE(process.parent, nullptr);
  EXPECT_EQ(process.parent->pid, static_cast<std::uint32_t>(getpid()));
  const Event& end = *of_kind(Kind::exit);
  EXPECT_EQ(std::get<ExitInfo>(end.detail).status, 7U << 8);
  EXPECT_GT(std::get<ExitInfo>(end.detail).max_rss_bytes, 100'000U);
  EXPECT_EQ(end.process->id, process.id);
}

TEST_F(SensorLive, FailedAttemptsAreEvents) {
  ASSERT_TRUE(collector().run({"sh", "-c", "cat /nonexistent/file; exec /nonexistent/program"}));
  const auto failed = collector().select([](const Event& event) { return event.failed(); });
  const auto with_path = [&](Kind kind, std::string_view path) {
    for (const Event* event : failed) {
      const auto* file = std::get_if<FileInfo>(&event->detail);
      const auto* exec = std::get_if<ExecInfo>(&event->detail);
      if (event->kind == kind && (file != nullptr ? file->path.name : exec->filename) == path) {
        return event->result == -ENOENT;
      }
    }
    return false;
  };
  EXPECT_TRUE(with_path(Kind::open, "/nonexistent/file"));
  EXPECT_TRUE(with_path(Kind::exec, "/nonexistent/program"));
}

TEST_F(SensorLive, AProgramInMemoryIsMarked) {
  ASSERT_TRUE(collector().run({COFF_ACTOR, "memfd"}));
  const auto ghosts = collector().select([](const Event& event) {
    return event.kind == Kind::exec && event.process != nullptr && !event.failed() &&
           event.process->program->argv == std::vector<std::string>{"ghost", "true"};
  });
  ASSERT_EQ(ghosts.size(), 1U);
  const Program& program = *ghosts[0]->process->program;
  EXPECT_NE(program.exe_flags & COFF_EXE_MEMFD, 0U);
  EXPECT_NE(program.exe_flags & COFF_EXE_DELETED, 0U);
  EXPECT_EQ(program.exe, "/memfd:ghost");
}

TEST_F(SensorLive, FirstUseOfAnIoUringOperationIsAnEvent) {
  const auto outcome = collector().run({COFF_ACTOR, "uring"});
  ASSERT_TRUE(outcome);
  ASSERT_EQ(outcome->status, 0) << "no io_uring here";
  EXPECT_GE(first(Kind::io_uring_setup).result, 0);
  const Event& use = first(Kind::io_uring);
  EXPECT_EQ(std::get<CallInfo>(use.detail).args[0], 18U);  // IORING_OP_OPENAT
  EXPECT_NE(use.flags & COFF_F_IO_URING, 0);
}

TEST_F(SensorLive, ConnectionsHaveAddressesAndFailuresToo) {
  const auto workspace = Workspace::create();
  ASSERT_TRUE(workspace);
  ASSERT_TRUE(collector().run({COFF_ACTOR, "calls", workspace->path()}));
  bool accepted = false;
  bool refused = false;
  bool datagram = false;
  bool abstract = false;
  for (const Event& event : collector().events()) {
    const auto* socket = std::get_if<SocketInfo>(&event.detail);
    if (socket == nullptr || event.process == nullptr || event.process->name != kActorName)
      continue;
    const bool loopback = socket->remote.address[0] == 127 && socket->remote.address[3] == 1;
    accepted |= event.kind == Kind::accept && socket->local.port == 40554 && loopback;
    refused |= event.kind == Kind::connect && socket->remote.port == 1 && loopback &&
               event.result == -ECONNREFUSED;
    datagram |= event.kind == Kind::recvfrom && socket->remote.port == 40553 && loopback &&
                socket->bytes == 5;
    abstract |= event.kind == Kind::connect && socket->family == AF_UNIX &&
                socket->unix_path == std::string("\0coff-abstract", 14);
  }
  EXPECT_TRUE(accepted);
  EXPECT_TRUE(refused);
  EXPECT_TRUE(datagram);
  EXPECT_TRUE(abstract);
  const Event& stdio = first(Kind::dup_stdio);
  EXPECT_EQ(std::get<SocketInfo>(stdio.detail).stdio, 0);
}

TEST_F(SensorLive, KnowsProcessesOlderThanItself) {
  const ProcessPtr self =
      collector().sensor().processes().find(static_cast<std::uint32_t>(getpid()));
  ASSERT_NE(self, nullptr);
  EXPECT_TRUE(self->program->exe.ends_with("sensor_live_test")) << self->program->exe;
  ASSERT_FALSE(self->program->argv.empty());
  EXPECT_NE(self->parent, nullptr);
  // The same process has the same id for a second sensor.
  auto other = Collector::open();
  ASSERT_TRUE(other);
  EXPECT_EQ(other->sensor().processes().find(self->pid)->id, self->id);
}

TEST_F(SensorLive, EveryCountAddsUp) {
  const auto workspace = Workspace::create();
  ASSERT_TRUE(workspace);
  ASSERT_TRUE(collector().run({COFF_ACTOR, "storm", "300"}));
  ASSERT_TRUE(collector().run({COFF_ACTOR, "opens", "5000"}));
  collector().drain();
  const auto totals = collector().sensor().totals();
  for (size_t kind = 0; kind < totals.size(); ++kind) {
    if (kind == COFF_KIND_open) continue;  // others on this host open files meanwhile
    EXPECT_LE(totals[kind].delivered, totals[kind].sent) << kind;
  }
  EXPECT_GE(totals[COFF_KIND_exec].delivered, 300U);
  EXPECT_GE(totals[COFF_KIND_open].delivered + totals[COFF_KIND_open].lost, 5000U);
  EXPECT_EQ(collector().sensor().programs().skipped_runs(), 0U);
}

}  // namespace
}  // namespace coff::live
