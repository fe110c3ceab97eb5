// Starting, feeding, reading, timing and ending other programs.
#include "live/support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/clock.hpp"
#include "base/fd.hpp"

namespace coff::live {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;
constexpr int kSlicedWaitMs = 10;

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return fail_errno("cannot make a pipe");
  return Pipe{.read = Fd(ends[0]), .write = Fd(ends[1])};
}

// argv and envp in the form of execvpe(3); views into strings that outlive them.
struct Image {
  std::vector<std::string> environment_texts;
  std::vector<char*> argv;
  std::vector<char*> environment;
};

Image make_image(const std::vector<std::string>& argv, const std::vector<std::string>& added) {
  Image image;
  for (char** entry = ::environ; *entry != nullptr; ++entry)
    image.environment_texts.emplace_back(*entry);
  for (const auto& entry : added) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    std::erase_if(image.environment_texts,
                  [&](const std::string& old) { return old.starts_with(name); });
    image.environment_texts.push_back(entry);
  }
  for (const auto& argument : argv) image.argv.push_back(const_cast<char*>(argument.c_str()));
  for (auto& entry : image.environment_texts) image.environment.push_back(entry.data());
  image.argv.push_back(nullptr);
  image.environment.push_back(nullptr);
  return image;
}

// Forks and executes with the given standard streams; only async-signal-safe calls in the child.
Result<pid_t> spawn(const std::vector<std::string>& argv, const std::vector<std::string>& added,
                    std::array<int, 3> streams) {
  Image image = make_image(argv, added);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("cannot fork for " + argv[0]);
  if (pid != 0) return pid;
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);
  for (int number = 0; number < 3; ++number)
    if (::dup2(streams[static_cast<size_t>(number)], number) < 0) ::_exit(127);
  ::execvpe(image.argv[0], image.argv.data(), image.environment.data());
  ::_exit(127);
}

int shell_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Waits for `pid` until `deadline_ns`; true and its status once it has ended.
bool wait_until(pid_t pid, std::int64_t deadline_ns, int& status) {
  for (;;) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid || (ended < 0 && errno != EINTR)) return true;
    if (boot_now_ns() >= deadline_ns) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(kSlicedWaitMs));
  }
}

// Moves bytes between the pipes and memory until both outputs are closed or time is up.
bool exchange(Pipe& in, Pipe& out, Pipe& err, Outcome& outcome, const RunOptions& options,
              std::int64_t deadline_ns) {
  std::string_view input = options.input;
  if (input.empty()) in.write.reset();
  const auto drain = [&](Fd& fd, std::string& text) {
    std::array<char, 16384> buffer;
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count <= 0) return fd.reset();
    const size_t room = options.output_bytes_max - text.size();
    text.append(buffer.data(), std::min(room, static_cast<size_t>(count)));
  };
  while (out.read.valid() || err.read.valid()) {
    const std::int64_t left_ms = (deadline_ns - boot_now_ns()) / kMillisecondNs;
    if (left_ms <= 0) return false;
    std::array<pollfd, 3> waits{{{.fd = out.read.get(), .events = POLLIN, .revents = 0},
                                 {.fd = err.read.get(), .events = POLLIN, .revents = 0},
                                 {.fd = in.write.get(), .events = POLLOUT, .revents = 0}}};
    if (::poll(waits.data(), waits.size(), static_cast<int>(left_ms)) < 0 && errno != EINTR)
      return false;
    if (waits[0].revents != 0) drain(out.read, outcome.out);
    if (waits[1].revents != 0) drain(err.read, outcome.err);
    if (waits[2].revents != 0) {
      const ssize_t count = ::write(in.write.get(), input.data(), input.size());
      if (count > 0) input.remove_prefix(static_cast<size_t>(count));
      if (count < 0 || input.empty()) in.write.reset();
    }
  }
  return true;
}

}  // namespace

Result<Outcome> run(const std::vector<std::string>& argv, const RunOptions& options) {
  COFF_ASSERT(!argv.empty());
  ::signal(SIGPIPE, SIG_IGN);
  Pipe in = TRY(make_pipe());
  Pipe out = TRY(make_pipe());
  Pipe err = TRY(make_pipe());
  if (::fcntl(in.write.get(), F_SETFL, O_NONBLOCK) < 0) return fail_errno("cannot set a pipe");
  const pid_t pid =
      TRY(spawn(argv, options.environment, {in.read.get(), out.write.get(), err.write.get()}));
  in.read.reset();
  out.write.reset();
  err.write.reset();
  const std::int64_t deadline_ns = boot_now_ns() + options.time_ms_max * kMillisecondNs;
  Outcome outcome;
  int status = 0;
  if (!exchange(in, out, err, outcome, options, deadline_ns) ||
      !wait_until(pid, deadline_ns, status)) {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, &status, 0);
    return fail(Code::kTimeout, argv[0] + " did not end in time; it said: " + outcome.err);
  }
  outcome.status = shell_status(status);
  return outcome;
}

Result<std::string> run_ok(const std::vector<std::string>& argv, const RunOptions& options) {
  Outcome outcome = TRY(run(argv, options));
  if (outcome.status != 0) {
    std::string command;
    for (const auto& argument : argv) command += argument + " ";
    return fail(Code::kIo, command + "ended with " + std::to_string(outcome.status) + ": " +
                               outcome.err + outcome.out);
  }
  if (outcome.out.ends_with('\n')) outcome.out.pop_back();
  return std::move(outcome.out);
}

Result<Child> Child::start(const std::vector<std::string>& argv, const std::string& log_path,
                           const std::vector<std::string>& environment) {
  const Fd log = TRY(open_file(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600));
  const Fd nothing = TRY(open_file("/dev/null", O_RDONLY));
  return Child(TRY(spawn(argv, environment, {nothing.get(), log.get(), log.get()})));
}

Child& Child::operator=(Child&& other) noexcept {
  stop(1000);
  pid_ = std::exchange(other.pid_, -1);
  return *this;
}

bool Child::running() {
  if (pid_ < 0) return false;
  int status = 0;
  if (!wait_until(pid_, 0, status)) return true;
  pid_ = -1;
  return false;
}

void Child::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void Child::stop(int wait_ms) {
  if (!running()) return;
  signal(SIGTERM);
  int status = 0;
  if (!wait_until(pid_, boot_now_ns() + wait_ms * kMillisecondNs, status)) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
  }
  pid_ = -1;
}

}  // namespace coff::live
