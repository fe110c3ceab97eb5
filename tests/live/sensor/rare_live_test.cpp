// What seldom happens, made to happen: memory runs out; users, login users and capabilities change;
// system calls come through the 32-bit entry. On the host and in a container.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "live/sensor/collector.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/require.hpp"

namespace coff::live {
namespace {

constexpr std::uint32_t kLogin = 1234;
constexpr std::uint32_t kUser = 1001;

#ifdef COFF_COMPAT32

struct Seen {
  int exec_flags = -1;   ///< COFF_EXE_*; -1: no exec.
  int event_flags = -1;  ///< COFF_F_* of the exec.
  bool ended = false;
  size_t calls = 0;  ///< Opens, connects and unlinks.
};

Seen run_and_look(Collector& collector, const char* program, std::string_view name) {
  const auto outcome = collector.run({program});
  EXPECT_TRUE(outcome && outcome->status == 0) << "the 32-bit entry did not open a file";
  Seen seen;
  for (const Event& event : collector.events()) {
    if (event.process == nullptr || event.process->name != name) continue;
    if (event.kind == Kind::exec && !event.failed()) {
      seen.exec_flags = static_cast<int>(event.process->program->exe_flags);
      seen.event_flags = event.flags;
    }
    seen.ended |= event.kind == Kind::exit;
    seen.calls += event.kind == Kind::open || event.kind == Kind::connect ||
                  event.kind == Kind::unlink || event.kind == Kind::socket;
  }
  return seen;
}

#endif

/// A control group with a memory limit of 16 MiB, in the hierarchy that has the controller.
class SmallGroup {
 public:
  SmallGroup() {
    const std::string name = "coff-test-" + std::to_string(getpid());
    path_ = "/sys/fs/cgroup/memory/" + name;
    const char* limit = "/memory.limit_in_bytes";
    if (::mkdir(path_.c_str(), 0755) != 0) {
      path_ = "/sys/fs/cgroup/" + name;
      limit = "/memory.max";
      if (::mkdir(path_.c_str(), 0755) != 0) path_.clear();
    }
    std::ofstream(path_ + limit) << (16 << 20);
    usable_ = !path_.empty() && ::access((path_ + limit).c_str(), F_OK) == 0;
  }
  SmallGroup(const SmallGroup&) = delete;
  SmallGroup& operator=(const SmallGroup&) = delete;
  ~SmallGroup() { ::rmdir(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::optional<std::string> missing() const {
    if (usable_) return {};
    return "no control group with a memory limit can be made";
  }

 private:
  std::string path_;
  bool usable_ = false;
};

class RareLive : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (ebpf_missing()) return;
    auto collector = Collector::open();
    ASSERT_TRUE(collector) << collector.error().message();
    collector_.emplace(std::move(*collector));
    if (docker_missing()) return;
    auto engine = Dockerd::start();
    ASSERT_TRUE(engine) << engine.error().message();
    engine_ = std::move(*engine);
    ASSERT_TRUE(engine_->import_busybox_image());
  }
  static void TearDownTestSuite() {
    engine_.reset();
    collector_.reset();
  }
  void SetUp() override {
    COFF_NEED("ebpf", ebpf_missing());
    ASSERT_TRUE(collector_);
    collector_->drain();
    collector_->clear();
  }
  static Collector& collector() { return *collector_; }

