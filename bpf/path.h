/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Paths in the kernel: from a dentry up to the task's root, mounts crossed, as d_path(9) does. */
#ifndef COFF_PATH_H
#define COFF_PATH_H

#include "common.h"

#define COFF_WALK_MAX 160 /* components and mount crossings; deeper paths are cut at the front */

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (struct mount *)((char *)mnt - bpf_core_field_offset(struct mount, mnt));
}

/* A dentry's way up and its name, which lie side by side: one read. */
struct coff_step {
	struct dentry *parent;
	__u64 hash_len;
	const unsigned char *name;
};

static __always_inline void read_step(struct coff_step *step, struct dentry *dentry)
{
	if (bpf_core_field_offset(dentry->d_name) - bpf_core_field_offset(dentry->d_parent) == 8) {
		bpf_core_read(step, sizeof(*step), &dentry->d_parent);
		return;
	}
	step->parent = READ(dentry, d_parent);
	bpf_core_read(&step->hash_len, 16, &dentry->d_name);
}

/* A mount's parent, where it lies there, and its own root: as above. */
struct coff_crossing {
	struct mount *parent;
	struct dentry *mountpoint;
	struct dentry *root;
};

static __always_inline void read_crossing(struct coff_crossing *crossing, struct mount *mount)
{
	if (bpf_core_field_offset(mount->mnt) - bpf_core_field_offset(mount->mnt_parent) == 16) {
		bpf_core_read(crossing, sizeof(*crossing), &mount->mnt_parent);
		return;
	}
	crossing->parent = READ(mount, mnt_parent);
	crossing->mountpoint = READ(mount, mnt_mountpoint);
	crossing->root = READ(mount, mnt.mnt_root);
}

static __always_inline struct vfsmount *vfsmount_of(struct mount *mount)
{
	return (struct vfsmount *)((char *)mount + bpf_core_field_offset(struct mount, mnt));
}

/* Writes the name of a step before position `at` of the walk buffer; the new position, or -1. */
static __always_inline long prepend_name(struct coff_scratch *s, const struct coff_step *step,
					 __u32 at)
{
	__u32 length = step->hash_len >> 32; /* on both architectures the hash comes first */
	const unsigned char *name = step->name;

	if (length > 255 || length + 1 > at)
		return -1;
	at = (at - length) & (COFF_WALK_BYTES - 1);
	bpf_probe_read_kernel(s->walk_buffer + at, length & 255, name);
	at = (at - 1) & (COFF_WALK_BYTES - 1);
	s->walk_buffer[at] = '/';
	return at;
}

/* Leaves the path of (dentry, mnt) as seen from the task's root in walk_buffer of the scratch slot
 * `index`, from `walk` to COFF_WALK_BYTES. Returns 1 when its front was cut. A global function: its
 * loop is verified once, not at every place that calls it. Before 5.12 such a function takes
 * numbers only. */
__noinline int walk_path(__u32 index, __u64 dentry_address, __u64 mnt_address)
{
	struct task_struct *task = current_task();
	struct coff_scratch *s = bpf_map_lookup_elem(&scratches, &index);
	struct dentry *dentry = (struct dentry *)dentry_address;
	struct vfsmount *mnt = (struct vfsmount *)mnt_address;
	struct fs_struct *fs = LOAD(task, fs);
	struct dentry *root_dentry = LOAD(fs, root.dentry);
	struct vfsmount *root_mnt = LOAD(fs, root.mnt);
	struct coff_crossing crossing;
	struct coff_step step;
	__u32 at = COFF_WALK_BYTES;
	int cut = 1;

	if (!s)
		return 1;
	read_crossing(&crossing, mount_of(mnt));
	for (int i = 0; i < COFF_WALK_MAX; i++) {
		long next;

		if (dentry == root_dentry && mnt == root_mnt) {
			cut = 0;
			break;
		}
		read_step(&step, dentry);
		if (dentry == step.parent || dentry == crossing.root) {
			if (mount_of(mnt) == crossing.parent) {
				/* The end of a tree that the task's root is not in: a pseudo
				 * file (memfd, pipe) names itself here. */
				char first = 0;

				bpf_probe_read_kernel(&first, 1, step.name);
				if (first != '/' && at == COFF_WALK_BYTES) {
					next = prepend_name(s, &step, at);
					if (next >= 0)
						at = next;
				}
				cut = 0;
				break;
			}
			dentry = crossing.mountpoint;
			mnt = vfsmount_of(crossing.parent);
			read_crossing(&crossing, crossing.parent);
			continue;
		}
		next = prepend_name(s, &step, at);
		if (next < 0)
			break;
		at = next;
		dentry = step.parent;
	}
	if (at == COFF_WALK_BYTES) {
		at = COFF_WALK_BYTES - 1;
		s->walk_buffer[at] = '/';
	}
	s->walk = at;
	return cut;
}

