// Workers: the ELF reader on real files, and proof that a misbehaving worker reaches nothing.
#include "agent/worker.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/inventory_worker.hpp"
#include "agent/sandbox.hpp"
#include "agent/test_agent.hpp"
#include "base/clock.hpp"
#include "base/database.hpp"
#include "base/sanitizer.hpp"
#include "inventory/bundle.hpp"
#include "inventory/elf/elf_identity.hpp"

namespace coff::agent {
namespace {

using test::Misdeed;

Fd memory_file(std::string_view content) {
  Fd file(::memfd_create("test", MFD_CLOEXEC));
  EXPECT_TRUE(write_all(file, content));
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

Result<std::string> run(Misdeed misdeed, WorkerLimits limits = {}) {
  return run_worker(static_cast<WorkerKind>(misdeed), memory_file("content"), limits);
}

/// Refused with an error number, or ended by seccomp: both reach nothing.
void expect_refused(Misdeed misdeed) {
  const auto outcome = run(misdeed);
  if (!outcome) {
    EXPECT_EQ(outcome.error().code, Code::kDenied) << outcome.error().message();
  } else {
    EXPECT_EQ(*outcome, "Operation not permitted");
  }
}

/// Bytes of a database with one row that is no package.
std::string test_database() {
  const test::TemporaryDirectory folder;
  const std::string path = folder.path() + "/rpmdb.sqlite";
  {
    auto database = Database::open(path, Database::Mode::kReadWrite);
    if (!database) return {};
    for (const char* sql : {"CREATE TABLE Packages(hnum INTEGER PRIMARY KEY, blob BLOB)",
                            "INSERT INTO Packages VALUES (1, x'00')"}) {
      if (!database->execute(sql)) return {};
    }
  }
  return read_file(path, 1U << 20U).value_or("");
}

TEST(Worker, ReadsItsInput) {
  const auto text = run(Misdeed::kReadInput);
  ASSERT_TRUE(text) << text.error().message();
  EXPECT_EQ(*text, "content");
}

TEST(Worker, OpensNoFile) { expect_refused(Misdeed::kOpen); }
TEST(Worker, ConnectsNowhere) { expect_refused(Misdeed::kConnect); }
TEST(Worker, MakesNoSocket) { expect_refused(Misdeed::kSocket); }
TEST(Worker, TracesNobody) { expect_refused(Misdeed::kPtrace); }
TEST(Worker, ExecutesNothing) { expect_refused(Misdeed::kExec); }
TEST(Worker, MakesNoProcess) { expect_refused(Misdeed::kFork); }
TEST(Worker, SignalsNobody) { expect_refused(Misdeed::kSignal); }

TEST(Worker, MemoryIsBounded) {
  if (kAddressSanitizer) return;  // no limit is set: see there
  const auto outcome = run(Misdeed::kMemory, {.memory_bytes = 128U << 20U});
  if (!outcome) EXPECT_EQ(outcome.error().code, Code::kLimit) << outcome.error().message();
  else EXPECT_EQ(*outcome, "Cannot allocate memory");
}

TEST(Worker, WallTimeIsBounded) {
  const std::int64_t begun = boot_now_ns();
  const auto outcome = run(Misdeed::kLoop, {.cpu_seconds = 20, .wall_ms = 300});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kTimeout) << outcome.error().message();
  EXPECT_LT(boot_now_ns() - begun, 5'000'000'000);
}

TEST(Worker, CpuTimeIsBounded) {
  const auto outcome = run(Misdeed::kLoop, {.cpu_seconds = 1, .wall_ms = 30'000});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kLimit) << outcome.error().message();
}

TEST(Worker, OutputIsBounded) {
  const auto outcome = run(Misdeed::kOutput, {.output_bytes_max = 100'000});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kLimit) << outcome.error().message();
}

TEST(Worker, SilenceIsAnError) {
  const auto outcome = run(Misdeed::kSilent);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kInvalid);
}

TEST(Worker, ReadsPackagesAndFilesOfAContainer) {
  std::string bundle;
  inventory::append_entry(bundle, "/etc/os-release", "ID=debian\nVERSION_ID=12\n");
  inventory::append_entry(bundle, "/var/lib/dpkg/status",
                          "Package: a\nStatus: install ok installed\nVersion: 1-1\n");
  std::vector<Fd> files;
  for (const char* path : {"/proc/self/exe", "/etc/passwd"}) {
    auto file = open_file(path, O_RDONLY);
    ASSERT_TRUE(file);
    files.push_back(std::move(*file));
  }
  WorkerParser parser;
  const auto found = parser.parse(bundle, std::move(files));
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->system.version, "12");
  ASSERT_EQ(found->packages.packages.size(), 1U);
  EXPECT_EQ(found->packages.packages[0].source_version, "1-1");
  ASSERT_EQ(found->files.size(), 2U);
  EXPECT_GE(found->files[0].evidence.identity.build_id.size(), 16U);
  EXPECT_FALSE(found->files[1].problem.empty());
}

TEST(Worker, ReadsAnRpmDatabase) {
  const auto made = test_database();
  ASSERT_FALSE(made.empty());
  std::string bundle;
  inventory::append_entry(bundle, "/var/lib/rpm/rpmdb.sqlite", made);
  const auto found = WorkerParser().parse(bundle, {});
  ASSERT_TRUE(found) << found.error().message();
  // SQLite worked under the system call filter; the row in it is no package header.
  ASSERT_EQ(found->packages.problems.size(), 1U);
  EXPECT_NE(found->packages.problems[0].what.find("header"), std::string::npos)
      << found->packages.problems[0].what;
}

TEST(Elf, IdentifiesThisProgram) {
  auto self = open_file("/proc/self/exe", O_RDONLY);
  ASSERT_TRUE(self);
  const auto identity = run_worker(WorkerKind::kElf, std::move(*self), {});
  ASSERT_TRUE(identity) << identity.error().message();
  EXPECT_NE(identity->find("libc.so.6"), std::string::npos) << *identity;
  EXPECT_NE(identity->find("\"interpreter\":\"/lib"), std::string::npos) << *identity;
  EXPECT_NE(identity->find("\"build_id\":\""), std::string::npos) << *identity;
}

TEST(Elf, ReadsALibrarysName) {
  // The C library that this program runs with, wherever the architecture keeps it.
  std::string path;
  for (const char* candidate :
       {"/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6"}) {
    if (::access(candidate, R_OK) == 0) path = candidate;
  }
  ASSERT_FALSE(path.empty());
  const auto file = open_file(path, O_RDONLY);
  ASSERT_TRUE(file);
  const auto identity = inventory::parse_elf(*file);
  ASSERT_TRUE(identity) << identity.error().message();
  EXPECT_EQ(identity->soname, "libc.so.6");
  EXPECT_GE(identity->build_id.size(), 16U);
  EXPECT_TRUE(identity->shared);
}

TEST(Elf, RefusesWhatIsNoElf) {
  for (const std::string_view content : {"", "\x7f",
                                         "\x7f"
                                         "ELF",
                                         "#!/bin/sh\n"}) {
    const auto identity = inventory::parse_elf(memory_file(content));
    ASSERT_FALSE(identity);
    EXPECT_EQ(identity.error().code, Code::kInvalid);
  }
}

TEST(Elf, SurvivesEveryCutAndManyFlips) {
  const auto self = read_file("/proc/self/exe", 1U << 30U);
  ASSERT_TRUE(self);
  // The head has the headers; notes, interpreter and names lie near it or are cut off.
  const std::string head = self->substr(0, 4096);
  std::size_t refused = 0;
  for (std::size_t size = 0; size < head.size(); size += 7) {
    if (!inventory::parse_elf(memory_file(head.substr(0, size)))) ++refused;
  }
  EXPECT_GT(refused, 0U);
  std::uint32_t random = 12345;
  for (int i = 0; i < 2000; ++i) {
    std::string changed = head;
    for (int flip = 0; flip < 4; ++flip) {
      random = random * 1664525U + 1013904223U;
      changed[(random >> 8U) % 1024] = static_cast<char>(random >> 24U);
    }
    [[maybe_unused]] const auto identity = inventory::parse_elf(memory_file(changed));
  }
}

}  // namespace
}  // namespace coff::agent
