/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What every kernel program shares: maps, scratch records, accounting, the record header. */
#ifndef COFF_COMMON_H
#define COFF_COMMON_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "calls.h"
#include "wire.h"

/* Keeps the compiler from reasoning about a value, so that the check that follows it stays where
 * the verifier can see it. */
#define KEEP_BOUND(variable) asm volatile("" : "+r"(variable))

#define READ(pointer, ...) BPF_CORE_READ(pointer, __VA_ARGS__)

/* Kernels since 5.15 hand the programs typed pointers to the task and its registers, and what hangs
 * on those is loaded by plain instructions: a tenth of a probe read's cost. Before, and for
 * pointers that lost their type (out of an array of pointers, through a global function), it is
 * READ. */
#define HAS_TYPED_TASK bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)
#define LOAD_1(pointer, a)                                                                         \
	({                                                                                         \
		typeof(pointer) coff_from = (pointer);                                             \
		typeof(((void)0, coff_from->a)) coff_loaded;                                       \
                                                                                                   \
		if (HAS_TYPED_TASK)                                                                \
			coff_loaded = coff_from->a;                                                \
		else                                                                               \
			bpf_core_read(&coff_loaded, sizeof(coff_loaded), &coff_from->a);           \
		coff_loaded;                                                                       \
	})
#define LOAD_2(pointer, a, b) LOAD_1(LOAD_1(pointer, a), b)
#define LOAD_3(pointer, a, b, c) LOAD_1(LOAD_2(pointer, a, b), c)
#define LOAD_4(pointer, a, b, c, d) LOAD_1(LOAD_3(pointer, a, b, c), d)
#define LOAD_NTH(pointer, a, b, c, d, macro, ...) macro
/* LOAD(pointer, member, ...): as READ, from a typed pointer. */
#define LOAD(...) LOAD_NTH(__VA_ARGS__, LOAD_4, LOAD_3, LOAD_2, LOAD_1)(__VA_ARGS__)

static __always_inline struct task_struct *current_task(void)
{
	if (HAS_TYPED_TASK)
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

/* Set by the agent before loading; the verifier removes what they rule out. */
const volatile __s32 coff_cgroup_subsys = -1; /* index into css_set.subsys, -1: default hierarchy */
const volatile __u32 coff_thread_size = 16384;
const volatile __u32 coff_page_shift = 12;
const volatile __u32 coff_argv_max = COFF_ARGV_MAX;
const volatile __u32 coff_env_max = COFF_ENV_MAX;
const volatile struct coff_call_desc calls[COFF_CALL_NUMBERS] = {};

/* Written by the agent at run time. */
struct coff_cgroup_entry cgroups[COFF_CGROUP_ENTRIES] = {};
__u32 filter_active = 0;	   /* generation of the filter; its low bit picks the one in use */
__u32 self_pids[8] = {};	   /* our own processes: their use of files is not reported */
__u32 ring_wakeup_bytes = 1 << 20; /* wake the reader early once a ring holds this much */

/* The two generations of the filter. A map of their own: one value of kernels before 5.11 may not
 * exceed 4 MiB, which both together do. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct coff_filter);
} filters SEC(".maps");

struct coff_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* set by the agent */
};
struct coff_ring ring_prio SEC(".maps"), ring_file SEC(".maps"), ring_net SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY); /* mapped by the agent: reading it costs no call */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, COFF_SLOTS *COFF_KINDS); /* times CPUs, set by the agent */
	__type(key, __u32);
	__type(value, struct coff_count);
} counts SEC(".maps");

/* A record under construction. Tracing programs can be preempted on some kernels, and then two of
 * them share a CPU's scratch: so each use claims a slot, and a program that finds none counts the
 * loss. The slack behind `record` lets the verifier accept a bounded copy at any masked offset. */
#define COFF_WALK_BYTES COFF_PATH_MAX
struct coff_scratch {
	__u64 claims;
	__u32 used;  /* bytes of record */
	__u32 walk;  /* start of the path in walk_buffer, which ends at COFF_WALK_BYTES */
	__u32 index; /* of this slot: global functions take it, they are verified once and alone */
	__u32 reserved;
	char walk_buffer[COFF_WALK_BYTES + 256];
	char record[COFF_RECORD_MAX + COFF_ARGV_MAX];
};
#define COFF_SCRATCH_PER_CPU 2
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COFF_SCRATCH_PER_CPU); /* times CPUs, set by the agent */
	__type(key, __u32);
	__type(value, struct coff_scratch);
} scratches SEC(".maps");

