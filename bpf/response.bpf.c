// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Closes what no packet filter can: sockets of a control group, and Docker's resolver. */
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed int __s32;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

/* The kernel's context of a packet (uapi/linux/bpf.h), as far as it is read here. */
struct __sk_buff {
	__u32 len;
	__u32 pkt_type;
	__u32 mark;
	__u32 queue_mapping;
	__u32 protocol;
};

enum { BPF_MAP_TYPE_ARRAY = 2, BPF_MAP_TYPE_LPM_TRIE = 11 };
enum { BPF_F_NO_PREALLOC = 1 };
#include <bpf/bpf_helpers.h>

#define ETH_P_IP 0x0008 /* network byte order on little-endian hosts, as protocol is */
#define ETH_P_IPV6 0xdd86
#define ETHERNET_BYTES 14
#define RESOLVER 0x0b00007f /* 127.0.0.11, where Docker answers names */

#define ALLOWED_MAX 64
/* IPv4 addresses stand as ::ffff:a.b.c.d, so that one table serves both. */
struct coff_allowed {
	__u32 prefix_bits;
	__u8 address[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, ALLOWED_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct coff_allowed);
	__type(value, __u32);
} coff_allowed SEC(".maps");

/* Packets that were dropped, on the way out and in. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} coff_dropped SEC(".maps");

static __always_inline int is_allowed(struct __sk_buff *skb, __u32 offset4, __u32 offset6)
{
	struct coff_allowed key = {.prefix_bits = 128};

	if (skb->protocol == ETH_P_IP) {
		key.address[10] = 0xff;
		key.address[11] = 0xff;
		if (bpf_skb_load_bytes(skb, offset4, &key.address[12], 4) != 0)
			return 0;
	} else if (skb->protocol == ETH_P_IPV6) {
		if (bpf_skb_load_bytes(skb, offset6, key.address, 16) != 0)
			return 0;
	} else {
		return 0;
	}
	return bpf_map_lookup_elem(&coff_allowed, &key) != 0;
}

static __always_inline void count(__u32 way)
{
	__u64 *dropped = bpf_map_lookup_elem(&coff_dropped, &way);

	if (dropped)
		__sync_fetch_and_add(dropped, 1);
}

SEC("cgroup_skb/egress")
int coff_close_out(struct __sk_buff *skb)
{
	if (is_allowed(skb, 16, 24)) /* destination */
		return 1;
	count(0);
	/* 2 drops as a full queue would: 0 would tell the sender EPERM. */
	return 2;
}

SEC("cgroup_skb/ingress")
int coff_close_in(struct __sk_buff *skb)
{
	if (is_allowed(skb, 12, 8)) /* source */
		return 1;
	count(1);
	return 0;
}

/* Where loopback receives: what packet sockets put there passes too, and nobody is told a thing. */
SEC("tc")
int coff_close_dns(struct __sk_buff *skb)
{
	__u32 destination = 0;

	if (skb->protocol == ETH_P_IP &&
	    bpf_skb_load_bytes(skb, ETHERNET_BYTES + 16, &destination, 4) == 0 &&
	    destination == RESOLVER)
		return 2; /* TC_ACT_SHOT */
	return -1;	  /* TCX_NEXT */
}

char LICENSE[] SEC("license") = "GPL";
