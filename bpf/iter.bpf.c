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

	if (!task || LOAD(task, pid) != LOAD(task, tgid))
		return 0;
	cred = LOAD(task, cred);
	pid = LOAD(task, thread_pid);
	r.hdr.size = sizeof(r);
	r.hdr.kind = COFF_KIND_exec;
	r.hdr.lane = COFF_LANE_PRIO;
	r.hdr.flags = COFF_F_SNAPSHOT;
	r.hdr.time = bpf_ktime_get_boot_ns();
	r.hdr.cgroup = cgroup_id(task);
	r.hdr.start = LOAD(task, start_boottime);
	r.hdr.pid = LOAD(task, tgid);
	r.hdr.tid = r.hdr.pid;
	r.hdr.ppid = LOAD(task, real_parent, tgid);
	r.hdr.uid = LOAD(cred, uid.val);
	r.hdr.gid = LOAD(cred, gid.val);
	r.hdr.euid = LOAD(cred, euid.val);
	r.hdr.egid = LOAD(cred, egid.val);
	r.hdr.loginuid = LOAD(task, loginuid.val);
	r.hdr.sessionid = LOAD(task, sessionid);
	r.hdr.syscall = -1;
	r.hdr.vpid = number_at(pid, LOAD(pid, level));
	bpf_core_read(r.hdr.comm, sizeof(r.hdr.comm), &task->comm);
	read_task(&r, task);
	if (LOAD(task, mm))
		read_exe(&r, LOAD(task, mm, exe_file));
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
