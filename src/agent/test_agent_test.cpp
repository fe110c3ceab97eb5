// Test support: a real agent under a temporary directory, and what the kernel says of its
// processes.
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "agent/client.hpp"
#include "agent/test_agent.hpp"
#include "trail/reader.hpp"

namespace coff::agent::test {

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 750; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

std::string read_proc(pid_t pid, const std::string& file) {
  return read_file("/proc/" + std::to_string(pid) + "/" + file, 1U << 20U).value_or("");
}

TemporaryDirectory::TemporaryDirectory() {
  char name[] = "/tmp/cofferdam-test-XXXXXX";
  path_ = ::mkdtemp(name);
  ::chmod(name, 0755);
}
TemporaryDirectory::~TemporaryDirectory() { std::filesystem::remove_all(path_); }

RunningAgent::RunningAgent(const std::string& config_lines)
    : config_path_(directory_.path() + "/cofferdam.yaml") {
  write_config(config_lines);
  start();
}

RunningAgent::~RunningAgent() {
  if (agent_.pid <= 0) return;
  ::kill(agent_.pid, SIGTERM);
  wait_end();
}

void RunningAgent::write_config(const std::string& lines) const {
  std::ofstream(config_path_) << "data_dir: " << dir() << "/data\nrun_dir: " << dir() << "/run\n"
                              << lines << "\n";
}

void RunningAgent::start() {
  const std::string arguments[] = {std::string(kRunAgent), config_path_};
  auto started = spawn_self(arguments, {});
  ASSERT_TRUE(started) << started.error().message();
  agent_ = std::move(*started);
  wait_ready();
}

void RunningAgent::signal(int number) const { ::kill(agent_.pid, number); }

std::string RunningAgent::wait_end() {
  pollfd entry{agent_.handle.get(), POLLIN, 0};
  if (::poll(&entry, 1, 30'000) != 1) return "still running";
  const auto ending = reap(agent_);
  agent_.pid = -1;
  return ending && *ending ? (*ending)->text() : "lost";
}

Result<std::vector<std::string>> RunningAgent::call(const std::string& name,
                                                    const std::string& arguments) const {
  std::vector<std::string> items;
  Result<void> outcome;
  // Tests before this one may have used up what one user may call or connect.
  eventually([&] {
    auto client = ControlClient::connect(socket());
    items.clear();
    outcome = !client ? std::unexpected(client.error())
                      : client->call(name, arguments, [&](std::string_view item) {
                          items.emplace_back(item);
                          return true;
                        });
    return outcome || outcome.error().code != Code::kBusy;
  });
  TRY(outcome);
  return items;
}

void RunningAgent::wait_ready() const {
  const bool ready = eventually([&] {
    const auto items = call("status");
    if (!items || items->empty()) return false;
    for (const std::string& item : *items) {
      if (item.find("\"error\"") != std::string::npos) return false;
    }
    return items->front().find("\"ready\":false") == std::string::npos &&
           items->front().find("\"ready\":true") != std::string::npos;
  });
  EXPECT_TRUE(ready) << "the agent did not become ready";
}

pid_t RunningAgent::pid_of(Role role) const {
  // Argument vectors of processes that can't be dumped are readable by root all the same.
  const std::string wanted = std::string(kChildArgument) + '\0' + std::string(role_name(role));
  std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), &::closedir);
  while (const dirent* entry = ::readdir(proc.get())) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid <= 0) continue;
    if (read_proc(pid, "cmdline").find(wanted) == std::string::npos) continue;
    const std::string parent = "PPid:\t" + std::to_string(agent_.pid) + "\n";
    if (read_proc(pid, "status").find(parent) != std::string::npos) return pid;
  }
  return 0;
}

ProcessState RunningAgent::state_of(Role role) const {
  ProcessState state{.pid = pid_of(role)};
  std::istringstream lines(read_proc(state.pid, "status"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(":\t");
    if (colon != std::string::npos) state.status[line.substr(0, colon)] = line.substr(colon + 2);
  }
  struct stat status{};
  if (::stat(("/proc/" + std::to_string(state.pid) + "/mem").c_str(), &status) == 0) {
    state.proc_owner = status.st_uid;
  }
  return state;
}

std::vector<std::string> RunningAgent::entries() const {
  std::vector<std::string> found;
  const auto epochs = trail::list_epochs(trail_dir());
  if (!epochs || epochs->empty()) return found;
  auto reader = trail::EpochReader::open(epochs->back().path);
  if (!reader) return found;
  [[maybe_unused]] const auto scanned =
      reader->scan(reader->first_seq(), UINT64_MAX, [&](const trail::EntryAt& at) {
        found.emplace_back(at.entry);
        return true;
      });
  return found;
}

std::string RunningAgent::wait_entry(const std::vector<std::string>& texts) const {
  std::string found;
  eventually([&] {
    for (const std::string& entry : entries()) {
      bool all = true;
      for (const std::string& text : texts) all = all && entry.find(text) != std::string::npos;
      if (all) found = entry;
    }
    return !found.empty();
  });
  return found;
}

}  // namespace coff::agent::test
