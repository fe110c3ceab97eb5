// Trust policies: which quorums are met, and which files are refused.
#include "trail/policy.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bitset>
#include <functional>

namespace coff::trail {
namespace {

constexpr std::string_view kOrigin = "cofferdam/test/host/1";
constexpr size_t kWitnesses = 5;

class PolicyTest : public ::testing::Test {
 protected:
  static std::string witness_name(size_t number) {
    return "witness.example/w" + std::to_string(number + 1);
  }
  VerifierKey log_key() const {
    return {std::string(kOrigin), KeyType::kEd25519, log_.public_key()};
  }
  VerifierKey witness_key(size_t number) const {
    return {witness_name(number), KeyType::kCosignature, witnesses_.at(number).public_key()};
  }
  std::string log_line() const { return "log " + log_key().to_string() + "\n"; }
  // "witness w1 <vkey>" for each.
  std::string witness_lines() const {
    std::string lines;
    for (size_t at = 0; at < kWitnesses; ++at) {
      lines += "witness w" + std::to_string(at + 1) + " " + witness_key(at).to_string() + "\n";
    }
    return lines;
  }
  Policy policy(const std::string& rest) const {
    auto parsed = Policy::parse(log_line() + witness_lines() + rest);
    EXPECT_TRUE(parsed.has_value()) << parsed.error().message();
    return parsed.value_or(Policy::of_log(log_key()));
  }
  // Signed by the log and by the witnesses whose bit is set.
  SignedCheckpoint checkpoint(std::bitset<kWitnesses> cosigners) const {
    Note note;
    note.text = std::string(kOrigin) + "\n7\n" + to_base64(sha256("root")) + "\n";
    note.signatures.push_back(sign_note(log_, kOrigin, note.text).value());
    for (size_t at = 0; at < kWitnesses; ++at) {
      if (!cosigners.test(at)) continue;
      note.signatures.push_back(
          cosign_note(witnesses_[at], witness_name(at), note.text, 1'769'860'800).value());
    }
    return SignedCheckpoint::parse(note.to_string()).value();
  }
  std::string refused(const std::string& text) const {
    const auto parsed = Policy::parse(text);
    return parsed ? "taken" : parsed.error().message();
  }

  SigningKey log_ = SigningKey::generate().value();
  std::array<SigningKey, kWitnesses> witnesses_ = {
      SigningKey::generate().value(), SigningKey::generate().value(),
      SigningKey::generate().value(), SigningKey::generate().value(),
      SigningKey::generate().value()};
};

TEST_F(PolicyTest, EverySubsetOfWitnessesMeetsTheQuorumsThatItShould) {
  using Set = std::bitset<kWitnesses>;
  const auto two_of_three = [](Set set) { return (set & Set(0b00111)).count() >= 2; };
  const auto either = [](Set set) { return (set & Set(0b11000)).any(); };
  const std::string groups = "group a 2 w1 w2 w3\ngroup b any w4 w5\n";
  struct Case {
    std::string rest;
    std::function<bool(Set)> met;
  };
  const Case cases[] = {
      {"quorum none\n", [](Set) { return true; }},
      {"quorum w3\n", [](Set set) { return set.test(2); }},
      {groups + "quorum a\n", two_of_three},
      {groups + "quorum b\n", either},
      {groups + "group q all a b\nquorum q\n",
       [&](Set set) { return two_of_three(set) && either(set); }},
      {groups + "group q any a b\nquorum q\n",
       [&](Set set) { return two_of_three(set) || either(set); }},
      {"group a 2 w1 w2 w3\ngroup q 2 a w4 w5\nquorum q\n",
       [&](Set set) { return (two_of_three(set) ? 1U : 0U) + (set & Set(0b11000)).count() >= 2; }},
      {"group all5 all w1 w2 w3 w4 w5\nquorum all5\n", [](Set set) { return set.all(); }},
      {"group n 4 w1 w2 w3 w4 w5\nquorum n\n", [](Set set) { return set.count() >= 4; }},
  };
  for (const Case& one : cases) {
    const Policy policy = this->policy(one.rest);
    EXPECT_EQ(policy.wants_witnesses(), one.rest != "quorum none\n");
    for (unsigned bits = 0; bits < 1U << kWitnesses; ++bits) {
      EXPECT_EQ(policy.check(checkpoint(bits)).has_value(), one.met(bits))
          << one.rest << Set(bits).to_string();
    }
  }
}

TEST_F(PolicyTest, AWrongCosignatureIsNotOutvoted) {
  const Policy policy = this->policy("group any any w1 w2 w3 w4 w5\nquorum any\n");
  SignedCheckpoint tree = checkpoint(0b00011);
  ASSERT_TRUE(policy.check(tree).has_value());
  tree.note.signatures.at(2).bytes.back() ^= 1;
  EXPECT_FALSE(policy.check(tree).has_value());
  // A line of a witness that nobody listed, or of another key of that name, counts for nothing.
  tree = checkpoint(0);
  const auto stranger = SigningKey::generate().value();
  tree.note.signatures.push_back(cosign_note(stranger, witness_name(0), tree.note.text, 1).value());
  const auto result = policy.check(tree);
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().what.contains("w1, w2, w3, w4, w5")) << result.error().what;
}

TEST_F(PolicyTest, TheLogMustBeListedAndHaveSignedUnderItsName) {
  const SignedCheckpoint good = checkpoint(0b11111);
  EXPECT_TRUE(Policy::of_log(log_key()).check(good).has_value());
  EXPECT_FALSE(policy("quorum none\n").wants_witnesses());
  const auto other = SigningKey::generate().value();
  EXPECT_FALSE(
      Policy::of_log({std::string(kOrigin), KeyType::kEd25519, other.public_key()}).check(good));
  EXPECT_FALSE(
      Policy::of_log({"cofferdam/test/host/2", KeyType::kEd25519, log_.public_key()}).check(good));
  SignedCheckpoint forged = good;
  forged.note.signatures.at(0).bytes.front() ^= 1;
  EXPECT_FALSE(policy("quorum w1\n").check(forged));
  forged = good;
  forged.note.text.replace(forged.note.text.find("\n7\n"), 3, "\n8\n");
  EXPECT_FALSE(policy("quorum none\n").check(forged));
  EXPECT_FALSE(Policy::parse("quorum none\n").value().check(good));
}

TEST_F(PolicyTest, WrongFilesAreRefusedByLine) {
  const std::string start = log_line() + witness_lines();
  struct Case {
    std::string text;
    std::string_view why;
  };
  const std::string w1 = witness_key(0).to_string();
  const Case cases[] = {
      {"", "no quorum line"},
      {start, "no quorum line"},
      {start + "quorum none", "line 7: no newline"},
      {start + "quorum w6\n", "line 7: the quorum is not defined before"},
      {start + "quorum g\ngroup g any w1\n", "line 7: the quorum is not defined before"},
      {start + "quorum none\nquorum w1\n", "line 8: a second quorum"},
      {start + "group g any\nquorum g\n", "line 7: a group needs"},
      {start + "group g 0 w1\nquorum g\n", "line 7: the threshold"},
      {start + "group g 3 w1 w2\nquorum g\n", "line 7: the threshold"},
      {start + "group g -1 w1\nquorum g\n", "line 7: "},
      {start + "group g some w1\nquorum g\n", "line 7: "},
      {start + "group g 18446744073709551617 w1\nquorum g\n", "line 7: "},
      {start + "group g any w1 w1\nquorum g\n", "line 7: is a member twice: w1"},
      {start + "group g any w1\ngroup h any w2 w1\nquorum h\n", "line 8: is a member twice: w1"},
      {start + "group g any g\nquorum g\n", "line 7: not defined before: g"},
      {start + "group w1 any w2\nquorum w1\n", "line 7: name is taken: w1"},
      {start + "group none any w2\nquorum none\n", "line 7: name is taken: none"},
      {start + "witness w1 " + w1 + "\nquorum none\n",
       "line 7: the witness's name or key is taken"},
      {start + "witness w6 " + w1 + "\nquorum none\n",
       "line 7: the witness's name or key is taken"},
      {"witness none " + w1 + "\nquorum none\n", "line 1: the witness's name or key is taken"},
      {"witness w1 " + log_key().to_string() + "\nquorum w1\n", "line 1: a witness's key must"},
      {"log " + w1 + "\nquorum none\n", "line 1: a log's key must"},
      {log_line() + log_line() + "quorum none\n", "line 2: the log is listed twice"},
      {"log x+00000000+AAAA\nquorum none\n", "line 1: "},
      {"trust everybody\nquorum none\n", "line 1: not a log, witness, group or quorum line"},
      {start + "quorum\x01none\n", "line 7: a control character"},
      {start + "quorum none \x7F\n", "line 7: a control character"},
      {start + "quorum none\r\n", "line 7: a control character"},
      {std::string(kPolicyBytesMax + 1, '\n'), "too long"},
  };
  for (const Case& one : cases) {
    EXPECT_TRUE(refused(one.text).contains(one.why))
        << refused(one.text) << "\n  instead of: " << one.why;
  }
}

TEST_F(PolicyTest, CommentsSpaceAndLimitsAreAsTheSpecificationSays) {
  const auto parsed =
      Policy::parse("# comment\n\n  \t\n\tlog \t" + log_key().to_string() +
                    " https://log.example/ \n" + witness_lines() + "quorum w2\n#\n");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message();
  EXPECT_EQ(parsed->logs().at(0).url, "https://log.example/");
  EXPECT_EQ(parsed->witnesses().size(), kWitnesses);
  // A deep chain of groups is followed to its end.
  std::string chain = "group g0 any w1\n";
  for (int at = 1; at < 900; ++at) {
    chain += "group g" + std::to_string(at) + " all g" + std::to_string(at - 1) + "\n";
  }
  const Policy deep = policy(chain + "quorum g899\n");
  EXPECT_TRUE(deep.check(checkpoint(0b00001)));
  EXPECT_FALSE(deep.check(checkpoint(0b11110)));
  for (int at = 900; at < 1100; ++at) {
    chain += "group g" + std::to_string(at) + " all g" + std::to_string(at - 1) + "\n";
  }
  EXPECT_TRUE(refused(log_line() + witness_lines() + chain + "quorum w1\n").contains("too many"));
}

}  // namespace
}  // namespace coff::trail
