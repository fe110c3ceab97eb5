// The tracing process: stops all threads of another one, reads their registers, lets them go.
#include "evidence/memory/tracer.hpp"

#include <elf.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "evidence/process.hpp"

namespace coff::evidence {
namespace {

/// Register sets beside the general ones that are asked for; what a CPU lacks answers EINVAL.
#if defined(__x86_64__)
constexpr std::uint32_t kSets[] = {NT_PRFPREG, NT_X86_XSTATE};
#else
constexpr std::uint32_t kSets[] = {NT_PRFPREG, NT_ARM_TLS, NT_ARM_PAC_MASK};
#endif
/// The largest set (AMX) has 11 KiB.
constexpr std::size_t kSetBytesMax = 65536;
/// Listings while threads still come.
constexpr int kRounds = 16;

long trace(int request, pid_t tid, void* address, void* data) {
  return ::ptrace(static_cast<enum __ptrace_request>(request), tid, address, data);
}

void* number(std::uintptr_t value) { return reinterpret_cast<void*>(value); }

class Tracer {
 public:
  Tracer(pid_t pid, std::int64_t stop_ms_max, const Fd& out)
      : pid_(pid), stop_ms_max_(stop_ms_max), out_(out) {}

  void run(const std::function<void()>& while_stopped) {
    begun_ns_ = boot_now_ns();
    for (int round = 0; round < kRounds && seize_new(); ++round) wait_stopped();
    for (auto& [tid, thread] : threads_) {
      if (thread.stopped) read(tid);
    }
    if (while_stopped) while_stopped();
    bool all = refused_ == 0;
    for (auto& [tid, thread] : threads_) {
      if (thread.stopped) trace(PTRACE_DETACH, tid, nullptr, number(thread.signal));
      else all = all && thread.gone;
    }
    const std::int64_t stop_ns = threads_.empty() ? 0 : boot_now_ns() - begun_ns_;
    // What was read goes out only now: writing it would have lengthened the stop.
    if (!write_all(out_, pieces_)) return;
    put({.what = TracedPiece::What::kStop, .size = sizeof stop_ns}, &stop_ns);
    if (!all) put({.what = TracedPiece::What::kIncomplete, .tid = refused_errno_}, nullptr);
  }

 private:
  struct Thread {
    bool stopped = false;
    bool gone = false;
    std::uintptr_t signal = 0;  ///< To be delivered when it is let go.
  };

  bool seize_new() {
    bool fresh = false;
    for (const pid_t tid : threads_of(pid_)) {
      if (threads_.contains(tid) || std::ranges::find(denied_, tid) != denied_.end()) continue;
      if (trace(PTRACE_SEIZE, tid, nullptr, nullptr) != 0) {
        if (errno == ESRCH) continue;
        ++refused_;
        refused_errno_ = errno;
        denied_.push_back(tid);
        continue;
      }
      trace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
      threads_.emplace(tid, Thread{});
      fresh = true;
    }
    return fresh;
  }

  void wait_stopped() {
    const std::int64_t deadline_ns = begun_ns_ + stop_ms_max_ * 1'000'000;
    const auto waiting = [](const auto& entry) {
      return !entry.second.stopped && !entry.second.gone;
    };
    while (std::ranges::any_of(threads_, waiting)) {
      int status = 0;
      const pid_t tid = ::waitpid(-1, &status, __WALL | WNOHANG);
      if (tid < 0 && errno != EINTR) return;
      if (tid <= 0) {
        if (boot_now_ns() > deadline_ns) return;
        ::usleep(20);
        continue;
      }
      const auto thread = threads_.find(tid);
      if (thread == threads_.end()) continue;
      if (!WIFSTOPPED(status)) {
        thread->second.gone = true;
        continue;
      }
      thread->second.stopped = true;
      // A stop without an event is a signal on its way: it must arrive.
      if ((status >> 16) == 0) thread->second.signal = static_cast<unsigned>(WSTOPSIG(status));
    }
  }

  void read(pid_t tid) {
    read_set(tid, NT_PRSTATUS, TracedPiece::What::kGeneral);
    for (const std::uint32_t set : kSets) read_set(tid, set, TracedPiece::What::kSet);
    siginfo_t info{};
    if (trace(PTRACE_GETSIGINFO, tid, nullptr, &info) == 0) {
      keep({.what = TracedPiece::What::kSignal, .tid = tid, .size = sizeof info}, &info);
    }
  }

  void read_set(pid_t tid, std::uint32_t note, TracedPiece::What what) {
    iovec vector{buffer_.data(), buffer_.size()};
    if (trace(PTRACE_GETREGSET, tid, number(note), &vector) != 0) return;
    keep({.what = what,
          .tid = tid,
          .note = note,
          .size = static_cast<std::uint32_t>(vector.iov_len)},
         buffer_.data());
  }

  void keep(const TracedPiece& head, const void* bytes) {
    pieces_.append(reinterpret_cast<const char*>(&head), sizeof head);
    pieces_.append(static_cast<const char*>(bytes), head.size);
  }
  void put(const TracedPiece& head, const void* bytes) {
    pieces_.clear();
    pieces_.append(reinterpret_cast<const char*>(&head), sizeof head);
    if (head.size > 0) pieces_.append(static_cast<const char*>(bytes), head.size);
    [[maybe_unused]] const auto told = write_all(out_, pieces_);
  }

  pid_t pid_;
  std::int64_t stop_ms_max_;
  const Fd& out_;
  std::int64_t begun_ns_ = 0;
  std::map<pid_t, Thread> threads_;
  std::vector<pid_t> denied_;
  int refused_ = 0;
  int refused_errno_ = 0;
  std::vector<char> buffer_ = std::vector<char>(kSetBytesMax);
  std::string pieces_;
};

}  // namespace

void trace_process(pid_t pid, std::int64_t stop_ms_max, const std::function<void()>& while_stopped,
                   const Fd& out) {
  Tracer(pid, stop_ms_max, out).run(while_stopped);
}

}  // namespace coff::evidence
