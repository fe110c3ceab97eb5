/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The few members of kernel structures that the programs read. Offsets written here mean nothing:
 * every access is relocated at load time against the running kernel's own types (CO-RE), so that
 * the programs build on any machine, also for another architecture. A "___x" suffix marks an older
 * or newer shape of the structure named before it.
 */
#ifndef COFF_KERNEL_H
#define COFF_KERNEL_H
#define __VMLINUX_H__ /* libbpf's headers take the kernel's types from here */

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u16 __sum16;
typedef __u64 u64;
typedef __u32 u32;
typedef int pid_t;
typedef _Bool bool;
typedef unsigned int umode_t;

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_NO_PREALLOC = 1,
	BPF_F_CLONE = 512,
	BPF_SK_STORAGE_GET_F_CREATE = 1,
	BPF_F_MMAPABLE = 1024,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
};

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,
};

/* Helpers that kernels before 5.15 lack: asked for by name before use. */
enum bpf_func_id {
	BPF_FUNC_task_pt_regs = 175,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_map;
struct bpf_dynptr;
struct iphdr;
struct ipv6hdr;
struct tcphdr;
struct __sk_buff;
struct sk_msg_md;
struct xdp_md;

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long di, si, dx, r10, r8, r9, ax, orig_ax, ip, sp, bp, cx, cs;
};
#define COFF_CALL_NUMBER(regs) ((long)LOAD(regs, orig_ax))
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp, pc, pstate;
};
struct pt_regs {
	struct user_pt_regs user_regs;
	__u64 orig_x0;
	int syscallno;
};
#define COFF_CALL_NUMBER(regs) ((long)LOAD(regs, syscallno))
#endif

typedef struct {
	int counter;
} atomic_t;
typedef struct {
	__s64 counter;
} atomic64_t;
typedef struct {
	unsigned int val;
} kuid_t;
typedef struct {
	unsigned int val;
} kgid_t;

/* Two words until 6.3, one u64 since; read as bytes either way. */
typedef struct {
	__u64 val;
} kernel_cap_t;

struct user_namespace;
struct cred {
	kuid_t uid, suid, euid, fsuid;
	kgid_t gid, sgid, egid, fsgid;
	kernel_cap_t cap_inheritable, cap_permitted, cap_effective, cap_bset, cap_ambient;
	struct user_namespace *user_ns;
};

struct qstr {
	union {
		struct {
			u32 hash;
			u32 len;
		};
		u64 hash_len;
	};
	const unsigned char *name;
};

struct file_system_type {
	const char *name;
};
struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
	struct file_system_type *s_type;
};
struct timespec64 {
	__s64 tv_sec;
	long tv_nsec;
};
struct inode {
	unsigned short i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	__s64 i_size;
	__s64 i_mtime_sec, i_ctime_sec;
	__u32 i_mtime_nsec, i_ctime_nsec;
};
struct inode___6_6 { /* 6.6 - 6.10: __i_ctime; before 6.7 also i_mtime */
	struct timespec64 __i_mtime, __i_ctime;
};
struct inode___old {
	struct timespec64 i_mtime, i_ctime;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};
struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
	void *private_data;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};
struct fs_struct {
	struct path root, pwd;
};

struct ns_common {
	unsigned int inum;
};
struct uts_namespace {
	struct ns_common ns;
};
struct ipc_namespace {
	struct ns_common ns;
};
struct mnt_namespace {
	struct ns_common ns;
};
struct pid_namespace {
	struct ns_common ns;
};
struct user_namespace {
	struct ns_common ns;
};
struct net {
	struct ns_common ns;
};
struct cgroup_namespace {
	struct ns_common ns;
};
struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
	struct cgroup_namespace *cgroup_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct hlist_node {
	struct hlist_node *next;
};
struct hlist_head {
	struct hlist_node *first;
};
struct pid {
	unsigned int level;
	struct hlist_head tasks[4];
	struct upid numbers[1];
};

struct tty_driver {
	int major, minor_start;
};
struct tty_struct {
	int index;
	struct tty_driver *driver;
};
enum { COFF_PIDTYPE_TGID = 1, COFF_PIDTYPE_PGID = 2, COFF_PIDTYPE_SID = 3 };
struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned long maxrss;
	__u64 utime, stime;
	struct tty_struct *tty;
	struct pid *pids[4];
};

struct mm_struct {
	unsigned long task_size;
	unsigned long arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
};

struct vm_area_struct {
	struct file *vm_file;
};

struct kernfs_node {
	u64 id;
	const char *name;
};
struct cgroup_root {
	int hierarchy_id;
};
struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
};
struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
};

struct seccomp {
	int mode;
};

struct thread_info {
	__u32 status;
};
struct task_struct {
	struct thread_info thread_info;
	void *stack;
	unsigned int flags;
	int exit_code;
	pid_t pid, tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	__u64 utime, stime;
	__u64 start_boottime;
	const struct cred *real_cred;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct mm_struct *mm;
	kuid_t loginuid;
	unsigned int sessionid;
	__u64 self_exec_id;
	struct seccomp seccomp;
	struct css_set *cgroups;
	unsigned long atomic_flags;
};

struct linux_binprm {
	const char *filename;
	const char *interp;
	struct file *file;
};

struct kernel_siginfo {
	int si_signo;
	int si_errno;
	int si_code;
};

struct filename {
	const char *name;
};
struct open_how {
	__u64 flags, mode, resolve;
};
struct io_kiocb {
	__u8 opcode;
};

#pragma clang attribute pop

/* Context of tracepoint/syscalls/sys_exit_*, as their format files state it. */
struct coff_sys_exit {
	__u64 common;
	__s32 nr;
	__u32 padding;
	__s64 ret;
};

#include "kernel_net.h"

#endif
