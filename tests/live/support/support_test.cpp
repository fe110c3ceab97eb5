// The live tests' own tools: programs end in time, engines start beside each other and go away.
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/podman.hpp"
#include "live/support/require.hpp"

namespace coff::live {
namespace {

bool exists(const std::string& path) {
  struct stat unused{};
  return ::stat(path.c_str(), &unused) == 0;
}

TEST(Run, GivesStatusAndBothOutputs) {
  const auto outcome = run({"sh", "-c", "cat; echo problem >&2; exit 3"}, {.input = "text"});
  ASSERT_TRUE(outcome) << outcome.error().message();
  EXPECT_EQ(outcome->status, 3);
  EXPECT_EQ(outcome->out, "text");
  EXPECT_EQ(outcome->err, "problem\n");
}

TEST(Run, KillsWhatTakesTooLongWithItsChildren) {
  const std::int64_t before_ns = boot_now_ns();
  const auto outcome = run({"sh", "-c", "sleep 60 & sleep 60"}, {.time_ms_max = 200});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kTimeout);
  EXPECT_LT(boot_now_ns() - before_ns, 5'000'000'000);
}

TEST(Dockerd, TwoAtOnceThenNothingIsLeft) {
  COFF_NEED("docker", docker_missing());
  std::string first_folder;
  {
    auto first = Dockerd::start();
    ASSERT_TRUE(first) << first.error().message();
    auto second = Dockerd::start({.bridge = Bridge::kPrivate});
    ASSERT_TRUE(second) << second.error().message();
    for (auto* engine : {first->get(), second->get()}) {
      const auto imported = engine->import_busybox_image();
      ASSERT_TRUE(imported) << imported.error().message();
    }
    const auto lonely =
        (*first)->docker({"run", "--rm", "--network", "none", kBusyboxImage, "echo", "one"});
    ASSERT_TRUE(lonely) << lonely.error().message();
    EXPECT_EQ(*lonely, "one");
    const auto connected = (*second)->docker(
        {"run", "--rm", kBusyboxImage, "ping", "-c1", "-w5", (*second)->gateway()});
    ASSERT_TRUE(connected) << connected.error().message();
    first_folder = (*first)->workspace().path();
    EXPECT_TRUE(exists(first_folder));
    (*first)->kill();
    const auto again = (*first)->start_again();
    ASSERT_TRUE(again) << again.error().message();
  }
  EXPECT_FALSE(exists(first_folder));
}

TEST(Podman, RunsAContainer) {
  COFF_NEED("podman", podman_missing());
  auto service = PodmanService::start();
  ASSERT_TRUE(service) << service.error().message();
  const auto imported = (*service)->import_busybox_image();
  ASSERT_TRUE(imported) << imported.error().message();
  const auto said = (*service)->podman({"run", "--rm", kBusyboxImage, "echo", "two"});
  ASSERT_TRUE(said) << said.error().message();
  EXPECT_EQ(*said, "two");
}

}  // namespace
}  // namespace coff::live
