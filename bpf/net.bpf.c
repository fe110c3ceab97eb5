// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Sockets: creation, addresses, connections, datagrams, and sockets put onto standard streams. */
#include "repeat.h"

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define F_DUPFD 0
#define EINPROGRESS 115
#define F_DUPFD_CLOEXEC 1030

static __always_inline __u16 swap16(__u16 value) { return __builtin_bswap16(value); }

static __always_inline struct socket *socket_of_fd(struct task_struct *task, __s32 fd)
{
	struct file *file = file_of_fd(task, fd);

	if (!file || (READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	return READ(file, private_data);
}

static __always_inline struct coff_sock *
begin_sock(struct coff_scratch *s, struct task_struct *task, __u32 kind, struct coff_sys_exit *ctx)
{
	struct coff_sock *r = RECORD(s, coff_sock);

	__builtin_memset(r, 0, sizeof(*r));
	s->used = sizeof(*r);
	fill_header(&r->hdr, task, kind, COFF_LANE_NET, ctx->nr, ctx->ret);
	r->fd = -1;
	r->fd2 = -1;
	return r;
}

static __always_inline void put_unix_name(struct coff_scratch *s, struct coff_sock *r,
					  struct sock *sk)
{
	struct unix_address *address = READ((struct unix_sock *)sk, addr);
	__u32 length;

	if (!address)
		return;
	length = READ(address, len);
	if (length <= 2 || length > 110)
		return;
	put_bytes(s, &r->path, (char *)address + bpf_core_field_offset(address->name) + 2,
		  (length - 2) & 127, 108, 0);
}

/* Both addresses as the kernel's socket has them. */
static __always_inline void fill_from_sock(struct coff_scratch *s, struct coff_sock *r,
					   struct socket *socket, bool peer_name)
{
	struct sock *sk = READ(socket, sk);

	if (!sk)
		return;
	r->family = READ(sk, __sk_common.skc_family);
	r->type = READ(socket, type);
	r->protocol = READ(sk, sk_protocol);
	r->net_ns = READ(sk, __sk_common.skc_net.net, ns.inum);
	r->cookie = ((__u64)sk * 0x9E3779B97F4A7C15ULL) >> 1;
	if (r->family == AF_INET) {
		__be32 local = READ(sk, __sk_common.skc_rcv_saddr);
		__be32 remote = READ(sk, __sk_common.skc_daddr);

		__builtin_memcpy(r->local, &local, 4);
		__builtin_memcpy(r->remote, &remote, 4);
	} else if (r->family == AF_INET6) {
		bpf_core_read(r->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(r->remote, 16, &sk->__sk_common.skc_v6_daddr);
	} else if (r->family == AF_UNIX) {
		struct sock *peer = READ((struct unix_sock *)sk, peer);

		put_unix_name(s, r, peer_name && peer ? peer : sk);
		return;
	}
	r->local_port = READ(sk, __sk_common.skc_num);
	r->remote_port = swap16(READ(sk, __sk_common.skc_dport));
}

/* An address from user memory, where the kernel's socket does not hold it. */
static __always_inline void fill_from_user(struct coff_scratch *s, struct coff_sock *r,
					   const void *address, __u64 length, bool is_remote)
{
	struct {
		__u16 family, port;
		__u8 rest[24];
	} any = {};

	if (!address || length < 2)
		return;
	if (bpf_probe_read_user(&any, length < 8 ? 2 : length < 28 ? 8 : 28, address)) {
		r->hdr.flags |= COFF_F_UNREAD;
		return;
	}
	r->family = any.family;
	if (any.family == AF_UNIX) {
		if (r->path.len == 0 && length > 2 && length <= 110) {
			if (any.port & 0xFF)
				put_string(s, &r->path, (const char *)address + 2, 1);
			else
				put_bytes(s, &r->path, (const char *)address + 2,
					  (length - 2) & 127, 108, 1);
		}
		return;
	}
	if (any.family != AF_INET && any.family != AF_INET6)
		return;
	if (is_remote) {
		r->remote_port = swap16(any.port);
		if (any.family == AF_INET)
			__builtin_memcpy(r->remote, any.rest, 4);
		else
			__builtin_memcpy(r->remote, any.rest + 4, 16);
	} else {
		r->local_port = swap16(any.port);
		if (any.family == AF_INET)
			__builtin_memcpy(r->local, any.rest, 4);
		else
			__builtin_memcpy(r->local, any.rest + 4, 16);
	}
}

static __always_inline bool sock_unwanted(__u32 kind, struct task_struct *task, __s64 ret,
					  __u32 *slot)
{
	__u32 cls = class_of_cgroup(cgroup_id(task), slot);

	if (wanted(kind, cls, ret < 0) && !is_self())
		return 0;
	COUNT(*slot, kind, filtered);
	return 1;
}

SEC("tp")
int on_exit_sock(struct coff_sys_exit *ctx)
{
	struct task_struct *task = current_task();
	const struct coff_call_desc *d = describe(ctx->nr);
	struct pt_regs *regs = call_registers(task);
	__u64 first = call_arg(regs, 0), second = call_arg(regs, 1), third = call_arg(regs, 2);
	struct socket *socket = 0;
	struct repeat_key key = {};
	__u32 kind = d->kind & 127, slot;
	__s32 fd = (__s32)first;
	struct coff_scratch *s;
	struct coff_sock *r;
	__u64 repeats = 0;

	if (sock_unwanted(kind, task, ctx->ret, &slot))
		return 0;
	if (kind == COFF_KIND_socket || (kind == COFF_KIND_accept && ctx->ret >= 0))
		fd = (__s32)ctx->ret;
	if (kind != COFF_KIND_socket)
		socket = socket_of_fd(task, fd);
	/* The kernel clears the peer of a connection that failed at once: each is reported. */
	if (repeat_window_ns() && socket &&
	    ((kind == COFF_KIND_connect && (ctx->ret == 0 || ctx->ret == -EINPROGRESS)) ||
	     kind == COFF_KIND_accept)) {
		key.kind = kind;
		peer_of_socket(&key, socket);
		if (is_repeat(&key, task, ctx->ret, slot, &repeats))
			return 0;
	}
	s = claim_scratch();
	if (!s) {
		COUNT(slot, kind, lost_scratch);
		if (key.kind)
			bpf_map_delete_elem(&repeats_seen, &key);
		return 0;
	}
	r = begin_sock(s, task, kind, ctx);
	r->fd = fd;
	r->repeats = repeats;
	if (kind == COFF_KIND_socket) {
		r->family = (__u16)first;
		r->type = (__u16)(second & 0xF);
		r->flags = (__u32)second;
		r->protocol = (__u32)third;
	}
	if (socket)
		fill_from_sock(s, r, socket, kind == COFF_KIND_connect);
	if (kind == COFF_KIND_listen)
		r->flags = (__u32)second;
	if (kind == COFF_KIND_connect && r->remote_port == 0)
		fill_from_user(s, r, (void *)second, third, 1);
	if (kind == COFF_KIND_bind && ctx->ret < 0)
		fill_from_user(s, r, (void *)second, third, 0);
	submit_sock(s, &key);
	release_scratch(s);
	return 0;
}

/* Address of the other end of a datagram call: null for a connected socket. */
static __always_inline __u64 datagram_address(const struct coff_call_desc *d, struct pt_regs *regs,
					      __u64 *length)
{
	struct {
		__u64 name;
		__u32 name_length;
		__u32 padding;
	} message = {};

	if (d->call == COFF_CALL_sendto || d->call == COFF_CALL_recvfrom) {
		__u64 address = call_arg(regs, 4);

		*length = 28;
		if (d->call == COFF_CALL_sendto)
			*length = call_arg(regs, 5);
		return address;
	}
	bpf_probe_read_user(&message, sizeof(message), (void *)call_arg(regs, 1));
	*length = message.name_length;
	return message.name;
}

SEC("tp")
int on_exit_dgram(struct coff_sys_exit *ctx)
{
	struct task_struct *task = current_task();
	const struct coff_call_desc *d = describe(ctx->nr);
	struct pt_regs *regs = call_registers(task);
	__u64 length = 0, address = datagram_address(d, regs, &length);
	__u32 kind = d->kind & 127, slot;
	struct socket *socket;
	struct coff_scratch *s;
	struct repeat_key key = {};
	struct coff_sock *r;
	__u64 repeats = 0;

	if (!address)
		return 0; /* the connection itself was reported */
	if (sock_unwanted(kind, task, ctx->ret, &slot))
		return 0;
	if (repeat_window_ns()) {
		key.kind = kind;
		peer_of_user(&key, (void *)address, length);
		if (is_repeat(&key, task, ctx->ret, slot, &repeats))
			return 0;
	}
	s = claim_scratch();
	if (!s) {
		COUNT(slot, kind, lost_scratch);
		if (key.kind)
			bpf_map_delete_elem(&repeats_seen, &key);
		return 0;
	}
	r = begin_sock(s, task, kind, ctx);
	r->fd = (__s32)call_arg(regs, 0);
	r->repeats = repeats;
	socket = socket_of_fd(task, r->fd);
	if (socket)
		fill_from_sock(s, r, socket, 0);
	fill_from_user(s, r, (void *)address, length, 1);
	r->bytes = ctx->ret > 0 ? ctx->ret : 0;
	r->flags = (__u32)call_arg(
	    regs, d->call == COFF_CALL_sendto || d->call == COFF_CALL_recvfrom ? 3 : 2);
	submit_sock(s, &key);
	release_scratch(s);
	return 0;
}

SEC("tp")
int on_exit_dup(struct coff_sys_exit *ctx)
{
	struct task_struct *task = current_task();
	const struct coff_call_desc *d = describe(ctx->nr);
	struct pt_regs *regs;
	struct socket *socket;
	struct coff_scratch *s;
	struct coff_sock *r;
	__u32 slot;

	if (ctx->ret < 0 || ctx->ret > 2)
		return 0;
	regs = call_registers(task);
	if (d->call == COFF_CALL_fcntl) {
		__u64 command = call_arg(regs, 1);

		if (command != F_DUPFD && command != F_DUPFD_CLOEXEC)
			return 0;
	}
	socket = socket_of_fd(task, (__s32)ctx->ret);
	if (!socket || sock_unwanted(COFF_KIND_dup_stdio, task, 0, &slot))
		return 0;
	s = claim_scratch();
	if (!s) {
		COUNT(slot, COFF_KIND_dup_stdio, lost_scratch);
		return 0;
	}
	r = begin_sock(s, task, COFF_KIND_dup_stdio, ctx);
	r->fd = (__s32)call_arg(regs, 0);
	r->fd2 = (__s32)ctx->ret;
	fill_from_sock(s, r, socket, 1);
	submit_record(s, &ring_net);
	release_scratch(s);
	return 0;
}
