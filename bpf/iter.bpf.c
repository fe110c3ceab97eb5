// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Processes that are older than the agent: numbers from here, texts from /proc. */
#include "filter.h"

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id, seq_num;
} __attribute__((preserve_access_index));
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __attribute__((preserve_access_index));

/* Who a process is, told by an iterator and not by itself. */
static __always_inline void fill_seen_header(struct coff_hdr *h, struct task_struct *task)
{
	const struct cred *cred = LOAD(task, cred);
	struct pid *pid = LOAD(task, thread_pid);

	h->cgroup = cgroup_id(task);
	h->start = LOAD(task, start_boottime);
	h->pid = LOAD(task, tgid);
	h->tid = h->pid;
	h->ppid = LOAD(task, real_parent, tgid);
	h->uid = LOAD(cred, uid.val);
	h->gid = LOAD(cred, gid.val);
	h->euid = LOAD(cred, euid.val);
	h->egid = LOAD(cred, egid.val);
	h->loginuid = LOAD(task, loginuid.val);
	h->sessionid = LOAD(task, sessionid);
	h->syscall = -1;
	h->vpid = number_at(pid, LOAD(pid, level));
	bpf_core_read(h->comm, sizeof(h->comm), &task->comm);
}

SEC("iter/task")
int seen_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct coff_exec r = {};

	if (!task || LOAD(task, pid) != LOAD(task, tgid))
		return 0;
	r.hdr.size = sizeof(r);
	r.hdr.kind = COFF_KIND_exec;
	r.hdr.lane = COFF_LANE_PRIO;
	r.hdr.flags = COFF_F_SNAPSHOT;
	r.hdr.time = bpf_ktime_get_boot_ns();
	fill_seen_header(&r.hdr, task);
	read_task(&r, task);
	if (LOAD(task, mm))
		read_exe(&r, LOAD(task, mm, exe_file));
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
