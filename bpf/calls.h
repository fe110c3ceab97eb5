/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Every system call that is observed: which program reads it, which event it makes, and which of
 * its arguments (0-5) mean what. The agent loads this list as a table indexed by call number, so
 * that one program serves many calls, and it attaches the program to the call's exit tracepoint.
 */
#ifndef COFF_CALLS_H
#define COFF_CALLS_H

#include "wire.h"

/* coff_call_desc.flags */
#define COFF_D_TEXT1 0x01   /* path1 is a text, not a path: never joined with a directory */
#define COFF_D_PWD 0x02	    /* resolved: the working directory after the call */
#define COFF_D_ROOT 0x04    /* resolved: the root directory after the call */
#define COFF_D_RETFD 0x08   /* resolved: the file of the returned descriptor */
#define COFF_D_SUCCESS 0x10 /* failed attempts say nothing: not reported */

#define COFF_NO (-1)

/* X(call, program, kind, dirfd1, path1, dirfd2, path2, fd, flags) */
#define COFF_CALLS(X)                                                                              \
	X(open, open, open, NO, 0, NO, NO, NO, COFF_D_RETFD)                                       \
	X(openat, open, open, 0, 1, NO, NO, NO, COFF_D_RETFD)                                      \
	X(openat2, open, open, 0, 1, NO, NO, NO, COFF_D_RETFD)                                     \
	X(creat, open, open, NO, 0, NO, NO, NO, COFF_D_RETFD)                                      \
	X(open_by_handle_at, open, open, NO, NO, NO, NO, NO, COFF_D_RETFD)                         \
	X(unlink, file, unlink, NO, 0, NO, NO, NO, 0)                                              \
	X(unlinkat, file, unlink, 0, 1, NO, NO, NO, 0)                                             \
	X(rmdir, file, rmdir, NO, 0, NO, NO, NO, 0)                                                \
	X(rename, file, rename, NO, 0, NO, 1, NO, 0)                                               \
	X(renameat, file, rename, 0, 1, 2, 3, NO, 0)                                               \
	X(renameat2, file, rename, 0, 1, 2, 3, NO, 0)                                              \
	X(link, file, link, NO, 0, NO, 1, NO, 0)                                                   \
	X(linkat, file, link, 0, 1, 2, 3, NO, 0)                                                   \
	X(symlink, file, symlink, NO, 0, NO, 1, NO, COFF_D_TEXT1)                                  \
	X(symlinkat, file, symlink, NO, 0, 1, 2, NO, COFF_D_TEXT1)                                 \
	X(mkdir, file, mkdir, NO, 0, NO, NO, NO, 0)                                                \
	X(mkdirat, file, mkdir, 0, 1, NO, NO, NO, 0)                                               \
	X(mknod, file, mknod, NO, 0, NO, NO, NO, 0)                                                \
	X(mknodat, file, mknod, 0, 1, NO, NO, NO, 0)                                               \
	X(chmod, file, chmod, NO, 0, NO, NO, NO, 0)                                                \
	X(fchmod, file, chmod, NO, NO, NO, NO, 0, 0)                                               \
	X(fchmodat, file, chmod, 0, 1, NO, NO, NO, 0)                                              \
	X(fchmodat2, file, chmod, 0, 1, NO, NO, NO, 0)                                             \
	X(chown, file, chown, NO, 0, NO, NO, NO, 0)                                                \
	X(lchown, file, chown, NO, 0, NO, NO, NO, 0)                                               \
	X(fchown, file, chown, NO, NO, NO, NO, 0, 0)                                               \
	X(fchownat, file, chown, 0, 1, NO, NO, NO, 0)                                              \
	X(truncate, file, truncate, NO, 0, NO, NO, NO, 0)                                          \
	X(ftruncate, file, truncate, NO, NO, NO, NO, 0, 0)                                         \
	X(setxattr, file, setxattr, NO, 0, NO, 1, NO, 0)                                           \
	X(lsetxattr, file, setxattr, NO, 0, NO, 1, NO, 0)                                          \
	X(fsetxattr, file, setxattr, NO, NO, NO, 1, 0, 0)                                          \
	X(setxattrat, file, setxattr, 0, 1, NO, 3, NO, 0)                                          \
	X(chdir, file, chdir, NO, 0, NO, NO, NO, COFF_D_PWD)                                       \
	X(fchdir, file, chdir, NO, NO, NO, NO, 0, COFF_D_PWD)                                      \
	X(chroot, file, chroot, NO, 0, NO, NO, NO, COFF_D_ROOT)                                    \
	X(pivot_root, file, pivot_root, NO, 0, NO, 1, NO, COFF_D_ROOT)                             \
	X(mount, file, mount, NO, 1, NO, 0, NO, 0)                                                 \
	X(umount, file, umount, NO, 0, NO, NO, NO, 0)                                              \
	X(move_mount, file, move_mount, 0, 1, 2, 3, NO, 0)                                         \
	X(open_tree, file, open_tree, 0, 1, NO, NO, NO, COFF_D_RETFD)                              \
	X(init_module, file, module_load, NO, 2, NO, NO, NO, COFF_D_TEXT1)                         \
	X(finit_module, file, module_load, NO, 1, NO, NO, 0, COFF_D_TEXT1)                         \
	X(delete_module, file, module_unload, NO, 0, NO, NO, NO, COFF_D_TEXT1)                     \
	X(memfd_create, file, memfd_create, NO, 0, NO, NO, NO, COFF_D_TEXT1 | COFF_D_RETFD)        \
	X(mmap, map, mmap, NO, NO, NO, NO, 4, COFF_D_SUCCESS)                                      \
	X(mprotect, protect, mprotect, NO, NO, NO, NO, NO, COFF_D_SUCCESS)                         \
	X(execve, exec, exec, NO, 0, NO, NO, NO, 0)                                                \
	X(execveat, exec, exec, 0, 1, NO, NO, NO, 0)                                               \
	X(setuid, call, setid, NO, NO, NO, NO, NO, 0)                                              \
	X(setgid, call, setid, NO, NO, NO, NO, NO, 0)                                              \
	X(setreuid, call, setid, NO, NO, NO, NO, NO, 0)                                            \
	X(setregid, call, setid, NO, NO, NO, NO, NO, 0)                                            \
	X(setresuid, call, setid, NO, NO, NO, NO, NO, 0)                                           \
	X(setresgid, call, setid, NO, NO, NO, NO, NO, 0)                                           \
	X(setfsuid, call, setid, NO, NO, NO, NO, NO, 0)                                            \
	X(setfsgid, call, setid, NO, NO, NO, NO, NO, 0)                                            \
	X(setgroups, call, setid, NO, NO, NO, NO, NO, 0)                                           \
	X(capset, call, capset, NO, NO, NO, NO, NO, 0)                                             \
	X(setsid, call, setsid, NO, NO, NO, NO, NO, COFF_D_SUCCESS)                                \
	X(setpgid, call, setsid, NO, NO, NO, NO, NO, COFF_D_SUCCESS)                               \
	X(ptrace, call, ptrace, NO, NO, NO, NO, NO, 0)                                             \
	X(process_vm_readv, call, vm_access, NO, NO, NO, NO, NO, 0)                                \
	X(process_vm_writev, call, vm_access, NO, NO, NO, NO, NO, 0)                               \
	X(pidfd_getfd, call, pidfd_getfd, NO, NO, NO, NO, NO, 0)                                   \
	X(setns, call, setns, NO, NO, NO, NO, 0, 0)                                                \
	X(unshare, call, unshare, NO, NO, NO, NO, NO, 0)                                           \
	X(fsmount, call, fsmount, NO, NO, NO, NO, NO, 0)                                           \
	X(bpf, call, bpf, NO, NO, NO, NO, NO, 0)                                                   \
	X(userfaultfd, call, userfaultfd, NO, NO, NO, NO, NO, 0)                                   \
	X(io_uring_setup, call, io_uring_setup, NO, NO, NO, NO, NO, 0)                             \
	X(socket, sock, socket, NO, NO, NO, NO, NO, 0)                                             \
	X(bind, sock, bind, NO, NO, NO, NO, 0, 0)                                                  \
	X(listen, sock, listen, NO, NO, NO, NO, 0, 0)                                              \
	X(connect, sock, connect, NO, NO, NO, NO, 0, 0)                                            \
	X(accept, sock, accept, NO, NO, NO, NO, 0, 0)                                              \
	X(accept4, sock, accept, NO, NO, NO, NO, 0, 0)                                             \
	X(sendto, dgram, sendto, NO, NO, NO, NO, 0, 0)                                             \
	X(sendmsg, dgram, sendto, NO, NO, NO, NO, 0, 0)                                            \
	X(sendmmsg, dgram, sendto, NO, NO, NO, NO, 0, 0)                                           \
	X(recvfrom, dgram, recvfrom, NO, NO, NO, NO, 0, COFF_D_SUCCESS)                            \
	X(recvmsg, dgram, recvfrom, NO, NO, NO, NO, 0, COFF_D_SUCCESS)                             \
	X(recvmmsg, dgram, recvfrom, NO, NO, NO, NO, 0, COFF_D_SUCCESS)                            \
	X(dup, dup, dup_stdio, NO, NO, NO, NO, 0, COFF_D_SUCCESS)                                  \
	X(dup2, dup, dup_stdio, NO, NO, NO, NO, 0, COFF_D_SUCCESS)                                 \
	X(dup3, dup, dup_stdio, NO, NO, NO, NO, 0, COFF_D_SUCCESS)                                 \
	X(fcntl, dup, dup_stdio, NO, NO, NO, NO, 0, COFF_D_SUCCESS)

/* Order of COFF_CALLS: a stable number for each call on every architecture. */
enum coff_call_index {
#define COFF_X(name, ...) COFF_CALL_##name,
	COFF_CALLS(COFF_X)
#undef COFF_X
	    COFF_CALL_COUNT
};

#define COFF_CALL_NUMBERS 1024 /* more than any architecture's highest call number */

struct coff_call_desc {
	__u16 kind; /* enum coff_kind; COFF_KINDS: this number is not observed */
	__u8 call;  /* enum coff_call_index */
	__u8 flags; /* COFF_D_* */
	__s8 dirfd1, path1, dirfd2, path2;
	__s8 fd;
	__u8 reserved[7];
};

#endif
