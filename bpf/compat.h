/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The 32-bit entry for system calls of x86 (int 0x80), used by 64-bit processes. No per-call
 * tracepoint fires for it, so that a process's first use is an event. The entry itself is watched
 * where the kernel lets a program look at its function (compat.bpf.c); where it doesn't, and at no
 * cost for 64-bit calls, those hooks look that fire whatever way the process came in.
 */
#ifndef COFF_COMPAT_H
#define COFF_COMPAT_H

#include "call.h"

#if defined(__TARGET_ARCH_x86)

#define TS_COMPAT 0x0002  /* thread_info.status: inside a 32-bit call */
#define USER_CODE_64 0x33 /* code segment of 64-bit user code */

/* A process that replaces its program begins anew. */
struct compat_key {
	__u64 start;
	__u64 exec;
	__u64 pid;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct compat_key);
	__type(value, __u8);
} compat_seen SEC(".maps");

/* A process that ends has no memory left; then what counts is the code that made the call, and a
 * 64-bit program that switched to 32-bit code first is taken for a 32-bit one. */
static __always_inline bool is_wide_program(struct task_struct *task, struct pt_regs *regs)
{
	struct mm_struct *mm = LOAD(task, mm);

	if (mm)
		return READ(mm, task_size) > 1ULL << 32;
	return (LOAD(regs, cs) & 0xFFFF) == USER_CODE_64;
}

/* Tells the first 32-bit call of a 64-bit program. The exec of a 32-bit program has told already.
 * Later calls count as nothing: no filter held them back. */
__noinline int tell_compat_call(void)
{
	struct task_struct *task = current_task();
	struct pt_regs *regs = call_registers(task);
	struct compat_key key = {};
	struct coff_scratch *s;
	struct coff_call *r;
	__u8 seen = 1;
	__u32 slot;

	if (!is_wide_program(task, regs))
		return 0;
	key.start = LOAD(task, group_leader, start_boottime);
	key.exec = LOAD(task, self_exec_id);
	key.pid = LOAD(task, tgid);
	if (bpf_map_lookup_elem(&compat_seen, &key))
		return 0;
	s = claim_scratch();
	if (!s) {
		class_of_cgroup(cgroup_id(task), &slot);
		COUNT(slot, COFF_KIND_compat_call, lost_scratch);
		return 0;
	}
	r = begin_call(s, task, COFF_KIND_compat_call, -1, 0);
	r->hdr.flags |= COFF_F_COMPAT32;
	r->args[0] = (__u32)LOAD(regs, orig_ax);
	/* One that got lost is told at the next use. */
	if (submit_record(s, &ring_prio))
		bpf_map_update_elem(&compat_seen, &key, &seen, BPF_ANY);
	release_scratch(s);
	return 0;
}

static __always_inline void look_for_compat_call(void)
{
	struct task_struct *task = current_task();

	if (bpf_core_field_exists(task->thread_info.status) &&
	    LOAD(task, thread_info.status) & TS_COMPAT)
		tell_compat_call();
}

#else

static __always_inline void look_for_compat_call(void) {}

#endif
#endif
