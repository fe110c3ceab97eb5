// Tests of the record checks and of the events made from records.
#include "schema/decode.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "schema/make_event.hpp"
#include "schema/testing/record_builder.hpp"

namespace coff::schema {
namespace {

using testing::RecordBuilder;

TEST(Decode, AcceptsEveryKind) {
  for (int kind = 0; kind < COFF_KINDS; ++kind) {
    RecordBuilder builder(static_cast<coff_kind>(kind));
    const auto record = Record::parse(builder.build());
    ASSERT_TRUE(record.has_value()) << kKindNames[kind] << ": " << record.error().what;
    const Event event = make_event(*record, 100, {});
    EXPECT_EQ(static_cast<int>(event.kind), kind);
    EXPECT_EQ(event.wall_ns, 5'000'000'100);
    EXPECT_EQ(event.thread_name, "worker");
  }
}

TEST(Decode, RefusesBrokenHeaders) {
  RecordBuilder builder(COFF_KIND_open);
  builder.text(&coff_file::raw, "/etc/passwd");
  const auto bytes = builder.build();
  auto* header = reinterpret_cast<coff_hdr*>(bytes.data());
  const coff_hdr good = *header;
  EXPECT_TRUE(Record::parse(bytes));
  EXPECT_FALSE(Record::parse({}));
  EXPECT_FALSE(Record::parse(bytes.first(sizeof(coff_hdr) - 1)));
  EXPECT_FALSE(Record::parse(bytes.first(bytes.size() - 1)));
  EXPECT_FALSE(Record::parse(bytes.subspan(4)));
  header->kind = COFF_KINDS;
  EXPECT_FALSE(Record::parse(bytes));
  *header = good;
  header->lane = COFF_LANE_NET;
  EXPECT_FALSE(Record::parse(bytes));
  *header = good;
  header->size = sizeof(coff_hdr);
  EXPECT_FALSE(Record::parse(bytes.first(sizeof(coff_hdr))));
}

TEST(Decode, RefusesStringsOutside) {
  RecordBuilder builder(COFF_KIND_exec);
  builder.text(&coff_exec::exe, "/bin/true").text(&coff_exec::argv, "true");
  const auto bytes = builder.build();
  auto* exec = reinterpret_cast<coff_exec*>(bytes.data());
  const coff_exec good = *exec;
  exec->exe.len = static_cast<std::uint16_t>(exec->exe.len + 5);
  EXPECT_FALSE(Record::parse(bytes));
  *exec = good;
  exec->argv.off = 8;  // Inside the header: would show our own counters as text.
  EXPECT_FALSE(Record::parse(bytes));
  *exec = good;
  exec->env = {.off = 65535, .len = 65535};
  EXPECT_FALSE(Record::parse(bytes));
  *exec = good;
  exec->env = {.off = 65535, .len = 0};
  EXPECT_FALSE(Record::parse(bytes));
}

TEST(MakeEvent, NamesFilesThreeWays) {
  RecordBuilder builder(COFF_KIND_open);
  builder.header().ret = -2;
  builder.file().open_flags = O_WRONLY | O_CREAT;
  builder.text(&coff_file::raw, "../log").text(&coff_file::base, "/srv/app");
  builder.text(&coff_file::resolved, "/data/log");
  const Event event = make_event(*Record::parse(builder.build()), 0, {});
  EXPECT_TRUE(event.failed());
  const auto& file = std::get<FileInfo>(event.detail);
  EXPECT_EQ(file.path.raw, "../log");
  EXPECT_EQ(file.path.name, "/srv/log");
  EXPECT_EQ(file.path.resolved, "/data/log");
  EXPECT_EQ(file.open_flags, static_cast<unsigned>(O_WRONLY | O_CREAT));
}

TEST(MakeEvent, DescriptorCallsUseTheResolvedPath) {
  RecordBuilder builder(COFF_KIND_chmod);
  builder.text(&coff_file::resolved, "/etc/shadow");
  const Event event = make_event(*Record::parse(builder.build()), 0, {});
  EXPECT_EQ(std::get<FileInfo>(event.detail).path.name, "/etc/shadow");
}

TEST(MakeEvent, LeavesTextThatIsNoPathAlone) {
  RecordBuilder link(COFF_KIND_symlink);
  link.text(&coff_file::raw, "../target").text(&coff_file::raw2, "l");
  link.text(&coff_file::base2, "/tmp");
  auto file = std::get<FileInfo>(make_event(*Record::parse(link.build()), 0, {}).detail);
  EXPECT_EQ(file.path.name, "../target");
  EXPECT_EQ(file.path2.name, "/tmp/l");

  RecordBuilder xattr(COFF_KIND_setxattr);
  xattr.text(&coff_file::raw, "/f").text(&coff_file::raw2, "security.capability");
  file = std::get<FileInfo>(make_event(*Record::parse(xattr.build()), 0, {}).detail);
  EXPECT_EQ(file.text, "security.capability");
  EXPECT_TRUE(file.path2.name.empty());

  RecordBuilder mount(COFF_KIND_mount);
  mount.text(&coff_file::raw, "/mnt").text(&coff_file::raw2, "none");
  mount.text(&coff_file::base2, "tmpfs");
  file = std::get<FileInfo>(make_event(*Record::parse(mount.build()), 0, {}).detail);
  EXPECT_EQ(file.path.name, "/mnt");
  EXPECT_EQ(file.path2.name, "none");
  EXPECT_EQ(file.text, "tmpfs");
}

TEST(MakeEvent, MakesProgramsAndProcesses) {
  RecordBuilder builder(COFF_KIND_exec);
  builder.text(&coff_exec::exe, "/usr/bin/python3.11").text(&coff_exec::filename, "./run.py");
  builder.text(&coff_exec::interp, "/usr/bin/python3").text(&coff_exec::cwd, "/srv");
  builder.text(&coff_exec::argv, std::string_view("run\0-v\0", 7));
  builder.text(&coff_exec::env, std::string_view("A=1\0", 4));
  builder.exec().cap_effective = 0x20;
  builder.exec().pid_ns = 9;
  const auto record = Record::parse(builder.build());
  const Process process = make_process(*record);
  EXPECT_EQ(process.program->exe, "/usr/bin/python3.11");
  EXPECT_EQ(process.program->interp, "/usr/bin/python3");
  EXPECT_EQ(process.program->argv, (std::vector<std::string>{"run", "-v"}));
  EXPECT_EQ(process.program->exec_boot_ns, 5'000'000'000U);
  EXPECT_EQ(process.cwd, "/srv");
  EXPECT_EQ(process.capabilities.effective, 0x20U);
  EXPECT_EQ(process.namespaces.pid, 9U);
  EXPECT_EQ(std::get<ExecInfo>(make_event(*record, 0, {}).detail).filename, "./run.py");

  RecordBuilder fork(COFF_KIND_fork);
  fork.fork().child_pid = 500;
  fork.fork().child_cgroup = 78;
  const Process child = make_child(*Record::parse(fork.build()), process);
  EXPECT_EQ(child.pid, 500U);
  EXPECT_EQ(child.ppid, 412U);
  EXPECT_EQ(child.cgroup, 78U);
  EXPECT_EQ(child.program, process.program);
}

TEST(MakeEvent, CarriesJoinedParts) {
  RecordBuilder builder(COFF_KIND_setid);
  builder.call().suid = 33;
  const Credentials before{.uid = 1000};
  const auto process = std::make_shared<const Process>();
  const auto other = std::make_shared<const Process>();
  const auto container = std::make_shared<const Container>();
  const Event event =
      make_event(*Record::parse(builder.build()), 0, {process, other, container, &before});
  EXPECT_EQ(event.process, process);
  EXPECT_EQ(event.container, container);
  const auto& call = std::get<CallInfo>(event.detail);
  EXPECT_EQ(call.target, other);
  EXPECT_TRUE(call.before_known);
  EXPECT_EQ(call.before.uid, 1000U);
  EXPECT_EQ(call.suid, 33U);
}

}  // namespace
}  // namespace coff::schema
