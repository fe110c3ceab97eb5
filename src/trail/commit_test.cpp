// Redactable values: disclosed, erased, never guessed.
#include "trail/commit.hpp"

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "trail/test_dir.hpp"

namespace coff::trail {
namespace {

TEST(Commit, ADisclosureProvesTheValue) {
  const TestDir dir;
  auto sidecar = Sidecar::open(dir.path() + "/s.db", Sidecar::Mode::kReadWrite).value();
  const std::string value("hunter2\0\xFF", 9);
  const auto first = sidecar.commit(value).value();
  const auto second = sidecar.commit(value).value();
  EXPECT_NE(first, second);
  EXPECT_EQ(first.size(), 44U);
  ASSERT_TRUE(sidecar.flush().has_value());
  const auto reader = Sidecar::open(dir.path() + "/s.db", Sidecar::Mode::kReadOnly).value();
  auto disclosure = reader.find(first).value();
  EXPECT_EQ(disclosure.value, value);
  EXPECT_TRUE(verify_disclosure(first, disclosure).has_value());
  EXPECT_FALSE(verify_disclosure(second, disclosure).has_value());
  disclosure.value[0] ^= 1;
  EXPECT_FALSE(verify_disclosure(first, disclosure).has_value());
}

TEST(Commit, ErasedValuesLeaveTheFile) {
  const TestDir dir;
  const std::string path = dir.path() + "/s.db";
  auto sidecar = Sidecar::open(path, Sidecar::Mode::kReadWrite).value();
  const auto commitment = sidecar.commit("correct horse battery staple").value();
  const auto kept = sidecar.commit("kept").value();
  ASSERT_TRUE(sidecar.flush().has_value());
  const std::string stored = to_base64(octets(std::string_view("correct horse battery staple")));
  EXPECT_TRUE(read_file(path, 1 << 20)->contains(stored));
  ASSERT_TRUE(sidecar.erase(commitment, "asked to").has_value());
  EXPECT_EQ(sidecar.find(commitment).error().code, Code::kNotFound);
  EXPECT_EQ(sidecar.erase(commitment, "again").error().code, Code::kNotFound);
  EXPECT_EQ(sidecar.erase(kept, std::string(kErasureReasonBytesMax + 1, 'x')).error().code,
            Code::kInvalid);
  EXPECT_FALSE(read_file(path, 1 << 20)->contains(stored));
  EXPECT_EQ(sidecar.find(kept)->value, "kept");
  EXPECT_EQ(sidecar.erase_before(wall_now_ns() + 1).value(), 1U);
  EXPECT_FALSE(sidecar.find(kept).has_value());
}

TEST(Commit, ErasuresAreRemembered) {
  const TestDir dir;
  const std::string path = dir.path() + "/s.db";
  auto sidecar = Sidecar::open(path, Sidecar::Mode::kReadWrite).value();
  const Disclosure given{Salt{1, 2, 3}, "geheim"};
  const std::string commitment = sidecar.store(given).value();
  EXPECT_FALSE(sidecar.erasure(commitment).value());
  const std::int64_t before_ns = wall_now_ns();
  ASSERT_TRUE(sidecar.erase(commitment, "asked to"));
  // A producer that wasn't told of the first time sends it again.
  EXPECT_EQ(sidecar.store(given).value(), commitment);
  ASSERT_TRUE(sidecar.flush());
  const auto reader = Sidecar::open(path, Sidecar::Mode::kReadOnly).value();
  EXPECT_EQ(reader.find(commitment).error().code, Code::kNotFound);
  const auto erasure = reader.erasure(commitment).value();
  ASSERT_TRUE(erasure);
  EXPECT_EQ(erasure->reason, "asked to");
  EXPECT_GE(erasure->wall_ns, before_ns);
  EXPECT_EQ(reader.erased_count().value(), 1U);
  EXPECT_EQ(sidecar.erase_before(wall_now_ns() + 1).value(), 0U);
  EXPECT_EQ(reader.erased_count().value(), 0U);
}

TEST(Commit, TheVersionBeforeIsReadAndBroughtForward) {
  const TestDir dir;
  const std::string path = dir.path() + "/s.db";
  std::string commitment;
  {
    auto sidecar = Sidecar::open(path, Sidecar::Mode::kReadWrite).value();
    commitment = sidecar.commit("old").value();
    ASSERT_TRUE(sidecar.flush());
    auto database = Database::open(path, Database::Mode::kReadWrite).value();
    ASSERT_TRUE(database.execute("DROP TABLE erased; PRAGMA user_version=1"));
  }
  {
    const auto reader = Sidecar::open(path, Sidecar::Mode::kReadOnly).value();
    EXPECT_EQ(reader.find(commitment)->value, "old");
    EXPECT_EQ(reader.erased_count().value(), 0U);
    EXPECT_FALSE(reader.erasure(commitment).value());
  }
  auto writer = Sidecar::open(path, Sidecar::Mode::kReadWrite).value();
  ASSERT_TRUE(writer.erase(commitment, "asked to"));
  EXPECT_EQ(writer.erased_count().value(), 1U);
}

TEST(Commit, AValueWithAGivenSaltIsStoredOnce) {
  const TestDir dir;
  auto sidecar = Sidecar::open(dir.path() + "/s.db", Sidecar::Mode::kReadWrite).value();
  const Disclosure given{Salt{1, 2, 3}, "geheim"};
  const std::string commitment = sidecar.store(given).value();
  EXPECT_EQ(commitment, to_base64(commitment_hash(given.salt, given.value)));
  // A producer that wasn't told sends it again.
  EXPECT_EQ(sidecar.store(given).value(), commitment);
  ASSERT_TRUE(sidecar.flush().has_value());
  EXPECT_EQ(sidecar.store(given).value(), commitment);
  ASSERT_TRUE(sidecar.flush().has_value());
  EXPECT_EQ(sidecar.find(commitment)->value, "geheim");
  EXPECT_FALSE(sidecar.store({{}, std::string(kSecretBytesMax + 1, 'x')}).has_value());
}

}  // namespace
}  // namespace coff::trail
