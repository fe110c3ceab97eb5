// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Files mapped as executable: libraries as they are loaded, and mappings that become executable. */
#include "filter.h"

#define PROT_EXEC 4
#define MAP_ANONYMOUS 0x20

/* One report for each (control group, file): a library is mapped by every process that runs. */
struct mapping_key {
	__u64 cgroup, ino, dev;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct mapping_key);
	__type(value, __u8);
} mappings_seen SEC(".maps");

/* Reports an executable mapping of `file` once for each control group, if a clause wants it. */
static __always_inline void report_mapping(struct coff_sys_exit *ctx, struct task_struct *task,
					   struct pt_regs *regs, struct file *file, __u32 kind)
{
	struct inode *inode = READ(file, f_inode);
	struct mapping_key key = {};
	struct coff_scratch *s;
	struct coff_file *r;
	__u32 slot, cls;
	__u64 possible;
	__u8 seen = 1;

	key.cgroup = cgroup_id(task);
	key.ino = READ(inode, i_ino);
	key.dev = (__u64)kind << 32 | READ(inode, i_sb, s_dev);
	cls = class_of_cgroup(key.cgroup, &slot);
	possible = applicable_clauses(kind, cls, 0);
	if (!possible || bpf_map_lookup_elem(&mappings_seen, &key)) {
		COUNT(slot, kind, filtered);
		return;
	}
	s = claim_scratch();
	if (!s) {
		COUNT(slot, kind, lost_scratch);
		return;
	}
	if (possible & pathless_clauses() || clauses_of_file(s, file) & possible) {
		r = begin_file(s, task, kind, COFF_LANE_FILE, ctx);
		r->hdr.ret = 0;
		r->args[0] = kind == COFF_KIND_mmap ? (__u64)ctx->ret : call_arg(regs, 0);
		r->args[1] = call_arg(regs, 1);
		r->args[2] = call_arg(regs, 2);
		fill_inode(r, file);
		put_file_path(s, &r->resolved, task, file);
		if (submit_record(s, &ring_file))
			bpf_map_update_elem(&mappings_seen, &key, &seen, BPF_ANY);
	} else {
		COUNT(slot, kind, filtered);
	}
	release_scratch(s);
}

SEC("tp")
int on_exit_map(struct coff_sys_exit *ctx)
{
	struct task_struct *task = current_task();
	struct pt_regs *regs = call_registers(task);
	struct file *file;

	/* Errors are the top 4095 addresses. */
	if (!(call_arg(regs, 2) & PROT_EXEC) || (__u64)ctx->ret > -4096ULL ||
	    call_arg(regs, 3) & MAP_ANONYMOUS)
		return 0;
	file = file_of_fd(task, (__s32)call_arg(regs, 4));
	if (file)
		report_mapping(ctx, task, regs, file, COFF_KIND_mmap);
	return 0;
}

struct found_vma {
	struct file *file;
};

static long take_vma(struct task_struct *task, struct vm_area_struct *vma, struct found_vma *found)
{
	found->file = READ(vma, vm_file);
	return 0;
}

/* Needs bpf_find_vma of 5.17: before, this program is refused alone and doctor says so. */
SEC("tp")
int on_exit_protect(struct coff_sys_exit *ctx)
{
	struct task_struct *task = current_task();
	struct pt_regs *regs = call_registers(task);
	struct found_vma found = {};

	if (ctx->ret != 0 || !(call_arg(regs, 2) & PROT_EXEC))
		return 0;
	bpf_find_vma(bpf_get_current_task_btf(), call_arg(regs, 0), take_vma, &found, 0);
	if (found.file)
		report_mapping(ctx, task, regs, found.file, COFF_KIND_mprotect);
	return 0;
}
