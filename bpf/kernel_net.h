/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What kernel.h is for tasks and files, for sockets. Included by it. */
#ifndef COFF_KERNEL_NET_H
#define COFF_KERNEL_NET_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	__u8 bytes[16];
};
typedef struct {
	struct net *net;
} possible_net_t;
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned long skc_flags;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
};
struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
	struct pid *sk_peer_pid;
	const struct cred *sk_peer_cred;
	int sk_err;
	__u32 sk_max_ack_backlog;
};
struct inet_sock {
	__be16 inet_sport;
};
struct tcp_sock {
	__u32 snd_una, rcv_nxt;
	__u64 bytes_acked, bytes_received;
	__u32 segs_out, segs_in, total_retrans, srtt_us;
};
struct socket {
	short type;
	struct file *file;
	struct sock *sk;
};
struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};
struct unix_address {
	int len;
	struct sockaddr_un name[0];
};
struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

#pragma clang attribute pop

#endif
