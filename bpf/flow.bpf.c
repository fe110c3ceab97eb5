// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* TCP connections, from their changes of state: nothing is done for a packet.
 *
 * Who owns an end is noted when it is made: in the process that connects, or in the one that
 * listens, whose note every accepted socket inherits. Each connection is one update of its edge;
 * a record is made for the first of an edge, for each that fails, and for those that the sample
 * takes. The sample goes by the initial sequence numbers, so that both ends take the same ones.
 */
#include "repeat.h"

enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_FIN_WAIT2 = 5,
	TCP_TIME_WAIT = 6,
	TCP_CLOSE = 7,
	TCP_LAST_ACK = 9,
	TCP_LISTEN = 10,
	TCP_CLOSING = 11,
};
#define SOCK_DONE 1 /* bit of skc_flags: the other end's FIN was received */
#define ETIMEDOUT 110

/* Records are made of connections whose hash has none of these bits. Written by the agent. */
__u32 flow_sample_mask = 0;

/* What an end remembers of its owner. */
struct flow_note {
	struct coff_hdr owner; /* kind, time, result and size are filled in later */
	__u64 exe_ino;
	__u64 opened;
	__u64 worker_start;
	__u32 exe_dev;
	__u32 worker_pid;
	__u32 isn_client, isn_server;
	__u16 local_port; /* the kernel forgets it before it tells of the end */
	__u8 role;
	__u8 is_established;
	__u32 reserved;
};
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct flow_note);
} flow_notes SEC(".maps");

/* Connections of one program to one service. */
struct flow_edge_key {
	__u64 cgroup, exe_ino;
	__u32 exe_dev, net_ns;
	__u8 remote[16];
	__u16 port; /* of the service, host byte order */
	__u8 role;  /* enum coff_flow_role */
	__u8 family;
	__u32 reserved;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct flow_edge_key);
	__type(value, __u64); /* connections that ended since the last record */
} flow_edges SEC(".maps");

static __always_inline void note_exe(struct flow_note *note, struct task_struct *task)
{
	struct inode *inode = READ(task, mm, exe_file, f_inode);

	note->exe_ino = inode ? READ(inode, i_ino) : 0;
	note->exe_dev = inode ? READ(inode, i_sb, s_dev) : 0;
}

/* The current process becomes the owner. */
static __always_inline void note_owner(struct flow_note *note, struct task_struct *task, __u8 role,
				       __u64 opened)
{
	fill_header(&note->owner, task, COFF_KIND_flow, COFF_LANE_NET, -1, 0);
	note_exe(note, task);
	note->role = role;
	note->opened = opened;
}

static __always_inline const struct tcp_sock *tcp_of(const struct sock *sk)
{
	if (HAS_TYPED_TASK)
		return bpf_skc_to_tcp_sock((void *)sk);
	return (const struct tcp_sock *)sk;
}

/* Numbers of the first bytes: what was acknowledged and received since is counted by the kernel.
 * The client's own SYN counts as acknowledged, so its number is one further. */
static __always_inline void note_numbers(struct flow_note *note, const struct sock *sk)
{
	const struct tcp_sock *tcp = tcp_of(sk);
	__u32 own, other;

	if (!tcp)
		return;
	own = LOAD(tcp, snd_una) - (__u32)LOAD(tcp, bytes_acked);
	other = LOAD(tcp, rcv_nxt) - (__u32)LOAD(tcp, bytes_received);
	if (note->role == COFF_FLOW_CLIENT) {
		note->isn_client = own + 1;
		note->isn_server = other;
	} else {
		note->isn_client = other;
		note->isn_server = own;
	}
}

static __always_inline bool in_sample(const struct flow_note *note)
{
	__u64 hash = ((__u64)note->isn_client << 32 | note->isn_server) * 0x9E3779B97F4A7C15ULL;

	return ((__u32)(hash >> 40) & flow_sample_mask) == 0;
}

/* A typed pointer as a number: the verifier allows no arithmetic on the pointer itself. */
static __always_inline __u64 number_of_pointer(const void *pointer)
{
	__u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &pointer);
	return number;
}

