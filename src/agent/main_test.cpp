// Main function of the room's tests: becomes the agent, its processes, or a misbehaving worker.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "agent/process.hpp"
#include "agent/supervisor.hpp"
#include "agent/test_agent.hpp"

namespace coff::agent::test {
namespace {

// Each tries its misdeed and tells what it got: the error's name, or "done". An attempt that ends
// the process says nothing, which run_worker() reports.
std::string outcome(long result) { return result < 0 ? std::strerror(errno) : "done"; }

Result<std::string> open_file_by_name(std::span<const Fd>) {
  const int fd = ::open("/etc/passwd", O_RDONLY);
  if (fd < 0) return outcome(fd);
  char buffer[64];
  return outcome(::read(fd, buffer, sizeof buffer));
}
Result<std::string> connect_somewhere(std::span<const Fd>) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  constexpr std::string_view kPath = "/run/docker.sock";
  kPath.copy(address.sun_path, kPath.size());
  return outcome(::connect(0, reinterpret_cast<sockaddr*>(&address), sizeof address));
}
Result<std::string> make_socket(std::span<const Fd>) {
  return outcome(::socket(AF_INET, SOCK_STREAM, 0));
}
Result<std::string> trace(std::span<const Fd>) {
  return outcome(::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr));
}
Result<std::string> execute(std::span<const Fd>) {
  char name[] = "/bin/true";
  char* argv[] = {name, nullptr};
  return outcome(::execv(name, argv));
}
Result<std::string> fork_bomb(std::span<const Fd>) {
  for (int i = 0; i < 100; ++i) {
    const pid_t child = ::fork();
    if (child < 0) return outcome(child);
    if (child == 0) ::pause();
  }
  return "done";
}
Result<std::string> eat_memory(std::span<const Fd>) {
  for (std::size_t total = 0; total < (1U << 30U); total += 1U << 20U) {
    void* memory =
        ::mmap(nullptr, 1U << 20U, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return outcome(-1);
    std::memset(memory, 1, 1U << 20U);
  }
  return "done";
}
Result<std::string> loop_for_ever(std::span<const Fd>) {
  const volatile bool never = false;
  while (!never) {
  }
  return "done";
}
Result<std::string> talk_too_much(std::span<const Fd>) { return std::string(64U << 20U, 'x'); }
Result<std::string> end_silently(std::span<const Fd>) { ::_exit(0); }
Result<std::string> read_input(std::span<const Fd> inputs) {
  return read_to_end(inputs.front(), 1000);
}
Result<std::string> signal_parent(std::span<const Fd>) {
  return outcome(::kill(::getppid(), SIGTERM));
}

constexpr std::uint16_t kind(Misdeed misdeed) { return static_cast<std::uint16_t>(misdeed); }
constexpr WorkerFunction kMisdeeds[] = {
    {kind(Misdeed::kOpen), &open_file_by_name}, {kind(Misdeed::kConnect), &connect_somewhere},
    {kind(Misdeed::kSocket), &make_socket},     {kind(Misdeed::kPtrace), &trace},
    {kind(Misdeed::kExec), &execute},           {kind(Misdeed::kFork), &fork_bomb},
    {kind(Misdeed::kMemory), &eat_memory},      {kind(Misdeed::kLoop), &loop_for_ever},
    {kind(Misdeed::kOutput), &talk_too_much},   {kind(Misdeed::kSilent), &end_silently},
    {kind(Misdeed::kReadInput), &read_input},   {kind(Misdeed::kSignal), &signal_parent},
};

int run_agent_here(const char* config_path) {
  const auto ran = run_agent(config_path);
  if (!ran) std::fprintf(stderr, "%s\n", ran.error().message().c_str());
  // As cofferdam itself would, but without the sanitizers' leak check, which needs ptrace.
  ::_exit(ran ? 0 : 3);
}

}  // namespace
}  // namespace coff::agent::test

int main(int argc, char** argv) {
  using namespace coff::agent;
  if (const auto status = run_if_child(argc, argv, test::kMisdeeds)) return *status;
  if (argc == 3 && argv[1] == test::kRunAgent) return test::run_agent_here(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
