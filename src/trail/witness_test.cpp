// The witness: its answers by the specification, its durability, and both sides over HTTP.
#include "trail/witness.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "trail/crash_fs.hpp"
#include "trail/log.hpp"
#include "trail/test_dir.hpp"
#include "trail/witness_client.hpp"
#include "trail/witness_server.hpp"

namespace coff::trail {
namespace {

class WitnessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    log_ = Log::open(test_options(dir_.path() + "/trail")).value();
    witness_ = Witness::open(options()).value();
    grow(5);
  }
  Witness::Options options() {
    return {.dir = dir_.path() + "/witness",
            .name = "witness.example/w1",
            .logs = {log_->verifier_key()}};
  }
  void grow(int entries) {
    for (int at = 0; at < entries; ++at) ASSERT_TRUE(log_->append(test_entry(log_->size())));
    tree_ = log_->checkpoint().value();
  }
  unsigned ask(const AddCheckpoint& request) {
    answer_ = witness_->add_checkpoint(request.to_string());
    return answer_.status;
  }
  std::vector<Hash> proof(std::uint64_t from) {
    return prove_consistency(log_->reader().nodes(), from, tree_.checkpoint.size).value();
  }

  TestDir dir_;
  std::optional<Log> log_;
  std::optional<Witness> witness_;
  SignedCheckpoint tree_;
  WitnessAnswer answer_;
};

TEST_F(WitnessTest, AnswersByTheSpecification) {
  EXPECT_EQ(ask({0, proof(3), tree_}), 422U);  // From size 0 the proof must be empty.
  EXPECT_EQ(ask({7, {}, tree_}), 400U);        // Old size above the checkpoint's.
  EXPECT_EQ(ask({3, proof(3), tree_}), 409U);  // Never cosigned: its size is 0.
  EXPECT_EQ(answer_.body, "0\n");
  EXPECT_EQ(answer_.content_type, "text/x.tlog.size");
  ASSERT_EQ(ask({0, {}, tree_}), 200U);
  auto lines = parse_signature_lines(answer_.body);
  ASSERT_TRUE(lines.has_value());
  EXPECT_TRUE(verify_note(Note{tree_.note.text, *lines}, witness_->key()).valid);
  EXPECT_EQ(ask({6, {}, tree_}), 200U);  // The same tree again.
  EXPECT_EQ(ask({0, {}, tree_}), 409U);
  EXPECT_EQ(answer_.body, "6\n");
  grow(10);
  EXPECT_EQ(ask({6, {}, tree_}), 422U);
  EXPECT_EQ(ask({6, proof(5), tree_}), 422U);
  EXPECT_EQ(ask({6, proof(6), tree_}), 200U);
}

TEST_F(WitnessTest, RefusesForeignLogsAndBadSignatures) {
  const auto secret = SigningKey::generate().value();
  SignedCheckpoint other{Checkpoint{"other.example", 1, sha256("x")}, {}};
  other.note.text = other.checkpoint.text();
  other.note.signatures = {sign_note(secret, "other.example", other.note.text).value()};
  EXPECT_EQ(ask({0, {}, other}), 404U);
  SignedCheckpoint unsigned_tree = tree_;
  unsigned_tree.note.signatures = {sign_note(secret, "other.example", tree_.note.text).value()};
  EXPECT_EQ(ask({0, {}, unsigned_tree}), 403U);
  SignedCheckpoint bad = tree_;
  bad.note.signatures[0].bytes[3] ^= 1;
  EXPECT_EQ(ask({0, {}, bad}), 403U);
  for (const std::string_view body : {"", "old 0\n", "old 00\n\n", "old 0\nAA\n\n", "new 0\n\n"}) {
    EXPECT_EQ(witness_->add_checkpoint(body).status, 400U) << body;
  }
  EXPECT_EQ(witness_->add_checkpoint(std::string(kWitnessBodyBytesMax + 1, 'x')).status, 400U);
}

TEST_F(WitnessTest, RemembersAcrossRestartsAndRefusesARewrittenPast) {
  ASSERT_EQ(ask({0, {}, tree_}), 200U);
  const VerifierKey key = witness_->key();
  witness_.reset();
  witness_ = Witness::open(options()).value();
  EXPECT_EQ(witness_->key(), key);
  EXPECT_EQ(ask({0, {}, tree_}), 409U);
}