static __always_inline struct coff_scratch *claim_scratch(void)
{
	__u32 first = bpf_get_smp_processor_id() * COFF_SCRATCH_PER_CPU;

#pragma unroll
	for (int i = 0; i < COFF_SCRATCH_PER_CPU; i++) {
		__u32 index = first + i;
		struct coff_scratch *s = bpf_map_lookup_elem(&scratches, &index);

		if (!s)
			return 0;
		/* Add, then look: of two that interleave at least one sees the other, without
		 * the fetching atomics that kernels before 5.12 lack. */
		__sync_fetch_and_add(&s->claims, 1);
		if (*(volatile __u64 *)&s->claims == 1) {
			s->index = index;
			return s;
		}
		__sync_fetch_and_add(&s->claims, -1);
	}
	return 0;
}

static __always_inline void release_scratch(struct coff_scratch *s)
{
	__sync_fetch_and_add(&s->claims, -1);
}

static __always_inline struct coff_count *count_of(__u32 slot, __u32 kind)
{
	__u32 index = (bpf_get_smp_processor_id() * COFF_SLOTS + slot) * COFF_KINDS + kind;

	return bpf_map_lookup_elem(&counts, &index);
}

#define COUNT(slot, kind, member)                                                                  \
	do {                                                                                       \
		struct coff_count *coff_c = count_of(slot, kind);                                  \
		if (coff_c)                                                                        \
			__sync_fetch_and_add(&coff_c->member, 1);                                  \
	} while (0)

static __always_inline __u64 cgroup_id(struct task_struct *task)
{
	if (coff_cgroup_subsys >= 0) {
		struct css_set *set = LOAD(task, cgroups);
		struct cgroup_subsys_state *state = 0;
		__u32 index = (__u32)coff_cgroup_subsys & 15;

		bpf_core_read(&state, sizeof(state), &set->subsys[index]);
		return READ(state, cgroup, kn, id);
	}
	return LOAD(task, cgroups, dfl_cgrp, kn, id);
}

/* The slot and class that the agent gave to a control group; slot 0, unknown class otherwise. */
static __always_inline struct coff_cgroup_entry *cgroup_entry(__u64 id)
{
	__u32 hash = (__u32)((id * 0x9E3779B97F4A7C15ULL) >> 40);

#pragma unroll
	for (__u32 i = 0; i < COFF_CGROUP_PROBES; i++) {
		struct coff_cgroup_entry *entry = &cgroups[(hash + i) & (COFF_CGROUP_ENTRIES - 1)];

		if (entry->id == id)
			return entry;
		if (entry->id == 0)
			return 0;
	}
	return 0;
}

static __always_inline void fill_header(struct coff_hdr *h, struct task_struct *task, __u32 kind,
					__u32 lane, __s32 nr, __s64 ret)
{
	__u64 ids = bpf_get_current_pid_tgid();
	struct task_struct *leader = LOAD(task, group_leader);
	const struct cred *cred = LOAD(task, cred);
	struct pid *pid = LOAD(leader, thread_pid);
	__u32 level = LOAD(pid, level);
	struct coff_cgroup_entry *entry;
	struct upid upid = {};

	h->kind = kind;
	h->lane = lane;
	h->flags = 0;
	h->time = bpf_ktime_get_boot_ns();
	h->cgroup = cgroup_id(task);
	entry = cgroup_entry(h->cgroup);
	h->slot = entry ? entry->slot & (COFF_SLOTS - 1) : 0;
	h->start = LOAD(leader, start_boottime);
	h->ret = ret;
	h->pid = ids >> 32;
	h->tid = (__u32)ids;
	h->ppid = LOAD(task, real_parent, tgid);
	h->uid = LOAD(cred, uid.val);
	h->gid = LOAD(cred, gid.val);
	h->euid = LOAD(cred, euid.val);
	h->egid = LOAD(cred, egid.val);
	h->loginuid = LOAD(task, loginuid.val);
	h->sessionid = LOAD(task, sessionid);
	h->syscall = nr;
	bpf_get_current_comm(h->comm, sizeof(h->comm));
	bpf_core_read(&upid, sizeof(upid), &pid->numbers[level & 31]);
	h->vpid = upid.nr;
}

/* Wakes the reader only when much is waiting; it looks by itself every few milliseconds. */
static __always_inline __u64 wakeup_flags(void *ring)
{
	__u64 waiting = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);

	return waiting >= ring_wakeup_bytes ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* Hands the record over and counts it as sent or lost; whether it was sent. */
static __always_inline bool submit_record(struct coff_scratch *s, void *ring)
{
	struct coff_hdr *h = (struct coff_hdr *)s->record;
	__u64 size = s->used;

	KEEP_BOUND(size);
	if (size > COFF_RECORD_MAX)
		size = COFF_RECORD_MAX;
	h->size = (__u32)size;
	if (bpf_ringbuf_output(ring, s->record, size, wakeup_flags(ring)) == 0) {
		COUNT(h->slot & (COFF_SLOTS - 1), h->kind & 127, sent);
		return 1;
	}
	COUNT(h->slot & (COFF_SLOTS - 1), h->kind & 127, lost_ring);
	return 0;
}

