// Cores of real processes: what is found in them, what gdb says, what the process notices.
#include "evidence/memory/core.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "evidence/memory/regions.hpp"

namespace coff::evidence {
namespace {

constexpr std::size_t kPage = 4096;

/// A text that stands nowhere in the program's file: each letter is one off.
std::string secret(std::string_view shifted) {
  std::string text(shifted);
  for (char& letter : text) letter = static_cast<char>(letter - 1);
  return text;
}
constexpr std::string_view kHeap = "IFBQ.NBSLFS.5822";
constexpr std::string_view kSparse = "TQBSTF.NBSLFS.5822";
constexpr std::string_view kNoAccess = "OPBDDFTT.NBSLFS.5822";
constexpr std::string_view kDontDump = "EPOUEVNQ.NBSLFS.5822";
constexpr std::string_view kShared = "TIBSFE.NBSLFS.5822";

char* map(std::size_t size, int flags) {
  void* place = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  return place == MAP_FAILED ? nullptr : static_cast<char*>(place);
}

[[noreturn]] void be_victim(int ready) {
  const std::string heap = secret(kHeap);
  char* sparse = map(std::size_t{256} << 30U, MAP_PRIVATE | MAP_NORESERVE);
  std::memcpy(sparse + (std::size_t{100} << 30U), secret(kSparse).c_str(), kSparse.size());
  char* closed = map(kPage, MAP_PRIVATE);
  std::memcpy(closed, secret(kNoAccess).c_str(), kNoAccess.size());
  ::mprotect(closed, kPage, PROT_NONE);
  char* hidden = map(kPage, MAP_PRIVATE);
  std::memcpy(hidden, secret(kDontDump).c_str(), kDontDump.size());
  ::madvise(hidden, kPage, MADV_DONTDUMP);
  std::memcpy(map(kPage, MAP_SHARED), secret(kShared).c_str(), kShared.size());
#ifdef SYS_memfd_secret
  const auto file = static_cast<int>(::syscall(SYS_memfd_secret, 0));
  if (file >= 0 && ::ftruncate(file, kPage) == 0) {
    ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
#endif
  for (int count = 0; count < 3; ++count) std::thread([] { ::pause(); }).detach();
  ::usleep(20'000);
  if (::write(ready, heap.c_str(), 1) != 1) ::_exit(1);
  for (;;) ::pause();
}

class Victim {
 public:
  Victim() {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) be_victim(ends[1]);
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;
  ~Victim() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string file(const char* name) const {
    return read_file("/proc/" + std::to_string(pid_) + "/" + name, 1U << 20U).value_or("");
  }

 private:
  pid_t pid_ = -1;
};

struct Core {
  std::string bytes;
  CoreReport report;
};

Core core_of(pid_t pid, const CoreOptions& options = {}) {
  Core core;
  auto reader = Reader::start();
  EXPECT_TRUE(reader) << reader.error().message();
  const auto process = Pinned::pin(pid);
  EXPECT_TRUE(process);
  auto report = write_core(*reader, *process, options, [&](std::string_view bytes) {
    core.bytes.append(bytes);
    return Result<void>();
  });
  EXPECT_TRUE(report) << report.error().message();
  if (report) core.report = std::move(*report);
  return core;
}

class CoreTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "memory of others is read as root";
  }
};

TEST_F(CoreTest, HoldsWhatExistsAndNothingElse) {
  const Victim victim;
  const std::string before = status_field(victim.file("status"), "VmRSS");
  const std::int64_t begun_ns = boot_now_ns();
  const Core core = core_of(victim.pid());
  EXPECT_LT(boot_now_ns() - begun_ns, 10'000'000'000) << "a sparse mapping was read whole";
  for (const std::string_view text : {kHeap, kSparse, kNoAccess, kDontDump, kShared}) {
    EXPECT_NE(core.bytes.find(secret(text)), std::string::npos) << secret(text);
  }
  EXPECT_EQ(core.bytes.size(), core.report.size_bytes);
  EXPECT_LT(core.bytes.size(), std::size_t{512} << 20U);
  EXPECT_GT(core.report.mapped_bytes, std::uint64_t{256} << 30U);
  EXPECT_EQ(status_field(victim.file("status"), "VmRSS"), before) << "pages were added";
  EXPECT_EQ(status_field(victim.file("status"), "TracerPid"), "0");
  EXPECT_EQ(stat_field(victim.file("stat"), 3), "S");
  EXPECT_GT(core.report.registers.stop_ns, 0);
  ASSERT_EQ(core.report.registers.threads.size(), 4U);
  for (const ThreadState& thread : core.report.registers.threads) {
    EXPECT_EQ(thread.method, "ptrace") << thread.tid << core.report.registers.problem;
  }
  EXPECT_FALSE(core.report.ended);
  RecordProperty("stop_us", static_cast<int>(core.report.registers.stop_ns / 1000));
  std::printf("stop %lld us, core %zu bytes\n",
              static_cast<long long>(core.report.registers.stop_ns / 1000), core.bytes.size());
}

TEST_F(CoreTest, NamesSecretMemoryAsAGap) {
  const Victim victim;
  if (victim.file("maps").find("/secretmem") == std::string::npos) {
    GTEST_SKIP() << "this kernel has no memfd_secret";
  }
  const Core core = core_of(victim.pid());
  bool named = false;
  for (const CoreGap& gap : core.report.gaps) {
    named = named || gap.reason.find("memfd_secret") != std::string::npos;
  }
  EXPECT_TRUE(named);
}

TEST_F(CoreTest, StoppedProcessGivesTheSameBytesTwice) {
  const Victim victim;
  ::kill(victim.pid(), SIGSTOP);
  ::usleep(50'000);
  const Core first = core_of(victim.pid());
  const Core second = core_of(victim.pid());
  EXPECT_EQ(to_hex(sha256(first.bytes)), to_hex(sha256(second.bytes)));
  EXPECT_EQ(stat_field(victim.file("stat"), 3), "T") << "it goes on being stopped";
}

TEST_F(CoreTest, ALimitOfSizeLeavesAGapAndAWholeFile) {
  const Victim victim;
  const Core core = core_of(victim.pid(), {.size_bytes_max = 65536});
  EXPECT_LT(core.bytes.size(), 400'000U);
  ASSERT_FALSE(core.report.gaps.empty());
  EXPECT_EQ(core.bytes.size(), core.report.size_bytes);
}

TEST_F(CoreTest, AProcessThatEndedIsNotFound) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(0);
  ::waitpid(pid, nullptr, 0);
  const auto pinned = Pinned::pin(pid);
  ASSERT_FALSE(pinned);
  EXPECT_EQ(pinned.error().code, Code::kNotFound);
}

TEST(Regions, ReadsSmapsStrictly) {
  const auto regions = parse_smaps(
      "7f0000000000-7f0000001000 rw-p 00002000 fe:01 42                         /a\\012b "
      "(deleted)\n"
      "Size:                  4 kB\nVmFlags: rd wr mr mw me ac dd \n"
      "7ffd00000000-7ffd00004000 r--p 00000000 00:00 0                          [vvar]\n"
      "VmFlags: rd mr pf io de dd \n");
  ASSERT_TRUE(regions);
  ASSERT_EQ(regions->size(), 2U);
  EXPECT_EQ(regions->front().path, "/a\nb (deleted)");
  EXPECT_EQ(regions->front().inode, 42U);
  EXPECT_EQ(regions->front().offset, 0x2000U);
  EXPECT_TRUE(regions->front().dont_dump);
  EXPECT_FALSE(regions->front().device);
  EXPECT_TRUE(regions->back().device);
  EXPECT_TRUE(regions->back().kernels_own());
  EXPECT_FALSE(parse_smaps("what is this\n"));
}

}  // namespace
}  // namespace coff::evidence
