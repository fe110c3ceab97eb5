// The current program reads and continues a trail of format version 1 (tests/fixtures/trail-v1).
// COFF_UPDATE=1 writes the fixture anew; do that only for a new version, beside the old one.
#include <gtest/gtest.h>

#include <cstdlib>

#include "trail/log.hpp"
#include "trail/segment.hpp"
#include "trail/test_dir.hpp"
#include "trail/verify.hpp"

namespace coff::trail {
namespace {

const std::string kFixture = COFF_SOURCE_DIR "/tests/fixtures/trail-v1";

void write_fixture() {
  std::filesystem::remove_all(kFixture);
  auto options = test_options(kFixture);
  options.reserve_bytes = 0;
  auto log = Log::open(options).value();
  for (int at = 0; at < 300; ++at) {
    ASSERT_TRUE(log.append(test_entry(log.size(), 150)));
    if (at % 50 == 49) {
      ASSERT_TRUE(log.sync().has_value());
    }
  }
  ASSERT_TRUE(log.checkpoint().has_value());
  ASSERT_TRUE(log.append(test_entry(log.size(), 150)));
  ASSERT_TRUE(log.sync().has_value());
  std::filesystem::remove(kFixture + "/lock");
}

TEST(Format, Version1IsReadAndContinued) {
  if (std::getenv("COFF_UPDATE") != nullptr) write_fixture();
  const TestDir dir;
  const std::string copy = dir.path() + "/trail";
  std::filesystem::copy(kFixture, copy, std::filesystem::copy_options::recursive);
  const auto before = verify_trail(copy, {});
  ASSERT_TRUE(before.has_value()) << before.error().message();
  EXPECT_TRUE(before->ok());
  EXPECT_EQ(before->entries, 302U);
  auto log = Log::open(test_options(copy));
  ASSERT_TRUE(log.has_value()) << log.error().message();
  EXPECT_EQ(log->size(), 302U);
  EXPECT_FALSE(log->recovery().hashes_rebuilt);
  EXPECT_TRUE(log->reader().entry(300)->ends_with(test_entry(300, 150).substr(1)));
  ASSERT_TRUE(log->append(test_entry(1)));
  ASSERT_TRUE(log->checkpoint().has_value());
  EXPECT_TRUE(verify_trail(copy, {})->ok());
}

TEST(Format, UnknownVersionsAreRefusedByName) {
  std::string header = SegmentHeader{7, 0}.encode();
  EXPECT_EQ(SegmentHeader::decode(header)->first_seq, 7U);
  header[8] = 2;
  const auto refused = SegmentHeader::decode(header);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kUnsupported);
  EXPECT_TRUE(refused.error().what.contains("version 2"));
  header[8] = 1;
  header[40] = 1;
  EXPECT_EQ(SegmentHeader::decode(header).error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace coff::trail
