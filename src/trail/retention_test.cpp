// Retention: what leaves is on the record, what stays verifies.
#include "trail/retention.hpp"

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "trail/proof.hpp"
#include "trail/test_dir.hpp"
#include "trail/verify.hpp"

namespace coff::trail {
namespace {

class Retention : public ::testing::Test {
 protected:
  void SetUp() override {
    log_ = Log::open(test_options(dir_.path())).value();
    grow(500);
  }
  void grow(int entries) {
    for (int at = 0; at < entries; ++at) {
      ASSERT_TRUE(log_->append(test_entry(log_->size())));
      if (at % 10 == 0) {
        ASSERT_TRUE(log_->sync().has_value());
      }
    }
    ASSERT_TRUE(log_->checkpoint().has_value());
  }
  void expect_good() {
    ASSERT_TRUE(log_->checkpoint().has_value());
    const auto report = verify_trail(dir_.path(), {.trusted = {log_->verifier_key()}});
    ASSERT_TRUE(report.has_value()) << report.error().message();
    EXPECT_TRUE(report->ok()) << report->findings[0].kind << ": " << report->findings[0].detail;
  }

  TestDir dir_;
  std::optional<Log> log_;
};

TEST_F(Retention, BySizeKeepsTheTreeVerifiable) {
  const auto before = log_->checkpoint().value().checkpoint;
  const auto removed = apply_retention(*log_, {.bytes_max = 30'000}, wall_now_ns());
  ASSERT_TRUE(removed.has_value()) << removed.error().message();
  ASSERT_EQ(removed->size(), 1U);
  EXPECT_EQ(removed->at(0).first_removed, 0U);
  const std::uint64_t kept = removed->at(0).first_kept;
  EXPECT_GT(kept, 256U);
  EXPECT_EQ(log_->reader().first_seq(), kept);
  EXPECT_EQ(log_->reader().entry(kept - 1).error().code, Code::kNotFound);
  expect_good();
  // Proofs of what stays, and consistency with older checkpoints, still work.
  const auto proof = prove_entry(log_->reader(), kept).value();
  EXPECT_TRUE(proof.verify(log_->reader().entry(kept).value(), Policy::of_log(log_->verifier_key()))
                  .has_value());
  const auto now = log_->checkpoint().value().checkpoint;
  const auto path = prove_consistency(log_->reader().nodes(), before.size, now.size).value();
  EXPECT_TRUE(verify_consistency(before.size, now.size, path, before.root, now.root).has_value());
  // And the log goes on after a restart.
  log_.reset();
  log_ = Log::open(test_options(dir_.path())).value();
  EXPECT_FALSE(log_->recovery().hashes_rebuilt);
  grow(300);
  expect_good();
}

TEST_F(Retention, RemovingMoreThanWasRecordedIsDamage) {
  ASSERT_TRUE(apply_retention(*log_, {.bytes_max = 60'000}, wall_now_ns()).has_value());
  expect_good();
  std::filesystem::remove(list_segments(log_->epoch_dir()).value().front().path);
  const auto report = verify_trail(dir_.path(), {.trusted = {log_->verifier_key()}}).value();
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.findings.back().kind, "deleted");
}

TEST_F(Retention, ByAgeAcrossEpochs) {
  ASSERT_TRUE(log_->rotate_key().has_value());
  grow(200);
  EXPECT_TRUE(apply_retention(*log_, {.age_max_ns = 3'600'000'000'000}, wall_now_ns())->empty());
  const auto removed = apply_retention(*log_, {.age_max_ns = 1}, wall_now_ns() + 1'000'000'000);
  ASSERT_TRUE(removed.has_value()) << removed.error().message();
  ASSERT_EQ(removed->size(), 2U);
  EXPECT_EQ(removed->at(0).first_kept, 502U);
  EXPECT_TRUE(list_segments(dir_.path() + "/epoch-000001")->empty());
  EXPECT_LE(list_segments(dir_.path() + "/epoch-000002")->size(), 2U);
  ASSERT_TRUE(log_->checkpoint().has_value());
  const auto old_key = EpochReader::open(dir_.path() + "/epoch-000001")->key().value();
  const auto report = verify_trail(dir_.path(), {}).value();
  for (const auto& finding : report.findings) {
    // The key_rotate entry that introduced the second key has left with the first epoch.
    EXPECT_TRUE(!finding.damage || finding.kind == "untrusted_key") << finding.detail;
  }
  EXPECT_TRUE(verify_trail(dir_.path(), {.trusted = {old_key, log_->verifier_key()}})->ok());
}

}  // namespace
}  // namespace coff::trail