  /// Runs a program in a container, under the name `path`, until it ends; the container's id.
  static std::string run_in_container(const std::vector<std::string>& options,
                                      const std::string& program, const std::string& path,
                                      const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"run",  "-d", "--network",
                                          "none", "-v", program + ":" + path + ":ro"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {kBusyboxImage, path});
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::string id;
    collector().during([&] {
      const auto started = engine_->docker(arguments);
      ASSERT_TRUE(started) << started.error().message();
      id = *started;
      EXPECT_TRUE(engine_->docker({"wait", id}));
    });
    return id;
  }
  /// Runs the actor.
  static std::string act_in_container(const std::vector<std::string>& options,
                                      const std::string& action) {
    return run_in_container(options, COFF_ACTOR, "/actor", {action});
  }
  /// Events of one kind of the processes of this name in this container ("": on the host).
  static std::vector<const Event*> of(Kind kind, std::string_view name, std::string_view id) {
    return collector().select([=](const Event& event) {
      return event.kind == kind && event.process != nullptr && event.process->name == name &&
             (event.container == nullptr ? id.empty() : event.container->id == id);
    });
  }
  static void expect_oom_kill(std::string_view victim, std::string_view id) {
    const auto kills = collector().select([&](const Event& event) {
      const auto* call = std::get_if<CallInfo>(&event.detail);
      return event.kind == Kind::oom_kill && call->target != nullptr &&
             call->target->name == victim;
    });
    ASSERT_EQ(kills.size(), 1U);
    const auto& call = std::get<CallInfo>(kills[0]->detail);
    EXPECT_EQ(call.target_pid, call.target->pid);
    ASSERT_NE(call.target->program, nullptr);
    EXPECT_EQ(call.target->program->argv.back(), "eat");
    const ContainerPtr& container = kills[0]->container;
    EXPECT_EQ(container == nullptr ? "" : container->id, id);
    const auto ends = of(Kind::exit, victim, id);
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_EQ(std::get<ExitInfo>(ends[0]->detail).status & 127U, 9U);
  }
  /// What `actor login` did.
  static void expect_login(std::string_view name, std::string_view id) {
    const auto logins = of(Kind::loginuid, name, id);
    ASSERT_EQ(logins.size(), 1U);
    EXPECT_EQ(logins[0]->credentials.loginuid, kLogin);
    EXPECT_TRUE(std::get<CallInfo>(logins[0]->detail).before_known);
    EXPECT_NE(std::get<CallInfo>(logins[0]->detail).before.loginuid, kLogin);
    const auto changes = of(Kind::setid, name, id);
    ASSERT_EQ(changes.size(), 3U);  // setgroups, setresgid, setresuid
    const Event& group = *changes[1];
    const Event& user = *changes[2];
    EXPECT_EQ(group.credentials.gid, kUser);
    EXPECT_EQ(std::get<CallInfo>(group.detail).before.gid, 0U);
    EXPECT_EQ(user.credentials.uid, kUser);
    EXPECT_EQ(user.credentials.euid, kUser);
    EXPECT_EQ(std::get<CallInfo>(user.detail).before.uid, 0U);
    EXPECT_EQ(std::get<CallInfo>(user.detail).args[0], kUser);
    EXPECT_EQ(std::get<CallInfo>(user.detail).capabilities.effective, 0U);
    EXPECT_EQ(user.credentials.loginuid, kLogin);
    // The end is told with the new credentials.
    const auto ends = of(Kind::exit, name, id);
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_EQ(ends[0]->process->credentials.uid, kUser);
  }
  static void expect_drop(std::string_view name, std::string_view id) {
    const auto drops = of(Kind::capset, name, id);
    ASSERT_EQ(drops.size(), 1U);
    const auto& call = std::get<CallInfo>(drops[0]->detail);
    EXPECT_EQ(call.capabilities.effective, 0U);
    EXPECT_EQ(call.capabilities.permitted, 0U);
    EXPECT_EQ(drops[0]->process->capabilities.effective, 0U);
    const auto execs = of(Kind::exec, name, id);
    ASSERT_FALSE(execs.empty());
    EXPECT_NE(execs.back()->process->capabilities.effective, 0U);
  }

  /// What the compat program did: one event for each of its two processes, at the entry where the
  /// kernel lets the sensor watch it (open, exit), otherwise where other hooks saw it (fork, exit).
  static void expect_compat_calls(std::string_view name, std::string_view id) {
    constexpr std::uint64_t kExit = 1;
    constexpr std::uint64_t kFork = 2;
    constexpr std::uint64_t kOpen = 5;
    const auto calls = of(Kind::compat_call, name, id);
    ASSERT_EQ(calls.size(), 2U);
    EXPECT_NE(calls[0]->process->pid, calls[1]->process->pid);
    const std::uint64_t first = std::get<CallInfo>(calls[0]->detail).args[0];
    EXPECT_TRUE(first == kOpen || first == kFork) << first;
    EXPECT_EQ(std::get<CallInfo>(calls[1]->detail).args[0], kExit);
    EXPECT_NE(calls[0]->flags & COFF_F_COMPAT32, 0);
    EXPECT_EQ(calls[0]->syscall, -1);
  }