TEST_F(WitnessTest, AnswersOnlyWhatIsDurable) {
  TestFs fs;
  auto with_fs = options();
  with_fs.dir += "2";
  with_fs.fs = &fs;
  auto witness = Witness::open(with_fs).value();
  fs.fault = [](const FsOp& op) { return op.kind == FsOp::Kind::kSync ? EIO : 0; };
  EXPECT_EQ(witness.add_checkpoint(AddCheckpoint{0, {}, tree_}.to_string()).status, 500U);
  fs.fault = {};
  EXPECT_EQ(witness.add_checkpoint(AddCheckpoint{0, {}, tree_}.to_string()).status, 200U);
}

class WitnessHttp : public WitnessTest {
 protected:
  void SetUp() override {
    WitnessTest::SetUp();
    server_ = WitnessServer::listen(*witness_, "127.0.0.1", 0).value();
    thread_ = std::jthread([this] { EXPECT_TRUE(server_->run(false).has_value()); });
    peer_ = {"http://127.0.0.1:" + std::to_string(server_->port()) + "/prefix", witness_->key()};
  }
  void TearDown() override {
    server_->stop();
    thread_.join();
  }
  WitnessReply ask_over_http(std::uint64_t old_size) {
    auto reply = ask_witness(peer_, log_->reader(), tree_, old_size);
    EXPECT_TRUE(reply.has_value()) << reply.error().message();
    return reply.value_or(WitnessReply{});
  }

  std::unique_ptr<WitnessServer> server_;
  std::jthread thread_;
  WitnessPeer peer_;
};

TEST_F(WitnessHttp, CosignsAndTheLogKeepsIt) {
  for (int round = 0; round < 3; ++round) {
    const WitnessReply reply = ask_over_http(0);  // Learns the size by a 409 after the first.
    ASSERT_EQ(reply.outcome, WitnessOutcome::kCosigned) << reply.detail;
    ASSERT_TRUE(log_->add_cosignatures(tree_, reply.lines).has_value());
    const auto witnessed = log_->reader().witnessed();
    ASSERT_TRUE(witnessed.has_value());
    EXPECT_EQ(witnessed->checkpoint.size, tree_.checkpoint.size);
    EXPECT_TRUE(verify_note(witnessed->note, peer_.key).valid);
    EXPECT_EQ(witnessed->note.signatures.size(), 2U);
    if (round == 1) continue;  // Once more for the same tree.
    grow(300);
  }
}

TEST_F(WitnessHttp, CatchesARolledBackDirectory) {
  const std::string saved = dir_.path() + "/saved";
  const std::string trail = dir_.path() + "/trail";
  std::filesystem::copy(trail, saved, std::filesystem::copy_options::recursive);
  grow(20);
  ASSERT_EQ(ask_over_http(0).outcome, WitnessOutcome::kCosigned);
  log_.reset();
  std::filesystem::remove_all(trail);
  std::filesystem::rename(saved, trail);

  log_ = Log::open(test_options(trail)).value();  // Looks fine by itself.
  tree_ = log_->checkpoint().value();
  const WitnessReply ahead = ask_over_http(0);
  EXPECT_EQ(ahead.outcome, WitnessOutcome::kAhead) << ahead.detail;
  EXPECT_EQ(ahead.known_size, 26U);
  // Growing past what the witness knows doesn't hide it.
  for (int at = 0; at < 60; ++at) ASSERT_TRUE(log_->append(test_entry(5000)));
  tree_ = log_->checkpoint().value();
  EXPECT_EQ(ask_over_http(0).outcome, WitnessOutcome::kInconsistent);

  log_.reset();
  log_ = Log::open_new_epoch(test_options(trail), EpochReason::kRollback, ahead.detail).value();
  EXPECT_TRUE(log_->reader().entry(1)->contains("\"reason\":\"rollback\""));
}

TEST_F(WitnessHttp, HostileAnswersAndAbsentWitnesses) {
  peer_.key.name = "another.example";
  EXPECT_EQ(ask_over_http(0).outcome, WitnessOutcome::kRefused);
  peer_.url = "http://127.0.0.1:1";
  EXPECT_EQ(ask_witness(peer_, log_->reader(), tree_, 0).error().code, Code::kIo);
  peer_.url = "file:///etc";
  EXPECT_FALSE(ask_witness(peer_, log_->reader(), tree_, 0).has_value());
}

}  // namespace
}  // namespace coff::trail
