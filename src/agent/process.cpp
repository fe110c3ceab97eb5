// The processes of the agent: their roles, their users, and how one binary becomes each of them.
#include "agent/process.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "agent/action_process.hpp"

namespace coff::agent {
namespace {

/// Descriptors given to a child at most.
constexpr std::size_t kGivenMax = 72;
/// Above every number that a child gets.
constexpr int kHighDescriptor = 128;
constexpr int kFirstGiven = 3;

/// In the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(const Fd& program, char* const* argv, std::span<const int> descriptors) {
  // First out of the way of the numbers that they get, then to those.
  std::array<int, kGivenMax> high{};
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    high[i] = ::fcntl(descriptors[i], F_DUPFD_CLOEXEC, kHighDescriptor);
    if (high[i] < 0) ::_exit(126);
  }
  const int program_copy = ::fcntl(program.get(), F_DUPFD_CLOEXEC, kHighDescriptor);
  if (program_copy < 0) ::_exit(126);
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    if (::dup2(high[i], kFirstGiven + static_cast<int>(i)) < 0) ::_exit(126);
  }
  ::syscall(SYS_close_range, kFirstGiven + static_cast<unsigned>(descriptors.size()), ~0U,
            4U /* CLOSE_RANGE_CLOEXEC */);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  char* environment[] = {nullptr};
  ::syscall(SYS_execveat, program_copy, "", argv, environment, AT_EMPTY_PATH);
  ::_exit(127);
}

}  // namespace

Identity identity_of(Role role) {
  std::string name = "cofferdam";
  if (role != Role::kKeeper) name.append("-").append(role_name(role));
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr && found->pw_uid != 0) return {found->pw_uid, found->pw_gid, true};
  const uid_t number = kFirstReservedUid + static_cast<uid_t>(role);
  return {number, number, false};
}

Result<Spawned> spawn_self(std::span<const std::string> arguments,
                           std::span<const int> descriptors) {
  COFF_ASSERT(descriptors.size() <= kGivenMax);
  // Not close-on-exec-safe for scripts, but this is never one.
  const Fd program = TRY(open_file("/proc/self/exe", O_PATH));
  std::string name = "cofferdam";
  std::vector<std::string> copies(arguments.begin(), arguments.end());
  std::vector<char*> argv{name.data()};
  for (std::string& copy : copies) argv.push_back(copy.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("cannot start a process");
  if (pid == 0) become(program, argv.data(), descriptors);
  Spawned child;
  child.pid = pid;
  child.handle.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  if (!child.handle.valid()) {
    auto error = fail_errno("cannot get a handle of a process");
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return error;
  }
  return child;
}

std::string Ending::text() const {
  if (signal == 0) return "exit " + std::to_string(status);
  const char* name = ::strsignal(signal);
  return "signal " + std::to_string(signal) + " (" + (name != nullptr ? name : "?") + ")";
}

Result<std::optional<Ending>> reap(const Spawned& child) {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(child.handle.get()), &info, WEXITED | WNOHANG) != 0) {
    return fail_errno("cannot wait for a child process");
  }
  if (info.si_pid == 0) return std::nullopt;
  Ending ending;
  (info.si_code == CLD_EXITED ? ending.status : ending.signal) = info.si_status;
  return ending;
}

std::optional<int> run_if_child(int argc, char** argv, std::span<const WorkerFunction> extra) {
  if (argc < 3 || std::string_view(argv[1]) != kChildArgument) return std::nullopt;
  const std::string_view role = argv[2];
  if (role == role_name(Role::kWorker) && argc == 5) return worker_main(argv[3], argv[4], extra);
  using Main = int (*)(Channel);
  constexpr std::pair<Role, Main> kMains[] = {
      {Role::kKeeper, &keeper_main},   {Role::kSensor, &sensor_main},
      {Role::kEngine, &engine_main},   {Role::kControl, &control_main},
      {Role::kWitness, &witness_main}, {Role::kAction, &action_main}};
  for (const auto& [one, main_of_role] : kMains) {
    if (role != role_name(one)) continue;
    auto supervisor = Channel::from(Fd(kFirstGiven));
    if (!supervisor) break;
    // Not exit(): destructors of the whole program have no business in a confined process.
    ::_exit(main_of_role(std::move(*supervisor)));
  }
  std::fputs("cofferdam: this command is for the agent's own use; run: cofferdam agent\n", stderr);
  return 2;
}

}  // namespace coff::agent
