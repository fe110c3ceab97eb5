// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* What container engines are asked through their sockets: the bytes of requests as the engine has
 * received them, the beginnings of its answers, and who connected and who sent. */
#include "repeat.h"

#define SOCK_STREAM 1
#define MSG_PEEK 2
#define COFF_API_LENGTHS_WORDS 2

#if defined(__TARGET_ARCH_x86)
enum { NR_read = 0, NR_write = 1, NR_readv = 19, NR_writev = 20 };
enum { NR_sendto = 44, NR_recvfrom = 45, NR_sendmsg = 46, NR_recvmsg = 47 };
#else
enum { NR_read = 63, NR_write = 64, NR_readv = 65, NR_writev = 66 };
enum { NR_sendto = 206, NR_recvfrom = 207, NR_sendmsg = 211, NR_recvmsg = 212 };
#endif

/* Written by the agent: names of the sockets that engines listen on, and their lengths as bits, so
 * that nearly every other socket is told apart without a look-up. */
__u64 api_lengths[COFF_API_LENGTHS_WORDS] = {};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, COFF_API_SOCKETS);
	__type(key, struct coff_api_name);
	__type(value, __u8);
} api_sockets SEC(".maps");

/* One accepted connection, by the kernel's own number for its socket. */
struct api_connection {
	__u64 received, sent;	     /* bytes so far */
	__u64 in_budget, out_budget; /* bytes that are still forwarded before the next answer */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct api_connection);
} api_connections SEC(".maps");

/* Connections that the agent has seen become something else than requests and answers. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} api_raw SEC(".maps");

/* Who sent last, by the kernel's own number for the client's socket. Not by an address: the engine
 * may read before the sender's tracepoint has fired, and must then not find another connection's.
 */
struct api_sender {
	__u64 start;
	__u32 pid, padding;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct api_sender);
} api_senders SEC(".maps");

static __always_inline bool is_api_address(struct unix_address *address, struct coff_api_name *name)
{
	__u32 length;

	if (!address)
		return 0;
	length = READ(address, len);
	if (length <= 2 || length > 110 ||
	    !(api_lengths[(length >> 6) & 1] & 1ULL << (length & 63)))
		return 0;
	__builtin_memset(name, 0, sizeof(*name));
	name->length = length - 2;
	/* The kernel keeps the NUL behind a path: the string ends there. */
	bpf_probe_read_kernel_str(name->text, sizeof(name->text),
				  (char *)address + bpf_core_field_offset(address->name) + 2);
	return bpf_map_lookup_elem(&api_sockets, name) != 0;
}

/* Start of the user's buffer of the call that is under way. The other buffers of a vector are not
 * looked at: `size` is cut to the first. */
static __always_inline __u64 user_buffer(struct pt_regs *regs, __u64 *size)
{
	struct {
		__u64 base, length;
	} vector = {};
	__u64 second = call_arg(regs, 1);
	long nr = COFF_CALL_NUMBER(regs);

	switch (nr) {
	case NR_read:
	case NR_write:
	case NR_recvfrom:
	case NR_sendto:
		return second;
	case NR_recvmsg:
	case NR_sendmsg:
		if (bpf_probe_read_user(&second, 8, (void *)(second + 16)))
			return 0;
		break;
	case NR_readv:
	case NR_writev:
		break;
	default:
		return 0;
	}
	if (bpf_probe_read_user(&vector, sizeof(vector), (void *)second))
		return 0;
	if (*size > vector.length)
		*size = vector.length;
	return vector.base;
}

static __always_inline void fill_client(struct coff_api *r, struct sock *sk)
{
	struct pid *pid = READ(sk, sk_peer_pid);
	const struct cred *cred = READ(sk, sk_peer_cred);
	struct api_sender *sender;
	struct task_struct *task;
	struct hlist_node *node = 0;
	struct upid upid = {};
	struct sock *peer = READ((struct unix_sock *)sk, peer);
	__u64 key = peer ? (__u64)READ(peer, __sk_common.skc_cookie.counter) : 0;

	r->client_loginuid = r->client_sessionid = ~0U;
	r->client_uid = ~0U;
	if (cred)
		r->client_uid = READ(cred, uid.val);
	if (pid) {
		bpf_core_read(&upid, sizeof(upid), &pid->numbers[0]);
		r->client_pid = upid.nr;
		bpf_core_read(&node, sizeof(node), &pid->tasks[COFF_PIDTYPE_TGID]);
	}
	if (node) {
		task = (void *)node -
		       bpf_core_field_offset(struct task_struct, pid_links[COFF_PIDTYPE_TGID]);
		r->client_start = READ(task, start_boottime);
		r->client_loginuid = READ(task, loginuid.val);
		r->client_sessionid = READ(task, sessionid);
	}
	sender = key ? bpf_map_lookup_elem(&api_senders, &key) : 0;
	if (sender) {
		r->sender_pid = sender->pid;
		r->sender_start = sender->start;
	}
}

/* How much of `size` bytes goes on. What exceeds the budget is told by its number; of a request
 * the end is forwarded all the same, because the next one may begin there. */
static __always_inline void put_carried(struct coff_scratch *s, struct coff_api *r,
					struct api_connection *c, __u64 buffer, __u64 size,
					bool answer)
{
	__u64 *budget = answer ? &c->out_budget : &c->in_budget;
	__u64 skip = 0, take = size;

	if (take > COFF_API_BYTES_MAX)
		take = COFF_API_BYTES_MAX;
	if (take > *budget) {
		take = answer ? *budget : COFF_API_TAIL;
		if (take > size)
			take = size;
		if (!answer)
			skip = size - take;
		*budget = 0;
	} else {
		*budget -= take;
	}
	r->offset += skip;
	r->carried -= skip;
	KEEP_BOUND(take);
	if (take == 0)
		return;
	put_bytes(s, &r->bytes, (void *)(buffer + skip), take & 0x7FFF, COFF_API_BYTES_MAX, 1);
}

