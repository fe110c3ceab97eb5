// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Calls that are told by their numbers: credentials, namespaces, tracing, BPF, io_uring. */
#include "compat.h"

/* A debugger's own traffic: thousands a second, and nothing that the attach did not tell. */
static __always_inline bool is_ptrace_noise(__u64 request)
{
	switch (request) {
	case 0:	     /* TRACEME */
	case 4:	     /* POKETEXT */
	case 5:	     /* POKEDATA */
	case 6:	     /* POKEUSER */
	case 8:	     /* KILL */
	case 13:     /* SETREGS */
	case 15:     /* SETFPREGS */
	case 16:     /* ATTACH */
	case 0x4205: /* SETREGSET */
	case 0x4206: /* SEIZE */
		return 0;
	}
	return 1;
}

/* Reads and writes of map elements. */
static __always_inline bool is_bpf_noise(__u64 command)
{
	return (command >= 1 && command <= 4) || command == 10 || command == 21 ||
	       (command >= 24 && command <= 27) || command == 15;
}

SEC("tp")
int on_exit_call(struct coff_sys_exit *ctx)
{
	struct task_struct *task = current_task();
	const struct coff_call_desc *d = describe(ctx->nr);
	struct pt_regs *regs = call_registers(task);
	__u64 first = call_arg(regs, 0);
	__u32 kind = d->kind & 127, slot;
	struct coff_scratch *s;
	struct coff_call *r;

	class_of_cgroup(cgroup_id(task), &slot);
	if ((kind == COFF_KIND_ptrace && is_ptrace_noise(first)) ||
	    (kind == COFF_KIND_bpf && (is_bpf_noise(first) || is_self())) ||
	    (ctx->ret < 0 && d->flags & COFF_D_SUCCESS)) {
		COUNT(slot, kind, filtered);
		return 0;
	}
	s = claim_scratch();
	if (!s) {
		COUNT(slot, kind, lost_scratch);
		return 0;
	}
	r = begin_call(s, task, kind, ctx->nr, ctx->ret);
	call_args(regs, r->args);
	if (kind == COFF_KIND_unshare)
		r->ns_type = (__u32)first;
	if (kind == COFF_KIND_setns) {
		struct file *file = file_of_fd(task, (__s32)first);

		r->ns_type = (__u32)r->args[1];
		if (file)
			r->args[2] = READ(file, f_inode, i_ino);
	}
	if (kind == COFF_KIND_bpf && first == 5 /* PROG_LOAD: prog_name lies at 48 */)
		put_string(s, &r->text, (void *)(r->args[1] + 48), 1);
#pragma unroll
	for (int i = 0; i < 6; i++)
		if (r->args[i] > 0xFFFFFFFFULL && r->args[i] < -4096ULL)
			r->args[i] = 0; /* a pointer */
	submit_record(s, &ring_prio);
	release_scratch(s);
	return 0;
}

/* Signals that a process sends to another one; the kernel's own are not reported. */
SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal, int sig, struct kernel_siginfo *info, struct task_struct *target)
{
	struct task_struct *task;
	__u64 target_cgroup;
	struct coff_scratch *s;
	struct coff_call *r;
	__u32 slot, cls;
	int code;

	look_for_compat_call();
	if ((unsigned long)info == 0) { /* SEND_SIG_NOINFO: kill() from a process */
		code = 0;
	} else if ((unsigned long)info == 1) {
		return 0; /* SEND_SIG_PRIV: the kernel */
	} else {
		/* Not LOAD: to newer verifiers the argument is a pointer that is never 0 or 1. */
		code = READ(info, si_code);
	}
	if (code > 0 || sig == 0)
		return 0; /* positive codes come from the kernel */
	task = current_task();
	if (LOAD(task, tgid) == LOAD(target, tgid))
		return 0;
	target_cgroup = cgroup_id(target);
	cls = class_of_cgroup(cgroup_id(task), &slot);
	if (target_cgroup == cgroup_id(task) && !wanted(COFF_KIND_kill, cls, 0)) {
		COUNT(slot, COFF_KIND_kill, filtered);
		return 0;
	}
	s = claim_scratch();
	if (!s) {
		COUNT(slot, COFF_KIND_kill, lost_scratch);
		return 0;
	}
	r = begin_call(s, task, COFF_KIND_kill, -1, 0);
	r->args[0] = LOAD(target, tgid);
	r->args[1] = sig;
	r->target_pid = LOAD(target, tgid);
	r->target_start = LOAD(target, group_leader, start_boottime);
	r->target_cgroup = target_cgroup;
	submit_record(s, &ring_prio);
	release_scratch(s);
	return 0;
}

struct oom_context {
	__u64 common;
	__s32 pid;
};

SEC("tp/oom/mark_victim")
int on_oom(struct oom_context *ctx)
{
	struct task_struct *task = current_task();
	struct coff_scratch *s = claim_scratch();
	struct coff_call *r;

	if (!s) {
		COUNT(0, COFF_KIND_oom_kill, lost_scratch);
		return 0;
	}
	r = begin_call(s, task, COFF_KIND_oom_kill, -1, 0);
	r->args[0] = ctx->pid;
	r->target_pid = ctx->pid;
	submit_record(s, &ring_prio);
	release_scratch(s);
	return 0;
}

/* io_uring does file and network work that no system call hook sees: each first use of an
 * operation by a process is reported. */
struct uring_key {
	__u64 start;
	__u32 pid, opcode;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct uring_key);
	__type(value, __u8);
} uring_seen SEC(".maps");

static __always_inline int uring_use(struct io_kiocb *request)
{
	struct task_struct *task = current_task();
	struct uring_key key = {};
	struct coff_scratch *s;
	struct coff_call *r;
	__u8 seen = 1;
	__u32 slot;

	key.start = LOAD(task, group_leader, start_boottime);
	key.pid = LOAD(task, tgid);
	key.opcode = READ(request, opcode);
	class_of_cgroup(cgroup_id(task), &slot);
	if (bpf_map_lookup_elem(&uring_seen, &key)) {
		COUNT(slot, COFF_KIND_io_uring, filtered);
		return 0;
	}
	s = claim_scratch();
	if (!s) {
		COUNT(slot, COFF_KIND_io_uring, lost_scratch);
		return 0;
	}
	r = begin_call(s, task, COFF_KIND_io_uring, -1, 0);
	r->hdr.flags |= COFF_F_IO_URING;
	r->args[0] = key.opcode;
	/* One that got lost is told at the next use. */
	if (submit_record(s, &ring_prio))
		bpf_map_update_elem(&uring_seen, &key, &seen, BPF_ANY);
	release_scratch(s);
	return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_uring_submit, struct io_kiocb *request) { return uring_use(request); }
