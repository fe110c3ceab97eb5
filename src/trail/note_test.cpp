// Signed notes and cosignatures: the examples of the specification, and hostile input.
#include "trail/note.hpp"

#include <gtest/gtest.h>

#include "trail/checkpoint.hpp"

namespace coff::trail {
namespace {

constexpr std::string_view kVkey =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
constexpr std::string_view kNote =
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi"
    "2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

TEST(Note, SpecificationExample) {
  const auto key = VerifierKey::parse(kVkey);
  ASSERT_TRUE(key.has_value()) << key.error().what;
  EXPECT_EQ(key->to_string(), kVkey);
  const auto note = Note::parse(kNote);
  ASSERT_TRUE(note.has_value()) << note.error().what;
  EXPECT_EQ(note->to_string(), kNote);
  EXPECT_TRUE(verify_note(*note, *key).valid);
}

TEST(Note, AChangedTextOrAForeignKeyIsNotValid) {
  const auto key = VerifierKey::parse(kVkey).value();
  auto note = Note::parse(kNote).value();
  note.text = "This is an example massage.\n";
  EXPECT_TRUE(verify_note(note, key).present);
  EXPECT_FALSE(verify_note(note, key).valid);
  VerifierKey other = key;
  other.name = "example.com/bar";
  EXPECT_FALSE(verify_note(note, other).present);
}

TEST(Note, OneBadLineOfAKnownKeySpoilsTheNote) {
  const auto key = VerifierKey::parse(kVkey).value();
  auto note = Note::parse(kNote).value();
  note.signatures.push_back(note.signatures[0]);
  note.signatures[1].bytes[7] ^= 1;
  EXPECT_FALSE(verify_note(note, key).valid);
}

TEST(Note, RefusesMalformedNotes) {
  const std::string good(kNote);
  for (const std::string& bad : std::vector<std::string>{
           std::string(), std::string("text\n"), std::string("text\n\n"), good + "x", good + "\n",
           good.substr(0, good.size() - 1), "\x01" + good, "\xFF" + good,
           "text\n\n\u2014 name \n", "text\n\n\u2014 na+me AAAAAAAA\n",
           "text\n\n\u2014 name AAAA\n", "text\n\n- name AAAAAAAA\n"}) {
    EXPECT_FALSE(Note::parse(bad).has_value()) << bad;
  }
}

TEST(Note, RefusesMalformedVerifierKeys) {
  const std::string good(kVkey);
  for (const std::string& bad :
       {std::string(), std::string("a+b"), good + "A", "x" + good, good.substr(1),
        std::string("a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")}) {
    EXPECT_FALSE(VerifierKey::parse(bad).has_value()) << bad;
  }
}

TEST(Note, CosignaturesCoverTheirTime) {
  const auto secret = SigningKey::generate().value();
  const VerifierKey key{"witness.example/w1", KeyType::kCosignature, secret.public_key()};
  const Checkpoint tree{"log.example", 7, sha256("root")};
  Note note{tree.text(), {}};
  note.signatures.push_back(cosign_note(secret, key.name, note.text, 1679315147).value());
  const Verified good = verify_note(note, key);
  EXPECT_TRUE(good.valid);
  EXPECT_EQ(good.time_s, 1679315147U);
  EXPECT_EQ(VerifierKey::parse(key.to_string()).value(), key);
  note.signatures[0].bytes[7] ^= 1;
  EXPECT_FALSE(verify_note(note, key).valid);
}

TEST(Note, KeysSurviveTheirPem) {
  const auto secret = SigningKey::generate().value();
  const auto again = SigningKey::from_pem(secret.to_pem().value()).value();
  EXPECT_EQ(secret.public_key(), again.public_key());
  EXPECT_EQ(secret.sign("x").value(), again.sign("x").value());
  EXPECT_FALSE(SigningKey::from_pem("nonsense").has_value());
}

TEST(Checkpoint, ReadsTheSpecificationExample) {
  const std::string text =
      "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
  const auto tree = Checkpoint::parse(text);
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(tree->size, 20852163U);
  EXPECT_EQ(tree->text(), text);
  EXPECT_TRUE(Checkpoint::parse(text + "extension\n").has_value());
  for (const std::string& bad :
       {std::string("o\n1\n"), std::string("o\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"),
        std::string("\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"), text + "\n",
        std::string("o\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"),
        std::string("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n")}) {
    EXPECT_FALSE(Checkpoint::parse(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace coff::trail
