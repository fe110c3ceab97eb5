// Speed of a core with its SHA-256, against a plain copy of the same memory with SHA-256, to tmpfs.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/clock.hpp"
#include "evidence/digest.hpp"
#include "evidence/memory/core.hpp"

namespace coff::evidence {
namespace {

constexpr std::size_t kMemoryBytes = std::size_t{512} << 20U;
constexpr int kRounds = 5;

char* fill_memory() {
  void* place =
      ::mmap(nullptr, kMemoryBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) std::exit(1);
  auto* words = static_cast<std::uint64_t*>(place);
  std::uint64_t state = 88172645463325252U;
  for (std::size_t at = 0; at < kMemoryBytes / sizeof state; ++at) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    words[at] = state;
  }
  return static_cast<char*>(place);
}

Fd target_file() { return Fd(::memfd_create("target", MFD_CLOEXEC)); }

/// What anybody would do: read a piece, hash it, write it.
Result<double> plain_copy_s(pid_t pid, const char* from) {
  const std::int64_t begun_ns = boot_now_ns();
  const Fd to = target_file();
  std::vector<char> buffer(kReadBytesMax);
  Digest digest;
  for (std::size_t at = 0; at < kMemoryBytes; at += buffer.size()) {
    const iovec here{buffer.data(), buffer.size()};
    const iovec there{const_cast<char*>(from) + at, buffer.size()};
    const ssize_t got = ::process_vm_readv(pid, &here, 1, &there, 1, 0);
    if (got != static_cast<ssize_t>(buffer.size())) return fail_errno("cannot read memory");
    digest.update({buffer.data(), buffer.size()});
    TRY(write_all(to, {buffer.data(), buffer.size()}));
  }
  digest.finish();
  return static_cast<double>(boot_now_ns() - begun_ns) / 1e9;
}

Result<double> core_s(pid_t pid, std::int64_t& stop_ns) {
  const std::int64_t begun_ns = boot_now_ns();
  const Fd to = target_file();
  Digest digest;
  Reader reader = TRY(Reader::start());
  const Pinned process = TRY(Pinned::pin(pid));
  const CoreReport report =
      TRY(write_core(reader, process, {}, [&](std::string_view bytes) -> Result<void> {
        digest.update(bytes);
        return write_all(to, bytes);
      }));
  digest.finish();
  stop_ns = report.registers.stop_ns;
  return static_cast<double>(boot_now_ns() - begun_ns) / 1e9;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

Result<void> measure(pid_t pid, const char* from) {
  std::vector<double> plain;
  std::vector<double> core;
  std::vector<double> ratios;
  double stop_ms_worst = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::int64_t stop_ns = 0;
    plain.push_back(TRY(plain_copy_s(pid, from)));
    core.push_back(TRY(core_s(pid, stop_ns)));
    ratios.push_back(plain.back() / core.back());
    stop_ms_worst = std::max(stop_ms_worst, static_cast<double>(stop_ns) / 1e6);
  }
  std::printf(
      "{\"bench\":\"core\",\"mib\":%zu,\"plain_s\":%.3f,\"core_s\":%.3f,"
      "\"core_speed_of_plain\":%.2f,\"stop_ms_worst\":%.2f}\n",
      kMemoryBytes >> 20U, median(plain), median(core), median(ratios), stop_ms_worst);
  return {};
}

}  // namespace
}  // namespace coff::evidence

int main() {
  char* memory = coff::evidence::fill_memory();
  const pid_t pid = ::fork();
  if (pid < 0) return 1;
  if (pid == 0) {
    // Pages of its own: a fork shares them until somebody writes.
    for (std::size_t at = 0; at < coff::evidence::kMemoryBytes; at += 4096) memory[at] ^= 1;
    for (;;) ::pause();
  }
  ::munmap(memory, coff::evidence::kMemoryBytes);
  ::sleep(2);
  const auto measured = coff::evidence::measure(pid, memory);
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  if (!measured) std::fprintf(stderr, "%s\n", measured.error().message().c_str());
  return measured ? 0 : 1;
}