static __always_inline struct api_connection *connection_of(struct sock *sk, __u64 *cookie)
{
	struct api_connection fresh = {.in_budget = COFF_API_BUDGET, .out_budget = 0};
	struct api_connection *known;

	*cookie = bpf_get_socket_cookie(sk);
	known = bpf_map_lookup_elem(&api_connections, cookie);
	if (known)
		return known;
	bpf_map_update_elem(&api_connections, cookie, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&api_connections, cookie);
}

static __always_inline bool begins_answer(__u64 buffer, __u64 size)
{
	char word[8] = {};

	return size >= 8 && bpf_probe_read_user(word, 8, (void *)buffer) == 0 && word[0] == 'H' &&
	       word[1] == 'T' && word[2] == 'T' && word[3] == 'P' && word[4] == '/';
}

static __always_inline int carried(struct sock *sk, const struct coff_api_name *name, __u64 size,
				   bool answer)
{
	struct task_struct *task = current_task();
	__u64 available = size, cookie = 0, buffer, offset;
	struct api_connection *c = connection_of(sk, &cookie);
	struct coff_scratch *s;
	struct coff_api *r;
	__u32 slot;

	class_of_cgroup(cgroup_id(task), &slot);
	if (size && bpf_map_lookup_elem(&api_raw, &cookie)) {
		COUNT(slot, COFF_KIND_api, filtered);
		return 0;
	}
	if (!c) {
		COUNT(slot, COFF_KIND_api, lost_scratch);
		return 0;
	}
	buffer = size ? user_buffer(call_registers(task), &available) : 0;
	offset = answer ? c->sent : c->received;
	if (answer)
		c->sent += size;
	else
		c->received += size;
	if (answer && begins_answer(buffer, available)) {
		c->in_budget = COFF_API_BUDGET;
		c->out_budget = COFF_API_BUDGET / 4;
	} else if (answer && c->out_budget == 0) {
		COUNT(slot, COFF_KIND_api, filtered);
		return 0;
	}
	s = claim_scratch();
	if (!s) {
		COUNT(slot, COFF_KIND_api, lost_scratch);
		return 0;
	}
	r = RECORD(s, coff_api);
	__builtin_memset(r, 0, sizeof(*r));
	s->used = sizeof(*r);
	fill_header(&r->hdr, task, COFF_KIND_api, COFF_LANE_PRIO, -1, size);
	r->connection = cookie;
	r->answer = answer;
	r->offset = offset;
	r->carried = size;
	fill_client(r, sk);
	put_bytes(s, &r->socket, name->text, name->length & 127, COFF_API_NAME_MAX, 0);
	if (buffer)
		put_carried(s, r, c, buffer, available, answer);
	submit_record(s, &ring_prio);
	release_scratch(s);
	return 0;
}

static __always_inline int received(struct sock *sk, int ret, int flags)
{
	struct coff_api_name name;

	if (LOAD(sk, __sk_common.skc_family) != AF_UNIX || LOAD(sk, sk_type) != SOCK_STREAM ||
	    ret < 0 || flags & MSG_PEEK)
		return 0;
	if (!is_api_address(READ((struct unix_sock *)sk, addr), &name))
		return 0;
	return carried(sk, &name, ret, 0);
}

static __always_inline void remember_sender(struct sock *sk)
{
	struct task_struct *task = current_task();
	struct api_sender sender = {.start = LOAD(task, group_leader, start_boottime),
				    .pid = LOAD(task, tgid)};
	__u64 key = bpf_get_socket_cookie(sk);

	bpf_map_update_elem(&api_senders, &key, &sender, BPF_ANY);
}

static __always_inline int sent(struct sock *sk, int ret)
{
	struct coff_api_name name;
	struct unix_address *address;
	struct sock *peer;

	if (LOAD(sk, __sk_common.skc_family) != AF_UNIX || LOAD(sk, sk_type) != SOCK_STREAM ||
	    ret <= 0)
		return 0;
	address = READ((struct unix_sock *)sk, addr);
	if (is_api_address(address, &name))
		return carried(sk, &name, ret, 1);
	peer = READ((struct unix_sock *)sk, peer);
	if (peer && is_api_address(READ((struct unix_sock *)peer, addr), &name))
		remember_sender(sk);
	return 0;
}

/* All four fire behind the copy into the engine's memory: what is read there is what the engine
 * will read, and the client cannot change it any more. The agent attaches the first two where the
 * kernel permits it: sockets that are not of this family then pay nothing. */
SEC("fexit/unix_stream_recvmsg")
int BPF_PROG(on_unix_receive, struct socket *socket, void *message, __u64 size, int flags, int ret)
{
	struct sock *sk = LOAD(socket, sk);

	return sk ? received(sk, ret, flags) : 0;
}

SEC("fexit/unix_stream_sendmsg")
int BPF_PROG(on_unix_send, struct socket *socket, void *message, __u64 size, int ret)
{
	struct sock *sk = LOAD(socket, sk);

	return sk ? sent(sk, ret) : 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_api_receive, struct sock *sk, int ret, int flags)
{
	return received(sk, ret, flags);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_api_send, struct sock *sk, int ret, int flags) { return sent(sk, ret); }
