// The same through podman's Docker-compatible socket, and two engines at once.
#include <gtest/gtest.h>

#include "live/runtime/watcher.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/podman.hpp"
#include "live/support/require.hpp"

namespace coff::live {
namespace {

class PodmanLive : public testing::Test {
 protected:
  void SetUp() override {
    COFF_NEED("podman", podman_missing());
    auto started = PodmanService::start();
    ASSERT_TRUE(started) << started.error().message();
    service_ = std::move(*started);
    const auto image = service_->import_busybox_image();
    ASSERT_TRUE(image) << image.error().message();
    watcher_ = std::make_unique<Watcher>(service_->socket_path());
    ASSERT_TRUE(eventually([&] { return watcher_->engine().status().connected; }))
        << watcher_->engine().status().problem;
  }

  std::string podman(std::vector<std::string> arguments) {
    const auto out = service_->podman(std::move(arguments), {.time_ms_max = 60'000});
    EXPECT_TRUE(out) << out.error().message();
    return out.value_or("");
  }

  std::unique_ptr<PodmanService> service_;
  std::unique_ptr<Watcher> watcher_;
};

TEST_F(PodmanLive, KnowsARunningContainer) {
  const std::string id = podman({"run", "-d", "--name", "shop-db", "--label", "tier=db",
                                 "--cap-add", "NET_ADMIN", kBusyboxImage, "sleep", "600"});
  ASSERT_TRUE(eventually([&] {
    const auto container = watcher_->directory().find(id);
    return container && container->metadata == Metadata::kComplete && container->init_pid != 0;
  }));
  const ContainerPtr container = watcher_->directory().find(id);
  EXPECT_EQ(container->engine, "podman");
  EXPECT_EQ(container->name, "shop-db");
  EXPECT_EQ(container->capabilities_added, std::vector<std::string>{"CAP_NET_ADMIN"});
  podman({"rm", "-f", "-t", "0", "shop-db"});
  ASSERT_TRUE(eventually([&] { return watcher_->count(Kind::container_remove) == 1; }));
  EXPECT_EQ(watcher_->count(Kind::container_create), 1U);
  EXPECT_EQ(watcher_->count(Kind::container_start), 1U);
  EXPECT_EQ(watcher_->count(Kind::container_stop), 1U);
}

TEST_F(PodmanLive, NamesContainersThatLiveForMilliseconds) {
  constexpr size_t kContainers = 8;
  for (size_t number = 0; number < kContainers; ++number)
    podman({"run", "--rm", "--name", "job-" + std::to_string(number), "--label", "tier=job",
            kBusyboxImage, "usleep", "20000"});
  ASSERT_TRUE(eventually([&] { return watcher_->count(Kind::container_remove) == kContainers; }));
  size_t starts = 0;
  for (const Event& event : watcher_->events()) {
    if (event.kind != Kind::container_start) continue;
    ++starts;
    const ContainerPtr container = watcher_->directory().find(event.container->id);
    ASSERT_TRUE(container);
    EXPECT_TRUE(container->name.starts_with("job-"));
    EXPECT_FALSE(container->image.empty());
    EXPECT_FALSE(container->labels.empty());
  }
  EXPECT_EQ(starts, kContainers);
}

TEST_F(PodmanLive, BesideDocker) {
  COFF_NEED("docker", docker_missing());
  auto dockerd = Dockerd::start();
  ASSERT_TRUE(dockerd) << dockerd.error().message();
  const auto image = (*dockerd)->import_busybox_image();
  ASSERT_TRUE(image) << image.error().message();
  runtime::Directory& directory = watcher_->directory();
  runtime::DockerEngine second(
      {.name = "second", .connector = runtime::connect_to((*dockerd)->socket_path())}, directory);
  directory.attach(second);
  const std::string podman_id = podman({"run", "-d", kBusyboxImage, "sleep", "600"});
  const auto docker_id =
      (*dockerd)->docker({"run", "-d", "--network", "none", kBusyboxImage, "sleep", "600"});
  ASSERT_TRUE(docker_id) << docker_id.error().message();
  EXPECT_TRUE(eventually([&] {
    const auto one = directory.find(podman_id);
    const auto two = directory.find(*docker_id);
    return one && one->metadata == Metadata::kComplete && one->engine == "podman" && two &&
           two->metadata == Metadata::kComplete && two->engine == "docker";
  }));
  directory.detach(second);
}

}  // namespace
}  // namespace coff::live
