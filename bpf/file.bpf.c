// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Files: opens (the hot path, filtered by path), calls that take paths. */
#include "filter.h"

#define O_WRONLY 01
#define O_RDWR 02
#define O_CREAT 0100
#define O_TMPFILE 020000000
#define O_PATH 010000000
#define AT_REMOVEDIR 0x200
#define FMODE_CREATED 0x100000

static __always_inline __u32 open_bits(__u32 flags, __u32 mode, __s64 ret)
{
	__u32 bits = 0;

	if (flags & (O_WRONLY | O_RDWR))
		bits |= COFF_OPEN_WRITE;
	if (!(flags & O_WRONLY) && !(flags & O_PATH))
		bits |= COFF_OPEN_READ;
	if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {
		bits |= COFF_OPEN_CREATE;
		if (mode & 0111)
			bits |= COFF_OPEN_EXEC;
	}
	if (ret < 0)
		bits |= COFF_OPEN_FAILED;
	return bits;
}

struct open_args {
	__u64 path, flags, mode;
	__s32 dirfd;
};

static __always_inline void read_open_args(struct open_args *a, const struct coff_call_desc *d,
					   struct pt_regs *regs)
{
	__u64 second = call_arg(regs, 1);
	__u64 third = call_arg(regs, 2);

	a->dirfd = (__s32)call_arg(regs, 0);
	switch (d->call) {
	case COFF_CALL_openat:
		a->path = second;
		a->flags = third;
		a->mode = call_arg(regs, 3);
		break;
	case COFF_CALL_openat2: {
		struct coff_open_how {
			__u64 flags, mode, resolve;
		} how = {};

		a->path = second;
		bpf_probe_read_user(&how, sizeof(how), (void *)third);
		a->flags = how.flags;
		a->mode = how.mode;
		break;
	}
	case COFF_CALL_open:
		a->path = call_arg(regs, 0);
		a->flags = second;
		a->mode = third;
		break;
	case COFF_CALL_creat:
		a->path = call_arg(regs, 0);
		a->flags = O_CREAT | O_WRONLY;
		a->mode = second;
		break;
	default: /* open_by_handle_at: a handle, no path */
		a->path = 0;
		a->flags = third;
		a->mode = 0;
	}
}

static __always_inline void fill_inode(struct coff_file *r, struct file *file)
{
	struct inode *inode = READ(file, f_inode);
	unsigned long magic = READ(inode, i_sb, s_magic);

	r->ino = READ(inode, i_ino);
	r->dev = READ(inode, i_sb, s_dev);
	r->mode = READ(inode, i_mode);
	r->uid = READ(inode, i_uid.val);
	r->gid = READ(inode, i_gid.val);
	if (READ(inode, i_nlink) == 0)
		r->file_flags |= COFF_FILE_DELETED;
	if (magic == OVERLAYFS_SUPER_MAGIC) {
		r->file_flags |= COFF_FILE_OVERLAY;
		if (in_upper_layer(inode))
			r->file_flags |= COFF_FILE_UPPER;
	}
}

/* Names the directory that a relative path starts from. */
static __always_inline void put_base(struct coff_scratch *s, struct coff_str *base,
				     struct coff_file *r, struct task_struct *task, __s32 dirfd)
{
	struct file *file;

	if (dirfd == -100 /* AT_FDCWD */) {
		put_cwd(s, base, task);
		return;
	}
	r->file_flags |= COFF_FILE_BASE_IS_DIRFD;
	file = file_of_fd(task, dirfd);
	if (file)
		put_file_path(s, base, task, file);
}

static __always_inline bool is_relative(struct coff_scratch *s, const struct coff_str *str)
{
	return str->len == 0 || s->record[str->off & (COFF_RECORD_MAX - 1)] != '/';
}

static __always_inline struct coff_file *begin_file(struct coff_scratch *s,
						    struct task_struct *task, __u32 kind,
						    __u32 lane, struct coff_sys_exit *ctx)
{
	struct coff_file *r = RECORD(s, coff_file);

	__builtin_memset(r, 0, sizeof(*r));
	s->used = sizeof(*r);
	fill_header(&r->hdr, task, kind, lane, ctx->nr, ctx->ret);
	r->fd = -1;
	return r;
}

/* Whether some clause may want this open. The raw path is read into the walk buffer: the record
 * is begun only for what is forwarded. */
