// Who changes a file of the agent's is recorded, and the agent's own work on them is not.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/own_files.hpp"
#include "agent/test_agent.hpp"
#include "base/fd.hpp"

namespace coff::agent::test {
namespace {

class OwnFiles : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "the agent needs root";
  }
};

// An entry of this test's own process about that file.
std::string wait_change(const RunningAgent& agent, std::string_view kind, const std::string& path) {
  return agent.wait_entry({"\"kind\":\"" + std::string(kind) + "\"", "{\"path\":\"" + path + "\"",
                           "\"pid\":" + std::to_string(::getpid()) + ","});
}

TEST_F(OwnFiles, ChangesAreEntries) {
  const RunningAgent agent;
  const std::string config = agent.dir() + "/cofferdam.yaml";
  std::ofstream(config, std::ios::app) << "# edited\n";
  EXPECT_NE(wait_change(agent, "open", config), "");
  std::ofstream(agent.dir() + "/other.yaml") << "data_dir: /elsewhere\n";
  ASSERT_EQ(::rename((agent.dir() + "/other.yaml").c_str(), config.c_str()), 0);
  EXPECT_NE(wait_change(agent, "rename", config), "");
  ASSERT_EQ(::unlink(config.c_str()), 0);
  EXPECT_NE(wait_change(agent, "unlink", config), "");

  const std::string segment = agent.trail_dir() + "/epoch-000001/segments/00000000000000000000.seg";
  {
    const Fd opened(::open(segment.c_str(), O_WRONLY | O_CLOEXEC));
  }
  EXPECT_NE(wait_change(agent, "open", segment), "");
  const std::string copy = agent.trail_dir() + "/epoch-000001/segments/copy";
  ASSERT_EQ(::link(segment.c_str(), copy.c_str()), 0);
  EXPECT_NE(wait_change(agent, "link", copy), "");
  ASSERT_EQ(::unlink(copy.c_str()), 0);
  EXPECT_NE(wait_change(agent, "unlink", copy), "");
  // The file is in use, so it can't be written; the attempt counts.
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  EXPECT_EQ(::open(program.c_str(), O_WRONLY | O_CLOEXEC), -1);
  const std::string attempt = wait_change(agent, "open", program);
  EXPECT_NE(attempt.find("ETXTBSY"), std::string::npos) << attempt;
  struct stat status{};
  ASSERT_EQ(::stat(program.c_str(), &status), 0);
  ASSERT_EQ(::chmod(program.c_str(), status.st_mode), 0);
  EXPECT_NE(wait_change(agent, "chmod", program), "");
}

TEST_F(OwnFiles, TheAgentsOwnWorkIsNoEntry) {
  RunningAgent agent("profile:\n  base: minimal");
  {
    const Fd opened(::open((agent.trail_dir() + "/index.db").c_str(), O_WRONLY | O_CLOEXEC));
  }
  // The profile that records least has the clause too, and a reload keeps it.
  EXPECT_NE(wait_change(agent, "open", agent.trail_dir() + "/index.db"), "");
  agent.write_config("log_level: warning");
  agent.signal(SIGHUP);
  ASSERT_NE(agent.wait_entry({"\"type\":\"config\"", "\"ok\":true"}), "");
  const std::string late = agent.dir() + "/data/late";
  std::ofstream(late) << "x";
  EXPECT_NE(wait_change(agent, "open", late), "");
  // Checkpoints were written and renamed meanwhile, every second.
  size_t about_our_files = 0;
  for (const std::string& entry : agent.entries()) {
    if (entry.find("\"type\":\"event\"") == std::string::npos ||
        entry.find(agent.dir()) == std::string::npos) {
      continue;
    }
    ++about_our_files;
    EXPECT_NE(entry.find("\"pid\":" + std::to_string(::getpid()) + ","), std::string::npos)
        << entry;
  }
  EXPECT_GE(about_our_files, 2U);
}

TEST(OwnFilesClause, NamesTheRealPaths) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() + "/real");
  std::filesystem::create_symlink("real", directory.path() + "/link");
  config::Config settings;
  settings.data_dir = directory.path() + "/link";
  settings.run_dir = directory.path() + "/run";
  const auto clause = own_files_clause(settings, directory.path() + "/link/../c.yaml").filter;
  const auto has = [](const std::vector<std::string>& paths, const std::string& path) {
    return std::find(paths.begin(), paths.end(), path) != paths.end();
  };
  EXPECT_TRUE(has(clause.path_prefix, directory.path() + "/link/"));
  EXPECT_TRUE(has(clause.path_prefix, directory.path() + "/real/"));
  EXPECT_TRUE(has(clause.path_prefix, directory.path() + "/link/trail/"));
  EXPECT_TRUE(has(clause.path_prefix, directory.path() + "/run/"));
  EXPECT_TRUE(has(clause.path_exact, directory.path() + "/c.yaml"));
  EXPECT_TRUE(has(clause.path_exact, std::filesystem::read_symlink("/proc/self/exe").string()));
}

}  // namespace
}  // namespace coff::agent::test