static __always_inline void copy_remote(__u8 *to, const struct sock *sk)
{
	if (LOAD(sk, __sk_common.skc_family) == AF_INET) {
		__be32 remote = LOAD(sk, __sk_common.skc_daddr);

		__builtin_memcpy(to, &remote, 4);
	} else {
		bpf_core_read(to, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

static __always_inline void fill_ends(struct coff_flow *r, const struct sock *sk,
				      const struct flow_note *note)
{
	r->family = LOAD(sk, __sk_common.skc_family);
	r->net_ns = LOAD(sk, __sk_common.skc_net.net, ns.inum);
	r->cookie = (number_of_pointer(sk) * 0x9E3779B97F4A7C15ULL) >> 1;
	if (r->family == AF_INET) {
		__be32 local = LOAD(sk, __sk_common.skc_rcv_saddr);

		__builtin_memcpy(r->local, &local, 4);
	} else {
		bpf_core_read(r->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
	}
	copy_remote(r->remote, sk);
	r->local_port = note->local_port;
	r->remote_port = __builtin_bswap16(LOAD(sk, __sk_common.skc_dport));
}

/* The kernel counts SYN and FIN as bytes; nobody sent them. */
static __always_inline void fill_counters(struct coff_flow *r, const struct sock *sk, int old_state)
{
	const struct tcp_sock *tcp = tcp_of(sk);

	if (!tcp)
		return;
	r->bytes_out = LOAD(tcp, bytes_acked);
	r->bytes_in = LOAD(tcp, bytes_received);
	r->segments_out = LOAD(tcp, segs_out);
	r->segments_in = LOAD(tcp, segs_in);
	r->retransmits = LOAD(tcp, total_retrans);
	r->rtt_us = LOAD(tcp, srtt_us) >> 3;
	if (r->role == COFF_FLOW_CLIENT && r->bytes_out > 0)
		r->bytes_out--;
	if ((LOAD(sk, __sk_common.skc_flags) & (1 << SOCK_DONE)) && r->bytes_in > 0)
		r->bytes_in--;
	if ((old_state == TCP_LAST_ACK || old_state == TCP_FIN_WAIT2 ||
	     old_state == TCP_TIME_WAIT || old_state == TCP_CLOSING) &&
	    r->hdr.ret == 0 && r->bytes_out > 0)
		r->bytes_out--;
}

static __always_inline void fill_flow(struct coff_flow *r, const struct sock *sk,
				      const struct flow_note *note, __u8 state, __s32 error,
				      int old_state)
{
	__builtin_memset(r, 0, sizeof(*r));
	r->hdr = note->owner;
	r->hdr.size = sizeof(*r);
	r->hdr.kind = COFF_KIND_flow;
	r->hdr.lane = COFF_LANE_NET;
	r->hdr.time = bpf_ktime_get_boot_ns();
	r->hdr.ret = -error;
	r->state = state;
	r->role = note->role;
	r->opened = note->opened;
	r->isn_client = note->isn_client;
	r->isn_server = note->isn_server;
	r->worker_pid = note->worker_pid;
	r->worker_start = note->worker_start;
	fill_ends(r, sk, note);
	fill_counters(r, sk, old_state);
}

/* The edge of this end, made where it is not known yet; 0: it cannot be kept. */
static __always_inline __u64 *edge_of(const struct sock *sk, const struct flow_note *note,
				      bool *is_new)
{
	struct flow_edge_key key = {};
	__u64 none = 0, *edge;

	key.cgroup = note->owner.cgroup;
	key.exe_ino = note->exe_ino;
	key.exe_dev = note->exe_dev;
	key.net_ns = LOAD(sk, __sk_common.skc_net.net, ns.inum);
	copy_remote(key.remote, sk);
	key.port = note->role == COFF_FLOW_CLIENT
		       ? __builtin_bswap16(LOAD(sk, __sk_common.skc_dport))
		       : note->local_port;
	key.role = note->role;
	key.family = (__u8)LOAD(sk, __sk_common.skc_family);
	edge = bpf_map_lookup_elem(&flow_edges, &key);
	if (edge)
		return edge;
	*is_new = bpf_map_update_elem(&flow_edges, &key, &none, BPF_NOEXIST) == 0;
	return bpf_map_lookup_elem(&flow_edges, &key);
}

/* Counts the change in its edge, and makes a record of it where one is wanted. */
static __always_inline void tell_flow(const struct sock *sk, struct flow_note *note, __u8 state,
				      __s32 error, int old_state)
{
	struct coff_cgroup_entry *entry = cgroup_entry(note->owner.cgroup);
	__u32 slot = entry ? entry->slot & (COFF_SLOTS - 1) : 0;
	bool is_new = 0;
	__u64 *unreported = edge_of(sk, note, &is_new), before = 0;
	struct coff_scratch *s;
	struct coff_flow *r;

	if (unreported && !is_new && state != COFF_FLOW_FAILED) {
		if (state == COFF_FLOW_OPEN || !in_sample(note)) {
			if (state == COFF_FLOW_CLOSED)
				__sync_fetch_and_add(unreported, 1);
			COUNT(slot, COFF_KIND_flow, filtered);
			return;
		}
	}
	s = claim_scratch();
	if (!s) {
		COUNT(slot, COFF_KIND_flow, lost_scratch);
		return;
	}
	if (unreported && state != COFF_FLOW_OPEN) {
		before = *unreported;
		*unreported = 0;
	}
	r = RECORD(s, coff_flow);
	s->used = sizeof(*r);
	fill_flow(r, sk, note, state, error, old_state);
	r->hdr.slot = slot;
	r->unreported = before;
	if (!submit_record(s, &ring_net) && before)
		__sync_fetch_and_add(unreported, before);
	release_scratch(s);
}

static __always_inline struct flow_note *note_of(const struct sock *sk, __u64 flags)
{
	return bpf_sk_storage_get(&flow_notes, (void *)sk, 0, flags);
}

static __always_inline void flow_begins(const struct sock *sk, __u8 role)
{
	struct flow_note *note = note_of(sk, BPF_SK_STORAGE_GET_F_CREATE);

	if (!note) {
		COUNT(0, COFF_KIND_flow, lost_scratch);
		return;
	}
	note_owner(note, current_task(), role, bpf_ktime_get_boot_ns());
	note->local_port = LOAD(sk, __sk_common.skc_num);
	note->is_established = 0;
}

static __always_inline void flow_established(const struct sock *sk, int old_state)
{
	struct flow_note *note = note_of(sk, 0);

	if (!note)
		return;
	if (old_state == TCP_SYN_RECV) {
		note->role = COFF_FLOW_SERVER;
		note->opened = bpf_ktime_get_boot_ns();
		note->worker_pid = 0;
	}
	note->local_port = LOAD(sk, __sk_common.skc_num);
	note->is_established = 1;
	note_numbers(note, sk);
	tell_flow(sk, note, COFF_FLOW_OPEN, 0, old_state);
}

/* A server's worker closes what its master listened for. */
static __always_inline void flow_closing(const struct sock *sk)
{
	struct flow_note *note = note_of(sk, 0);
	struct task_struct *task = current_task();
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (!note || note->role != COFF_FLOW_SERVER || pid == 0 || pid == note->owner.pid)
		return;
	note->worker_pid = pid;
	note->worker_start = LOAD(task, group_leader, start_boottime);
}

static __always_inline void flow_ends(const struct sock *sk, int old_state)
{
	struct flow_note *note = note_of(sk, 0);
	__s32 error = LOAD(sk, sk_err);

	if (!note || old_state == TCP_LISTEN)
		return;
	if (note->is_established) {
		note->is_established = 0;
		tell_flow(sk, note, COFF_FLOW_CLOSED, error, old_state);
		return;
	}
	if (old_state != TCP_SYN_SENT)
		return;
	/* Without an error the process gave up by itself: it closed, or ended. */
	note->isn_client = note->isn_server = 0;
	tell_flow(sk, note, COFF_FLOW_FAILED, error ? error : ETIMEDOUT, old_state);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_tcp_state, const struct sock *sk, const int old_state, const int new_state)
{
	if (LOAD(sk, sk_protocol) != 6)
		return 0;
	switch (new_state) {
	case TCP_LISTEN:
		flow_begins(sk, COFF_FLOW_SERVER);
		break;
	case TCP_SYN_SENT:
		flow_begins(sk, COFF_FLOW_CLIENT);
		break;
	case TCP_ESTABLISHED:
		flow_established(sk, old_state);
		break;
	case TCP_FIN_WAIT1:
	case TCP_LAST_ACK:
		flow_closing(sk);
		break;
	case TCP_CLOSE:
		flow_ends(sk, old_state);
		break;
	}
	return 0;
}