static __always_inline bool open_wanted(struct coff_scratch *s, struct task_struct *task,
					__u64 possible, __u64 path, __s64 ret)
{
	struct file *file;
	long size;

	/* By a handle, which is rare and names no path. */
	if (!path || possible & pathless_clauses())
		return 1;
	size = bpf_probe_read_user_str(s->walk_buffer, COFF_WALK_BYTES, (void *)path);
	/* Unreadable, cut, relative: unknown, forward. ".." and other detours are in the automaton,
	 * which accepts them for every clause. */
	if (size <= 1 || size >= COFF_WALK_BYTES || s->walk_buffer[0] != '/')
		return 1;
	if (clauses_of_text(s->index, 0, size - 1) & possible)
		return 1;
	if (ret < 0)
		return 0;
	file = file_of_fd(task, ret);
	if (!file)
		return 1;
	return (clauses_of_file(s, file) & possible) != 0;
}

static __always_inline void report_open(struct coff_scratch *s, struct task_struct *task,
					const struct open_args *a, struct coff_sys_exit *ctx)
{
	struct coff_file *r = begin_file(s, task, COFF_KIND_open, COFF_LANE_FILE, ctx);
	struct file *file;

	r->args[0] = (__u64)(__s64)a->dirfd;
	r->args[2] = a->flags;
	r->args[3] = a->mode;
	r->open_flags = (__u32)a->flags;
	if (a->path) {
		put_string(s, &r->raw, (void *)a->path, 1);
		if (is_relative(s, &r->raw))
			put_base(s, &r->base, r, task, a->dirfd);
	}
	if (ctx->ret >= 0) {
		r->fd = (__s32)ctx->ret;
		file = file_of_fd(task, r->fd);
		if (file) {
			fill_inode(r, file);
			if (READ(file, f_mode) & FMODE_CREATED)
				r->file_flags |= COFF_FILE_CREATED;
			put_file_path(s, &r->resolved, task, file);
		}
	}
	submit_record(s, &ring_file);
}

SEC("tp")
int on_exit_open(struct coff_sys_exit *ctx)
{
	struct task_struct *task = current_task();
	const struct coff_call_desc *d = describe(ctx->nr);
	__u32 slot, cls = class_of_cgroup(cgroup_id(task), &slot);
	struct open_args a;
	struct coff_scratch *s;
	__u64 possible;

	read_open_args(&a, d, call_registers(task));
	if (d->call == COFF_CALL_open || d->call == COFF_CALL_creat)
		a.dirfd = -100;
	possible = applicable_clauses(COFF_KIND_open, cls,
				      open_bits((__u32)a.flags, (__u32)a.mode, ctx->ret));
	if (!possible) {
		COUNT(slot, COFF_KIND_open, filtered);
		return 0;
	}
	s = claim_scratch();
	if (!s) {
		COUNT(slot, COFF_KIND_open, lost_scratch);
		return 0;
	}
	if (open_wanted(s, task, possible, a.path, ctx->ret) && !is_self())
		report_open(s, task, &a, ctx);
	else
		COUNT(slot, COFF_KIND_open, filtered);
	release_scratch(s);
	return 0;
}

static __always_inline void put_first_path(struct coff_scratch *s, struct coff_file *r,
					   struct task_struct *task, const struct coff_call_desc *d)
{
	if (d->path1 < 0)
		return;
	put_string(s, &r->raw, (void *)r->args[d->path1 & 3], 1);
	if (!(d->flags & COFF_D_TEXT1) && is_relative(s, &r->raw))
		put_base(s, &r->base, r, task,
			 d->dirfd1 < 0 ? -100 : (__s32)r->args[d->dirfd1 & 3]);
}

/* mount: the second text is the source, and its type stands in base2. */
static __always_inline void put_second_path(struct coff_scratch *s, struct coff_file *r,
					    struct task_struct *task,
					    const struct coff_call_desc *d)
{
	if (d->path2 < 0)
		return;
	put_string(s, &r->raw2, (void *)r->args[d->path2 & 3], 1);
	if (d->kind == COFF_KIND_mount) {
		if (r->args[2])
			put_string(s, &r->base2, (void *)r->args[2], 1);
		return;
	}
	if (d->kind == COFF_KIND_setxattr)
		return;
	if (is_relative(s, &r->raw2))
		put_base(s, &r->base2, r, task,
			 d->dirfd2 < 0 ? -100 : (__s32)r->args[d->dirfd2 & 3]);
}

