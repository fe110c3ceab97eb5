// Verification names what an attacker did: edit, delete, reorder, truncate, rewrite.
#include "trail/verify.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/fd.hpp"
#include "trail/entries.hpp"
#include "trail/segment.hpp"
#include "trail/test_dir.hpp"

namespace coff::trail {
namespace {

class Verify : public ::testing::Test {
 protected:
  void SetUp() override {
    auto log = Log::open(test_options(dir_.path())).value();
    for (int round = 0; round < 4; ++round) {
      for (int at = 0; at < 100; ++at) ASSERT_TRUE(log.append(test_entry(log.size())));
      notes_.push_back(log.checkpoint().value());
    }
    key_ = log.verifier_key();
    epoch_ = log.epoch_dir();
  }

  [[nodiscard]] VerifyReport check(VerifyOptions options = {}) const {
    if (options.trusted.empty()) options.trusted = {key_};
    auto report = verify_trail(dir_.path(), options);
    EXPECT_TRUE(report.has_value()) << report.error().message();
    return report.value_or(VerifyReport{});
  }

  // The records of the segment that holds `seq`, to be rearranged.
  struct Segment {
    std::string path;
    std::string header;
    std::vector<std::string> entries;
    std::uint64_t first = 0;
  };
  [[nodiscard]] Segment load(std::uint64_t seq) const {
    Segment segment;
    const auto places = list_segments(epoch_).value();
    for (const auto& place : places) {
      if (place.first_seq <= seq) segment.path = place.path;
    }
    const std::string bytes = read_file(segment.path, 1 << 20).value();
    segment.header = bytes.substr(0, kSegmentHeaderBytes);
    segment.first = SegmentHeader::decode(bytes)->first_seq;
    for (size_t at = kSegmentHeaderBytes; at < bytes.size();) {
      const Record record = read_record(std::string_view(bytes).substr(at));
      segment.entries.emplace_back(record.entry);
      at += record.size_bytes;
    }
    return segment;
  }
  static void store(const Segment& segment) {
    std::string bytes = segment.header;
    for (const std::string& entry : segment.entries) append_record(bytes, entry, {}, {});
    std::ofstream(segment.path, std::ios::binary | std::ios::trunc) << bytes;
  }

  static std::vector<std::string> kinds(const VerifyReport& report) {
    std::vector<std::string> kinds;
    for (const Finding& finding : report.findings) {
      if (finding.damage) kinds.push_back(finding.kind);
    }
    return kinds;
  }

