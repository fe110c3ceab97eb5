/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The kernel filter at work: which clauses apply to an event, and whether its path meets one. */
#ifndef COFF_FILTER_H
#define COFF_FILTER_H

#include "path.h"

/* Clause masks of resolved paths seen before. The key is folded from every dentry on the way to the
 * root, so a rename or a new mount makes another key. `check` is key ^ mask, written and read
 * without a lock: a torn entry fails the comparison. */
#define COFF_CACHED_MASKS 4096
struct coff_cached_mask cached_masks[COFF_CACHED_MASKS] = {};

/* Never null in practice; the callers forward when it is. */
static __always_inline struct coff_filter *current_filter(void)
{
	__u32 index = filter_active & 1;

	return bpf_map_lookup_elem(&filters, &index);
}

/* Clauses that hold whatever the path is. */
static __always_inline __u64 pathless_clauses(void)
{
	struct coff_filter *f = current_filter();

	return f ? f->pathless : ~0ULL;
}

static __always_inline __u32 class_of_cgroup(__u64 id, __u32 *slot)
{
	struct coff_cgroup_entry *entry = cgroup_entry(id);

	if (!entry) {
		*slot = 0;
		return COFF_CLASS_UNKNOWN;
	}
	*slot = entry->slot & (COFF_SLOTS - 1);
	return entry->cls < COFF_CLASSES ? entry->cls : COFF_CLASS_UNKNOWN;
}

/* Clauses that the kind, the class and the open bits leave possible. */
static __always_inline __u64 applicable_clauses(__u32 kind, __u32 cls, __u32 open_bits)
{
	struct coff_filter *f = current_filter();

	if (kind >= COFF_KINDS)
		return 0;
	if (!f)
		return ~0ULL;
	return f->applicable[kind][cls][open_bits & (COFF_OPEN_COMBINATIONS - 1)];
}

/* Longer paths are forwarded unseen: the verifier walks through every step of the loop below. */
#define COFF_DFA_STEPS 1024

/* Runs the automaton over `length` bytes of the walk buffer and the end of the path. */
__noinline __u64 clauses_of_text(__u32 index, __u32 from, __u32 length)
{
	struct coff_scratch *s = bpf_map_lookup_elem(&scratches, &index);
	struct coff_filter *f = current_filter();
	__u32 state, next;
	__u64 mask;

	if (!s || !f || length > COFF_DFA_STEPS)
		return ~0ULL;
	state = f->start;
	/* 0, but the verifier does not know that, and so has one state to follow, not two. */
	mask = f->accept[0];
	from &= COFF_WALK_BYTES - 1;
	for (__u32 i = 0; i < COFF_DFA_STEPS; i++) {
		__u8 byte;

		if (i >= length)
			break;
		byte = s->walk_buffer[(from + i) & (COFF_WALK_BYTES - 1)];
		next = f->next[(state & (COFF_DFA_STATES - 1)) * COFF_DFA_CLASSES +
			       (f->class_of[byte] & (COFF_DFA_CLASSES - 1))];
		state = next & (COFF_DFA_STATES - 1);
		if (next & COFF_DFA_ACCEPTS)
			mask |= f->accept[state];
	}
	next = f->next[(state & (COFF_DFA_STATES - 1)) * COFF_DFA_CLASSES + COFF_DFA_END];
	if (next & COFF_DFA_ACCEPTS)
		mask |= f->accept[next & (COFF_DFA_STATES - 1)];
	return mask;
}

#define COFF_MIX(key, word) (((key) ^ (word)) * 0x9E3779B97F4A7C15ULL)

/* A key of everything that the path of (dentry, mnt) is made of; 0 when it is too deep. */
__noinline __u64 path_key(__u64 dentry_address, __u64 mnt_address)
{
	struct task_struct *task = current_task();
	struct dentry *dentry = (struct dentry *)dentry_address;
	struct vfsmount *mnt = (struct vfsmount *)mnt_address;
	struct fs_struct *fs = LOAD(task, fs);
	struct dentry *root_dentry = LOAD(fs, root.dentry);
	struct vfsmount *root_mnt = LOAD(fs, root.mnt);
	struct coff_crossing crossing;
	struct coff_step step;
	__u64 key = filter_active;

	read_crossing(&crossing, mount_of(mnt));
	for (int i = 0; i < 48; i++) {
		if (dentry == root_dentry && mnt == root_mnt)
			return COFF_MIX(key, key >> 29) | 1;
		if (dentry == crossing.root) {
			if (mount_of(mnt) == crossing.parent)
				return COFF_MIX(key, key >> 29) | 1;
			key = COFF_MIX(key, (__u64)mnt);
			dentry = crossing.mountpoint;
			mnt = vfsmount_of(crossing.parent);
			read_crossing(&crossing, crossing.parent);
			continue;
		}
		read_step(&step, dentry);
		if (step.parent == dentry)
			return COFF_MIX(key, key >> 29) | 1;
		key = COFF_MIX(key, (__u64)dentry);
		key = COFF_MIX(key, step.hash_len);
		key ^= key >> 32;
		dentry = step.parent;
	}
	return 0;
}

/* Clauses met by the file's own path. Leaves the path in the walk buffer only when it had to. */
static __always_inline __u64 clauses_of_file(struct coff_scratch *s, struct file *file)
{
	struct coff_cached_mask *cached;
	struct path path = {};
	__u64 key, mask;

	bpf_core_read(&path, sizeof(path), &file->f_path);
	key = path_key((__u64)path.dentry, (__u64)path.mnt);
	cached = &cached_masks[(key >> 20) & (COFF_CACHED_MASKS - 1)];
	mask = cached->mask;
	if (key && (cached->check ^ mask) == key)
		return mask;
	if (walk_path(s->index, (__u64)path.dentry, (__u64)path.mnt))
		return ~0ULL; /* cut: unknown, forward */
	mask = clauses_of_text(s->index, s->walk, COFF_WALK_BYTES - s->walk);
	if (key) {
		cached->mask = mask;
		cached->check = key ^ mask;
	}
	return mask;
}

static __always_inline bool is_self(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

#pragma unroll
	for (int i = 0; i < 8; i++)
		if (self_pids[i] == pid)
			return 1;
	return 0;
}

/* For kinds without a path condition. */
static __always_inline bool wanted(__u32 kind, __u32 cls, bool failed)
{
	return applicable_clauses(kind, cls, failed ? COFF_OPEN_FAILED : 0) != 0;
}

#endif
