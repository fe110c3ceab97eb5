// Records in the wrong order are answered with the process as it was at their own time.
#include "sensor/process_tree.hpp"

#include <gtest/gtest.h>

#include "schema/testing/record_builder.hpp"

namespace coff::sensor {
namespace {

using schema::testing::RecordBuilder;

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kFirst = 5'000 * kMs;

schema::Record parse(RecordBuilder& builder) {
  const auto record = schema::Record::parse(builder.build());
  EXPECT_TRUE(record);
  return *record;
}

class Tree : public ::testing::Test {
 protected:
  TreeAnswer exec(std::uint64_t time, std::string_view path) {
    RecordBuilder builder(COFF_KIND_exec);
    builder.header().time = time;
    builder.text(&coff_exec::exe, path);
    return tree_.apply(parse(builder));
  }
  /// The program that an open at this time is told with; "" when its process is not known.
  std::string opener(std::uint64_t time, std::uint64_t start = 3'000 * kMs) {
    RecordBuilder builder(COFF_KIND_open);
    builder.header().time = time;
    builder.header().start = start;
    builder.text(&coff_file::raw, "/etc/passwd");
    const TreeAnswer answer = tree_.apply(parse(builder));
    return answer.process == nullptr || answer.process->program == nullptr
               ? ""
               : answer.process->program->exe;
  }
  void end(std::uint64_t time) {
    RecordBuilder builder(COFF_KIND_exit);
    builder.header().time = time;
    tree_.apply(parse(builder));
  }
  ProcessTree tree_{"boot"};
};

TEST_F(Tree, AnOpenFromBeforeTheExecIsOfTheProgramBefore) {
  exec(kFirst, "/bin/old");
  exec(kFirst + 20 * kMs, "/bin/new");
  EXPECT_EQ(opener(kFirst + 30 * kMs), "/bin/new");
  EXPECT_EQ(opener(kFirst + 10 * kMs), "/bin/old");
  EXPECT_EQ(opener(kFirst + 20 * kMs), "/bin/new");
}

TEST_F(Tree, ManyExecsAreKeptApart) {
  for (std::uint64_t at = 0; at < ProcessTree::kPastMax; ++at) {
    exec(kFirst + at * 10 * kMs, "/bin/" + std::to_string(at));
  }
  for (std::uint64_t at = ProcessTree::kPastMax; at-- > 0;) {
    EXPECT_EQ(opener(kFirst + at * 10 * kMs + kMs), "/bin/" + std::to_string(at));
  }
}

TEST_F(Tree, AnOpenThatComesAfterTheExitIsStillJoined) {
  exec(kFirst, "/bin/old");
  exec(kFirst + 20 * kMs, "/bin/new");
  end(kFirst + 40 * kMs);
  tree_.forget_ended(kFirst + 1'000 * kMs);
  EXPECT_EQ(opener(kFirst + 30 * kMs), "/bin/new");
  EXPECT_EQ(opener(kFirst + 10 * kMs), "/bin/old");
  tree_.forget_ended(kFirst + 40 * kMs + ProcessTree::kKeepEndedNs);
  EXPECT_EQ(opener(kFirst + 30 * kMs), "");
}

TEST_F(Tree, APidThatIsUsedAgainIsAnotherProcess) {
  exec(kFirst, "/bin/old");
  EXPECT_EQ(opener(kFirst + 30 * kMs, 4'000 * kMs), "");
  EXPECT_EQ(tree_.unknown_count(), 1U);
}

}  // namespace
}  // namespace coff::sensor
