/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The one record layout that the kernel programs and the agent share. Both compilers include this
 * file; src/schema/wire_check.cpp proves that no struct here has implicit padding.
 *
 * A record is one fixed struct of a shape (fork, exec, exit, file, sock, call, cgroup) followed by
 * a tail of string bytes. A coff_str names bytes of the record by offset from its start; length 0
 * means "not known or not applicable". Strings carry no NUL terminator unless stated.
 */
#ifndef COFF_WIRE_H
#define COFF_WIRE_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define COFF_WIRE_VERSION 1

/* Limits, in bytes unless stated. Whatever exceeds one sets COFF_F_TRUNCATED. */
#define COFF_PATH_MAX 4096
#define COFF_ARGV_MAX 16384
#define COFF_ENV_MAX 8192
#define COFF_RECORD_MAX 65536
#define COFF_COMM_LEN 16

/* Lanes: each has its own ring, so that a flood of one never costs a record of another. */
enum coff_lane {
	COFF_LANE_PRIO = 0, /* processes, credentials, namespaces, mounts, modules */
	COFF_LANE_FILE = 1, /* files and memory mappings */
	COFF_LANE_NET = 2,  /* sockets */
	COFF_LANES = 3,
};

/* X(name, shape, lane, sentence): every kind of event. Order is the numbering: append only. */
#define COFF_EVENTS(X)                                                                             \
	X(fork, fork, PRIO, "A process created another process.")                                  \
	X(exec, exec, PRIO, "A process replaced its program, or tried to.")                        \
	X(exit, exit, PRIO, "A process ended.")                                                    \
	X(cgroup_mkdir, cgroup, PRIO, "A control group was created.")                              \
	X(cgroup_rmdir, cgroup, PRIO, "A control group was removed.")                              \
	X(setid, call, PRIO, "A process changed its user or group.")                               \
	X(capset, call, PRIO, "A process changed its capabilities.")                               \
	X(setsid, call, PRIO, "A process started a session or joined a process group.")            \
	X(loginuid, call, PRIO, "The login user of a process changed.")                            \
	X(ptrace, call, PRIO, "A process traced another process.")                                 \
	X(vm_access, call, PRIO, "A process read or wrote the memory of another process.")         \
	X(pidfd_getfd, call, PRIO, "A process took a file descriptor of another process.")         \
	X(setns, call, PRIO, "A process joined a namespace.")                                      \
	X(unshare, call, PRIO, "A process left a shared namespace.")                               \
	X(chroot, file, PRIO, "A process changed its root directory.")                             \
	X(pivot_root, file, PRIO, "A process exchanged its root file system.")                     \
	X(mount, file, PRIO, "A file system was mounted, or a mount was changed.")                 \
	X(umount, file, PRIO, "A file system was unmounted.")                                      \
	X(move_mount, file, PRIO, "A mount was moved or attached.")                                \
	X(open_tree, file, PRIO, "A mount was picked up or cloned.")                               \
	X(fsmount, call, PRIO, "A mount was made from a file system context.")                     \
	X(module_load, file, PRIO, "A kernel module load was attempted.")                          \
	X(module_unload, file, PRIO, "A kernel module unload was attempted.")                      \
	X(bpf, call, PRIO, "A BPF system call was made.")                                          \
	X(memfd_create, file, PRIO, "An anonymous memory file was created.")                       \
	X(kill, call, PRIO, "A signal was sent to another process.")                               \
	X(userfaultfd, call, PRIO, "A process asked to handle page faults in user space.")         \
	X(io_uring_setup, call, PRIO, "A process set up an io_uring.")                             \
	X(io_uring, call, PRIO, "A process used an io_uring operation for the first time.")        \
	X(oom_kill, call, PRIO, "The kernel killed a process because memory ran out.")             \
	X(open, file, FILE, "A file was opened, or an attempt to open it failed.")                 \
	X(unlink, file, FILE, "A file name was removed.")                                          \
	X(rmdir, file, FILE, "A directory was removed.")                                           \
	X(rename, file, FILE, "A file was renamed.")                                               \
	X(link, file, FILE, "A hard link was created.")                                            \
	X(symlink, file, FILE, "A symbolic link was created.")                                     \
	X(mkdir, file, FILE, "A directory was created.")                                           \
	X(mknod, file, FILE, "A device, pipe or socket file was created.")                         \
	X(chmod, file, FILE, "The mode of a file was changed.")                                    \
	X(chown, file, FILE, "The owner of a file was changed.")                                   \
	X(truncate, file, FILE, "A file was truncated.")                                           \
	X(setxattr, file, FILE, "An extended attribute was set.")                                  \
	X(chdir, file, FILE, "A process changed its working directory.")                           \
	X(mmap, file, FILE, "A file was mapped as executable.")                                    \
	X(mprotect, file, FILE, "A mapping of a file was made executable.")                        \
	X(socket, sock, NET, "A socket was created.")                                              \
	X(bind, sock, NET, "A socket was bound to an address.")                                    \
	X(listen, sock, NET, "A socket began to listen.")                                          \
	X(connect, sock, NET, "A connection was started.")                                         \
	X(accept, sock, NET, "A connection was accepted.")                                         \
	X(sendto, sock, NET, "A datagram was sent to an address.")                                 \
	X(recvfrom, sock, NET, "A datagram was received from an address.")                         \
	X(dup_stdio, sock, NET, "A socket was duplicated onto standard input, output or error.")   \
	X(compat_call, call, PRIO,                                                                 \
	  "A 64-bit process used 32-bit system calls for the first time.")                         \
	X(api, api, PRIO, "Bytes of a request to a container engine, or of its answer.")           \
	X(flow, flow, NET, "A TCP connection opened, ended or failed, as one of its ends saw it.")

