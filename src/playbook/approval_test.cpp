// Approvals, signed by the real ssh-keygen with keys of every supported type.
#include "playbook/approval.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "playbook/approval_store.hpp"
#include "playbook/command.hpp"

namespace coff::playbook {
namespace {

constexpr std::int64_t kHourNs = 3600LL * 1'000'000'000;

class Approvals : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access("/usr/bin/ssh-keygen", X_OK) != 0) GTEST_SKIP() << "there is no ssh-keygen";
    std::string name = ::testing::TempDir() + "/approvals-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    limits_.uid = limits_.gid = 65534;
    ASSERT_EQ(::chmod(dir_.c_str(), 0777), 0);
  }
  void TearDown() override {
    if (!dir_.empty()) std::filesystem::remove_all(dir_);
  }

  void run(std::vector<std::string> arguments) {
    const auto result = run_command(arguments, limits_);
    ASSERT_TRUE(result) << result.error().message();
    ASSERT_EQ(result->status, 0) << result->output;
  }
  std::string enrol(const std::string& person, const std::string& type) {
    run({"/usr/bin/ssh-keygen", "-q", "-N", "", "-t", type, "-f", dir_ + "/" + person});
    const auto key = read_file(dir_ + "/" + person + ".pub", 8192);
    EXPECT_TRUE(key);
    return person + " " + key.value_or("");
  }
  std::string sign(const std::string& person, const std::string& text,
                   const std::string& name_space = "cofferdam-approval") {
    const std::string path = dir_ + "/" + person + ".txt";
    EXPECT_TRUE(replace_file(path, text));
    std::filesystem::remove(path + ".sig");
    run({"/usr/bin/ssh-keygen", "-q", "-Y", "sign", "-f", dir_ + "/" + person, "-n", name_space,
         path});
    return read_file(path + ".sig", kSshSignatureBytesMax).value_or("");
  }

  std::string dir_;
  CommandLimits limits_;
};

ApprovalRequest request_of(ApprovalClass approval) {
  return {.id = "approval--1",
          .approval = approval,
          .action = "quarantine",
          .target = "0a1b2c",
          .plan = json::object{{"container", "0a1b2c"}, {"ttl_s", 600}},
          .reason = "a miner",
          .requester = "alice",
          .playbook_hash = "",
          .requested_ns = 10 * kHourNs,
          .expires_ns = 11 * kHourNs};
}

