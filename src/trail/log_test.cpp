// The log: appending, reopening, proofs, epochs, key rotation.
#include "trail/log.hpp"

#include <gtest/gtest.h>

#include "base/fd.hpp"
#include "trail/entries.hpp"
#include "trail/test_dir.hpp"

namespace coff::trail {
namespace {

void append_many(Log& log, std::uint64_t from, std::uint64_t count) {
  for (std::uint64_t at = from; at < from + count; ++at) {
    ASSERT_TRUE(log.append(test_entry(at)).has_value());
  }
  const auto synced = log.sync();
  ASSERT_TRUE(synced.has_value()) << synced.error().message();
}

TEST(Log, KeepsEntriesAndSignsThem) {
  const TestDir dir;
  auto log = Log::open(test_options(dir.path()));
  ASSERT_TRUE(log.has_value()) << log.error().message();
  EXPECT_TRUE(log->recovery().created);
  ASSERT_EQ(log->size(), 1U);  // genesis
  append_many(*log, 1, 700);
  const auto signed_tree = log->checkpoint();
  ASSERT_TRUE(signed_tree.has_value()) << signed_tree.error().message();
  EXPECT_EQ(signed_tree->checkpoint.size, 701U);
  EXPECT_EQ(signed_tree->checkpoint.origin, "cofferdam/test/host/1");
  EXPECT_TRUE(verify_note(signed_tree->note, log->verifier_key()).valid);

  CompactRange range;
  for (std::uint64_t seq = 0; seq < 701; ++seq) {
    const auto entry = log->reader().entry(seq);
    ASSERT_TRUE(entry.has_value()) << seq << " " << entry.error().message();
    if (seq > 0) {
      EXPECT_EQ(*entry, "{\"v\":1,\"seq\":" + std::to_string(seq) + "," + test_entry(seq).substr(1));
    }
    range.append(leaf_hash(*entry));
  }
  EXPECT_EQ(range.root(), signed_tree->checkpoint.root);
  EXPECT_EQ(log->reader().entry(701).error().code, Code::kNotFound);
  for (const std::uint64_t seq : {0, 1, 255, 256, 511, 512, 700}) {
    const auto proof = prove_inclusion(log->reader().nodes(), seq, 701);
    ASSERT_TRUE(proof.has_value()) << proof.error().message();
    EXPECT_TRUE(verify_inclusion(leaf_hash(log->reader().entry(seq).value()), seq, 701, *proof,
                                 range.root())
                    .has_value());
  }
}

TEST(Log, ReopensWhereItWas) {
  const TestDir dir;
  std::uint64_t size = 1;
  std::vector<SignedCheckpoint> signed_trees;
  for (int round = 0; round < 6; ++round) {
    auto log = Log::open(test_options(dir.path()));
    ASSERT_TRUE(log.has_value()) << log.error().message();
    EXPECT_EQ(log->size(), size);
    EXPECT_FALSE(log->recovery().hashes_rebuilt);
    append_many(*log, size, 150);
    size += 150;
    signed_trees.push_back(log->checkpoint().value());
    append_many(*log, size, 150);  // Left unsigned.
    size += 150;
    for (size_t at = 0; at + 1 < signed_trees.size(); ++at) {
      const Checkpoint& old = signed_trees[at].checkpoint;
      const Checkpoint& now = signed_trees.back().checkpoint;
      const auto proof = prove_consistency(log->reader().nodes(), old.size, now.size);
      ASSERT_TRUE(proof.has_value());
      EXPECT_TRUE(verify_consistency(old.size, now.size, *proof, old.root, now.root).has_value());
    }
  }
}

TEST(Log, HasOneWriter) {
  const TestDir dir;
  const auto first = Log::open(test_options(dir.path()));
  ASSERT_TRUE(first.has_value());
  const auto second = Log::open(test_options(dir.path()));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Code::kBusy);
}

TEST(Log, RefusesWhatIsNotAnEntry) {
  const TestDir dir;
  auto log = Log::open(test_options(dir.path())).value();
  EXPECT_EQ(log.append("[]").error().code, Code::kInvalid);
  EXPECT_EQ(log.append("{}").error().code, Code::kInvalid);
  EXPECT_EQ(log.append(test_entry(1, kEntryBytesMax)).error().code, Code::kLimit);
  EXPECT_EQ(log.append("{\"a\":\n1}").error().code, Code::kLimit);
  EXPECT_EQ(log.size(), 1U);
  const std::string big = test_entry(1, 59000);
  size_t taken = 0;
  while (log.append(big).has_value()) ++taken;
  EXPECT_NEAR(static_cast<double>(taken), kPendingBytesMax / 59000.0, 2);
}

TEST(Log, RebuildsStoredHashesFromTheSegments) {
  const TestDir dir;
  std::string hash_file;
  {
    auto log = Log::open(test_options(dir.path())).value();
    append_many(log, 1, 600);
    ASSERT_TRUE(log.checkpoint().has_value());
    hash_file = log.epoch_dir() + "/hash/" + hash_part_name(0, 0);
  }
  std::filesystem::resize_file(hash_file, 32 * 300);
  auto log = Log::open(test_options(dir.path()));
  ASSERT_TRUE(log.has_value()) << log.error().message();
  EXPECT_TRUE(log->recovery().hashes_rebuilt);
  append_many(*log, 601, 1);
  EXPECT_TRUE(log->checkpoint().has_value());
}

TEST(Log, LostSignedEntriesAreDamageAndANewEpochSaysSo) {
  const TestDir dir;
  std::string segment;
  std::string last_note;
  {
    auto log = Log::open(test_options(dir.path())).value();
    append_many(log, 1, 20);
    last_note = log.checkpoint().value().note.to_string();
    segment = list_segments(log.epoch_dir()).value().back().path;
  }
  std::filesystem::resize_file(segment, std::filesystem::file_size(segment) - 5);
  const auto damaged = Log::open(test_options(dir.path()));
  ASSERT_FALSE(damaged.has_value());
  EXPECT_EQ(damaged.error().code, Code::kCorrupt);
  auto next = Log::open_new_epoch(test_options(dir.path()), EpochReason::kDamage,
                                  damaged.error().message());
  ASSERT_TRUE(next.has_value()) << next.error().message();
  EXPECT_EQ(next->epoch(), 2U);
  EXPECT_EQ(next->size(), 2U);
  EXPECT_TRUE(next->reader().entry(0).value().contains("\"reason\":\"damage\""));
  EXPECT_TRUE(next->reader().entry(1).value().contains("\"type\":\"gap\""));
}

TEST(Log, RotatesItsKey) {
  const TestDir dir;
  auto log = Log::open(test_options(dir.path())).value();
  append_many(log, 1, 5);
  const VerifierKey old_key = log.verifier_key();
  const std::string old_dir = log.epoch_dir();
  const auto rotated = log.rotate_key();
  ASSERT_TRUE(rotated.has_value()) << rotated.error().message();
  EXPECT_NE(log.verifier_key().key, old_key.key);
  EXPECT_FALSE(std::filesystem::exists(old_dir + "/key.pem"));
  const auto old = EpochReader::open(old_dir).value();
  const auto last = old.checkpoint().value();
  EXPECT_TRUE(verify_note(last.note, old_key).valid);
  EXPECT_TRUE(verify_note(last.note, log.verifier_key()).valid);
  EXPECT_EQ(last.checkpoint.size, 7U);
  append_many(log, 1, 5);
  EXPECT_TRUE(log.checkpoint().has_value());
}

}  // namespace
}  // namespace coff::trail
