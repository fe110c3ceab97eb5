// Many containers that live for milliseconds, several at a time.
#include "live/support/short_containers.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

namespace coff::live {

namespace {
constexpr size_t kUsual = 40;
constexpr size_t kMost = 1000;
constexpr size_t kStreams = 4;
}  // namespace

size_t short_containers() {
  const char* wanted = std::getenv("COFF_SHORT_CONTAINERS");
  if (wanted == nullptr) return kUsual;
  const unsigned long count = std::strtoul(wanted, nullptr, 10);
  return count == 0 || count > kMost ? kUsual : count;
}

void run_short_containers(const Dockerd& engine, const std::string& name,
                          const std::vector<std::string>& command) {
  const size_t count = short_containers();
  std::atomic<size_t> next = 0;
  std::vector<std::jthread> streams;
  for (size_t stream = 0; stream < kStreams; ++stream) {
    streams.emplace_back([&] {
      for (size_t at = next++; at < count; at = next++) {
        std::vector<std::string> arguments = {
            "run",        "--rm", "--network", "none", "--name", name + "-" + std::to_string(at),
            kBusyboxImage};
        arguments.insert(arguments.end(), command.begin(), command.end());
        const auto ran = engine.docker(arguments, {.time_ms_max = 60'000});
        EXPECT_TRUE(ran) << ran.error().message();
      }
    });
  }
}

}  // namespace coff::live
