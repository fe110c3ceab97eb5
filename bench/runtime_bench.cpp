// What it costs to find a container, to read a control group path, and to read an inspection.
#include <cstdio>
#include <cstdlib>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "runtime/cgroup.hpp"
#include "runtime/directory.hpp"
#include "runtime/docker_json.hpp"

namespace {

using namespace coff;

// Runs `body` often enough to take a while and prints nanoseconds for each time.
template <typename F>
void measure(const char* name, int times, F body) {
  for (int number = 0; number < times / 10; ++number) body();
  const std::int64_t before_ns = boot_now_ns();
  for (int number = 0; number < times; ++number) body();
  const double each_ns = static_cast<double>(boot_now_ns() - before_ns) / times;
  std::printf("{\"bench\":\"%s\",\"ns\":%.1f}\n", name, each_ns);
}

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "runtime_bench: %s\n", what);
  std::exit(1);
}

}  // namespace

int main() {
  constexpr size_t kContainers = 200;
  runtime::Directory directory({}, [](const Event&) {});
  std::vector<std::string> ids;
  for (size_t number = 0; number < kContainers; ++number) {
    std::string id = std::to_string(number);
    id.insert(0, 64 - id.size(), '0');
    directory.learn({.id = id, .engine = "docker"});
    ids.push_back(std::move(id));
  }
  size_t at = 0;
  measure("directory_find", 2'000'000, [&] {
    require(directory.find(ids[++at % ids.size()]) != nullptr, "a container was not found");
  });
  measure("directory_find_absent", 2'000'000,
          [&] { require(directory.find("absent") == nullptr, "found what is not there"); });

  const std::string path = "/system.slice/docker-" + ids[0] + ".scope";
  measure("parse_cgroup", 500'000,
          [&] { require(runtime::parse_cgroup(path).has_value(), "a path was not recognised"); });
  measure("parse_cgroup_host", 500'000, [&] {
    require(!runtime::parse_cgroup("/user.slice/user-1000.slice/session-3.scope"),
            "a host path was taken for a container");
  });

  const auto answer =
      read_file(COFF_SOURCE_DIR "/tests/fixtures/runtime/docker_inspect_web.json", 1U << 20U);
  require(answer.has_value(), "no recorded answer");
  measure("parse_inspect", 20'000, [&] {
    require(runtime::parse_inspect(*answer).has_value(), "an inspection was not read");
  });
  const std::string line =
      R"({"Type":"container","Action":"start","Actor":{"ID":"abc","Attributes":{"image":"shop/web:1.2","name":"web","tier":"front"}},"timeNano":1795500268513862100})";
  measure("parse_event", 100'000,
          [&] { require(runtime::parse_event(line).has_value(), "an event was not read"); });
  return 0;
}