/* Appends the path of (dentry, mnt) to the record. */
static __always_inline void put_path(struct coff_scratch *s, struct coff_str *str,
				     struct task_struct *task, struct dentry *dentry,
				     struct vfsmount *mnt)
{
	__u32 at, size;

	if (!dentry || !mnt)
		return;
	if (walk_path(s->index, (__u64)dentry, (__u64)mnt))
		RECORD(s, coff_hdr)->flags |= COFF_F_TRUNCATED;
	at = s->walk & (COFF_WALK_BYTES - 1);
	size = COFF_WALK_BYTES - at;
	put_bytes(s, str, s->walk_buffer + at, size, COFF_PATH_MAX, 0);
}

static __always_inline void put_file_path(struct coff_scratch *s, struct coff_str *str,
					  struct task_struct *task, struct file *file)
{
	struct path path = {};

	bpf_core_read(&path, sizeof(path), &file->f_path);
	put_path(s, str, task, path.dentry, path.mnt);
}

static __always_inline void put_cwd(struct coff_scratch *s, struct coff_str *str,
				    struct task_struct *task)
{
	struct fs_struct *fs = LOAD(task, fs);
	struct path path = {};

	/* By a probe read: a global function takes no typed pointers. */
	bpf_core_read(&path, sizeof(path), &fs->pwd);
	put_path(s, str, task, path.dentry, path.mnt);
}

#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define TMPFS_MAGIC 0x01021994

/* The overlay keeps the dentry of the upper layer right behind its inode: struct ovl_inode holds
 * the vfs inode and then __upperdentry, in every version since 4.13. Null: file of a lower layer.
 */
static __always_inline bool in_upper_layer(struct inode *inode)
{
	void *upper = 0;

	bpf_probe_read_kernel(&upper, sizeof(upper),
			      (char *)inode + bpf_core_type_size(struct inode));
	return upper != 0;
}

#define COFF_SECOND 1000000000ULL /* ns */

static __always_inline void inode_times(struct inode *inode, __u64 *mtime_ns, __u64 *ctime_ns)
{
	struct inode___old *old = (void *)inode;
	struct inode___6_6 *middle = (void *)inode;

	if (bpf_core_field_exists(inode->i_mtime_sec)) {
		*mtime_ns = LOAD(inode, i_mtime_sec) * COFF_SECOND + LOAD(inode, i_mtime_nsec);
		*ctime_ns = LOAD(inode, i_ctime_sec) * COFF_SECOND + LOAD(inode, i_ctime_nsec);
		return;
	}
	if (bpf_core_field_exists(old->i_mtime))
		*mtime_ns = LOAD(old, i_mtime.tv_sec) * COFF_SECOND + LOAD(old, i_mtime.tv_nsec);
	else if (bpf_core_field_exists(middle->__i_mtime))
		*mtime_ns =
		    LOAD(middle, __i_mtime.tv_sec) * COFF_SECOND + LOAD(middle, __i_mtime.tv_nsec);
	if (bpf_core_field_exists(old->i_ctime))
		*ctime_ns = LOAD(old, i_ctime.tv_sec) * COFF_SECOND + LOAD(old, i_ctime.tv_nsec);
	else if (bpf_core_field_exists(middle->__i_ctime))
		*ctime_ns =
		    LOAD(middle, __i_ctime.tv_sec) * COFF_SECOND + LOAD(middle, __i_ctime.tv_nsec);
}

#endif
