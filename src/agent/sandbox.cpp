// What a process of the agent gives up before it reads anything: user, capabilities, system calls.
#include "agent/sandbox.hpp"

#include <cap-ng.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/sanitizer.hpp"

namespace coff::agent {

Sandbox& Sandbox::user(uid_t uid, gid_t gid) {
  has_user_ = true;
  uid_ = uid;
  gid_ = gid;
  return *this;
}
Sandbox& Sandbox::capabilities(std::vector<unsigned> kept) {
  has_capabilities_ = true;
  capabilities_ = std::move(kept);
  return *this;
}
Sandbox& Sandbox::descriptors(std::vector<int> kept) {
  has_descriptors_ = true;
  descriptors_ = std::move(kept);
  return *this;
}
Sandbox& Sandbox::limits(const Limits& limits) {
  limits_ = limits;
  return *this;
}
Sandbox& Sandbox::files(std::vector<Reachable> reachable) {
  has_files_ = true;
  files_ = std::move(reachable);
  return *this;
}
Sandbox& Sandbox::may_connect() {
  may_connect_ = true;
  return *this;
}
Sandbox& Sandbox::syscalls(Syscalls policy) {
  has_syscalls_ = true;
  policy_ = policy;
  return *this;
}

Result<void> Sandbox::close_others() const {
  std::vector<int> kept = descriptors_;
  std::ranges::sort(kept);
  unsigned first = 3;
  for (const int number : kept) {
    if (number < 3) continue;
    const auto next = static_cast<unsigned>(number);
    if (next > first && ::syscall(SYS_close_range, first, next - 1, 0U) != 0) {
      return fail_errno("cannot close inherited descriptors");
    }
    first = next + 1;
  }
  if (::syscall(SYS_close_range, first, ~0U, 0U) != 0) {
    return fail_errno("cannot close inherited descriptors");
  }
  return {};
}

Result<void> Sandbox::apply_limits() const {
  const auto set = [](__rlimit_resource what, rlim_t value) -> Result<void> {
    const rlimit limit{value, value};
    if (::setrlimit(what, &limit) != 0) return fail_errno("cannot set a resource limit");
    return {};
  };
  TRY(set(RLIMIT_CORE, 0));
  if (limits_.memory_bytes != 0 && !kAddressSanitizer) {
    TRY(set(RLIMIT_AS, limits_.memory_bytes));
  }
  if (limits_.cpu_seconds != 0) TRY(set(RLIMIT_CPU, limits_.cpu_seconds));
  if (limits_.descriptors != 0) TRY(set(RLIMIT_NOFILE, limits_.descriptors));
  if (limits_.locked_bytes != 0) TRY(set(RLIMIT_MEMLOCK, limits_.locked_bytes));
  if (limits_.no_new_file_content) TRY(set(RLIMIT_FSIZE, 0));
  if (limits_.no_new_processes) TRY(set(RLIMIT_NPROC, 0));
  return {};
}

Result<void> Sandbox::change_user() const {
  // Capabilities survive the change and are cut by apply_capabilities() right after it.
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return fail_errno("cannot keep capabilities");
  if (::setgroups(0, nullptr) != 0 || ::setresgid(gid_, gid_, gid_) != 0 ||
      ::setresuid(uid_, uid_, uid_) != 0) {
    return fail_errno("cannot become user " + std::to_string(uid_));
  }
  if (::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0) return fail_errno("cannot unset keepcaps");
  return {};
}

Result<void> Sandbox::drop_bounding() const {
  // Without CAP_SETPCAP (a worker of an unprivileged caller) no_new_privs alone must do.
  capng_get_caps_process();
  if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 0) return {};
  for (unsigned capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (std::ranges::find(capabilities_, capability) != capabilities_.end()) continue;
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      return fail_errno("cannot drop capability " + std::to_string(capability));
    }
  }
  return {};
}

Result<void> Sandbox::apply_capabilities() const {
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return fail_errno("cannot clear ambient capabilities");
  }
  capng_get_caps_process();
  std::vector<unsigned> held;
  for (const unsigned capability : capabilities_) {
    // What this host doesn't give can't be kept; `doctor` names what is missing.
    if (capng_have_capability(CAPNG_PERMITTED, capability) != 0) held.push_back(capability);
  }
  capng_clear(CAPNG_SELECT_CAPS);
  for (const unsigned capability : held) {
    capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                 capability);
  }
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return fail_errno("cannot drop capabilities");
  return {};
}

Result<SandboxReport> Sandbox::enter() {
  SandboxReport report;
  ::umask(077);
  if (has_descriptors_) TRY(close_others());
  Fd ruleset;
  if (has_files_) {
    report.landlock_abi = landlock_abi();
    ruleset = TRY(make_landlock_ruleset(files_, may_connect_));
  }
  TRY(apply_limits());
  if (has_capabilities_) TRY(drop_bounding());
  if (has_user_) TRY(change_user());
  if (has_capabilities_) TRY(apply_capabilities());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("cannot set no_new_privs");
  // After the change of user, which sets it back to the system's default.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno("cannot refuse core dumps");
  if (ruleset.valid()) {
    TRY(enter_landlock(ruleset));
    report.landlocked = true;
  }
  if (has_syscalls_) {
    TRY(load_syscall_filter(policy_));
    report.filtered = true;
  }
  return report;
}

Result<void> drop_capabilities(const std::vector<unsigned>& dropped) {
  if (capng_get_caps_process() != 0) return fail(Code::kIo, "cannot read own capabilities");
  for (const unsigned capability : dropped) {
    capng_update(CAPNG_DROP, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                 capability);
  }
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return fail_errno("cannot drop capabilities");
  return {};
}

}  // namespace coff::agent
