// Benchmark: what learned behaviour costs of each event of a container, learning and watching.
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>

#include "baseline/baseline.hpp"
#include "baseline/testing/acts.hpp"

namespace {

using namespace coff;
using baseline::Baseline;
using baseline::testing::Act;

constexpr std::uint64_t kSecondNs = 1'000'000'000;
size_t g_sink = 0;

// Prints the median of several runs as one JSON line.
void measure(std::string_view name, Baseline& learned, const std::vector<Event>& events) {
  constexpr int kRuns = 5;
  constexpr size_t kRounds = 200'000;
  double took_ns[kRuns];
  for (double& each : took_ns) {
    const auto start = std::chrono::steady_clock::now();
    for (size_t round = 0; round < kRounds; ++round) {
      g_sink += learned.observe(events[round % events.size()]).size();
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    each = took.count() / kRounds;
  }
  std::sort(std::begin(took_ns), std::end(took_ns));
  std::printf(R"({"bench":"baseline","case":"%.*s","ns_per_event":%.1f})"
              "\n",
              static_cast<int>(name.size()), name.data(), took_ns[kRuns / 2]);
}

void finish_learning(Baseline& learned) {
  const std::vector<ContainerPtr> running = {schema::testing::sample_container()};
  for (std::uint64_t second = 1; second < 20; ++second) {
    learned.tick({.boot_ns = second * kSecondNs, .wall_ns = 1}, running);
  }
}

std::vector<Event> opens(size_t count) {
  std::vector<Event> events;
  for (size_t n = 0; n < count; ++n) {
    events.push_back(
        Act::open("/var/lib/app/data/" + std::to_string(n) + ".tmp", O_WRONLY | O_CREAT).event());
  }
  return events;
}

}  // namespace

int main() {
  const std::vector<Event> exec = {
      Act::exec("/bin/sh").from("/usr/sbin/nginx").capable(0xff).event()};
  const std::vector<Event> call = {Act::call(COFF_KIND_unshare).event()};
  const std::vector<Event> one_file = opens(1);
  const std::vector<Event> few_files = opens(1000);
  const std::vector<Event> many_files = opens(100'000);
  for (const bool watching : {false, true}) {
    Baseline learned({.window_s = 10});
    for (const auto* events : {&exec, &call, &one_file}) {
      for (const Event& event : *events) g_sink += learned.observe(event).size();
    }
    if (watching) finish_learning(learned);
    const std::string state = watching ? "watching, " : "learning, ";
    measure(state + "exec", learned, exec);
    measure(state + "call", learned, call);
    measure(state + "open of one file", learned, one_file);
    measure(state + "open of 1000 files", learned, few_files);
    measure(state + "open of 100000 files", learned, many_files);
  }
  return g_sink == 1 ? 1 : 0;
}
