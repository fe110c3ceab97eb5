// cofferdam playbook and incident, as a person uses them: check, run, answer, approve, sign, note.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>

#include "base/fd.hpp"
#include "program.hpp"

namespace coff::cli::test {
namespace {

constexpr const char* kShipped = COFF_SOURCE_DIR "/playbooks/container-compromise.json";
constexpr const char* kTheft = COFF_SOURCE_DIR "/playbooks/third-party-evidence.json";

class PlaybookCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "/playbook-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  Outcome playbook(std::vector<std::string> arguments, bool with_dir = true) {
    arguments.insert(arguments.begin(), "playbook");
    if (with_dir) arguments.insert(arguments.end(), {"--dir", dir_ + "/runs"});
    return run_program(arguments);
  }
  static boost::json::value json_of(const Outcome& outcome) {
    boost::system::error_code problem;
    auto value = boost::json::parse(outcome.out, problem);
    EXPECT_FALSE(problem) << outcome.command << ": " << outcome.out << outcome.err;
    return problem ? boost::json::value(boost::json::object()) : value;
  }
  std::string write(const std::string& name, const std::string& text) {
    EXPECT_TRUE(replace_file(dir_ + "/" + name, text));
    return dir_ + "/" + name;
  }

  std::string dir_;
};

TEST_F(PlaybookCommand, ChecksAndShows) {
  const Outcome good = playbook({"check", kShipped, kTheft}, false);
  EXPECT_EQ(good.status, 0) << good.out;
  const Outcome bad = playbook({"check", write("bad.json", R"({"type":"playbook"})")}, false);
  EXPECT_EQ(bad.status, 1);
  EXPECT_NE(bad.out.find("is no playbook"), std::string::npos);
  const Outcome shown = playbook({"show", kShipped}, false);
  EXPECT_NE(shown.out.find("Quarantine the network"), std::string::npos) << shown.err;
  const Outcome drawn = playbook({"show", "--mermaid", kShipped}, false);
  EXPECT_TRUE(drawn.out.starts_with("flowchart TD"));
}

TEST_F(PlaybookCommand, SignsAndVerifies) {
  const std::string key = write("key.pem",
                                "-----BEGIN PRIVATE KEY-----\n"
                                "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                                "-----END PRIVATE KEY-----\n");
  const std::string out = dir_ + "/signed.json";
  EXPECT_EQ(playbook({"verify", kShipped}, false).status, 1) << "no signature is no good one";
  ASSERT_EQ(
      playbook({"sign", kShipped, "--key", key, "--signee", "Us", "--out", out}, false).status, 0);
  const Outcome verified = playbook({"verify", out, "--json"}, false);
  ASSERT_EQ(verified.status, 0) << verified.out;
  const std::string hash(json_of(verified).at("key").as_string());
  EXPECT_EQ(playbook({"verify", out, "--trust", hash}, false).status, 0);
  EXPECT_EQ(playbook({"verify", out, "--trust", std::string(64, '0')}, false).status, 1);
  const std::string container = "container=" + std::string(64, 'a');
  EXPECT_EQ(playbook({"run", kShipped, "--set", container, "--trust", hash}).status, 3);
  EXPECT_EQ(playbook({"run", out, "--set", container, "--trust", hash}).status, 1);
}

TEST_F(PlaybookCommand, WaitsForPeopleAndGoesOn) {
  EXPECT_EQ(playbook({"run", kTheft, "--set", "container=c"}).status, 2) << "values are missing";
  const Outcome begun = playbook({"run", kTheft, "--set", "container=c", "--set", "case=7", "--set",
                                  "recipient=a court", "--json"});
  ASSERT_EQ(begun.status, 1) << begun.out << begun.err;
  const auto state = json_of(begun);
  const std::string run(state.at("run").as_string());
  const auto& waiting = state.at("waiting").as_array();
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_NE(waiting[0].at("text").as_string().find("for a court"), std::string::npos);
  const std::string number = std::to_string(waiting[0].at("number").to_number<int>());
  EXPECT_NE(playbook({"answer", run, "99"}).status, 0);
  EXPECT_EQ(playbook({"answer", run, number, "--set", "what=1"}).status, 2) << "not asked for";
  EXPECT_EQ(playbook({"resume", run, "--json"}).status, 1) << "it still waits";
  const Outcome ended = playbook({"answer", run, number, "--failed", "--note", "no ground"});
  EXPECT_EQ(ended.status, 0) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("completed"), std::string::npos) << ended.out;
  EXPECT_NE(playbook({"runs"}).out.find("no ground"), std::string::npos);
}

TEST_F(PlaybookCommand, WithoutAnAgentActionsFailAndThePlaybookGoesOn) {
  const auto state =
      json_of(playbook({"run", kShipped, "--json", "--set", "container=c", "--act", "--signers",
                        dir_ + "/signers", "--socket", dir_ + "/nowhere"}));
  EXPECT_EQ(state.at("steps").at(1).at("status").as_string(), "failed");
  EXPECT_EQ(state.at("waiting").as_array().size(), 1U);
}

TEST_F(PlaybookCommand, IncidentsAreKept) {
  const std::vector<std::string> store = {"--store", dir_ + "/incidents.db"};
  const auto incident = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "incident");
    arguments.insert(arguments.end(), store.begin(), store.end());
    return run_program(arguments);
  };
  EXPECT_EQ(incident({"list"}).status, 3);
  EXPECT_EQ(incident({"open", "A miner", "--container", "c1"}).status, 0);
  EXPECT_EQ(incident({"note", "1", "saw it"}).status, 0);
  EXPECT_EQ(incident({"assign", "1", "alice"}).status, 0);
  EXPECT_EQ(incident({"state", "1", "contained"}).status, 0);
  EXPECT_EQ(incident({"close", "1"}).status, 2);
  EXPECT_EQ(incident({"close", "1", "--lessons", "Limit CPU."}).status, 0);
  EXPECT_EQ(incident({"list"}).status, 1);
  EXPECT_NE(incident({"show", "1"}).out.find("learned: Limit CPU."), std::string::npos);
  EXPECT_NE(incident({"export", "1"}).out.find("# Incident 1: A miner"), std::string::npos);
  EXPECT_EQ(json_of(incident({"export", "1", "--json"})).at("timeline").as_array().size(), 5U);
  EXPECT_EQ(incident({"note", "2", "x"}).status, 3);
}

}  // namespace
}  // namespace coff::cli::test
