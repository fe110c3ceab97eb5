// Container identity and metadata against a real Docker engine.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "base/fd.hpp"
#include "live/runtime/watcher.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/require.hpp"
#include "runtime/cgroup.hpp"
#include "runtime/cgroup_tree.hpp"

namespace coff::live {
namespace {

class DockerLive : public testing::Test {
 protected:
  void SetUp() override {
    COFF_NEED("docker", docker_missing());
    auto started = Dockerd::start({.bridge = Bridge::kPrivate});
    ASSERT_TRUE(started) << started.error().message();
    dockerd_ = std::move(*started);
    const auto image = dockerd_->import_busybox_image();
    ASSERT_TRUE(image) << image.error().message();
    watch();
  }

  void watch() {
    watcher_ = std::make_unique<Watcher>(dockerd_->socket_path());
    ASSERT_TRUE(eventually([&] { return watcher_->engine().status().connected; }))
        << watcher_->engine().status().problem;
  }

  // Runs the docker client; "" and a failed expectation when it fails.
  std::string docker(std::vector<std::string> arguments) {
    const auto out = dockerd_->docker(std::move(arguments), {.time_ms_max = 60'000});
    EXPECT_TRUE(out) << out.error().message();
    return out.value_or("");
  }

  std::unique_ptr<Dockerd> dockerd_;
  std::unique_ptr<Watcher> watcher_;
};

TEST_F(DockerLive, KnowsEverythingOfARunningContainer) {
  docker({"network", "create", "back"});
  const std::string id = docker({"run",          "-d",
                                 "--name",       "shop-web",
                                 "--label",      "com.docker.compose.project=shop",
                                 "--label",      "com.docker.compose.service=web",
                                 "--label",      "note=one\ntwo",
                                 "--publish",    "127.0.0.1:0:8080",
                                 "--cap-add",    "NET_ADMIN",
                                 "--user",       "1000",
                                 "--restart",    "always",
                                 "--health-cmd", "true",
                                 "--tmpfs",      "/scratch",
                                 kBusyboxImage,  "sleep",
                                 "600"});
  docker({"network", "connect", "back", "shop-web"});
  runtime::Directory& directory = watcher_->directory();
  ASSERT_TRUE(eventually([&] {
    const auto container = directory.find(id);
    return container && directory.settled(id) && container->networks.size() == 2;
  }));
  const ContainerPtr container = directory.find(id);
  EXPECT_EQ(container->metadata, Metadata::kComplete);
  EXPECT_EQ(container->metadata_reason, "");
  EXPECT_EQ(container->engine, "docker");
  EXPECT_EQ(container->name, "shop-web");
  EXPECT_EQ(container->image, kBusyboxImage);
  EXPECT_EQ(container->compose_service, "web");
  EXPECT_EQ(container->user, "1000");
  EXPECT_EQ(container->restart_policy, "always");
  EXPECT_EQ(container->health_check, "true");
  EXPECT_EQ(container->capabilities_added, std::vector<std::string>{"CAP_NET_ADMIN"});
  ASSERT_EQ(container->ports.size(), 1U);
  EXPECT_NE(container->ports[0].host_port, 0);
  for (const ContainerNetwork& network : container->networks) EXPECT_FALSE(network.ipv4.empty());
  EXPECT_NE(container->init_pid, 0U);

  // The process that the engine names is in a control group that names the container.
  const auto groups = read_file("/proc/" + std::to_string(container->init_pid) + "/cgroup", 65536);
  ASSERT_TRUE(groups) << groups.error().message();
  const auto hierarchy = runtime::choose_hierarchy();
  ASSERT_TRUE(hierarchy) << hierarchy.error().message();
  const auto scan = runtime::scan_cgroups(*hierarchy);
  ASSERT_TRUE(scan) << scan.error().message();
  const auto group = std::ranges::find_if(scan->groups, [&](const auto& seen) {
    const auto parsed = runtime::parse_cgroup(seen.path);
    return parsed && parsed->id == id && parsed->below.empty();
  });
  ASSERT_NE(group, scan->groups.end());
  EXPECT_NE(groups->find(":" + group->path + "\n"), std::string::npos) << *groups;
  EXPECT_NE(group->id, 0U);
}

TEST_F(DockerLive, TellsTheWholeLifeInOrder) {
  const std::string id = docker({"run", "-d", "--name", "life", "--network", "none", "--memory",
                                 "64m", kBusyboxImage, "sleep", "600"});
  docker({"exec", "life", "sh", "-c", "true"});
  docker({"pause", "life"});
  docker({"unpause", "life"});
  docker({"rename", "life", "afterlife"});
  docker({"update", "--memory", "32m", "--memory-swap", "32m", "afterlife"});
  docker({"rm", "-f", "afterlife"});
  ASSERT_TRUE(eventually([&] { return watcher_->count(Kind::container_remove) == 1; }));
  std::vector<std::string> verbs;
  for (const Event& event : watcher_->events()) {
    EXPECT_EQ(event.container->id, id);
    EXPECT_GT(event.wall_ns, 0);
    EXPECT_GT(event.boot_ns, 0U);
    const std::string& action = std::get<ContainerInfo>(event.detail).action;
    verbs.push_back(action.substr(0, action.find(':')));
  }
  const std::vector<std::string> expected = {"create",   "start", "exec_create", "exec_start",
                                             "exec_die", "pause", "unpause",     "rename",
                                             "update",   "kill",  "die",         "destroy"};
  EXPECT_EQ(verbs, expected);
  EXPECT_EQ(watcher_->directory().find(id)->name, "afterlife");
  EXPECT_TRUE(watcher_->directory().present().empty());
}

TEST_F(DockerLive, NamesContainersThatLiveForMilliseconds) {
  constexpr size_t kContainers = 50;
  std::vector<std::jthread> clients;
  for (size_t client = 0; client < 2; ++client) {
    clients.emplace_back([&, client] {
      for (size_t number = 0; number < kContainers / 2; ++number)
        docker({"run", "--rm", "--name",
                "job-" + std::to_string(client) + "-" + std::to_string(number), "--network", "none",
                "--label", "tier=job", kBusyboxImage, "usleep", "20000"});
    });
  }
  clients.clear();
  ASSERT_TRUE(eventually([&] { return watcher_->count(Kind::container_remove) == kContainers; }));
  std::set<std::string> names;
  for (const Event& event : watcher_->events()) {
    if (event.kind != Kind::container_create && event.kind != Kind::container_start) continue;
    const std::string& id = event.container->id;
    ASSERT_TRUE(eventually([&] { return watcher_->directory().settled(id); }, 3000));
    const ContainerPtr container = watcher_->directory().find(id);
    ASSERT_TRUE(container);
    EXPECT_TRUE(container->name.starts_with("job-")) << container->name;
    EXPECT_EQ(container->image, kBusyboxImage);
    const Labels::value_type tier{"tier", "job"};
    EXPECT_NE(std::ranges::find(container->labels, tier), container->labels.end());
    if (container->metadata != Metadata::kComplete || container->init_pid == 0) {
      EXPECT_FALSE(container->metadata_reason.empty());
    }
    names.insert(container->name);
  }
  EXPECT_EQ(names.size(), kContainers);
  EXPECT_EQ(watcher_->count(Kind::container_create), kContainers);
  EXPECT_EQ(watcher_->count(Kind::container_start), kContainers);
  EXPECT_EQ(watcher_->count(Kind::container_stop), kContainers);
  RecordProperty("inspected", static_cast<int>(watcher_->engine().status().inspections));
}

TEST_F(DockerLive, AsksAtOnceAboutWhatTheSensorSees) {
  const std::string id = docker({"run", "-d", "--network", "none", kBusyboxImage, "sleep", "600"});
  runtime::Directory& directory = watcher_->directory();
  runtime::CgroupContainer seen{.id = id, .engine = "docker"};
  EXPECT_TRUE(directory.learn(seen));
  EXPECT_TRUE(eventually([&] { return directory.settled(id); }, 3000));
  EXPECT_EQ(directory.find(id)->metadata, Metadata::kComplete);

  seen.id = std::string(64, 'f');
  EXPECT_EQ(directory.learn(seen)->metadata, Metadata::kPending);
  EXPECT_TRUE(eventually([&] { return directory.settled(seen.id); }, 3000));
  EXPECT_EQ(directory.find(seen.id)->metadata, Metadata::kUnknown);
  EXPECT_EQ(directory.find(seen.id)->metadata_reason, "no container engine knows it");
}

TEST_F(DockerLive, FollowsAnEngineThatIsRestarted) {
  const std::string before = docker({"create", "--name", "before", kBusyboxImage, "true"});
  ASSERT_TRUE(eventually([&] { return watcher_->directory().find(before) != nullptr; }));
  dockerd_->kill();
  ASSERT_TRUE(eventually([&] { return !watcher_->engine().status().connected; }));
  EXPECT_FALSE(watcher_->engine().status().problem.empty());
  const auto again = dockerd_->start_again();
  ASSERT_TRUE(again) << again.error().message();
  const std::string after = docker({"create", "--name", "after", kBusyboxImage, "true"});
  ASSERT_TRUE(eventually([&] { return watcher_->directory().find(after) != nullptr; }));
  EXPECT_EQ(watcher_->engine().status().connections, 2U);
  // Once each: what the engine repeats is not told again.
  ASSERT_TRUE(eventually([&] { return watcher_->count(after, "create") == 1; }));
  EXPECT_EQ(watcher_->count(before, "create"), 1U);
}

TEST_F(DockerLive, SeesContainersOlderThanItself) {
  const std::string id =
      docker({"run", "-d", "--name", "old", "--network", "none", kBusyboxImage, "sleep", "600"});
  watch();
  ASSERT_TRUE(eventually([&] {
    const auto container = watcher_->directory().find(id);
    return container && container->metadata == Metadata::kComplete;
  }));
  EXPECT_EQ(watcher_->directory().find(id)->name, "old");
  EXPECT_EQ(watcher_->count(id, "create"), 0U);
}

}  // namespace
}  // namespace coff::live
