// Actions that people must approve: the agent asks for signatures over exactly what it would do.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/fd.hpp"
#include "live/response/stage.hpp"
#include "live/support/workspace.hpp"

namespace coff::live {
namespace {

constexpr const char* kPlaybook = COFF_SOURCE_DIR "/playbooks/container-compromise.json";

class ApprovalLive : public ResponseLive {
 protected:
  void SetUp() override {
    ResponseLive::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_EQ(::access("/usr/bin/ssh-keygen", X_OK), 0) << "openssh-client is not installed";
    std::string signers;
    for (const char* person : {"alice", "bob"}) {
      ASSERT_TRUE(run_ok({"ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", keys_ / person}));
      signers += std::string(person) + " " +
                 read_file(keys_ / (std::string(person) + ".pub"), 4096).value_or("");
    }
    ASSERT_TRUE(replace_file(approvers_, signers));
  }
  void TearDown() override {
    std::filesystem::remove(approvers_);
    ResponseLive::TearDown();
  }

  static Outcome playbook(std::vector<std::string> arguments, int expected_status) {
    arguments.insert(arguments.begin(), "playbook");
    auto outcome = product_->cofferdam(std::move(arguments));
    EXPECT_TRUE(outcome);
    if (!outcome) return {};
    EXPECT_EQ(outcome->status, expected_status) << outcome->out << outcome->err;
    return *outcome;
  }
  /// `person` signs the request as it is printed.
  void sign(const std::string& request, const std::string& person, int expected_status = 0) {
    const std::string file = keys_ / (person + "-request");
    ASSERT_TRUE(replace_file(file, playbook({"approve", request}, 0).out));
    std::filesystem::remove(file + ".sig");
    ASSERT_TRUE(run_ok({"ssh-keygen", "-q", "-Y", "sign", "-n", "cofferdam-approval", "-f",
                        keys_ / person, file}));
    playbook({"approve", request, "--signature", file + ".sig"}, expected_status);
  }

