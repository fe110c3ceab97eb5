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

SEC("iter/task")
int seen_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	const struct cred *cred;
	struct coff_exec r = {};
	struct pid *pid;

	if (!task || READ(task, pid) != READ(task, tgid))
		return 0;
	cred = READ(task, cred);
	pid = READ(task, thread_pid);
	r.hdr.size = sizeof(r);
	r.hdr.kind = COFF_KIND_exec;
	r.hdr.lane = COFF_LANE_PRIO;
	r.hdr.flags = COFF_F_SNAPSHOT;
	r.hdr.time = bpf_ktime_get_boot_ns();
	r.hdr.cgroup = cgroup_id(task);
	r.hdr.start = READ(task, start_boottime);
	r.hdr.pid = READ(task, tgid);
	r.hdr.tid = r.hdr.pid;
	r.hdr.ppid = READ(task, real_parent, tgid);
	r.hdr.uid = READ(cred, uid.val);
	r.hdr.gid = READ(cred, gid.val);
	r.hdr.euid = READ(cred, euid.val);
	r.hdr.egid = READ(cred, egid.val);
	r.hdr.loginuid = READ(task, loginuid.val);
	r.hdr.sessionid = READ(task, sessionid);
	r.hdr.syscall = -1;
	r.hdr.vpid = number_at(pid, READ(pid, level));
	bpf_core_read(r.hdr.comm, sizeof(r.hdr.comm), &task->comm);
	read_task(&r, task);
	if (READ(task, mm))
		read_exe(&r, READ(task, mm, exe_file));
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
