// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Life of processes and control groups: fork, exec, exit, signals, memory exhaustion. */
#include "compat.h"

static __always_inline struct pid *pid_of(struct task_struct *task, int type)
{
	struct signal_struct *signal = LOAD(task, signal);
	struct pid *pid = 0;

	bpf_core_read(&pid, sizeof(pid), &signal->pids[type]);
	return pid;
}

static __always_inline __u32 number_at(struct pid *pid, __u32 level)
{
	struct upid upid = {};

	bpf_core_read(&upid, sizeof(upid), &pid->numbers[level & 31]);
	return upid.nr;
}

static __always_inline __u32 pid_ns_inum(struct pid *pid)
{
	__u32 level = READ(pid, level);
	struct upid upid = {};

	bpf_core_read(&upid, sizeof(upid), &pid->numbers[level & 31]);
	return READ(upid.ns, ns.inum);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct coff_fork *r;
	struct pid *pid;
	__u32 slot;

	look_for_compat_call();
	if (LOAD(child, pid) != LOAD(child, tgid))
		return 0; /* a thread, not a process */
	r = bpf_ringbuf_reserve(&ring_prio, sizeof(*r), 0);
	if (!r) {
		class_of_cgroup(cgroup_id(parent), &slot);
		COUNT(slot, COFF_KIND_fork, lost_ring);
		return 0;
	}
	fill_header(&r->hdr, parent, COFF_KIND_fork, COFF_LANE_PRIO, -1, LOAD(child, tgid));
	r->hdr.size = sizeof(*r);
	pid = LOAD(child, thread_pid);
	r->child_pid = LOAD(child, tgid);
	r->child_vpid = number_at(pid, LOAD(pid, level));
	r->child_start = LOAD(child, start_boottime);
	r->child_cgroup = cgroup_id(child);
	r->child_pid_ns = pid_ns_inum(pid);
	r->child_mnt_ns = LOAD(child, nsproxy, mnt_ns, ns.inum);
	r->child_net_ns = LOAD(child, nsproxy, net_ns, ns.inum);
	r->child_user_ns = LOAD(child, cred, user_ns, ns.inum);
	r->child_sid = number_at(pid_of(child, COFF_PIDTYPE_SID), 0);
	r->child_pgid = number_at(pid_of(child, COFF_PIDTYPE_PGID), 0);
	slot = r->hdr.slot & (COFF_SLOTS - 1);
	bpf_ringbuf_submit(r, wakeup_flags(&ring_prio));
	COUNT(slot, COFF_KIND_fork, sent);
	return 0;
}

static __always_inline void read_caps(const struct cred *cred, struct coff_exec *r)
{
	/* By address: the type changed in 6.3, its eight bytes did not. */
	bpf_core_read(&r->cap_permitted, 8, &cred->cap_permitted);
	bpf_core_read(&r->cap_effective, 8, &cred->cap_effective);
	bpf_core_read(&r->cap_inheritable, 8, &cred->cap_inheritable);
	bpf_core_read(&r->cap_bounding, 8, &cred->cap_bset);
	bpf_core_read(&r->cap_ambient, 8, &cred->cap_ambient);
}

static __always_inline void read_exe(struct coff_exec *r, struct file *file)
{
	struct inode *inode = LOAD(file, f_inode);
	unsigned long magic = LOAD(inode, i_sb, s_magic);

	r->ino = LOAD(inode, i_ino);
	r->dev = LOAD(inode, i_sb, s_dev);
	r->size_bytes = LOAD(inode, i_size);
	r->file_mode = LOAD(inode, i_mode);
	r->file_uid = LOAD(inode, i_uid.val);
	r->file_gid = LOAD(inode, i_gid.val);
	inode_times(inode, &r->mtime_ns, &r->ctime_ns);
	if (LOAD(inode, i_nlink) == 0)
		r->exe_flags |= COFF_EXE_DELETED;
	if (r->file_mode & 06000)
		r->exe_flags |= COFF_EXE_SETID;
	if (magic == OVERLAYFS_SUPER_MAGIC) {
		r->exe_flags |= COFF_EXE_OVERLAY;
		if (in_upper_layer(inode))
			r->exe_flags |= COFF_EXE_UPPER;
	}
	if (magic == TMPFS_MAGIC) {
		char name[8] = {};
		const unsigned char *source = LOAD(file, f_path.dentry, d_name.name);

		r->exe_flags |= COFF_EXE_TMPFS;
		bpf_probe_read_kernel_str(name, sizeof(name), source);
		if (name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' &&
		    name[4] == 'd' && name[5] == ':')
			r->exe_flags |= COFF_EXE_MEMFD;
	}
}