enum coff_kind {
#define COFF_X(name, shape, lane, doc) COFF_KIND_##name,
	COFF_EVENTS(COFF_X)
#undef COFF_X
	    COFF_KINDS
};

/* hdr.flags */
#define COFF_F_TRUNCATED 0x01 /* a string was cut at its limit */
#define COFF_F_COMPAT32 0x02  /* the task runs in 32-bit compatibility mode */
#define COFF_F_IO_URING 0x04  /* came through io_uring, not a system call */
#define COFF_F_UNREAD 0x08    /* user memory of an argument could not be read (paged out, bad) */
#define COFF_F_SNAPSHOT 0x10  /* state at start, read by an iterator; nothing happened just now */

struct coff_str {
	__u16 off, len;
};

struct coff_hdr {
	__u32 size; /* of the whole record, tail included */
	__u16 kind; /* enum coff_kind */
	__u8 lane;  /* enum coff_lane */
	__u8 flags; /* COFF_F_* */
	__u64 time; /* CLOCK_BOOTTIME, ns */
	__u64
	    cgroup; /* id of the control group: default hierarchy, else the v1 one chosen at load */
	__u64 start;	/* start of the process (thread group leader), CLOCK_BOOTTIME, ns */
	__s64 ret;	/* result of the call: >= 0 or -errno */
	__u32 pid, tid; /* process (thread group) and thread, initial pid namespace */
	__u32 ppid;	/* real parent process */
	__u32 uid, gid, euid, egid; /* initial user namespace */
	__u32 loginuid, sessionid;  /* audit; 4294967295 = not set */
	__s32 syscall;		  /* number on this machine's own ABI, -1: not from a system call */
	__u32 slot;		  /* accounting slot of the control group; 0 = not assigned yet */
	char comm[COFF_COMM_LEN]; /* thread name, NUL-padded */
	__u32 vpid;		  /* process id in its own pid namespace */
};

struct coff_fork {
	struct coff_hdr hdr; /* describes the parent */
	__u64 child_cgroup, child_start;
	__u32 child_pid, child_vpid;
	__u32 child_pid_ns, child_mnt_ns, child_net_ns, child_user_ns;
	__u32 child_sid, child_pgid; /* initial pid namespace */
};

/* coff_exec.exe_flags */
#define COFF_EXE_MEMFD 0x01   /* an anonymous memory file */
#define COFF_EXE_UPPER 0x02   /* upper layer of an overlay: not in the image */
#define COFF_EXE_OVERLAY 0x04 /* on an overlay file system */
#define COFF_EXE_DELETED 0x08 /* no name left when it started */
#define COFF_EXE_SETID 0x10   /* set-user-id or set-group-id bit on the file */
#define COFF_EXE_32BIT 0x20   /* 32-bit program */
#define COFF_EXE_TMPFS 0x40   /* on tmpfs or another memory file system */

struct coff_exec {
	struct coff_hdr hdr;	  /* ret < 0: the attempt failed and only filename, cwd are known */
	struct coff_str exe;	  /* resolved path of the running program */
	struct coff_str filename; /* path as given to execve */
	struct coff_str interp;	  /* program that runs a script; same as filename otherwise */
	struct coff_str cwd;
	struct coff_str argv; /* arguments, each followed by NUL */
	struct coff_str env;  /* NAME=value, each followed by NUL */
	__u64 ino, dev, size_bytes, mtime_ns, ctime_ns;
	__u64 cap_permitted, cap_effective, cap_inheritable, cap_bounding, cap_ambient;
	__u64 argv_bytes, env_bytes; /* their full sizes, before any cut */
	__u32 mnt_ns, pid_ns, net_ns, user_ns, uts_ns, ipc_ns, cgroup_ns;
	__u32 tty;	   /* device number as in stat(2) st_rdev, 0 = none */
	__u32 sid, pgid;   /* initial pid namespace */
	__u32 vsid, vpgid; /* own pid namespace */
	__u32 file_mode, file_uid, file_gid;
	__u32 exe_flags;    /* COFF_EXE_* */
	__u32 seccomp_mode; /* 0 none, 1 strict, 2 filter */
	__u32 no_new_privs; /* 0 or 1 */
	__u64 parent_start; /* start of the real parent */
};

