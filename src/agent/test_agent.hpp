// Test support: a real agent under a temporary directory, and what the kernel says of its
// processes.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/process.hpp"
#include "base/result.hpp"

namespace coff::agent::test {

/// Worker kinds that misbehave; main_test.cpp adds them to this test program only.
enum class Misdeed : std::uint16_t {
  kOpen = 900,
  kConnect,
  kSocket,
  kPtrace,
  kExec,
  kFork,
  kMemory,
  kLoop,
  kOutput,
  kSilent,
  kReadInput,
  kSignal,
};

/// Arguments of this test program that run the agent: "--run-agent CONFIG".
inline constexpr std::string_view kRunAgent = "--run-agent";

/// A directory that is removed at the end, readable by every user.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// One process of the agent.
struct ProcessState {
  pid_t pid = 0;
  std::map<std::string, std::string> status;  ///< /proc/<pid>/status, e.g. "CapEff".
  uid_t proc_owner = 0;                       ///< Owner of /proc/<pid>/mem; root: not dumpable.
};

/// A running agent: this program started again, so what is tested is the real thing.
class RunningAgent {
 public:
  /// Starts it with these further lines of configuration and waits until all are ready.
  explicit RunningAgent(const std::string& config_lines = "");
  RunningAgent(const RunningAgent&) = delete;
  RunningAgent& operator=(const RunningAgent&) = delete;
  /// Stops it when it still runs.
  ~RunningAgent();

  [[nodiscard]] const std::string& dir() const { return directory_.path(); }
  [[nodiscard]] std::string socket() const { return dir() + "/run/control.sock"; }
  [[nodiscard]] std::string trail_dir() const { return dir() + "/data/trail"; }
  [[nodiscard]] pid_t pid() const { return agent_.pid; }
  void write_config(const std::string& lines) const;
  void start();
  void signal(int number) const;
  /// Waits for its end; the text of it.
  std::string wait_end();

  /// Items of a call; the error is the agent's.
  Result<std::vector<std::string>> call(const std::string& name,
                                        const std::string& arguments = "{}") const;
  /// Pid of a process of this agent now, 0 when it isn't there.
  [[nodiscard]] pid_t pid_of(Role role) const;
  [[nodiscard]] ProcessState state_of(Role role) const;
  /// All entries of the newest epoch, read from the disk.
  [[nodiscard]] std::vector<std::string> entries() const;
  /// Waits until an entry has all these texts in it; the entry, or "" after 15 s.
  [[nodiscard]] std::string wait_entry(const std::vector<std::string>& texts) const;
  /// Waits until every process is ready.
  void wait_ready() const;

 private:
  TemporaryDirectory directory_;
  std::string config_path_;
  Spawned agent_;
};

/// Base of suites whose tests share one agent with the default configuration: starting and stopping
/// one takes seconds.
class SharedAgent : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (::geteuid() == 0) agent_ = std::make_unique<RunningAgent>();
  }
  static void TearDownTestSuite() { agent_.reset(); }
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "the agent needs root";
  }
  static const RunningAgent& agent() { return *agent_; }

 private:
  static inline std::unique_ptr<RunningAgent> agent_;
};

/// Tries again every 20 ms until it is true or 15 s are over.
bool eventually(const std::function<bool()>& condition);
std::string read_proc(pid_t pid, const std::string& file);

}  // namespace coff::agent::test
