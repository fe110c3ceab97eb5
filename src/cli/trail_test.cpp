// The trail's subcommands as an investigator types them.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "cli/cli.hpp"
#include "trail/commit.hpp"
#include "trail/index.hpp"
#include "trail/test_dir.hpp"

namespace coff::cli {
namespace {

struct Ran {
  int code = 0;
  std::string out;
  std::string error;
};

Ran cofferdam(std::vector<std::string> words) {
  words.insert(words.begin(), "cofferdam");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int code = run(static_cast<int>(words.size()), arguments.data());
  std::string out = ::testing::internal::GetCapturedStdout();
  return {code, std::move(out), ::testing::internal::GetCapturedStderr()};
}

class TrailCommand : public ::testing::Test {
 protected:
  trail::Sidecar sidecar(const std::string& name = std::string(trail::kSidecarFile)) const {
    return trail::Sidecar::open(dir_.path() + "/" + name, trail::Sidecar::Mode::kReadWrite).value();
  }
  Ran disclose(const std::string& commitment, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"trail", "disclose", "--dir", dir_.path(), commitment});
    return cofferdam(std::move(more));
  }

  trail::TestDir dir_;
};

TEST_F(TrailCommand, DiscloseShowsWhatTheCommitmentStandsFor) {
  auto values = sidecar();
  const std::string commitment = values.commit("hunter2").value();
  ASSERT_TRUE(values.flush());
  const Ran text = disclose(commitment);
  EXPECT_EQ(text.code, kOk) << text.error;
  EXPECT_TRUE(text.out.starts_with("salt ")) << text.out;
  EXPECT_TRUE(text.out.ends_with("\nvalue hunter2\n")) << text.out;
  // Anybody can check it with the salt.
  const Ran json = disclose(commitment, {"--json"});
  ASSERT_EQ(json.code, kOk) << json.error;
  const auto object = boost::json::parse(json.out);
  const std::string salt = from_hex(std::string(object.at("salt").as_string())).value();
  const std::string value = from_base64(std::string(object.at("value_base64").as_string())).value();
  EXPECT_EQ(value, "hunter2");
  EXPECT_EQ(object.at("commitment").as_string(), commitment);
  EXPECT_EQ(to_base64(sha256({"\x02", salt, value})), commitment);
}

TEST_F(TrailCommand, DiscloseIsSafeForATerminalAndExactInJson) {
  auto values = sidecar("other.db");
  const std::string secret("\x1B[2Jnew\nline\0\xFF", 14);
  const std::string commitment = values.commit(secret).value();
  ASSERT_TRUE(values.flush());
  EXPECT_EQ(disclose(commitment).code, kFailed);
  const std::vector<std::string> other = {"--sidecar", dir_.path() + "/other.db"};
  const Ran text = disclose(commitment, other);
  ASSERT_EQ(text.code, kOk) << text.error;
  EXPECT_TRUE(text.out.ends_with("\nvalue \\x1b[2Jnew\\x0aline\\x00\\xff\n")) << text.out;
  const Ran json = disclose(commitment, {other[0], other[1], "--json"});
  const auto object = boost::json::parse(json.out);
  EXPECT_EQ(from_base64(std::string(object.at("value_base64").as_string())).value(), secret);
}

TEST_F(TrailCommand, DiscloseFindsNothingOnceAValueIsErased) {
  auto values = sidecar();
  const std::string erased = values.commit("erased").value();
  const std::string kept = values.commit("kept").value();
  ASSERT_TRUE(values.flush());
  ASSERT_EQ(disclose(erased).code, kOk);
  ASSERT_TRUE(values.erase(erased, "asked to"));
  const Ran gone = disclose(erased);
  EXPECT_EQ(gone.code, kFailed);
  EXPECT_EQ(gone.out, "");
  EXPECT_TRUE(gone.error.contains("erased")) << gone.error;
  const Ran json = disclose(erased, {"--json"});
  EXPECT_EQ(boost::json::parse(json.error).at("code").as_string(), "not_found");
  EXPECT_EQ(disclose(kept).code, kOk);
  EXPECT_EQ(disclose("no commitment").code, kFailed);
  EXPECT_EQ(disclose("").code, kFailed);
  EXPECT_EQ(cofferdam({"trail", "disclose"}).code, kUsage);
}

TEST_F(TrailCommand, DiscloseDoesNotBelieveAChangedSidecar) {
  auto values = sidecar();
  const std::string commitment = values.commit("true").value();
  ASSERT_TRUE(values.flush());
  auto database = Database::open(dir_.path() + "/" + std::string(trail::kSidecarFile),
                                 Database::Mode::kReadWrite)
                      .value();
  ASSERT_TRUE(database.execute("UPDATE secrets SET value='ZmFsc2U='"));
  const Ran changed = disclose(commitment);
  EXPECT_EQ(changed.code, kFailed);
  EXPECT_EQ(changed.out, "");
  EXPECT_TRUE(changed.error.contains("not the one that was committed to")) << changed.error;
}

TEST_F(TrailCommand, ShowSearchesWhatRebuildIndexMade) {
  {
    auto log = trail::Log::open(trail::test_options(dir_.path())).value();
    for (int at = 0; at < 50; ++at) {
      ASSERT_TRUE(log.append(R"({"type":"event","kind":")" + std::string(at % 2 ? "exec" : "open") +
                             R"(","process":{"pid":)" + std::to_string(at) + R"(,"args":["word)" +
                             std::to_string(at) + R"("]}})"));
    }
    ASSERT_TRUE(log.checkpoint());
  }
  const auto show = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"trail", "show", "--dir", dir_.path()});
    return cofferdam(std::move(more));
  };
  const Ran before = show({});
  EXPECT_EQ(before.code, kFailed);
  EXPECT_TRUE(before.error.contains("rebuild-index")) << before.error;
  EXPECT_EQ(cofferdam({"trail", "rebuild-index", "--dir", dir_.path()}).out,
            "51 entries indexed\n");
  const auto lines = [](const Ran& ran) { return std::ranges::count(ran.out, '\n'); };
  EXPECT_EQ(lines(show({})), 51);
  EXPECT_EQ(lines(show({"--kind", "exec"})), 25);
  EXPECT_EQ(lines(show({"--text", "WORD7"})), 1);
  const Ran last = show({"--kind", "exec", "--last", "--limit", "2"});
  EXPECT_EQ(lines(last), 2);
  EXPECT_LT(last.out.find("word47"), last.out.find("word49"));
  // An index of the version before is named, and how to go on.
  auto database =
      Database::open(dir_.path() + "/" + std::string(trail::kIndexFile), Database::Mode::kReadWrite)
          .value();
  ASSERT_TRUE(database.execute("PRAGMA user_version=1"));
  const Ran old = show({});
  EXPECT_EQ(old.code, kFailed);
  EXPECT_TRUE(old.error.contains("rebuild-index")) << old.error;
}

}  // namespace
}  // namespace coff::cli
