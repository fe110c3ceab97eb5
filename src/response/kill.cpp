// Kill: one process of a container, or all of them.
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "response/catalogue.hpp"

namespace coff::response {
namespace {

constexpr unsigned kCapabilities[] = {CAP_KILL, CAP_DAC_OVERRIDE, CAP_SYS_PTRACE};
/// Names of `Record::before`.
constexpr const char* kPid = "pid";
/// Processes end within this time, or are said to live on.
constexpr std::int64_t kWaitMs = 3000;

const std::string& group_of(const Target& target) {
  return target.cgroup.empty() ? target.freezer : target.cgroup;
}

Result<pid_t> wanted_pid(const Record& record) {
  const auto text = record.before.find(kPid);
  pid_t pid = 0;
  if (text != record.before.end()) {
    std::from_chars(text->second.data(), text->second.data() + text->second.size(), pid);
  }
  if (pid <= 0) return fail(Code::kInvalid, "killing a process needs its pid on the host");
  return pid;
}

Result<void> signal_process(pid_t pid) {
  const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  if (!handle.valid()) {
    if (errno == ESRCH) return {};
    return fail_errno("cannot get a handle of process " + std::to_string(pid));
  }
  if (::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0U) == 0) return {};
  if (errno == ESRCH) return {};
  return fail_errno("cannot kill process " + std::to_string(pid));
}

bool contains(const Target& target, pid_t pid) {
  const auto pids = processes_in(group_of(target));
  return std::ranges::find(pids, pid) != pids.end();
}

Result<void> plan_process(const Target& target, Record& record, Plan& plan) {
  const pid_t pid = TRY(wanted_pid(record));
  if (!contains(target, pid)) {
    return fail(Code::kDenied,
                "process " + std::to_string(pid) + " is not one of this container's");
  }
  plan.steps.push_back({"kill process " + std::to_string(pid), ""});
  plan.warnings.emplace_back("its memory is gone with it: collect it first");
  if (pid == target.init_pid) {
    plan.warnings.emplace_back("it is the first process: the whole container ends");
    add_restart_warnings(target, false, plan);
  }
  return {};
}

Result<void> perform_process(const Target& target, Record& record) {
  const pid_t pid = TRY(wanted_pid(record));
  const std::uint64_t started = TRY(start_ticks_of(pid));
  const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  if (!handle.valid()) return fail_errno("cannot get a handle of process " + std::to_string(pid));
  // The number may have gone to another process before the handle was made, not after.
  if (TRY(start_ticks_of(pid)) != started || !contains(target, pid)) {
    return fail(Code::kDenied, "process " + std::to_string(pid) + " is another one now");
  }
  if (::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0U) != 0) {
    return fail_errno("cannot kill process " + std::to_string(pid));
  }
  pollfd ended{handle.get(), POLLIN, 0};
  ::poll(&ended, 1, static_cast<int>(kWaitMs));
  return {};
}

Result<Measured> verify_process(const Target& target, const Record& record) {
  const bool gone = !contains(target, TRY(wanted_pid(record)));
  return Measured{.as_planned = gone,
                  .members = std::string("\"process_gone\":") + (gone ? "true" : "false")};
}

Result<void> plan_kill(const Target& target, Record&, Plan& plan) {
  const auto pids = processes_in(group_of(target));
  plan.steps.push_back({"kill all " + std::to_string(pids.size()) + " process(es)", ""});
  plan.warnings.emplace_back(
      "memory, connections and files in tmpfs are gone with them: collect them first");
  add_restart_warnings(target, false, plan);
  return {};
}

/// Round by round: who forks meanwhile is in the next.
Result<void> perform_kill(const Target& target, Record&) {
  const std::int64_t deadline_ns = boot_now_ns() + kWaitMs * 1'000'000;
  const std::string& group = group_of(target);
  if (const auto all = open_file(group + "/cgroup.kill", O_WRONLY)) TRY(write_all(*all, "1"));
  for (;;) {
    const auto pids = processes_in(group);
    if (pids.empty()) return {};
    for (const pid_t pid : pids) TRY(signal_process(pid));
    if (!target.freezer.empty()) {
      // What version 1 has frozen takes its signal when it is thawed.
      if (const auto state = open_file(target.freezer + "/freezer.state", O_WRONLY)) {
        [[maybe_unused]] const auto thawed = write_all(*state, "THAWED");
      }
    }
    if (boot_now_ns() > deadline_ns) {
      return fail(Code::kTimeout, std::to_string(pids.size()) + " process(es) do not end");
    }
    ::usleep(5000);
  }
}

Result<Measured> verify_kill(const Target& target, const Record&) {
  const std::size_t left = processes_in(group_of(target)).size();
  return Measured{.as_planned = left == 0, .members = "\"processes\":" + std::to_string(left)};
}

}  // namespace

const Action kKillProcess{.name = "kill_process",
                          .sentence = "Kill one process of a container.",
                          .approval_class = 'B',
                          .rate_class = "kill",
                          .capabilities = kCapabilities,
                          .stays = false,
                          .plan = plan_process,
                          .perform = perform_process,
                          .verify = verify_process,
                          .inverse = nullptr,
                          .renew = nullptr};

const Action kKill{.name = "kill",
                   .sentence = "Kill every process of a container.",
                   .approval_class = 'C',
                   .rate_class = "kill",
                   .capabilities = kCapabilities,
                   .stays = false,
                   .plan = plan_kill,
                   .perform = perform_kill,
                   .verify = verify_kill,
                   .inverse = nullptr,
                   .renew = nullptr};

}  // namespace coff::response
