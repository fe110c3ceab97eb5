// Other engines than a plain Docker, with the sensor attached: podman's Docker-compatible socket,
// and a Docker whose containers have users of their own; both at once.
#include <gtest/gtest.h>

#include <algorithm>

#include "live/agent/product.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/podman.hpp"
#include "live/support/require.hpp"

namespace coff::live {
namespace {

/// Whether that container's events carry its id, name and image. Its program is "sleep 1234".
bool is_known(const Product& product, const std::string& name, const std::string& id) {
  const auto events = product.events({"--container", name, "--kind", "exec"});
  return std::any_of(events.begin(), events.end(), [&](const boost::json::value& event) {
    return text_at(event, {"process", "args"}) == R"(["sleep","1234"])" &&
           text_at(event, {"container", "id"}) == id &&
           text_at(event, {"container", "name"}) == name &&
           text_at(event, {"container", "image"}).ends_with(kBusyboxImage);
  });
}

TEST(EnginesLive, ContainersOfPodmanAndOfARemappedDockerAreKnown) {
  COFF_NEED("ebpf", ebpf_missing());
  COFF_NEED("docker", docker_missing());
  COFF_NEED("podman", podman_missing());
  auto podman = PodmanService::start();
  ASSERT_TRUE(podman) << podman.error().message();
  ASSERT_TRUE((*podman)->import_busybox_image());
  auto remapped = Dockerd::start({.arguments = {"--userns-remap=default"}});
  ASSERT_TRUE(remapped) << remapped.error().message();
  ASSERT_TRUE((*remapped)->import_busybox_image());
  auto started = Product::start({(*podman)->socket_path(), (*remapped)->socket_path()});
  ASSERT_TRUE(started) << started.error().message();
  const Product& product = **started;

  // A moment before the program runs lets the engine answer first, so that all is on the event.
  const std::string program = "sleep 1; exec sleep 1234";
  const auto of_podman =
      (*podman)->podman({"run", "-d", "--name", "pod-job", kBusyboxImage, "sh", "-c", program},
                        {.time_ms_max = 60'000});
  ASSERT_TRUE(of_podman) << of_podman.error().message();
  const auto of_docker = (*remapped)->docker({"run", "-d", "--network", "none", "--name",
                                              "mapped-job", kBusyboxImage, "sh", "-c", program});
  ASSERT_TRUE(of_docker) << of_docker.error().message();
  EXPECT_TRUE(eventually([&] { return is_known(product, "pod-job", *of_podman); }))
      << product.told();
  EXPECT_TRUE(eventually([&] { return is_known(product, "mapped-job", *of_docker); }))
      << product.told();
  // The remapped container's root is somebody else on the host, and is told as such.
  const auto events = product.events({"--container", "mapped-job", "--kind", "exec"});
  EXPECT_TRUE(std::any_of(events.begin(), events.end(), [](const boost::json::value& event) {
    const std::string uid = text_at(event, {"user", "uid"});
    return text_at(event, {"process", "args"}) == R"(["sleep","1234"])" && !uid.empty() &&
           uid != "0";
  })) << (events.empty() ? "" : boost::json::serialize(events.back()));
}

}  // namespace
}  // namespace coff::live
