/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* How every record of the call shape begins. */
#ifndef COFF_CALL_H
#define COFF_CALL_H

#include "filter.h"

static __always_inline struct coff_call *
begin_call(struct coff_scratch *s, struct task_struct *task, __u32 kind, __s32 nr, __s64 ret)
{
	struct coff_call *r = RECORD(s, coff_call);
	const struct cred *cred = LOAD(task, cred);

	__builtin_memset(r, 0, sizeof(*r));
	s->used = sizeof(*r);
	fill_header(&r->hdr, task, kind, COFF_LANE_PRIO, nr, ret);
	bpf_core_read(&r->cap_permitted, 8, &cred->cap_permitted);
	bpf_core_read(&r->cap_effective, 8, &cred->cap_effective);
	bpf_core_read(&r->cap_inheritable, 8, &cred->cap_inheritable);
	r->suid = LOAD(cred, suid.val);
	r->sgid = LOAD(cred, sgid.val);
	r->fsuid = LOAD(cred, fsuid.val);
	r->fsgid = LOAD(cred, fsgid.val);
	return r;
}

#endif
