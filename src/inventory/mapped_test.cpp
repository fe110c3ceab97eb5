// What processes map: lines of maps, this process's own files, and a file that was deleted under
// it.
#include "inventory/mapped.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "inventory/elf/elf_identity.hpp"

namespace coff::inventory {
namespace {

TEST(Maps, ReadsALine) {
  MapLine line;
  ASSERT_TRUE(
      read_map_line("7f12a0000000-7f12a0021000 r-xp 00001000 fe:01 1234     "
                    "/usr/lib/x y.so (deleted)",
                    line));
  EXPECT_EQ(line.range, "7f12a0000000-7f12a0021000");
  EXPECT_EQ(line.path, "/usr/lib/x y.so");
  EXPECT_TRUE(line.deleted);
  EXPECT_TRUE(line.executable);
  EXPECT_EQ(line.inode, 1234U);
  EXPECT_EQ(line.device, 0xfeU << 20U | 1U);
  // Programs at low addresses: maps pads with zeros, map_files does not.
  ASSERT_TRUE(read_map_line("00400000-00401000 r--p 00000000 00:1f 7 /a\\012b", line));
  EXPECT_EQ(line.range, "400000-401000");
  EXPECT_EQ(line.path, "/a\nb");
  EXPECT_FALSE(line.executable);
  for (const char* other : {"", "7f-", "7f00-7f01 rw-p 00000000 00:00 0 ",
                            "7f00-7f01 rw-p 00000000 00:00 0                          [heap]",
                            "7f00-7f01 r-xp 00000000 00:01 9 anon_inode:x", "a b c d e /f"}) {
    EXPECT_FALSE(read_map_line(other, line)) << other;
  }
}

std::string no_container(std::string_view) { return {}; }

const MappedFile* find_file(const MappedSweep& sweep, const std::string& path, bool deleted) {
  for (const MappedRoot& root : sweep.roots) {
    for (const MappedFile& file : root.files) {
      const bool ours = std::ranges::any_of(
          file.processes, [&root](std::size_t at) { return root.processes[at].pid == ::getpid(); });
      if (ours && file.path == path && file.deleted == deleted) return &file;
    }
  }
  return nullptr;
}

TEST(Maps, FindsThisProcess) {
  const auto sweep = sweep_processes(&no_container);
  ASSERT_TRUE(sweep) << sweep.error().message();
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const MappedFile* file = find_file(*sweep, self, false);
  ASSERT_NE(file, nullptr) << self;
  if (::geteuid() != 0) GTEST_SKIP() << "map_files needs root";
  const auto opened = open_mapped(*file);
  ASSERT_TRUE(opened) << opened.error().message();
  struct stat status{};
  ASSERT_EQ(::stat("/proc/self/exe", &status), 0);
  EXPECT_EQ(opened->identity.inode, status.st_ino);
}

TEST(Maps, FindsADeletedFileAndItsBytes) {
  if (::geteuid() != 0) GTEST_SKIP() << "map_files needs root";
  std::string folder = testing::TempDir() + "coff-mapped-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/copy of a library.so";
  std::filesystem::copy_file("/proc/self/exe", path);
  const auto file = open_file(path, O_RDONLY);
  ASSERT_TRUE(file);
  const auto wanted = parse_elf(*file);
  void* mapped = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file->get(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  std::filesystem::remove_all(folder);
  const auto sweep = sweep_processes(&no_container);
  ASSERT_TRUE(sweep);
  const MappedFile* found = find_file(*sweep, path, true);
  ASSERT_NE(found, nullptr);
  const auto opened = open_mapped(*found);
  ASSERT_TRUE(opened) << opened.error().message();
  const auto identity = parse_elf(opened->file);
  ASSERT_TRUE(identity && wanted);
  EXPECT_EQ(identity->build_id, wanted->build_id);
  ::munmap(mapped, 4096);
}

}  // namespace
}  // namespace coff::inventory
