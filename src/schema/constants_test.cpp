// Tests of names: kernel constants and users.
#include "schema/constants.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "base/fd.hpp"
#include "schema/decode.hpp"
#include "schema/user_names.hpp"

namespace coff::schema {
namespace {

TEST(Constants, NamesSystemCalls) {
  EXPECT_EQ(syscall_name(SYS_openat), "openat");
  EXPECT_EQ(syscall_name(SYS_execve), "execve");
  EXPECT_EQ(syscall_name(SYS_setns), "setns");
  EXPECT_EQ(syscall_name(-1), "");
  EXPECT_EQ(syscall_name(1'000'000), "");
  size_t known = 0;
  for (int number = 0; number < 600; ++number) known += syscall_name(number).empty() ? 0U : 1U;
  EXPECT_GT(known, 280U);
}

TEST(Constants, NamesEveryKind) {
  for (unsigned kind = 0; kind < COFF_KINDS; ++kind) {
    EXPECT_EQ(kind_name(static_cast<Kind>(kind)), kKindNames[kind]);
    EXPECT_TRUE(kind_doc(static_cast<Kind>(kind)).ends_with('.'));
  }
  EXPECT_EQ(kind_name(Kind::process_seen), "process_seen");
  EXPECT_TRUE(kind_doc(Kind::process_seen).ends_with('.'));
  EXPECT_EQ(kind_name(static_cast<Kind>(120)), "");
  EXPECT_EQ(kind_doc(static_cast<Kind>(120)), "");
}

TEST(Constants, NamesEventTypes) {
  EXPECT_EQ(event_type_name({.kind = Kind::exit, .syscall = SYS_exit_group}), "procexit");
  EXPECT_EQ(event_type_name({.kind = Kind::fork}), "clone");
  EXPECT_EQ(event_type_name({.kind = Kind::open}), "open");
  EXPECT_EQ(event_type_name({.kind = Kind::unlink, .syscall = SYS_unlinkat}), "unlinkat");
  EXPECT_EQ(event_type_name({.kind = Kind::container_start}), "container_start");
}

TEST(Constants, WritesFlags) {
  EXPECT_EQ(open_flags_text(O_RDONLY), "O_RDONLY");
  EXPECT_EQ(open_flags_text(O_RDWR | O_CREAT | O_CLOEXEC), "O_RDWR|O_CREAT|O_CLOEXEC");
  EXPECT_EQ(open_flags_text(O_RDWR | O_TMPFILE), "O_RDWR|O_TMPFILE");
  EXPECT_EQ(open_flags_text(O_PATH), "O_PATH");
  EXPECT_EQ(mode_text(S_ISUID | S_IXUSR), "S_IXUSR|S_ISUID");
  EXPECT_EQ(mount_flags_text(MS_BIND | MS_REC), "MS_BIND|MS_REC");
  EXPECT_EQ(namespace_flags_text(CLONE_NEWUSER), "CLONE_NEWUSER");
  EXPECT_EQ(exe_flags_text(COFF_EXE_UPPER | COFF_EXE_MEMFD), "EXE_UPPER_LAYER|EXE_FROM_MEMFD");
  EXPECT_EQ(capabilities_text(0x21), "CAP_CHOWN CAP_KILL");
  EXPECT_EQ(capabilities_text(std::uint64_t{1} << 63), "CAP_63");
  EXPECT_EQ(errno_name(13), "EACCES");
  EXPECT_EQ(errno_name(-13), "");
  EXPECT_EQ(errno_name(4096), "");
  EXPECT_EQ(signal_name(9), "SIGKILL");
  EXPECT_EQ(signal_name(100), "");
}

TEST(UserNames, ReadsAndSkipsWhatIsMalformed) {
  char folder[] = "/tmp/schema_test_XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string path(folder);
  ASSERT_TRUE(replace_file(path + "/passwd",
                           "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\nbroken\n:x:5:\n"
                           "neg:x:-1:\nbig:x:99999999999:\nbob:x:1001:1001::/:/bin/sh"));
  ASSERT_TRUE(replace_file(path + "/group", "adm:x:4:\n"));
  const auto names = UserNames::read(path);
  ASSERT_TRUE(names.has_value());
  EXPECT_EQ(names->user(0), "root");
  EXPECT_EQ(names->user(1001), "bob");
  EXPECT_EQ(names->user(5), "");
  EXPECT_EQ(names->user(4294967295U), "");
  EXPECT_EQ(names->group(4), "adm");
  EXPECT_FALSE(UserNames::read(path + "/none"));
  unlink((path + "/passwd").c_str());
  unlink((path + "/group").c_str());
  rmdir(folder);
}

}  // namespace
}  // namespace coff::schema
