// Which system calls the kernel programs observe, with this machine's call numbers.
#include "sensor/calls.hpp"

#include <sys/syscall.h>

namespace coff::sensor {

namespace {

// Calls that some architectures lack (arm64 has only the *at forms), or that are younger than the
// headers we build with. Numbers of the newer ones are the same on every architecture.
#define COFF_ABSENT (-1)
#ifndef __NR_open
#define __NR_open COFF_ABSENT
#define __NR_creat COFF_ABSENT
#define __NR_unlink COFF_ABSENT
#define __NR_rmdir COFF_ABSENT
#define __NR_rename COFF_ABSENT
#define __NR_link COFF_ABSENT
#define __NR_symlink COFF_ABSENT
#define __NR_mkdir COFF_ABSENT
#define __NR_mknod COFF_ABSENT
#define __NR_chmod COFF_ABSENT
#define __NR_chown COFF_ABSENT
#define __NR_lchown COFF_ABSENT
#define __NR_dup2 COFF_ABSENT
#endif
#ifndef __NR_renameat
#define __NR_renameat COFF_ABSENT
#endif
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_setxattrat
#define __NR_setxattrat 463
#endif
// The tracepoint carries the name of the kernel's function, not of the call.
#define __NR_umount __NR_umount2

constexpr int NO = COFF_NO;

constexpr ObservedCall kCalls[] = {
#define COFF_X(call, program, kind, dirfd1, path1, dirfd2, path2, fd, flags) \
  {#call,                                                                    \
   #program,                                                                 \
   __NR_##call,                                                              \
   {COFF_KIND_##kind, COFF_CALL_##call, flags, dirfd1, path1, dirfd2, path2, fd, {}}},
    COFF_CALLS(COFF_X)
#undef COFF_X
};

}  // namespace

std::span<const ObservedCall> observed_calls() { return kCalls; }

std::array<coff_call_desc, COFF_CALL_NUMBERS> call_table() {
  std::array<coff_call_desc, COFF_CALL_NUMBERS> table{};
  for (auto& row : table) row.kind = COFF_KINDS;
  for (const auto& call : kCalls) {
    if (call.number >= 0 && call.number < COFF_CALL_NUMBERS) {
      table[static_cast<size_t>(call.number)] = call.description;
    }
  }
  return table;
}

}  // namespace coff::sensor