  static std::unique_ptr<Dockerd> engine_;

 private:
  static std::optional<Collector> collector_;
};
std::optional<Collector> RareLive::collector_;
std::unique_ptr<Dockerd> RareLive::engine_;

TEST_F(RareLive, AnOomKillOnTheHostNamesItsVictim) {
  const SmallGroup group;
  COFF_NEED("ebpf", group.missing());
  const auto outcome = collector().run(
      {"sh", "-c", "echo $$ > " + group.path() + "/cgroup.procs; exec " COFF_ACTOR " eat"});
  ASSERT_TRUE(outcome) << outcome.error().message();
  ASSERT_EQ(outcome->status, 128 + 9) << outcome->err;
  expect_oom_kill("coff_actor", "");
}

TEST_F(RareLive, AnOomKillInAContainerNamesItsVictimAndTheContainer) {
  COFF_NEED("docker", docker_missing());
  ASSERT_NE(engine_, nullptr);
  const std::string id = act_in_container({"--memory", "16m", "--memory-swap", "16m"}, "eat");
  expect_oom_kill("actor", id);
}

TEST_F(RareLive, ALoginAndAChangeOfUserAreEventsOnTheHost) {
  ASSERT_TRUE(collector().run({COFF_ACTOR, "login"}));
  expect_login("coff_actor", "");
}

TEST_F(RareLive, ALoginAndAChangeOfUserAreEventsInAContainer) {
  COFF_NEED("docker", docker_missing());
  ASSERT_NE(engine_, nullptr);
  expect_login("actor", act_in_container({}, "login"));
}

TEST_F(RareLive, CapabilitiesThatAreGivenUpAreAnEvent) {
  ASSERT_TRUE(collector().run({COFF_ACTOR, "drop"}));
  expect_drop("coff_actor", "");
  COFF_NEED("docker", docker_missing());
  ASSERT_NE(engine_, nullptr);
  expect_drop("actor", act_in_container({}, "drop"));
}

#ifdef COFF_COMPAT32

TEST_F(RareLive, TheThirtyTwoBitEntryIsAsBlindAsTheSensorSays) {
  bool blind = false;
  for (const auto& row : collector().sensor().programs().blindness()) {
    blind |= row.what.find("32-bit entry") != std::string::npos;
  }
  const Seen narrow = run_and_look(collector(), COFF_COMPAT32, "coff_compat32");
  ASSERT_NE(narrow.exec_flags, -1) << "no exec of a 32-bit program";
  EXPECT_NE(narrow.exec_flags & COFF_EXE_32BIT, 0);
  EXPECT_NE(narrow.event_flags & COFF_F_COMPAT32, 0);
  EXPECT_TRUE(narrow.ended);
  EXPECT_EQ(narrow.calls == 0, blind) << narrow.calls;

  const Seen wide = run_and_look(collector(), COFF_COMPAT64, "coff_compat64");
  ASSERT_NE(wide.exec_flags, -1);
  EXPECT_EQ(wide.exec_flags & COFF_EXE_32BIT, 0);
  EXPECT_TRUE(wide.ended);
  EXPECT_EQ(wide.calls == 0, blind) << wide.calls;
}

TEST_F(RareLive, TheFirstThirtyTwoBitCallOfASixtyFourBitProcessIsAnEvent) {
  ASSERT_TRUE(collector().run({COFF_COMPAT64}));
  expect_compat_calls("coff_compat64", "");
  // The exec of a 32-bit program has told already.
  ASSERT_TRUE(collector().run({COFF_COMPAT32}));
  EXPECT_TRUE(of(Kind::compat_call, "coff_compat32", "").empty());
  COFF_NEED("docker", docker_missing());
  ASSERT_NE(engine_, nullptr);
  expect_compat_calls("compat", run_in_container({}, COFF_COMPAT64, "/compat"));
}

#endif

}  // namespace
}  // namespace coff::live
