// How fast the trail appends durably, verifies, and proves. Prints one JSON object a line.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/json_writer.hpp"
#include "trail/index.hpp"
#include "trail/log.hpp"
#include "trail/verify.hpp"

namespace {

using coff::trail::Log;
using Clock = std::chrono::steady_clock;

constexpr size_t kEntryBytes = 500;
constexpr size_t kBatch = 1000;
constexpr size_t kPool = 100;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void print(std::string_view name, double value, std::string_view unit) {
  std::string line;
  coff::JsonWriter(line)
      .begin_object()
      .member("bench", name)
      .member("value", value)
      .member("unit", unit)
      .end_object();
  std::printf("%s\n", line.c_str());
}

// Of the size and the variety of real events: most strings come back, a few are new each time.
std::string make_entry(size_t number) {
  const std::string digits = std::to_string(number * 2654435761U % 100000007U);
  std::string entry =
      R"({"type":"event","kind":"open","time":"2026-01-31T12:00:00.)" +
      std::to_string(100000000 + number % 899999999) + R"(Z","boot":)" +
      std::to_string(5000000000 + number * 1000) + R"(,"syscall":"openat","result":3,)" +
      R"("file":{"path":"/var/lib/app/data/)" + std::to_string(number % 5000) +
      R"(.db","flags":"O_RDWR|O_CREAT","fd":3},"user":{"uid":1000,"gid":1000},)" +
      R"("container":{"id":")" + std::string(63, static_cast<char>('a' + number % 6)) + "1" +
      R"(","name":"shop-web-)" + std::to_string(number % 12) +
      R"(","image":"shop/web:1.2"},"process":{"id":"00000000000)" +
      std::to_string(10000 + number % 300) + R"(","pid":)" + digits.substr(0, 5) +
      R"(,"ppid":1,"name":"nginx","exe":"/usr/sbin/nginx"})";
  while (entry.size() < kEntryBytes - 24) entry += ' ';
  return entry + "}";
}

bool append(Log& log, size_t batches) {
  // Made before the clock starts, and varied enough that the index can't cheat.
  std::vector<std::string> entries;
  for (size_t at = 0; at < kBatch * kPool; ++at) entries.push_back(make_entry(at));
  const std::vector<std::string_view> views(entries.begin(), entries.end());
  std::vector<double> waits_ms;
  const auto start = Clock::now();
  for (size_t batch = 0; batch < batches; ++batch) {
    const auto before = Clock::now();
    const auto part = std::span(views).subspan(batch % kPool * kBatch, kBatch);
    if (!log.append(part) || !log.sync()) return false;
    waits_ms.push_back(seconds_since(before) * 1000);
  }
  const double took = seconds_since(start);
  std::ranges::sort(waits_ms);
  print("append_durable", static_cast<double>(batches * kBatch) / took, "entries/s");
  print("append_batch_p50", waits_ms[waits_ms.size() / 2], "ms");
  print("append_batch_p99", waits_ms[waits_ms.size() * 99 / 100], "ms");
  return log.checkpoint().has_value();
}

bool prove(Log& log) {
  const std::uint64_t size = log.size();
  constexpr int kProofs = 2000;
  std::vector<double> takes_ms;
  for (int at = 0; at < kProofs; ++at) {
    const std::uint64_t seq = static_cast<std::uint64_t>(at) * 7919 * 104729 % size;
    const auto before = Clock::now();
    if (!prove_inclusion(log.reader().nodes(), seq, size)) return false;
    takes_ms.push_back(seconds_since(before) * 1000);
  }
  std::ranges::sort(takes_ms);
  print("inclusion_proof_p50", takes_ms[kProofs / 2], "ms");
  print("inclusion_proof_p99", takes_ms[kProofs * 99 / 100], "ms");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir =
      argc > 1 ? argv[1] : (std::filesystem::temp_directory_path() / "coff_trail_bench").string();
  const size_t batches = argc > 2 ? std::stoul(argv[2]) : 1000;
  std::filesystem::remove_all(dir);
  {
    auto log = Log::open({.dir = dir, .origin_prefix = "cofferdam/bench/host"});
    if (!log || !append(*log, batches) || !prove(*log)) {
      std::fprintf(stderr, "trail_bench: the log failed\n");
      return 1;
    }
  }
  const auto start = Clock::now();
  const auto report = coff::trail::verify_trail(dir, {});
  const double took = seconds_since(start);
  if (!report || !report->ok()) {
    std::fprintf(stderr, "trail_bench: verification failed\n");
    return 1;
  }
  print("verify_full", static_cast<double>(report->entries) / took, "entries/s");
  const auto index_start = Clock::now();
  const auto indexed = coff::trail::rebuild_index(dir, {});
  if (!indexed) {
    std::fprintf(stderr, "trail_bench: the index failed\n");
    return 1;
  }
  print("index", static_cast<double>(*indexed) / seconds_since(index_start), "entries/s");
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(dir)) {
    if (file.is_regular_file() && file.path().filename() != "reserve") bytes += file.file_size();
  }
  print("disk_bytes_per_entry_byte",
        static_cast<double>(bytes) / static_cast<double>(report->entry_bytes), "ratio");
  std::filesystem::remove_all(dir);
  return 0;
}