static __always_inline void read_task(struct coff_exec *r, struct task_struct *task)
{
	struct nsproxy *ns = LOAD(task, nsproxy);
	const struct cred *cred = LOAD(task, cred);
	struct pid *pid = LOAD(task, group_leader, thread_pid);
	__u32 level = LOAD(pid, level);
	struct pid *session = pid_of(task, COFF_PIDTYPE_SID);
	struct pid *group = pid_of(task, COFF_PIDTYPE_PGID);
	struct tty_struct *tty = LOAD(task, signal, tty);

	read_caps(cred, r);
	r->mnt_ns = LOAD(ns, mnt_ns, ns.inum);
	r->net_ns = LOAD(ns, net_ns, ns.inum);
	r->uts_ns = LOAD(ns, uts_ns, ns.inum);
	r->ipc_ns = LOAD(ns, ipc_ns, ns.inum);
	r->cgroup_ns = LOAD(ns, cgroup_ns, ns.inum);
	r->pid_ns = pid_ns_inum(pid);
	r->user_ns = LOAD(cred, user_ns, ns.inum);
	r->sid = number_at(session, 0);
	r->pgid = number_at(group, 0);
	r->vsid = number_at(session, level);
	r->vpgid = number_at(group, level);
	if (tty)
		r->tty = (__u32)READ(tty, driver, major) << 8 |
			 ((__u32)READ(tty, driver, minor_start) + (__u32)READ(tty, index));
	r->seccomp_mode = LOAD(task, seccomp.mode);
	r->no_new_privs = LOAD(task, atomic_flags) & 1;
	r->parent_start = LOAD(task, real_parent, group_leader, start_boottime);
}

static __always_inline void put_arguments(struct coff_scratch *s, struct coff_exec *r,
					  struct task_struct *task)
{
	struct mm_struct *mm = LOAD(task, mm);
	unsigned long from = LOAD(mm, arg_start);
	unsigned long size = LOAD(mm, arg_end) - from;

	r->argv_bytes = size;
	if (size > COFF_ARGV_MAX)
		size = COFF_ARGV_MAX;
	put_bytes(s, &r->argv, (void *)from, size, coff_argv_max, 1);
	from = LOAD(mm, env_start);
	size = LOAD(mm, env_end) - from;
	r->env_bytes = size;
	if (size > COFF_ENV_MAX)
		size = COFF_ENV_MAX;
	put_bytes(s, &r->env, (void *)from, size, coff_env_max, 1);
	if (r->argv_bytes > r->argv.len || r->env_bytes > r->env.len)
		r->hdr.flags |= COFF_F_TRUNCATED;
}

static __always_inline struct coff_exec *begin_exec(struct coff_scratch *s)
{
	struct coff_exec *r = RECORD(s, coff_exec);

	__builtin_memset(r, 0, sizeof(*r));
	s->used = sizeof(*r);
	return r;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct coff_scratch *s = claim_scratch();
	struct coff_exec *r;
	struct file *file;
	__u32 slot;

	if (!s) {
		class_of_cgroup(cgroup_id(task), &slot);
		COUNT(slot, COFF_KIND_exec, lost_scratch);
		return 0;
	}
	r = begin_exec(s);
	fill_header(&r->hdr, task, COFF_KIND_exec, COFF_LANE_PRIO, -1, 0);
	file = LOAD(task, mm, exe_file);
	read_task(r, task);
	read_exe(r, file);
	/* Not the thread's flag: its bit has moved between kernels. */
	if (LOAD(task, mm, task_size) <= 1ULL << 32) {
		r->exe_flags |= COFF_EXE_32BIT;
		r->hdr.flags |= COFF_F_COMPAT32;
	}
	put_arguments(s, r, task);
	put_string(s, &r->filename, LOAD(bprm, filename), 0);
	if (LOAD(bprm, interp) != LOAD(bprm, filename))
		put_string(s, &r->interp, LOAD(bprm, interp), 0);
	put_file_path(s, &r->exe, task, file);
	put_cwd(s, &r->cwd, task);
	submit_record(s, &ring_prio);
	release_scratch(s);
	return 0;
}

