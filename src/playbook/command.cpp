// Runs the command of a playbook as an unprivileged user, bounded in time, memory and output.
#include "playbook/command.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "base/clock.hpp"
#include "base/fd.hpp"

namespace coff::playbook {
namespace {

constexpr int kNoStart = 127;
constexpr rlim_t kProcessesMax = 256;
constexpr rlim_t kFileBytesMax = rlim_t{256} << 20;

void limit(__rlimit_resource what, rlim_t value) {
  const rlimit both = {value, value};
  if (::setrlimit(what, &both) != 0) ::_exit(kNoStart);
}

// Between fork and exec: only calls that are safe there, and no way on after a failure.
[[noreturn]] void become(char* const* arguments, const CommandLimits& limits, int output) {
  constexpr char kPath[] = "PATH=/usr/local/bin:/usr/bin:/bin";
  constexpr char kLanguage[] = "LANG=C.UTF-8";
  char path[sizeof kPath];
  char language[sizeof kLanguage];
  std::copy(std::begin(kPath), std::end(kPath), path);
  std::copy(std::begin(kLanguage), std::end(kLanguage), language);
  char* const environment[] = {path, language, nullptr};
  ::setpgid(0, 0);
  const int none = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (none < 0 || ::dup2(none, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(output, 2) < 0 ||
      ::chdir("/") != 0) {
    ::_exit(kNoStart);
  }
  ::close_range(3, ~0U, 0);
  ::umask(077);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_AS, limits.memory_bytes);
  limit(RLIMIT_FSIZE, kFileBytesMax);
  if (::geteuid() == 0) {
    // Before the change of user, which is who is counted.
    limit(RLIMIT_NPROC, kProcessesMax);
    if (::setgroups(0, nullptr) != 0 || ::setresgid(limits.gid, limits.gid, limits.gid) != 0 ||
        ::setresuid(limits.uid, limits.uid, limits.uid) != 0) {
      ::_exit(kNoStart);
    }
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(kNoStart);
  ::execve(arguments[0], arguments, environment);
  ::_exit(kNoStart);
}

}  // namespace

Result<CommandLimits> limits_of_user(const std::string& name) {
  const passwd* user = ::getpwnam(name.c_str());
  if (user == nullptr) return fail(Code::kInvalid, "there is no user " + name);
  if (user->pw_uid == 0 || user->pw_gid == 0) {
    return fail(Code::kInvalid, "commands of playbooks are never executed as root");
  }
  return CommandLimits{.uid = user->pw_uid, .gid = user->pw_gid};
}

Result<CommandResult> run_command(const std::vector<std::string>& arguments,
                                  const CommandLimits& limits) {
  if (arguments.empty()) return fail(Code::kInvalid, "there is no command");
  if (::geteuid() == 0 && (limits.uid == 0 || limits.gid == 0)) {
    return fail(Code::kDenied, "commands of playbooks are never executed as root");
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  std::vector<std::string> copies = arguments;
  std::vector<char*> pointers;
  pointers.reserve(copies.size() + 1);
  for (std::string& each : copies) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("cannot start a process");
  if (child == 0) become(pointers.data(), limits, writing.get());
  ::setpgid(child, child);
  writing.reset();
  CommandResult result;
  const std::int64_t end_ns =
      boot_now_ns() + static_cast<std::int64_t>(limits.timeout_ms) * 1'000'000;
  std::array<char, 4096> buffer{};
  while (true) {
    const std::int64_t left_ms = (end_ns - boot_now_ns()) / 1'000'000;
    pollfd waiting = {.fd = reading.get(), .events = POLLIN, .revents = 0};
    const int ready =
        left_ms <= 0 ? 0
                     : ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left_ms, 1000)));
    if (ready < 0 && errno == EINTR) continue;
    if (left_ms <= 0) {
      result.timed_out = true;
      break;
    }
    if (ready == 0) continue;
    const ssize_t size = ::read(reading.get(), buffer.data(), buffer.size());
    if (size <= 0) break;
    const size_t room = kOutputBytesMax - result.output.size();
    result.cut = result.cut || static_cast<size_t>(size) > room;
    result.output.append(buffer.data(), std::min(static_cast<size_t>(size), room));
  }
  // A command that closed its output may still run; the time is its, what is left of it isn't.
  int status = 0;
  while (!result.timed_out && ::waitpid(child, &status, WNOHANG) == 0) {
    if (boot_now_ns() >= end_ns) result.timed_out = true;
    ::poll(nullptr, 0, 5);
  }
  ::kill(-child, SIGKILL);
  if (result.timed_out) {
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace coff::playbook
