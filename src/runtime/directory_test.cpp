// How what the sensor sees and what engines tell becomes one container.
#include "runtime/directory.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace coff::runtime {
namespace {

class QuietEngine final : public Engine {
 public:
  explicit QuietEngine(std::string kind) : kind_(std::move(kind)) {}
  [[nodiscard]] std::string kind() const override { return kind_; }
  [[nodiscard]] EngineStatus status() const override { return {.connected = true}; }
  void request(const std::string& id) override { requested.push_back(id); }
  std::vector<std::string> requested;

 private:
  std::string kind_;
};

class DirectoryTest : public testing::Test {
 protected:
  DirectoryTest() { directory.attach(engine); }
  ~DirectoryTest() override { directory.detach(engine); }

  static EngineEvent event(const std::string& action, std::int64_t wall_ns = 1000) {
    return {.type = "container",
            .action = action,
            .id = "box",
            .wall_ns = wall_ns,
            .name = "job",
            .image = "shop/job:1",
            .labels = {{"com.docker.compose.project", "shop"}}};
  }
  static Container inspected(std::uint32_t pid, std::int64_t started_wall_ns) {
    Container container{.id = "box", .engine = "docker", .metadata = Metadata::kComplete};
    container.name = "job";
    container.image = "shop/job:1";
    container.init_pid = pid;
    container.started_wall_ns = started_wall_ns;
    if (pid != 0) container.networks = {{.name = "bridge", .ipv4 = "10.0.0.2"}};
    return container;
  }
  Metadata metadata() const { return directory.find("box")->metadata; }
  std::string reason() const { return directory.find("box")->metadata_reason; }

  std::vector<Event> events;
  QuietEngine engine{"docker"};
  Directory directory{{.removed_max = 2, .settle_ns_max = 50'000'000, .denied_grace_ns = 1},
                      [this](Event told) { events.push_back(std::move(told)); }};
};

const Error kAbsent{.code = Code::kNotFound, .what = "no such container"};

TEST_F(DirectoryTest, KnowsAContainerAtOnceAndAsks) {
  EXPECT_EQ(directory.find("box"), nullptr);
  const auto learned = directory.learn({.id = "box", .engine = "docker", .pod_uid = "uid"});
  EXPECT_EQ(learned->metadata, Metadata::kPending);
  EXPECT_EQ(learned->engine, "docker");
  EXPECT_EQ(engine.requested, std::vector<std::string>{"box"});
  EXPECT_FALSE(directory.settled("box"));
  directory.learn({.id = "box", .below = "/init.scope"});
  EXPECT_EQ(engine.requested.size(), 1U);
  directory.on_container(engine, inspected(7, 2000));
  EXPECT_TRUE(directory.settled("box"));
  EXPECT_EQ(metadata(), Metadata::kComplete);
  EXPECT_EQ(directory.find("box")->k8s_pod_uid, "uid");
  EXPECT_EQ(learned->metadata, Metadata::kPending);  // What was true then stays as it was.
}

TEST_F(DirectoryTest, WaitsForTheAnswerFromAfterTheStart) {
  directory.on_event(engine, event("create"));
  directory.on_container(engine, inspected(0, 0));
  EXPECT_TRUE(directory.settled("box"));
  directory.on_event(engine, event("start", 2000));
  EXPECT_FALSE(directory.settled("box"));
  directory.on_container(engine, inspected(7, 2000));
  EXPECT_TRUE(directory.settled("box"));
  EXPECT_EQ(reason(), "");
}

TEST_F(DirectoryTest, NamesWhatLivedTooBrieflyToBeAskedAbout) {
  directory.learn({.id = "box"});
  directory.on_event(engine, event("create"));
  directory.on_event(engine, event("start", 2000));
  directory.on_event(engine, event("die", 3000));
  directory.on_event(engine, event("destroy", 4000));
  directory.on_unknown(engine, "box", kAbsent);
  EXPECT_TRUE(directory.settled("box"));
  EXPECT_EQ(metadata(), Metadata::kPartial);
  EXPECT_EQ(directory.find("box")->name, "job");
  EXPECT_EQ(directory.find("box")->compose_project, "shop");
  EXPECT_EQ(directory.find("box")->started_wall_ns, 2000);
  EXPECT_NE(reason().find("too briefly"), std::string::npos);
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0].kind, Kind::container_create);
  EXPECT_EQ(events[1].kind, Kind::container_start);
  EXPECT_EQ(events[2].kind, Kind::container_stop);
  EXPECT_EQ(events[3].kind, Kind::container_remove);
  EXPECT_EQ(events[3].wall_ns, 4000);
  EXPECT_EQ(directory.counters().present, 0U);
}

TEST_F(DirectoryTest, SaysWhatIsMissingWhenOnlyTheCreationWasAskedAbout) {
  directory.on_event(engine, event("create"));
  directory.on_container(engine, inspected(0, 0));
  directory.on_event(engine, event("start", 2000));
  directory.on_event(engine, event("die", 3000));
  EXPECT_EQ(metadata(), Metadata::kPartial);
  EXPECT_NE(reason().find("process id"), std::string::npos);
  directory.on_unknown(engine, "box", kAbsent);
  EXPECT_TRUE(directory.settled("box"));
}

