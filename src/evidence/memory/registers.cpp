// Registers of every thread of a process, by a stop that is as short as it can be.
#include "evidence/memory/registers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>

#include "base/clock.hpp"
#include "evidence/memory/tracer.hpp"
#include "evidence/process.hpp"

namespace coff::evidence {
namespace {

/// What one tracer may write: 65,536 threads with 16 KiB each.
constexpr std::size_t kPiecesBytesMax = std::size_t{1} << 30U;
/// Beyond the stop: for starting and for attaching, which waits for an exec that is under way.
constexpr std::int64_t kSpareMs = 3000;
constexpr std::size_t kSmallFileBytesMax = 65536;

pid_t inside_tid(pid_t pid, pid_t tid) {
  const auto status =
      read_file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/status",
                kSmallFileBytesMax);
  if (!status) return tid;
  // "host, …, innermost".
  const std::string numbers = status_field(*status, "NSpid");
  const std::size_t space = numbers.find_last_of(" \t");
  const std::string last = space == numbers.npos ? numbers : numbers.substr(space + 1);
  pid_t inside = tid;
  std::from_chars(last.data(), last.data() + last.size(), inside);
  return inside;
}

/// Numbers of a blocked system call as registers; false for a thread that runs.
bool registers_of_call(pid_t pid, pid_t tid, std::string& general) {
  const auto text =
      read_file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/syscall",
                kSmallFileBytesMax);
  // "number a0 a1 a2 a3 a4 a5 sp pc", or "-1 sp pc" outside of calls.
  std::vector<std::uint64_t> numbers;
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  if (rest.starts_with("running")) return false;
  while (!rest.empty() && numbers.size() < 9) {
    std::string_view word = rest.substr(0, rest.find_first_of(" \n"));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    const bool hexadecimal = word.starts_with("0x");
    if (hexadecimal) word.remove_prefix(2);
    std::uint64_t value = 0;
    if (word == "-1") value = UINT64_MAX;
    else std::from_chars(word.data(), word.data() + word.size(), value, hexadecimal ? 16 : 10);
    numbers.push_back(value);
  }
  if (numbers.size() != 9 && numbers.size() != 3) return false;
  user_regs_struct registers{};
  const std::uint64_t stack = numbers[numbers.size() - 2];
  const std::uint64_t place = numbers.back();
  const auto argument = [&](std::size_t at) { return numbers.size() == 9 ? numbers[at] : 0; };
#if defined(__x86_64__)
  registers.orig_rax = numbers[0];
  registers.rdi = argument(1);
  registers.rsi = argument(2);
  registers.rdx = argument(3);
  registers.r10 = argument(4);
  registers.r8 = argument(5);
  registers.r9 = argument(6);
  registers.rsp = stack;
  registers.rip = place;
#else
  registers.regs[8] = numbers[0];
  for (std::size_t at = 0; at < 6; ++at) registers.regs[at] = argument(at + 1);
  registers.sp = stack;
  registers.pc = place;
#endif
  general.assign(reinterpret_cast<const char*>(&registers), sizeof registers);
  return true;
}

/// Everything that the tracer wrote, or what came until time was over.
std::string collect(const Fd& from, std::int64_t time_ms) {
  const std::int64_t deadline_ns = boot_now_ns() + time_ms * 1'000'000;
  std::string text;
  std::vector<char> buffer(65536);
  while (text.size() < kPiecesBytesMax) {
    const std::int64_t left_ms = (deadline_ns - boot_now_ns()) / 1'000'000;
    pollfd entry{from.get(), POLLIN, 0};
    if (left_ms <= 0 || ::poll(&entry, 1, static_cast<int>(left_ms)) <= 0) break;
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

Result<std::string> run_tracer(pid_t pid, const RegisterOptions& options) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  const Fd from(ends[0]);
  Fd to(ends[1]);
  const pid_t tracer = ::fork();
  if (tracer < 0) return fail_errno("cannot start a tracer");
  if (tracer == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    trace_process(pid, options.stop_ms_max, options.while_stopped, to);
    ::_exit(0);
  }
  to.reset();
  std::string pieces = collect(from, options.stop_ms_max + kSpareMs);
  // Its end releases whoever it still holds.
  ::kill(tracer, SIGKILL);
  for (int tries = 0; tries < 100 && ::waitpid(tracer, nullptr, WNOHANG) == 0; ++tries) {
    ::usleep(1000);
  }
  return pieces;
}

void take_pieces(std::string_view pieces, std::map<pid_t, ThreadState>& threads,
                 Registers& result) {
  TracedPiece head;
  while (pieces.size() >= sizeof head) {
    std::memcpy(&head, pieces.data(), sizeof head);
    pieces.remove_prefix(sizeof head);
    if (pieces.size() < head.size) return;
    const std::string bytes(pieces.substr(0, head.size));
    pieces.remove_prefix(head.size);
    switch (head.what) {
      case TracedPiece::What::kGeneral:
        threads[head.tid].general = bytes;
        threads[head.tid].method = "ptrace";
        break;
      case TracedPiece::What::kSet: threads[head.tid].sets.emplace_back(head.note, bytes); break;
      case TracedPiece::What::kSignal: threads[head.tid].signal = bytes; break;
      case TracedPiece::What::kStop:
        std::memcpy(&result.stop_ns, bytes.data(), std::min(bytes.size(), sizeof result.stop_ns));
        break;
      case TracedPiece::What::kIncomplete:
        result.problem = "not every thread could be stopped by ptrace";
        if (head.tid != 0) result.problem += std::string(": ") + std::strerror(head.tid);
        break;
    }
  }
}

}  // namespace

Result<Registers> capture_registers(pid_t pid, const RegisterOptions& options) {
  Registers result;
  std::map<pid_t, ThreadState> threads;
  if (options.frozen == 1) {
    result.problem = "frozen by control group version 1, which ptrace does not reach";
  } else {
    take_pieces(TRY(run_tracer(pid, options)), threads, result);
    // A process that is frozen already was stopped by that, not by us.
    if (options.frozen != 0) result.stop_ns = 0;
    if (threads.empty() && result.problem.empty()) {
      result.problem = "no thread stopped for ptrace in time";
    }
  }
  for (const pid_t tid : threads_of(pid)) threads.try_emplace(tid);
  if (threads.empty()) return fail(Code::kNotFound, "the process has ended");
  for (auto& [tid, thread] : threads) {
    thread.tid = tid;
    thread.tid_inside = inside_tid(pid, tid);
    if (thread.method.empty()) {
      thread.method = registers_of_call(pid, tid, thread.general) ? "syscall" : "none";
    }
    if (tid == pid) result.threads.insert(result.threads.begin(), std::move(thread));
    else result.threads.push_back(std::move(thread));
  }
  return result;
}

}  // namespace coff::evidence
