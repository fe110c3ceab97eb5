// What happens in containers is told with their identity, from the first instruction on.
#include <gtest/gtest.h>
#include <signal.h>

#include <set>

#include "live/sensor/collector.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/require.hpp"
#include "live/support/short_containers.hpp"
#include "sensor/calls.hpp"

namespace coff::live {
namespace {

constexpr const char* kActorName = "actor";

class ContainerLive : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (docker_missing() || ebpf_missing()) return;
    auto engine = Dockerd::start();
    ASSERT_TRUE(engine) << engine.error().message();
    engine_ = std::move(*engine);
    ASSERT_TRUE(engine_->import_busybox_image());
    auto collector = Collector::open();
    ASSERT_TRUE(collector) << collector.error().message();
    collector_.emplace(std::move(*collector));
  }
  static void TearDownTestSuite() {
    collector_.reset();
    engine_.reset();
  }
  void SetUp() override {
    COFF_NEED("ebpf", ebpf_missing());
    COFF_NEED("docker", docker_missing());
    ASSERT_NE(engine_, nullptr);
    ASSERT_TRUE(collector_);
    collector_->drain();
    collector_->clear();
  }
  static Collector& collector() { return *collector_; }
  static std::vector<std::string> run_actor(std::vector<std::string> options,
                                            std::vector<std::string> actor) {
    std::vector<std::string> arguments = {"run",  "--rm", "--network",
                                          "none", "-v",   std::string(COFF_ACTOR) + ":/actor:ro"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {kBusyboxImage, "/actor"});
    arguments.insert(arguments.end(), actor.begin(), actor.end());
    return arguments;
  }

  static std::unique_ptr<Dockerd> engine_;

 private:
  static std::optional<Collector> collector_;
};
std::optional<Collector> ContainerLive::collector_;
std::unique_ptr<Dockerd> ContainerLive::engine_;

TEST_F(ContainerLive, ReportsEveryObservedCallWithItsContainer) {
  Result<std::string> output = fail(Code::kInternal, "did not run");
  collector().during([&] { output = engine_->docker(run_actor({}, {"calls", "/tmp"})); });
  ASSERT_TRUE(output) << output.error().message();
  std::set<std::int32_t> seen;
  std::set<std::string> containers;
  for (const Event& event : collector().events()) {
    if (event.process == nullptr || event.process->name != kActorName) continue;
    ASSERT_NE(event.container, nullptr);
    containers.insert(event.container->id);
    seen.insert(event.syscall);
  }
  EXPECT_EQ(containers.size(), 1U);
  EXPECT_EQ(containers.begin()->size(), 64U);
  for (const auto& call : sensor::observed_calls()) {
    bool blind = call.number < 0;
    for (const auto& row : collector().sensor().programs().blindness()) {
      blind |= row.what == "system call " + std::string(call.name);
    }
    EXPECT_TRUE(blind || seen.contains(call.number)) << call.name << " made no event";
  }
}

TEST_F(ContainerLive, TheFirstProgramIsToldApartFromTheImage) {
  Result<std::string> output = fail(Code::kInternal, "did not run");
  collector().during([&] {
    output = engine_->docker({"run", "--rm", "--network", "none", kBusyboxImage, "sh", "-c",
                              "cp /bin/busybox /tmp/true; /tmp/true; /bin/true"});
  });
  ASSERT_TRUE(output) << output.error().message();
  const auto execs = collector().select([](const Event& event) {
    return event.kind == Kind::exec && event.container != nullptr && !event.failed();
  });
  std::uint32_t dropped = 0;
  std::uint32_t shipped = COFF_EXE_UPPER;
  for (const Event* event : execs) {
    if (event->process->program->filename == "/tmp/true")
      dropped = event->process->program->exe_flags;
    if (event->process->program->filename == "/bin/true")
      shipped = event->process->program->exe_flags;
  }
  EXPECT_NE(dropped & COFF_EXE_UPPER, 0U);
  EXPECT_EQ(shipped & COFF_EXE_UPPER, 0U);
  EXPECT_NE(shipped & COFF_EXE_OVERLAY, 0U);
}

TEST_F(ContainerLive, ASignalAcrossContainersIsReported) {
  Result<std::string> id =
      engine_->docker({"run", "-d", "--network", "none", "-v",
                       std::string(COFF_ACTOR) + ":/actor:ro", kBusyboxImage, "/actor", "wait"});
  ASSERT_TRUE(id) << id.error().message();
  const auto pid = engine_->docker({"inspect", "-f", "{{.State.Pid}}", *id});
  ASSERT_TRUE(pid);
  ASSERT_TRUE(collector().run({"/bin/kill", "-USR1", *pid}));
  ASSERT_TRUE(engine_->docker({"rm", "-f", *id}));
  const auto signals = collector().select([&](const Event& event) {
    return event.kind == Kind::kill && event.process != nullptr && event.process->name == "kill";
  });
  ASSERT_EQ(signals.size(), 1U);
  const auto& call = std::get<CallInfo>(signals[0]->detail);
  EXPECT_EQ(std::to_string(call.target_pid), *pid);
  EXPECT_EQ(call.args[1], static_cast<std::uint64_t>(SIGUSR1));
  ASSERT_NE(call.target, nullptr);
  EXPECT_EQ(call.target->name, kActorName);
}

TEST_F(ContainerLive, ShortContainersAlwaysHaveTheirId) {
  const size_t count = short_containers();
  collector().during([&] { run_short_containers(*engine_, "run", {"usleep", "20000"}); });
  std::set<std::string> containers;
  std::set<std::string> ended;
  size_t events = 0;
  size_t without = 0;
  for (const Event& event : collector().events()) {
    if (event.process == nullptr || event.process->name != "usleep") continue;
    ++events;
    if (event.container == nullptr) {
      ++without;
      continue;
    }
    EXPECT_EQ(event.container->id.size(), 64U);
    if (event.kind == Kind::exec) containers.insert(event.container->id);
    if (event.kind == Kind::exit) ended.insert(event.container->id);
  }
  EXPECT_EQ(without, 0U) << "of " << events << " events";
  EXPECT_GE(events, 2 * count);
  EXPECT_EQ(containers.size(), count);
  EXPECT_EQ(ended.size(), count);
}

}  // namespace
}  // namespace coff::live
