/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Connections and datagrams that repeat: told once in a window, with the number of the others. */
#ifndef COFF_REPEAT_H
#define COFF_REPEAT_H

#include "filter.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

static __always_inline __u64 repeat_window_ns(void)
{
	struct coff_filter *f = current_filter();

	return f ? f->repeat_window_ns : 0;
}

/* What makes two uses of the network equal: who, how it ended, and the other end. An accepted
 * peer's port is left out, since a client's is another one each time. */
struct repeat_key {
	__u64 start;
	__u64 peer[2];
	__u32 pid;
	__s32 error;
	__u32 kind;
	__u16 family, port;
};
struct repeat {
	__u64 since;   /* of the last one reported */
	__u64 repeats; /* since then */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct repeat_key);
	__type(value, struct repeat);
} repeats_seen SEC(".maps");

/* The other end by the kernel's socket, never by memory that the process may change meanwhile. */
static __always_inline void peer_of_socket(struct repeat_key *key, struct socket *socket)
{
	struct sock *sk = READ(socket, sk);

	if (!sk)
		return;
	key->family = READ(sk, __sk_common.skc_family);
	if (key->family == AF_UNIX) {
		/* Shared by all sockets of one listener. */
		struct sock *named = sk;

		if (key->kind == COFF_KIND_connect)
			named = READ((struct unix_sock *)sk, peer);
		key->peer[0] = named ? (__u64)READ((struct unix_sock *)named, addr) : 0;
		return;
	}
	if (key->family == AF_INET)
		key->peer[0] = READ(sk, __sk_common.skc_daddr);
	else
		bpf_core_read(key->peer, 16, &sk->__sk_common.skc_v6_daddr);
	key->port = key->kind == COFF_KIND_accept ? READ(sk, __sk_common.skc_num)
						  : READ(sk, __sk_common.skc_dport);
}

/* A datagram's other end stands nowhere else. */
static __always_inline void peer_of_user(struct repeat_key *key, const void *address, __u64 length)
{
	struct {
		__u16 family, port;
		__u32 flow;
		__u64 rest[2];
	} any = {};

	bpf_probe_read_user(&any, length < 8 ? 0 : length < 24 ? 8 : 24, address);
	key->family = any.family;
	key->port = any.port;
	if (any.family == AF_INET6) {
		key->peer[0] = any.rest[0];
		key->peer[1] = any.rest[1];
	} else {
		key->peer[0] = any.flow; /* where IPv4 has its address */
	}
}

/* Whether an equal one was reported a moment ago, and this one is only counted. */
static __always_inline bool is_repeat(struct repeat_key *key, struct task_struct *task, __s64 ret,
				      __u32 slot, __u64 *repeats)
{
	__u64 window = repeat_window_ns();
	__u64 now = bpf_ktime_get_boot_ns();
	struct repeat fresh = {.since = now};
	struct repeat *known;

	key->start = LOAD(task, group_leader, start_boottime);
	key->pid = LOAD(task, tgid);
	key->error = ret < 0 ? (__s32)ret : 0;
	known = bpf_map_lookup_elem(&repeats_seen, key);
	if (!known) {
		bpf_map_update_elem(&repeats_seen, key, &fresh, BPF_ANY);
		return 0;
	}
	if (now - known->since < window) {
		__sync_fetch_and_add(&known->repeats, 1);
		COUNT(slot, key->kind & 127, filtered);
		return 1;
	}
	known->since = now;
	*repeats = known->repeats;
	__sync_fetch_and_add(&known->repeats, -*repeats);
	return 0;
}

/* A report that got lost is no reason to keep quiet about the next. */
static __always_inline void submit_sock(struct coff_scratch *s, struct repeat_key *key)
{
	if (!submit_record(s, &ring_net) && key->kind)
		bpf_map_delete_elem(&repeats_seen, key);
}

#endif
