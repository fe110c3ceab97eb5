// Exports: tiles by their names, whole-directory verification, and a stranger's two programs.
#include "trail/export.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "trail/log.hpp"
#include "trail/proof.hpp"
#include "trail/test_dir.hpp"
#include "trail/tile.hpp"
#include "trail/verify.hpp"

namespace coff::trail {
namespace {

TEST(Tile, PathsAreThoseOfTheSpecification) {
  EXPECT_EQ(tile_path(0, 1234067, 0), "tile/0/x001/x234/067");
  EXPECT_EQ(tile_path(1, 0, 17), "tile/1/000.p/17");
  EXPECT_EQ(bundle_path(273, 112), "tile/entries/273.p/112");
  // The specification's example: 70,000 leaves.
  EXPECT_EQ(tile_width(70000, 0, 272), 256U);
  EXPECT_EQ(tile_width(70000, 0, 273), 112U);
  EXPECT_EQ(tile_width(70000, 0, 274), 0U);
  EXPECT_EQ(tile_width(70000, 1, 1), 17U);
  EXPECT_EQ(tile_width(70000, 2, 0), 1U);
  EXPECT_EQ(tile_width(256, 1, 0), 1U);
}

TEST(Tile, BundlesAreStrict) {
  std::string bundle;
  append_to_bundle(bundle, "one");
  append_to_bundle(bundle, std::string(300, 'x'));
  const auto entries = parse_bundle(bundle);
  ASSERT_TRUE(entries.has_value());
  EXPECT_EQ((*entries)[1].size(), 300U);
  EXPECT_FALSE(parse_bundle(bundle + "x").has_value());
  EXPECT_FALSE(parse_bundle(bundle.substr(0, bundle.size() - 1)).has_value());
}

class Export : public ::testing::Test {
 protected:
  void SetUp() override {
    auto log = Log::open(test_options(dir_.path() + "/trail")).value();
    for (int at = 0; at < 700; ++at) ASSERT_TRUE(log.append(test_entry(log.size())));
    ASSERT_TRUE(log.checkpoint().has_value());
    key_ = log.verifier_key();
    ASSERT_TRUE(log.append(test_entry(1)));  // Not signed yet.
    ASSERT_TRUE(log.sync().has_value());
    reader_ = EpochReader::open(log.epoch_dir()).value();
    const auto done = export_epoch(*reader_, {.out_dir = out_, .proofs_from = 250, .proofs_to = 260});
    ASSERT_TRUE(done.has_value()) << done.error().message();
    EXPECT_EQ(done->entries, 701U);
    EXPECT_EQ(done->proofs, 10U);
    std::ofstream(dir_.path() + "/key.pem") << key_.to_pem();
  }

  std::pair<int, std::string> stranger(const std::string& key) {
    const std::string command = "sh '" + out_ + "/check.sh' '" + out_ + "' '" + key + "' 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    std::string output;
    char buffer[4096];
    for (size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
      output.append(buffer, got);
    }
    return {::pclose(pipe), output};
  }
  static void flip(const std::string& path, size_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<long>(at));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<long>(at));
    file.put(byte);
  }

  TestDir dir_;
  std::string out_ = dir_.path() + "/export";
  VerifierKey key_;
  std::optional<EpochReader> reader_;
};

TEST_F(Export, VerifiesAsATileDirectory) {
  const auto report = verify_tiles(out_, {.trusted = {key_}});
  ASSERT_TRUE(report.has_value()) << report.error().message();
  EXPECT_TRUE(report->ok()) << report->findings[0].detail;
  EXPECT_EQ(report->entries, 701U);
  flip(out_ + "/tile/entries/001", 1000);
  EXPECT_EQ(verify_tiles(out_, {.trusted = {key_}})->findings.at(0).kind, "edited");
  flip(out_ + "/tile/entries/001", 1000);
  flip(out_ + "/tile/1/000.p/2", 5);
  EXPECT_FALSE(verify_tiles(out_, {.trusted = {key_}})->ok());
}

TEST_F(Export, AStrangerChecksWithOpensslAndSha256sum) {
  const auto [status, output] = stranger(dir_.path() + "/key.pem");
  EXPECT_EQ(status, 0) << output;
  EXPECT_TRUE(output.contains("250.json is number 250 of 701 in cofferdam/test/host/1")) << output;
  EXPECT_TRUE(output.contains("259.json is number 259 of 701")) << output;
}

TEST_F(Export, AStrangerSeesAnEditedEntry) {
  flip(out_ + "/entries/255.json", 120);
  const auto [status, output] = stranger(dir_.path() + "/key.pem");
  EXPECT_NE(status, 0);
  EXPECT_TRUE(output.contains("NOT GOOD")) << output;
}

TEST_F(Export, AStrangerSeesAForeignKey) {
  const auto secret = SigningKey::generate().value();
  std::ofstream(dir_.path() + "/other.pem")
      << VerifierKey{key_.name, KeyType::kEd25519, secret.public_key()}.to_pem();
  const auto [status, output] = stranger(dir_.path() + "/other.pem");
  EXPECT_NE(status, 0);
  EXPECT_TRUE(output.contains("is not signed by")) << output;
}

TEST_F(Export, ProofsStandAlone) {
  const auto text = read_file(out_ + "/entries/251.tlog-proof", kProofBytesMax).value();
  const auto proof = LogProof::parse(text);
  ASSERT_TRUE(proof.has_value()) << proof.error().message();
  EXPECT_EQ(proof->to_string(), text);
  const auto entry = read_file(out_ + "/entries/251.json", kEntryBytesMax).value();
  EXPECT_TRUE(proof->verify(entry, Policy::of_log(key_)).has_value());
  EXPECT_FALSE(proof->verify(entry + " ", Policy::of_log(key_)).has_value());
  const auto witness = SigningKey::generate().value();
  const VerifierKey witness_key{"w", KeyType::kCosignature, witness.public_key()};
  const auto policy = Policy::parse("log " + key_.to_string() + "\nwitness w " +
                                    witness_key.to_string() + "\nquorum w\n");
  ASSERT_TRUE(policy.has_value());
  EXPECT_FALSE(proof->verify(entry, *policy).has_value());
  auto cosigned = *proof;
  cosigned.checkpoint.note.signatures.push_back(
      cosign_note(witness, "w", cosigned.checkpoint.note.text, 1).value());
  EXPECT_TRUE(cosigned.verify(entry, *policy).has_value());
}

}  // namespace
}  // namespace coff::trail