struct coff_exit {
	struct coff_hdr hdr;
	__u32 exit_code;	/* as for waitpid(2): status << 8 | signal | 0x80 when dumped */
	__u32 threads_reserved; /* 0 */
	__u64 cpu_user_ns, cpu_system_ns;
	__u64 max_rss_bytes;
};

struct coff_cgroup {
	struct coff_hdr hdr;
	struct coff_str path; /* within its hierarchy */
	__u32 hierarchy;      /* 0 = default (v2) */
	__u64 id;
	__u32 level, reserved;
};

/* coff_file.file_flags */
#define COFF_FILE_UPPER 0x01
#define COFF_FILE_OVERLAY 0x02
#define COFF_FILE_MEMFD 0x04
#define COFF_FILE_BASE_IS_DIRFD 0x08 /* base is a directory descriptor's path, not the cwd */
#define COFF_FILE_CREATED 0x10	     /* the open created the file */
#define COFF_FILE_DELETED 0x20

struct coff_file {
	struct coff_hdr hdr;
	struct coff_str raw;	  /* first path argument as given */
	struct coff_str base;	  /* what a relative raw path starts from: cwd or dirfd */
	struct coff_str resolved; /* path of the file itself, mounts and symlinks followed */
	struct coff_str raw2;	  /* second path argument; value of a mount's type, xattr name */
	struct coff_str base2;
	struct coff_str resolved2;
	__u64 ino, dev;
	__u64 args[6];	  /* the call's arguments, pointers as 0 */
	__u32 mode;	  /* st_mode of the file */
	__u32 uid, gid;	  /* owner */
	__u32 open_flags; /* O_* as the kernel used them (open), else 0 */
	__s32 fd;	  /* descriptor used or returned, -1 = none */
	__u32 file_flags; /* COFF_FILE_* */
};

struct coff_sock {
	struct coff_hdr hdr;
	struct coff_str path; /* AF_UNIX name; a leading NUL byte means abstract */
	__u16 family, type;
	__u16 local_port, remote_port; /* host byte order */
	__u8 local[16], remote[16];    /* IPv4 in the first 4 bytes */
	__u32 protocol;
	__s32 fd, fd2; /* socket's descriptor; dup_stdio: 0, 1 or 2 in fd2 */
	__u32 net_ns;
	__u32 flags;   /* MSG_*, SOCK_* or backlog */
	__u64 cookie;  /* address of the kernel's socket, hashed: equal for equal sockets */
	__u64 bytes;   /* transferred */
	__u64 repeats; /* equal ones that were not reported since the last that was */
};

/* Limits of what is forwarded of a connection to an engine, in bytes. */
#define COFF_API_SOCKETS 64	    /* watched sockets */
#define COFF_API_NAME_MAX 108	    /* of a socket */
#define COFF_API_BYTES_MAX 16384    /* of one receive or send */
#define COFF_API_BUDGET (256 << 10) /* of requests between two answers; a quarter of an answer */
#define COFF_API_TAIL 1024	    /* of each further receive: its end */

/* Key of the map of watched sockets. */
struct coff_api_name {
	__u32 length; /* of the address without its family, as the kernel has it */
	char text[COFF_API_NAME_MAX];
};

struct coff_api {
	struct coff_hdr hdr;	/* describes the engine's thread; ret: bytes received or sent */
	struct coff_str socket; /* name of the engine's socket */
	struct coff_str bytes;	/* what was forwarded, from `offset` on */
	__u64 connection;	/* unique since boot */
	__u64 offset;		/* of `bytes` in its direction of the connection */
	__u64 carried;		/* bytes from `offset` on; more than `bytes` holds: the rest was not
				 * forwarded. Of a request 0: the client sends nothing more */
	__u64 client_start;	/* of the process that connected, 0: it has ended */
	__u64 sender_start;	/* of the process that sent last */
	__u32 client_pid, sender_pid;
	__u32 client_uid;			 /* when it connected; 4294967295: not known */
	__u32 client_loginuid, client_sessionid; /* now */
	__u32 answer;				 /* 1: sent by the engine */
};