/* A successful exec is reported above, where the new program is known. */
SEC("tp")
int on_exit_exec(struct coff_sys_exit *ctx)
{
	struct task_struct *task = current_task();
	const struct coff_call_desc *d = describe(ctx->nr);
	struct coff_scratch *s;
	struct coff_exec *r;
	__u32 slot;

	if (ctx->ret >= 0)
		return 0;
	s = claim_scratch();
	if (!s) {
		class_of_cgroup(cgroup_id(task), &slot);
		COUNT(slot, COFF_KIND_exec, lost_scratch);
		return 0;
	}
	r = begin_exec(s);
	fill_header(&r->hdr, task, COFF_KIND_exec, COFF_LANE_PRIO, ctx->nr, ctx->ret);
	read_task(r, task);
	put_string(s, &r->filename, (void *)call_arg(call_registers(task), d->path1 == 1 ? 1 : 0),
		   1);
	put_cwd(s, &r->cwd, task);
	submit_record(s, &ring_prio);
	release_scratch(s);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct signal_struct *signal = LOAD(task, signal);
	struct coff_exit *r;
	__u32 slot;

	look_for_compat_call();
	if (LOAD(signal, live.counter) > 0)
		return 0; /* other threads of the process live on */
	r = bpf_ringbuf_reserve(&ring_prio, sizeof(*r), 0);
	if (!r) {
		class_of_cgroup(cgroup_id(task), &slot);
		COUNT(slot, COFF_KIND_exit, lost_ring);
		return 0;
	}
	fill_header(&r->hdr, task, COFF_KIND_exit, COFF_LANE_PRIO, -1, 0);
	r->hdr.size = sizeof(*r);
	r->exit_code = LOAD(task, exit_code);
	if (LOAD(signal, group_exit_code))
		r->exit_code = LOAD(signal, group_exit_code);
	r->threads_reserved = 0;
	r->cpu_user_ns = LOAD(signal, utime) + LOAD(task, utime);
	r->cpu_system_ns = LOAD(signal, stime) + LOAD(task, stime);
	r->max_rss_bytes = (__u64)LOAD(signal, maxrss) << coff_page_shift;
	slot = r->hdr.slot & (COFF_SLOTS - 1);
	bpf_ringbuf_submit(r, wakeup_flags(&ring_prio));
	COUNT(slot, COFF_KIND_exit, sent);
	return 0;
}

static __always_inline int cgroup_event(struct cgroup *cgroup, const char *path, __u32 kind)
{
	struct task_struct *task = current_task();
	struct coff_scratch *s = claim_scratch();
	struct coff_cgroup *r;

	if (!s) {
		COUNT(0, kind, lost_scratch);
		return 0;
	}
	r = RECORD(s, coff_cgroup);
	__builtin_memset(r, 0, sizeof(*r));
	s->used = sizeof(*r);
	fill_header(&r->hdr, task, kind, COFF_LANE_PRIO, -1, 0);
	r->id = READ(cgroup, kn, id);
	r->level = READ(cgroup, level);
	r->hierarchy = READ(cgroup, root, hierarchy_id);
	put_string(s, &r->path, path, 0);
	submit_record(s, &ring_prio);
	release_scratch(s);
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_cgroup_mkdir, struct cgroup *cgroup, const char *path)
{
	return cgroup_event(cgroup, path, COFF_KIND_cgroup_mkdir);
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(on_cgroup_rmdir, struct cgroup *cgroup, const char *path)
{
	return cgroup_event(cgroup, path, COFF_KIND_cgroup_rmdir);
}
