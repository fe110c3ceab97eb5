// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Sockets that are older than the agent: listeners get their owner, connections are told. */
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
} __attribute__((preserve_access_index));

SEC("iter/task_file")
int seen_socket(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct flow_note *note;
	struct coff_flow r;
	struct socket *socket;
	struct sock *sk;
	__u8 state;

	if (!task || !file || LOAD(task, pid) != LOAD(task, tgid))
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || READ(sk, sk_protocol) != 6 ||
	    (READ(sk, __sk_common.skc_family) != AF_INET &&
	     READ(sk, __sk_common.skc_family) != AF_INET6))
		return 0;
	state = READ(sk, __sk_common.skc_state);
	if (state != TCP_LISTEN && state != TCP_ESTABLISHED)
		return 0;
	if (note_of(sk, 0))
		return 0; /* another descriptor of it was first, or it is younger than we are */
	note = note_of(sk, BPF_SK_STORAGE_GET_F_CREATE);
	if (!note)
		return 0;
	fill_seen_header(&note->owner, task);
	note_exe(note, task);
	note->local_port = READ(sk, __sk_common.skc_num);
	/* An accepted socket has its listener's backlog; one that connected never had any. */
	note->role = state == TCP_LISTEN || READ(sk, sk_max_ack_backlog) ? COFF_FLOW_SERVER
									 : COFF_FLOW_CLIENT;
	if (state == TCP_LISTEN)
		return 0;
	note->is_established = 1;
	note_numbers(note, sk);
	fill_flow(&r, sk, note, COFF_FLOW_SEEN, 0, state);
	r.hdr.flags = COFF_F_SNAPSHOT;
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