/* One end of a TCP connection. The header describes the process that owns this end: the one that
 * connected, or the one that listened. hdr.ret: 0, or -errno of a connection that failed or broke.
 *
 * isn_client and isn_server are the sequence numbers of the first byte that each end sends. Both
 * ends know both numbers, and address translation changes neither: equal pairs are one connection,
 * whatever the addresses say. */
enum coff_flow_state {
	COFF_FLOW_OPEN = 1,   /* established; told for the first connection of an edge */
	COFF_FLOW_CLOSED = 2, /* ended after it was established */
	COFF_FLOW_FAILED = 3, /* never established */
	COFF_FLOW_SEEN = 4,   /* older than the agent, found by an iterator */
};
enum coff_flow_role {
	COFF_FLOW_CLIENT = 1, /* connected */
	COFF_FLOW_SERVER = 2, /* accepted */
};
struct coff_flow {
	struct coff_hdr hdr;
	__u64 opened;		   /* CLOCK_BOOTTIME, ns; 0: before the agent */
	__u64 bytes_out, bytes_in; /* acknowledged by the other end; received in order */
	__u64 worker_start; /* of the process that closed an accepted connection, where another */
	__u64 unreported;   /* connections of this edge since the last record that had none */
	__u64 cookie;	    /* address of the kernel's socket, hashed: as in coff_sock */
	__u32 worker_pid;
	__u32 isn_client, isn_server;
	__u32 segments_out, segments_in, retransmits;
	__u32 rtt_us; /* smoothed round trip time; 0: not measured */
	__u32 net_ns;
	__u16 family;
	__u16 local_port, remote_port; /* host byte order */
	__u8 state, role;
	__u8 local[16], remote[16]; /* IPv4 in the first 4 bytes */
};

struct coff_call {
	struct coff_hdr hdr;
	__u64 args[6]; /* the call's arguments, pointers as 0 */
	__u64 target_start, target_cgroup;
	__u32 target_pid; /* 0: none or not known */
	__u32 ns_type;	  /* setns, unshare: CLONE_NEW* flags in effect */
	__u64 cap_permitted, cap_effective, cap_inheritable; /* after the call */
	struct coff_str text; /* program name (bpf), namespace file */
	__u32 reserved;
	__u32 suid, sgid, fsuid, fsgid;
};

/* ---- Kernel filter: what the agent loads, what the programs consult. ---- */

/* Container class of a control group. */
enum coff_class {
	COFF_CLASS_UNKNOWN = 0, /* not looked up yet: every clause applies */
	COFF_CLASS_HOST = 1,
	COFF_CLASS_CONTAINER = 2,
	COFF_CLASSES = 3,
};

/* How a file was opened: index bits of coff_filter.applicable. Other kinds use FAILED only. */
#define COFF_OPEN_READ 0x01
#define COFF_OPEN_WRITE 0x02
#define COFF_OPEN_CREATE 0x04
#define COFF_OPEN_EXEC 0x08
#define COFF_OPEN_FAILED 0x10
#define COFF_OPEN_COMBINATIONS 32

#define COFF_CLAUSES 64		 /* bits of a clause mask */
#define COFF_DFA_STATES 16384	 /* power of two */
#define COFF_DFA_CLASSES 64	 /* byte classes; power of two */
#define COFF_DFA_ACCEPTS 0x8000u /* set in a transition whose target accepts */
#define COFF_DFA_END 63		 /* class of the end of the path */

/* One automaton over "start of path, bytes, end of path" answers exact, prefix, suffix and
 * contains patterns in one pass. State numbers are below COFF_DFA_STATES; the walk starts in
 * `start`; each transition with COFF_DFA_ACCEPTS set adds accept[state] to the clause mask. */
struct coff_filter {
	__u64 applicable[COFF_KINDS][COFF_CLASSES][COFF_OPEN_COMBINATIONS];
	__u64 pathless;		/* clauses that hold whatever the path is */
	__u64 repeat_window_ns; /* equal connections are reported once in so long; 0: each */
	__u32 start, has_paths;
	__u8 class_of[256];
	__u64 accept[COFF_DFA_STATES];
	__u16 next[COFF_DFA_STATES * COFF_DFA_CLASSES];
};

#define COFF_CGROUP_ENTRIES 4096 /* power of two */
#define COFF_CGROUP_PROBES 8
#define COFF_SLOTS 512 /* accounting slots; 0 = control groups without one */

/* Written by the agent only, id last; read by the programs without a lock. */
struct coff_cgroup_entry {
	__u64 id;
	__u32 slot, cls;
};

/* Clauses of a resolved path seen before; see bpf/filter.h. */
struct coff_cached_mask {
	__u64 check, mask;
};

/* Exact accounting, one for each CPU, slot and kind: produced = sent + filtered + lost. */
struct coff_count {
	__u64 sent, filtered, lost_ring, lost_scratch;
};

#endif
