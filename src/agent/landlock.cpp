// Landlock (Linux 5.13 and later) by raw system calls: which paths a process can still reach.
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/sandbox.hpp"

namespace coff::agent {
namespace {

// Debian 12's header ends at ABI 2; later bits are from the kernel's documentation,
// Documentation/userspace-api/landlock.rst.
constexpr std::uint64_t kRefer = 1ULL << 13U;          // ABI 2
constexpr std::uint64_t kTruncate = 1ULL << 14U;       // ABI 3
constexpr std::uint64_t kDeviceControl = 1ULL << 15U;  // ABI 5
constexpr std::uint64_t kNetBind = 1;                  // ABI 4: bind of TCP
constexpr std::uint64_t kNetBoth = 3;                  // ABI 4: bind and connect of TCP
constexpr std::uint64_t kScopeBoth = 3;                // ABI 6: abstract sockets and signals

/// The kernel takes any prefix of this whose unknown rest is zero.
struct RulesetAttributes {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};

constexpr std::uint64_t kReadAccess = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWriteAccess =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG;
/// What makes sense for a file that is not a directory; the kernel refuses the rest.
constexpr std::uint64_t kFileAccess =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;

std::uint64_t every_access(int abi) {
  std::uint64_t access = (1ULL << 13U) - 1;  // ABI 1
  if (abi >= 2) access |= kRefer;
  if (abi >= 3) access |= kTruncate;
  if (abi >= 5) access |= kDeviceControl;
  return access;
}

Result<void> allow(const Fd& ruleset, const Reachable& reachable, std::uint64_t handled) {
  const Fd target = TRY(open_file(reachable.path, O_PATH));
  struct stat status{};
  if (::fstat(target.get(), &status) != 0) return fail_errno("cannot stat " + reachable.path);
  std::uint64_t access = kReadAccess;
  if (reachable.writable) access |= kWriteAccess | kRefer | kTruncate;
  if (!S_ISDIR(status.st_mode)) access &= kFileAccess;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access & handled;
  rule.parent_fd = target.get();
  if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0U) != 0) {
    return fail_errno("cannot add a Landlock rule for " + reachable.path);
  }
  return {};
}

}  // namespace

int landlock_abi() {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

Result<Fd> make_landlock_ruleset(const std::vector<Reachable>& reachable, bool may_connect) {
  const int abi = landlock_abi();
  if (abi == 0) return Fd();
  RulesetAttributes attributes{every_access(abi),
                               abi < 4       ? 0
                               : may_connect ? kNetBind
                                             : kNetBoth,
                               abi >= 6 ? kScopeBoth : 0};
  std::size_t size = sizeof(std::uint64_t);
  if (abi >= 4) size += sizeof(std::uint64_t);
  if (abi >= 6) size += sizeof(std::uint64_t);
  Fd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0U)));
  if (!ruleset.valid()) return fail_errno("cannot make a Landlock ruleset");
  for (const Reachable& one : reachable) {
    TRY(allow(ruleset, one, attributes.handled_access_fs));
  }
  return ruleset;
}

Result<void> enter_landlock(const Fd& ruleset) {
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0U) != 0) {
    return fail_errno("cannot enter the Landlock sandbox");
  }
  return {};
}

}  // namespace coff::agent