TEST_F(DirectoryTest, AnEventAfterADenialStillNamesTheContainer) {
  directory.learn({.id = "box"});
  directory.on_unknown(engine, "box", kAbsent);
  EXPECT_EQ(metadata(), Metadata::kUnknown);
  EXPECT_EQ(reason(), "no container engine knows it");
  directory.on_event(engine, event("create"));
  EXPECT_EQ(metadata(), Metadata::kPartial);
  EXPECT_NE(reason().find("too briefly"), std::string::npos);
}

TEST_F(DirectoryTest, KeepsAddressesAndPidOfWhatHasEnded) {
  directory.on_container(engine, inspected(7, 2000));
  directory.on_event(engine, event("die", 3000));
  directory.on_container(engine, inspected(0, 2000));
  EXPECT_EQ(directory.find("box")->init_pid, 7U);
  ASSERT_EQ(directory.find("box")->networks.size(), 1U);
  EXPECT_EQ(reason(), "");
}

TEST_F(DirectoryTest, GivesUpWaitingForASilentEngine) {
  directory.learn({.id = "box"});
  EXPECT_FALSE(directory.settled("box"));
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  EXPECT_TRUE(directory.settled("box"));
  EXPECT_EQ(metadata(), Metadata::kUnknown);
  EXPECT_EQ(reason(), "no container engine answered in time");
  directory.on_container(engine, inspected(7, 2000));
  EXPECT_EQ(metadata(), Metadata::kComplete);
}

TEST_F(DirectoryTest, TwoEnginesThatKnowTheSameContainerTellItOnce) {
  QuietEngine second("podman");
  directory.attach(second);
  directory.on_event(engine, event("create"));
  directory.on_event(second, event("create"));
  EXPECT_EQ(events.size(), 1U);
  // Nobody denies a container while another engine has it.
  directory.on_unknown(second, "box", kAbsent);
  EXPECT_EQ(metadata(), Metadata::kPartial);
  // Once the first is down the second's word counts.
  directory.on_state(engine, false);
  directory.on_event(second, event("start", 2000));
  EXPECT_EQ(events.size(), 2U);
  directory.detach(second);
}

TEST_F(DirectoryTest, UnknownOnlyWhenEveryEngineSaysSo) {
  QuietEngine second("podman");
  directory.attach(second);
  directory.learn({.id = "box"});
  EXPECT_EQ(second.requested, std::vector<std::string>{"box"});
  directory.on_unknown(engine, "box", kAbsent);
  EXPECT_EQ(metadata(), Metadata::kPending);
  directory.on_unknown(second, "box", kAbsent);
  EXPECT_EQ(metadata(), Metadata::kUnknown);
  directory.detach(second);
}

TEST_F(DirectoryTest, NoticesWhatVanishedWhileTheConnectionWasDown) {
  directory.on_container(engine, inspected(7, 2000));
  directory.on_list(engine, {"box"}, ~std::uint64_t{0});
  EXPECT_TRUE(events.empty());
  directory.on_list(engine, {}, 0);  // Asked before the container was known.
  EXPECT_TRUE(events.empty());
  directory.on_list(engine, {}, ~std::uint64_t{0});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Kind::container_remove);
  EXPECT_EQ(std::get<ContainerInfo>(events[0].detail).action, "absent");
  EXPECT_TRUE(directory.present().empty());
}

TEST_F(DirectoryTest, EndsAndRevivesWhatOnlyControlGroupsShow) {
  directory.learn({.id = "box"});
  directory.gone("box");
  EXPECT_TRUE(directory.present().empty());
  EXPECT_TRUE(directory.running().empty());
  directory.learn({.id = "box"});
  EXPECT_EQ(directory.present().size(), 1U);
  EXPECT_EQ(directory.running().size(), 1U);
  // An engine's container outlives its control group, which a restart makes anew.
  directory.on_container(engine, inspected(7, 2000));
  directory.gone("box");
  EXPECT_EQ(directory.present().size(), 1U);
  EXPECT_TRUE(directory.running().empty());
}

TEST_F(DirectoryTest, RemembersRemovedOnesUpToALimit) {
  for (const char* id : {"a", "b", "c"}) {
    directory.learn({.id = id});
    directory.gone(id);
  }
  EXPECT_EQ(directory.find("a"), nullptr);
  EXPECT_NE(directory.find("b"), nullptr);
  EXPECT_EQ(directory.counters().removed, 2U);
}

TEST(Directory, IsBounded) {
  Directory directory({.containers_max = 2}, [](const Event&) {});
  directory.learn({.id = "a"});
  directory.learn({.id = "b"});
  const auto over = directory.learn({.id = "c"});
  EXPECT_EQ(over->metadata, Metadata::kUnknown);
  EXPECT_EQ(directory.find("c"), nullptr);
  EXPECT_EQ(directory.counters().over_limit, 1U);
}

TEST(Directory, IsReadWhileItChanges) {
  Directory directory({.removed_max = 4}, [](const Event&) {});
  std::atomic<bool> over = false;
  std::atomic<size_t> found = 0;
  std::jthread reader([&] {
    while (!over)
      if (const auto container = directory.find("steady"); container) found += container->id.size();
  });
  directory.learn({.id = "steady"});
  for (int number = 0; number < 5000; ++number) {
    const std::string id = std::to_string(number);
    directory.learn({.id = id});
    directory.gone(id);
  }
  while (found == 0) std::this_thread::yield();
  over = true;
}

}  // namespace
}  // namespace coff::runtime