#define RECORD(scratch, type) ((struct type *)(scratch)->record)

/* Appends `size` bytes read by `reader` (a probe-read helper) and names them in *str. */
static __always_inline void put_bytes(struct coff_scratch *s, struct coff_str *str,
				      const void *from, __u32 size, __u32 limit, bool user)
{
	__u32 at = s->used & (COFF_RECORD_MAX - 1);
	long failed;

	if (size > limit) {
		size = limit;
		RECORD(s, coff_hdr)->flags |= COFF_F_TRUNCATED;
	}
	if (at + size > COFF_RECORD_MAX || size > COFF_ARGV_MAX) {
		RECORD(s, coff_hdr)->flags |= COFF_F_TRUNCATED;
		return;
	}
	failed = user ? bpf_probe_read_user(s->record + at, size, from)
		      : bpf_probe_read_kernel(s->record + at, size, from);
	if (failed) {
		RECORD(s, coff_hdr)->flags |= COFF_F_UNREAD;
		return;
	}
	str->off = at;
	str->len = size;
	s->used = at + size;
}

/* Appends a NUL-terminated string of at most COFF_PATH_MAX - 1 bytes, without the NUL. */
static __always_inline void put_string(struct coff_scratch *s, struct coff_str *str,
				       const void *from, bool user)
{
	__u32 at = s->used & (COFF_RECORD_MAX - 1);
	long size;

	if (at > COFF_RECORD_MAX - COFF_PATH_MAX) {
		RECORD(s, coff_hdr)->flags |= COFF_F_TRUNCATED;
		return;
	}
	size = user ? bpf_probe_read_user_str(s->record + at, COFF_PATH_MAX, from)
		    : bpf_probe_read_kernel_str(s->record + at, COFF_PATH_MAX, from);
	if (size <= 0) {
		RECORD(s, coff_hdr)->flags |= COFF_F_UNREAD;
		return;
	}
	if (size == COFF_PATH_MAX)
		RECORD(s, coff_hdr)->flags |= COFF_F_TRUNCATED;
	str->off = at;
	str->len = (__u16)(size - 1);
	s->used = at + (__u32)(size - 1);
}

/* Registers as they were when the task entered its system call. */
static __always_inline struct pt_regs *call_registers(struct task_struct *task)
{
	if (HAS_TYPED_TASK)
		return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	/* Before 5.15: they lie at the top of the kernel stack. */
	return (struct pt_regs *)((char *)READ(task, stack) + coff_thread_size -
				  bpf_core_type_size(struct pt_regs));
}

static __always_inline __u64 call_arg(struct pt_regs *regs, int index)
{
#if defined(__TARGET_ARCH_x86)
	switch (index) {
	case 0:
		return LOAD(regs, di);
	case 1:
		return LOAD(regs, si);
	case 2:
		return LOAD(regs, dx);
	case 3:
		return LOAD(regs, r10);
	case 4:
		return LOAD(regs, r8);
	case 5:
		return LOAD(regs, r9);
	}
#else
	switch (index) {
	case 0:
		return LOAD(regs, orig_x0);
	case 1:
		return LOAD(regs, user_regs.regs[1]);
	case 2:
		return LOAD(regs, user_regs.regs[2]);
	case 3:
		return LOAD(regs, user_regs.regs[3]);
	case 4:
		return LOAD(regs, user_regs.regs[4]);
	case 5:
		return LOAD(regs, user_regs.regs[5]);
	}
#endif
	return 0;
}

static __always_inline void call_args(struct pt_regs *regs, __u64 args[6])
{
	args[0] = call_arg(regs, 0);
	args[1] = call_arg(regs, 1);
	args[2] = call_arg(regs, 2);
	args[3] = call_arg(regs, 3);
	args[4] = call_arg(regs, 4);
	args[5] = call_arg(regs, 5);
}

static __always_inline const struct coff_call_desc *describe(__s32 nr)
{
	return (const struct coff_call_desc *)&calls[(__u32)nr & (COFF_CALL_NUMBERS - 1)];
}

static __always_inline struct file *file_of_fd(struct task_struct *task, __s32 fd)
{
	struct fdtable *table = LOAD(task, files, fdt);
	struct file **array = LOAD(table, fd);
	struct file *file = 0;

	if (fd < 0 || (__u32)fd >= LOAD(table, max_fds))
		return 0;
	bpf_core_read(&file, sizeof(file), array + fd);
	return file;
}

#endif
