// Benchmark: the path automaton of the kernel filter, its time for a path and for being compiled.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sensor/path_automaton.hpp"

namespace {

using namespace coff::sensor;
using Clock = std::chrono::steady_clock;

constexpr int kRuns = 5;
constexpr int kPathRounds = 200'000;

/// Patterns as a large rule set has them: each of the four kinds, no two alike.
std::vector<PathPattern> make_patterns(size_t exact, size_t prefix, size_t suffix,
                                       size_t contains) {
  std::vector<PathPattern> patterns;
  const auto add = [&](size_t count, PathMatch match, std::string_view before,
                       std::string_view after) {
    for (size_t number = 0; number < count; ++number) {
      std::string text(before);
      text.append(std::to_string(number)).append(after);
      patterns.push_back(
          {.match = match, .text = std::move(text), .clauses = 1ULL << (number % 32)});
    }
  };
  add(exact, PathMatch::kExact, "/opt/miss/exact/", ".conf");
  add(prefix, PathMatch::kPrefix, "/srv/miss/", "/");
  add(suffix, PathMatch::kSuffix, "/.miss", "_key");
  add(contains, PathMatch::kContains, "miss-", "-within");
  return patterns;
}

/// Median nanoseconds of several runs of `work`, each of `times` operations.
template <typename Work>
double median_ns(int times, Work&& work) {
  double runs[kRuns];
  for (double& run : runs) {
    const auto start = Clock::now();
    for (int number = 0; number < times; ++number) work();
    run = std::chrono::duration<double, std::nano>(Clock::now() - start).count() / times;
  }
  std::sort(std::begin(runs), std::end(runs));
  return runs[kRuns / 2];
}

void measure(std::string_view name, const std::vector<PathPattern>& patterns) {
  const auto filter = std::make_unique<coff_filter>();
  size_t widened = 0;
  const double compile_ns = median_ns(1, [&] { widened = compile_paths(patterns, *filter); });
  std::printf(
      "{\"bench\":\"filter_compile\",\"case\":\"%.*s\",\"patterns\":%zu,\"widened\":%zu,"
      "\"ms\":%.2f}\n",
      static_cast<int>(name.size()), name.data(), patterns.size(), widened, compile_ns / 1e6);
  std::uint64_t matched = 0;
  for (const std::string_view path :
       {"/etc/hostname", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
        "/var/lib/application/data/tenants/0042/objects/ab/cdef0123456789/content.bin"}) {
    const double each_ns = median_ns(kPathRounds, [&] { matched |= run_automaton(*filter, path); });
    std::printf("{\"bench\":\"filter_path\",\"case\":\"%.*s\",\"bytes\":%zu,\"ns\":%.1f}\n",
                static_cast<int>(name.size()), name.data(), path.size(), each_ns);
  }
  if (matched != 0 && widened == 0) {
    std::fprintf(stderr, "filter_bench: a path matched that no pattern names\n");
    std::exit(1);
  }
}

}  // namespace

int main() {
  measure("290 patterns", make_patterns(200, 50, 20, 20));
  measure("3000 patterns", make_patterns(2000, 600, 200, 200));
  return 0;
}