static __always_inline void put_resolved(struct coff_scratch *s, struct coff_file *r,
					 struct task_struct *task, const struct coff_call_desc *d,
					 __s64 ret)
{
	struct file *file = 0;

	if (ret >= 0 && d->flags & COFF_D_RETFD)
		r->fd = (__s32)ret;
	else if (d->fd >= 0)
		r->fd = (__s32)r->args[d->fd & 7];
	if (ret >= 0 && d->flags & COFF_D_PWD) {
		put_cwd(s, &r->resolved, task);
		return;
	}
	if (ret >= 0 && d->flags & COFF_D_ROOT) {
		/* As seen from the new root this would be "/": name the directory's own chain. */
		put_cwd(s, &r->resolved, task);
		return;
	}
	if (r->fd >= 0)
		file = file_of_fd(task, r->fd);
	if (file) {
		fill_inode(r, file);
		put_file_path(s, &r->resolved, task, file);
	}
}

/* Pointers say nothing outside the process: only numbers are reported. */
static __always_inline void clear_pointers(struct coff_file *r, const struct coff_call_desc *d)
{
#pragma unroll
	for (int i = 0; i < 6; i++)
		if (i == d->path1 || i == d->path2 || r->args[i] > 0xFFFFFFFFULL)
			r->args[i] = 0;
}

/* Whether the path argument `path` may meet a clause: relative ones and texts always may. */
static __always_inline bool path_wanted(struct coff_scratch *s, __u64 possible, __u64 path)
{
	long size = bpf_probe_read_user_str(s->walk_buffer, COFF_WALK_BYTES, (void *)path);

	if (size <= 1 || size >= COFF_WALK_BYTES || s->walk_buffer[0] != '/')
		return 1;
	return (clauses_of_text(s->index, 0, size - 1) & possible) != 0;
}

static __always_inline bool file_wanted(struct coff_scratch *s, struct task_struct *task,
					const struct coff_call_desc *d, struct pt_regs *regs,
					__u64 possible)
{
	if (possible & pathless_clauses())
		return 1;
	if (d->path1 >= 0 && path_wanted(s, possible, call_arg(regs, d->path1 & 3)))
		return 1;
	if (d->path2 >= 0 && d->kind != COFF_KIND_setxattr &&
	    path_wanted(s, possible, call_arg(regs, d->path2 & 3)))
		return 1;
	if (d->fd >= 0) {
		struct file *file = file_of_fd(task, (__s32)call_arg(regs, 0));

		return !file || (clauses_of_file(s, file) & possible);
	}
	return 0;
}

SEC("tp")
int on_exit_file(struct coff_sys_exit *ctx)
{
	struct task_struct *task = current_task();
	const struct coff_call_desc *d = describe(ctx->nr);
	struct pt_regs *regs = call_registers(task);
	__u32 slot, cls = class_of_cgroup(cgroup_id(task), &slot);
	__u32 kind = d->kind & 127, lane = COFF_LANE_PRIO;
	struct coff_scratch *s;
	struct coff_file *r;
	__u64 possible = ~0ULL;

	if (kind == COFF_KIND_unlink && d->dirfd1 >= 0 && call_arg(regs, 2) & AT_REMOVEDIR)
		kind = COFF_KIND_rmdir;
	if (kind >= COFF_KIND_open) {
		lane = COFF_LANE_FILE;
		possible = applicable_clauses(kind, cls, ctx->ret < 0 ? COFF_OPEN_FAILED : 0);
		/* chdir changes the state of the process: never filtered when it succeeds. */
		if (kind == COFF_KIND_chdir && ctx->ret >= 0)
			possible = ~0ULL;
		if (!possible || is_self()) {
			COUNT(slot, kind, filtered);
			return 0;
		}
	}
	s = claim_scratch();
	if (!s) {
		COUNT(slot, kind, lost_scratch);
		return 0;
	}
	if (lane == COFF_LANE_FILE && !file_wanted(s, task, d, regs, possible)) {
		COUNT(slot, kind, filtered);
		release_scratch(s);
		return 0;
	}
	r = begin_file(s, task, kind, lane, ctx);
	call_args(regs, r->args);
	put_first_path(s, r, task, d);
	put_second_path(s, r, task, d);
	put_resolved(s, r, task, d, ctx->ret);
	clear_pointers(r, d);
	if (lane == COFF_LANE_FILE)
		submit_record(s, &ring_file);
	else
		submit_record(s, &ring_prio);
	release_scratch(s);
	return 0;
}
