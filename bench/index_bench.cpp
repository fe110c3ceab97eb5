// What the trail's search index costs and how fast it answers. Prints one JSON object a line.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "trail/index.hpp"
#include "trail/log.hpp"
#include "trail/query.hpp"

namespace {

using coff::JsonWriter;
using coff::trail::Log;
using coff::trail::Query;
using coff::trail::QueryFilter;
using Clock = std::chrono::steady_clock;

constexpr size_t kContainers = 20;
constexpr size_t kBatch = 100;
constexpr std::int64_t kFirstWallNs = std::int64_t{1'769'860'800} * 1'000'000'000;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds(clockid_t clock) {
  timespec used = {};
  ::clock_gettime(clock, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

void print(std::string_view name, double value, std::string_view unit) {
  std::string line;
  JsonWriter(line)
      .begin_object()
      .member("bench", name)
      .member("value", value)
      .member("unit", unit)
      .end_object();
  std::printf("%s\n", line.c_str());
}

std::string hex16(std::uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

void write_process(JsonWriter& json, std::uint64_t number) {
  const std::string digits = std::to_string(number * 2654435761U % 100000007U);
  json.key("process")
      .begin_object()
      .member("id", hex16(number * 0x9E3779B97F4A7C15U))
      .member("pid", 1000 + number % 4'000'000)
      .member("vpid", 7 + number % 30000)
      .member("ppid", 412)
      .member("name", std::string_view("sh"))
      .member("exe", std::string_view("/bin/dash"))
      .member("tty", std::string_view("none"))
      .key("ancestors")
      .begin_array();
  for (int at = 0; at < 4; ++at) {
    json.begin_object()
        .member("id", hex16(static_cast<std::uint64_t>(at) + number % 50))
        .member("pid", 300 + at)
        .member("name", std::string_view("containerd-shim"))
        .end_object();
  }
  json.end_array()
      .member("start", coff::format_time(kFirstWallNs + static_cast<std::int64_t>(number)))
      .member("cwd", std::string_view("/srv/app"))
      .member("filename", std::string_view("/bin/sh"))
      .key("args")
      .begin_array()
      .string("/bin/sh")
      .string("-c")
      .string("convert --quality 80 /srv/in/" + digits + ".png /srv/out/" + digits + ".jpg")
      .end_array()
      .key("env")
      .begin_array()
      .string("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
      .string("HOME=/srv/app")
      .end_array()
      .key("file")
      .begin_object()
      .member("ino", 1234567)
      .member("dev", std::string_view("8:1"))
      .member("mode", std::string_view("0755"))
      .end_object()
      .end_object();
}

// An exec, or an open (every fourth), as the schema room writes them: most strings come back, pid,
// process id and arguments are new each time.
std::string make_entry(std::uint64_t number, std::uint64_t needle) {
  const size_t container = number % kContainers;
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .member("type", std::string_view("event"))
      .member("kind", std::string_view(number % 4 == 3 ? "open" : "exec"))
      .member("time", coff::format_time(kFirstWallNs + static_cast<std::int64_t>(number * 100'000)))
      .member("boot", 5'000'000'000 + number * 100'000)
      .member("syscall", std::string_view(number % 4 == 3 ? "openat" : "execve"))
      .member("result", 0)
      .member("cgroup", 7700 + container);
  if (number == needle) json.member("note", std::string_view("xyzzyneedle"));
  if (number % 4 == 3) {
    json.key("file")
        .begin_object()
        .member("path", "/srv/in/" + std::to_string(number % 50'000) + ".png")
        .member("flags", std::string_view("O_RDONLY"))
        .end_object();
  }
  json.key("user").begin_object().member("uid", 1000).member("gid", 1000).end_object();
  json.key("container")
      .begin_object()
      .member("id", hex16(container * 0xD1342543DE82EF95U) + std::string(48, 'c'))
      .member("engine", std::string_view("docker"))
      .member("metadata", std::string_view("complete"))
      .member("name", "shop-web-" + std::to_string(container))
      .member("image", std::string_view("shop/web:1.2"))
      .end_object();
  write_process(json, number);
  json.end_object();
  return out;
}

Log open_log(const std::string& dir) {
  std::filesystem::remove_all(dir);
  return Log::open({.dir = dir, .origin_prefix = "cofferdam/bench/host"}).value();
}

void append(Log& log, std::uint64_t from, std::uint64_t count, std::uint64_t needle) {
  for (std::uint64_t at = from; at < from + count; ++at) {
    (void)log.append(make_entry(at, needle)).value();
  }
  (void)log.sync().value();
}

// The index beside a writer, as in the keeper: what its thread uses while entries trickle in.
void live(const std::string& dir, std::uint64_t entries, std::uint64_t per_second) {
  Log log = open_log(dir);
  for (std::uint64_t at = 0; at < 100'000; at += 10'000) append(log, at, 10'000, UINT64_MAX);
  auto index = coff::trail::Index::open(dir).value();
  index->announce(log.epoch(), log.durable_size());
  while (!index->wait(1000)) continue;
  const double before =
      cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  for (std::uint64_t done = 0; done < entries; done += kBatch) {
    append(log, 100'000 + done, kBatch, UINT64_MAX);
    index->announce(log.epoch(), log.durable_size());
    std::this_thread::sleep_for(std::chrono::microseconds(1'000'000 * kBatch / per_second));
  }
  while (!index->wait(1000)) continue;
  const double used =
      cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - before;
  print("index_live_cpu_at_" + std::to_string(per_second) + "_per_second",
        used * 1e9 / static_cast<double>(entries), "ns/entry");
}

void ask(const std::string& dir, std::string_view name, const QueryFilter& filter) {
  std::vector<double> takes_ms;
  size_t found = 0;
  for (int at = 0; at < 5; ++at) {
    const auto before = Clock::now();
    found = Query::open(dir).value().run(filter).value().size();
    takes_ms.push_back(seconds_since(before) * 1000);
  }
  std::ranges::sort(takes_ms);
  print("query_" + std::string(name) + "_p50", takes_ms[takes_ms.size() / 2], "ms");
  print("query_" + std::string(name) + "_rows", static_cast<double>(found), "rows");
}

void build_and_ask(const std::string& dir, std::uint64_t entries) {
  std::uint64_t entry_bytes = 0;
  {
    Log log = open_log(dir);
    for (std::uint64_t at = 0; at < entries; at += 10'000) append(log, at, 10'000, entries / 3);
    (void)log.checkpoint().value();
    entry_bytes = entries * (make_entry(entries / 2, 0).size() + 16);
  }
  const auto start = Clock::now();
  const double cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  (void)coff::trail::rebuild_index(dir, {}).value();
  print("index_rebuild", seconds_since(start) * 1e9 / static_cast<double>(entries), "ns/entry");
  print("index_rebuild_cpu",
        (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e9 / static_cast<double>(entries),
        "ns/entry");
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(dir)) {
    if (file.is_regular_file() && file.path().filename() != "reserve") bytes += file.file_size();
  }
  const auto index_bytes = std::filesystem::file_size(dir + "/index.db");
  print("entry_size", static_cast<double>(entry_bytes) / static_cast<double>(entries), "bytes");
  print("index_size", static_cast<double>(index_bytes) / static_cast<double>(entries),
        "bytes/entry");
  print("disk_bytes_per_entry_byte", static_cast<double>(bytes) / static_cast<double>(entry_bytes),
        "ratio");
  ask(dir, "newest_1000", {.limit = 1000, .newest_first = true});
  ask(dir, "exec_in_container",
      {.container = "shop-web-4", .kind = "exec", .limit = 1000, .newest_first = true});
  ask(dir, "rare_word", {.text = "xyzzyneedle", .newest_first = true});
  ask(dir, "absent_word", {.text = "neverwritten", .newest_first = true});
  ask(dir, "pid",
      {.pid = static_cast<std::int64_t>(1000 + entries / 2 % 4'000'000), .newest_first = true});
  ask(dir, "impossible_pair", {.container = "shop-web-4", .kind = "open", .newest_first = true});
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir =
      argc > 1 ? argv[1] : (std::filesystem::temp_directory_path() / "coff_index_bench").string();
  const std::uint64_t entries = argc > 2 ? std::stoull(argv[2]) : 1'000'000;
  live(dir, 20'000, 5'000);
  live(dir, 2'000, 500);
  build_and_ask(dir, entries);
  std::filesystem::remove_all(dir);
  return 0;
}