TEST_F(Approvals, EverySortOfKeySigns) {
  for (const std::string type : {"ed25519", "rsa", "ecdsa"}) {
    const auto signers = parse_signers(enrol("bob-" + type, type));
    ASSERT_TRUE(signers) << signers.error().what;
    const ApprovalRequest request = request_of(ApprovalClass::kOne);
    const std::string signature = sign("bob-" + type, text_of(request));
    const auto state = check_approvals(request, {signature}, *signers, request.requested_ns + 1);
    EXPECT_TRUE(state.enough) << type << ": " << (state.problems.empty() ? "" : state.problems[0]);
    ASSERT_EQ(state.approvals.size(), 1U);
    EXPECT_EQ(state.approvals[0].person, "bob-" + type);
    // Any byte of the signature that changes spoils it.
    std::string blob = signature;
    const size_t at = blob.find('\n') + 200;
    blob[at] = blob[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(check_approvals(request, {blob}, *signers, request.requested_ns + 1).enough);
  }
}

TEST_F(Approvals, NothingElseCounts) {
  const auto signers = parse_signers("# people\n" + enrol("alice", "ed25519") +
                                     enrol("bob", "ed25519") + enrol("carol", "ecdsa"));
  ASSERT_TRUE(signers) << signers.error().what;
  enrol("mallory", "ed25519");
  const ApprovalRequest request = request_of(ApprovalClass::kTwo);
  const std::string text = text_of(request);
  const std::int64_t now = request.requested_ns + 1;
  const std::string alice = sign("alice", text);
  const std::string bob = sign("bob", text);
  const std::string carol = sign("carol", text);
  const std::string mallory = sign("mallory", text);
  const auto enough = [&](const ApprovalRequest& asked, const std::vector<std::string>& given,
                          std::int64_t at) {
    return check_approvals(asked, given, *signers, at).enough;
  };
  EXPECT_TRUE(enough(request, {bob, carol}, now));
  EXPECT_FALSE(enough(request, {bob}, now));
  EXPECT_FALSE(enough(request, {bob, bob}, now));
  EXPECT_FALSE(enough(request, {bob, alice}, now)) << "who asks must not approve";
  EXPECT_FALSE(enough(request, {bob, mallory}, now)) << "not enrolled";
  EXPECT_FALSE(enough(request, {bob, sign("carol", text, "file")}, now)) << "another purpose";
  EXPECT_FALSE(enough(request, {bob, carol}, request.expires_ns)) << "expired";
  ApprovalRequest changed = request;
  changed.plan.as_object()["ttl_s"] = 601;
  EXPECT_FALSE(enough(changed, {bob, carol}, now)) << "another plan";
  changed = request;
  changed.target = "0a1b2d";
  EXPECT_FALSE(enough(changed, {bob, carol}, now)) << "another target";
  changed = request;
  changed.expires_ns += 1;
  EXPECT_FALSE(enough(changed, {bob, carol}, now)) << "another time";
  EXPECT_TRUE(enough(request_of(ApprovalClass::kAutomatic), {}, now));
}

TEST_F(Approvals, AreKeptInAFolder) {
  const auto signers = parse_signers(enrol("bob", "ed25519"));
  ASSERT_TRUE(signers);
  const ApprovalStore store(dir_ + "/folder");
  EXPECT_FALSE(store.list());
  const ApprovalRequest request = request_of(ApprovalClass::kOne);
  ASSERT_TRUE(store.ask(request));
  EXPECT_EQ(store.list()->size(), 1U);
  const auto read = store.read(request.id);
  ASSERT_TRUE(read);
  EXPECT_EQ(text_of(*read), text_of(request));
  EXPECT_FALSE(store.add(request.id, "no signature"));
  ASSERT_TRUE(store.add(request.id, sign("bob", text_of(request))));
  EXPECT_TRUE(
      check_approvals(request, store.signatures(request.id), *signers, request.requested_ns + 1)
          .enough);
  EXPECT_FALSE(store.read("../folder/approval--1"));
}

TEST_F(Approvals, SignersAreReadStrictly) {
  const std::string bob = enrol("bob", "ed25519");
  const std::string key = bob.substr(4);
  const auto limited =
      parse_signers("bob namespaces=\"file,git\",valid-before=\"20260101\" " + key);
  ASSERT_TRUE(limited) << limited.error().what;
  const auto& signer = limited->front();
  EXPECT_EQ(find_signer(*limited, signer.public_key, "cofferdam-approval", 0), nullptr);
  EXPECT_NE(find_signer(*limited, signer.public_key, "git", 0), nullptr);
  EXPECT_EQ(find_signer(*limited, signer.public_key, "git", wall_now_ns()), nullptr);
  EXPECT_EQ(parse_signers("a,b " + key)->size(), 2U);
  EXPECT_FALSE(parse_signers("* " + key));
  EXPECT_FALSE(parse_signers("bob cert-authority " + key));
  EXPECT_FALSE(parse_signers("bob ssh-rsa " + key.substr(key.find(' ') + 1)));
  EXPECT_FALSE(parse_signers("bob"));
  const std::string path = dir_ + "/signers";
  ASSERT_TRUE(replace_file(path, bob, 0644));
  EXPECT_TRUE(read_signers(path));
  ASSERT_EQ(::chmod(path.c_str(), 0664), 0);
  EXPECT_FALSE(read_signers(path));
}

TEST(ApprovalText, LinesCannotBeMadeByValues) {
  ApprovalRequest request = request_of(ApprovalClass::kTwo);
  request.reason = "x\nclass: A";
  const std::string text = text_of(request);
  EXPECT_EQ(text.find("\nclass: A"), text.npos);
  EXPECT_NE(text.find("reason: x\\x0aclass: A"), text.npos) << text;
}

TEST(Commands, RunWithinTheirLimits) {
  CommandLimits limits;
  limits.uid = limits.gid = 65534;
  const auto bash = [&](const std::string& text) {
    return run_command({"/bin/bash", "--noprofile", "--norc", "-c", text}, limits);
  };
  const auto who = bash("id -u; echo \"[$HOME]\"; cat; exit 3");
  ASSERT_TRUE(who);
  EXPECT_EQ(who->status, 3);
  if (::geteuid() == 0) {
    EXPECT_EQ(who->output, "65534\n[]\n");
  }
  limits.timeout_ms = 200;
  const auto slow = bash("sleep 60 & sleep 60");
  ASSERT_TRUE(slow);
  EXPECT_TRUE(slow->timed_out);
  limits.timeout_ms = 20'000;
  const auto loud = bash("head -c 200000 /dev/zero");
  ASSERT_TRUE(loud);
  EXPECT_TRUE(loud->cut);
  EXPECT_EQ(loud->output.size(), kOutputBytesMax);
  EXPECT_FALSE(limits_of_user("root"));
  EXPECT_TRUE(limits_of_user("nobody"));
  if (::geteuid() == 0) {
    EXPECT_FALSE(run_command({"/bin/true"}, {.uid = 0, .gid = 0}));
  }
}

}  // namespace
}  // namespace coff::playbook