  TestDir dir_;
  VerifierKey key_;
  std::string epoch_;
  std::vector<SignedCheckpoint> notes_;
};
using Kinds = std::vector<std::string>;

TEST_F(Verify, AnUntouchedTrailIsGood) {
  const VerifyReport report = check({.known = notes_});
  EXPECT_TRUE(report.ok()) << report.findings[0].detail;
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(report.entries, 401U);
  EXPECT_EQ(report.epochs.at(0).size, 401U);
}

TEST_F(Verify, NamesTheEditedEntry) {
  auto segment = load(150);
  segment.entries[150 - segment.first][100] ^= 1;
  store(segment);
  const VerifyReport report = check();
  EXPECT_EQ(kinds(report), Kinds{"edited"});
  EXPECT_EQ(report.findings.at(0).first_seq, 150U);
  EXPECT_EQ(report.findings.at(0).last_seq, 150U);
}

TEST_F(Verify, NamesDamagedBytes) {
  const auto segment = load(150);
  std::string bytes = read_file(segment.path, 1 << 20).value();
  const std::string mark = "\"seq\":150,";
  bytes[bytes.find(mark) + 60] ^= 4;
  std::ofstream(segment.path, std::ios::binary | std::ios::trunc) << bytes;
  EXPECT_EQ(kinds(check()), Kinds{"damaged"});
}

TEST_F(Verify, NamesDeletedEntries) {
  auto segment = load(150);
  const auto from = segment.entries.begin() + static_cast<long>(150 - segment.first);
  segment.entries.erase(from, from + 3);
  store(segment);
  const VerifyReport report = check();
  EXPECT_EQ(kinds(report), Kinds{"deleted"});
  EXPECT_EQ(report.findings.at(0).first_seq, 150U);
  EXPECT_EQ(report.findings.at(0).last_seq, 152U);
}

TEST_F(Verify, NamesADeletedSegment) {
  const auto segments = list_segments(epoch_).value();
  ASSERT_GE(segments.size(), 4U);
  std::filesystem::remove(segments[1].path);
  const VerifyReport report = check();
  EXPECT_EQ(kinds(report), Kinds{"deleted"});
  EXPECT_EQ(report.findings.at(0).first_seq, segments[1].first_seq);
  EXPECT_EQ(report.findings.at(0).last_seq, segments[2].first_seq - 1);
}

TEST_F(Verify, NamesTheOldestSegmentDeletedWithoutARecord) {
  const auto segments = list_segments(epoch_).value();
  std::filesystem::remove(segments[0].path);
  const VerifyReport report = check();
  EXPECT_EQ(kinds(report), Kinds{"deleted"});
  EXPECT_EQ(report.findings.back().last_seq, segments[1].first_seq - 1);
}

TEST_F(Verify, NamesReorderedEntries) {
  auto segment = load(150);
  std::swap(segment.entries[150 - segment.first], segment.entries[151 - segment.first]);
  store(segment);
  const VerifyReport report = check();
  EXPECT_EQ(kinds(report), (Kinds{"reordered", "reordered"}));
  EXPECT_EQ(report.findings.at(0).first_seq, 150U);
}

TEST_F(Verify, NamesTruncation) {
  auto segment = load(400);
  segment.entries.resize(segment.entries.size() - 4);
  store(segment);
  const VerifyReport report = check();
  EXPECT_EQ(kinds(report), Kinds{"truncated"});
  EXPECT_EQ(report.findings.at(0).first_seq, 397U);
  EXPECT_EQ(report.findings.at(0).last_seq, 400U);
}

TEST_F(Verify, NamesAWrongStoredHash) {
  const std::string path = epoch_ + "/hash/" + hash_part_name(1, 0);
  std::string bytes = read_file(path, 1 << 20).value();
  bytes[3] ^= 1;
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  EXPECT_EQ(kinds(check()), Kinds{"hashes"});
}

// With the key a thief can sign anything, but not what somebody else has kept.
TEST_F(Verify, ARewriteWithTheKeyContradictsKeptCheckpoints) {
  const std::string other = dir_.path() + "-rewritten";
  const std::string key_pem = read_file(epoch_ + "/key.pem", 4096).value();
  std::filesystem::copy(dir_.path(), other, std::filesystem::copy_options::recursive);
  std::filesystem::remove_all(dir_.path() + "/epoch-000001/segments");
  std::filesystem::remove_all(dir_.path() + "/epoch-000001/hash");
  std::filesystem::remove(epoch_ + "/checkpoint");
  std::filesystem::remove(epoch_ + "/signed.intent");
  std::filesystem::create_directory(dir_.path() + "/epoch-000001/segments");
  std::filesystem::create_directory(dir_.path() + "/epoch-000001/hash");
  {
    auto log = Log::open(test_options(dir_.path())).value();
    for (int at = 0; at < 401; ++at) ASSERT_TRUE(log.append(test_entry(log.size() + 1000)));
    ASSERT_TRUE(log.checkpoint().has_value());
  }
  EXPECT_TRUE(check().ok());  // Nothing in the directory betrays it.
  const VerifyReport report = check({.known = {notes_[1]}});
  EXPECT_EQ(kinds(report), Kinds{"root_changed"});
  std::filesystem::remove_all(other);
}

TEST_F(Verify, AForeignKeyIsNotBelieved) {
  const auto secret = SigningKey::generate().value();
  const VerifierKey foreign{key_.name, KeyType::kEd25519, secret.public_key()};
  EXPECT_EQ(kinds(check({.trusted = {foreign}})), Kinds{"untrusted_key"});
}

TEST_F(Verify, AForgedCheckpointIsNotBelieved) {
  auto note = notes_.back();
  note.note.text = Checkpoint{key_.name, 401, sha256("forged")}.text();
  std::ofstream(epoch_ + "/checkpoint", std::ios::trunc) << note.note.to_string();
  EXPECT_EQ(kinds(check()), (Kinds{"signature", "unsigned"}));
}

TEST_F(Verify, FollowsKeyRotationAndNewEpochs) {
  {
    auto log = Log::open(test_options(dir_.path())).value();
    ASSERT_TRUE(log.rotate_key().has_value());
    ASSERT_TRUE(log.append(test_entry(1)));
    ASSERT_TRUE(log.checkpoint().has_value());
  }
  {
    auto log =
        Log::open_new_epoch(test_options(dir_.path()), EpochReason::kRollback, "test").value();
    ASSERT_TRUE(log.checkpoint().has_value());
  }
  const VerifyReport report = check({.known = notes_});
  EXPECT_TRUE(report.ok()) << report.findings[0].kind << report.findings[0].detail;
  EXPECT_EQ(report.epochs.size(), 3U);
  std::filesystem::remove_all(dir_.path() + "/epoch-000002");
  EXPECT_FALSE(check().ok());
}

}  // namespace
}  // namespace coff::trail