  Workspace keys_ = Workspace::create().value();
};

TEST_F(ApprovalLive, NothingIsDoneUntilPeopleSignedExactlyIt) {
  start("accused", {}, {"sleep", "1000"});
  const Outcome refused = respond({"freeze", "accused", "--reason", "odd"}, 1);
  EXPECT_NE(refused.err.find("class B needs the approval"), std::string::npos) << refused.err;
  respond({"freeze", "accused", "--reason", "odd", "--approval", "case-7"}, 1);
  sign("case-7", "alice");
  // The same name, another container: what was signed is not this.
  start("bystander", {}, {"sleep", "1000"});
  respond({"freeze", "bystander", "--reason", "odd", "--approval", "case-7"}, 1);
  respond({"freeze", "accused", "--reason", "odd", "--approval", "case-7"});
  ASSERT_TRUE(in_trail("freeze", "accused", "planned", 3));
  const auto planned = trail("freeze", "accused", "planned").back();
  EXPECT_EQ(text_at(planned, {"approved_by", "request"}), "case-7");
  EXPECT_EQ(trail("freeze", "accused", "started").size(), 1U);
  EXPECT_TRUE(trail("freeze", "bystander", "started").empty());
  respond({"thaw", "accused"});
  // Started anew, it is another process: the plan has changed, and the approval is void.
  docker({"restart", "-t", "0", "accused"});
  respond({"freeze", "accused", "--reason", "odd", "--approval", "case-7"}, 1);
}

TEST_F(ApprovalLive, TwoOthersMustApproveWhatEndsAContainer) {
  start("condemned", {}, {"sleep", "1000"});
  respond({"kill", "condemned", "--reason", "miner", "--approval", "case-8"}, 1);
  sign("case-8", "alice");
  respond({"kill", "condemned", "--reason", "miner", "--approval", "case-8"}, 1);
  sign("case-8", "alice", 3);
  sign("case-8", "bob");
  respond({"kill", "condemned", "--reason", "miner", "--approval", "case-8"});
  EXPECT_TRUE(eventually([] {
    return docker({"inspect", "--format", "{{.State.Running}}", "condemned"}) == "false";
  }));
}

TEST_F(ApprovalLive, AForgedApprovalIsCheckedByTheAgentItself) {
  start("framed", {}, {"sleep", "1000"});
  respond({"freeze", "framed", "--reason", "odd", "--approval", "case-9"}, 1);
  // Somebody enrols a key of theirs where the command line looks, not where the agent does.
  ASSERT_TRUE(run_ok({"ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", keys_ / "mallory"}));
  const auto key = read_file(keys_ / "mallory.pub", 4096);
  ASSERT_TRUE(key);
  const std::string own = keys_ / "own-signers";
  ASSERT_TRUE(replace_file(own, "mallory " + *key));
  const std::string file = keys_ / "request";
  ASSERT_TRUE(replace_file(file, playbook({"approve", "case-9"}, 0).out));
  ASSERT_TRUE(run_ok({"ssh-keygen", "-q", "-Y", "sign", "-n", "cofferdam-approval", "-f",
                      keys_ / "mallory", file}));
  playbook({"approve", "case-9", "--signature", file + ".sig", "--signers", own}, 0);
  const Outcome refused =
      respond({"freeze", "framed", "--reason", "odd", "--approval", "case-9", "--signers", own}, 1);
  EXPECT_NE(refused.err.find("is enrolled for nobody"), std::string::npos) << refused.err;
  EXPECT_TRUE(trail("freeze", "framed", "started").empty());
}

TEST_F(ApprovalLive, APlaybookWaitsForSignaturesAndGoesOn) {
  start("suspect", {}, {"sleep", "1000"});
  const std::string id = docker({"inspect", "--format", "{{.Id}}", "suspect"});
  EXPECT_EQ(product_->cofferdam({"incident", "open", "Odd traffic", "--container", id})->status, 0);
  const Outcome begun =
      playbook({"run", kPlaybook, "--json", "--set", "container=suspect", "--act"}, 1);
  boost::json::error_code problem;
  const auto state = boost::json::parse(begun.out, problem);
  ASSERT_FALSE(problem) << begun.out << begun.err;
  const std::string run = text_at(state, {"run"});
  ASSERT_EQ(state.at("waiting").as_array().size(), 1U) << begun.out;
  // Protecting needs nobody; the quarantine does.
  ASSERT_TRUE(in_trail("protect", "suspect", "verified"));
  EXPECT_TRUE(trail("quarantine", "suspect", "started").empty());
  sign(run + "." + boost::json::serialize(state.at("waiting").at(0).at("number")), "bob");
  playbook({"resume", run, "--json", "--act"}, 1);
  ASSERT_TRUE(in_trail("quarantine", "suspect", "verified"));
  EXPECT_NE(text_at(trail("quarantine", "suspect", "planned").back(), {"approved_by", "people"})
                .find("bob"),
            std::string::npos);
  // Files are collected without asking, memory only when somebody has signed.
  const auto listed = [] {
    const auto outcome = product_->cofferdam({"evidence", "list"});
    const std::string out = outcome ? outcome->out : "";
    return std::count(out.begin(), out.end(), '\n');
  };
  EXPECT_EQ(listed(), 1);
  const Outcome approvals = playbook({"approvals", "--json"}, 0);
  const auto at = approvals.out.find("action: dump_memory");
  ASSERT_NE(at, std::string::npos) << approvals.out;
  const auto id_at = approvals.out.rfind("request: ", at) + 9;
  sign(approvals.out.substr(id_at, approvals.out.find("\\n", id_at) - id_at), "alice");
  const Outcome resumed = playbook({"resume", run, "--json", "--act"}, 1);
  EXPECT_EQ(listed(), 2) << resumed.out;
  EXPECT_NE(resumed.out.find("\"kind\":\"manual\""), std::string::npos)
      << "nobody is asked to decide: " << resumed.out;
  // The incident's timeline has what was done, and by whose leave.
  EXPECT_EQ(product_->cofferdam({"incident", "update"})->status, 0);
  const std::string shown = product_->cofferdam({"incident", "show", "1"})->out;
  for (const char* line :
       {"protect verified", "quarantine approved as", "bob", "quarantine verified", "evidence"}) {
    EXPECT_NE(shown.find(line), std::string::npos) << line << ": " << shown;
  }
  respond({"release", "suspect"});
}

}  // namespace
}  // namespace coff::live
