/* SPDX-License-Identifier: Apache-2.0 */
/* From a frame to the point that the tables are asked for. What is malformed is told apart and never judged. */
#ifndef PARSE_H
#define PARSE_H

#include "lookup.h"

#define ETH_IP 0x0800
#define ETH_IPV6 0x86dd
#define ETH_ARP 0x0806
#define ETH_VLAN 0x8100
#define ETH_QINQ 0x88a8

enum protocol { P_HOP = 0, P_ICMP = 1, P_TCP = 6, P_UDP = 17, P_ROUTING = 43, P_FRAGMENT = 44, P_AH = 51,
		P_ICMPV6 = 58, P_DESTINATION = 60, P_SCTP = 132, P_MOBILITY = 135 };

struct frame {
	struct point at;
	u32 family; /* 4 or 6; 0: not IP, `ethertype` says what */
	u32 ethertype, proto, fragment;
	u32 peer, local; /* IPv4, source and destination; in host order */
	struct six peer6, local6;
};

#define GOOD (-1)

/* A header at `offset` of the packet, `size` bytes of it; null when the frame ends before. */
inline_ void *header_at(void *data, void *end, u32 offset, u32 size)
{
	void *p = data + (offset & 0xfff);
	return p + size > end ? 0 : p;
}

/* `rest` is how many bytes of the IP packet are left from the transport header on, by its own length field. */
inline_ int transport(struct frame *f, void *data, void *end, u32 offset, u32 rest)
{
	u32 proto = f->proto;
	u8 *p;

	f->at.sport = 0;
	if (proto == P_TCP) {
		p = header_at(data, end, offset, 20);
		if (!p)
			return TRUNCATED;
		if (rest < 20 || (p[12] >> 4) < 5 || (p[12] >> 4) * 4 > rest)
			return MALFORMED;
		f->at.index = ((p[13] & 0x14 ? TCP_SEEN : TCP_NEW) << 8) + bpf_ntohs(*(u16 *)(p + 2));
		f->at.sport = bpf_ntohs(*(u16 *)p);
	} else if (proto == P_UDP || proto == P_SCTP) {
		u32 least = proto == P_UDP ? 8 : 12;
		p = header_at(data, end, offset, 8);
		if (!p)
			return TRUNCATED;
		if (rest < least || (proto == P_UDP && bpf_ntohs(*(u16 *)(p + 4)) < 8))
			return MALFORMED;
		f->at.index = ((proto == P_UDP ? UDP : SCTP) << 8) + bpf_ntohs(*(u16 *)(p + 2));
		f->at.sport = bpf_ntohs(*(u16 *)p);
	} else if ((proto == P_ICMP && f->family == 4) || (proto == P_ICMPV6 && f->family == 6)) {
		p = header_at(data, end, offset, 8);
		if (!p)
			return TRUNCATED;
		if (rest < 8)
			return MALFORMED;
		f->at.index = ((f->family == 4 ? ICMP : ICMPV6) << 8) + p[0] * 256 + p[1];
		if (constant.use_connections)
			f->at.sport = bpf_ntohs(*(u16 *)(p + 4));
	} else {
		f->at.index = (OTHER << 8) + proto;
	}
	return GOOD;
}

inline_ int ipv4(struct frame *f, void *data, void *end, u32 offset, u32 length)
{
	u8 *p = header_at(data, end, offset, 20);
	if (!p)
		return TRUNCATED;
	u32 size = (p[0] & 15) * 4, total = bpf_ntohs(*(u16 *)(p + 2)), fragment = bpf_ntohs(*(u16 *)(p + 6));
	u32 begin = fragment & 0x1fff;
	if (p[0] >> 4 != 4 || size < 20 || total < size)
		return MALFORMED;
	if (offset + total > length)
		return TRUNCATED;
	f->family = 4;
	f->proto = p[9];
	f->peer = bpf_ntohl(*(u32 *)(p + 12));
	f->local = bpf_ntohl(*(u32 *)(p + 16));
	if (begin) {
		/* A header that is written anew behind the first fragment (RFC 1858, RFC 3128), and more than a packet holds. */
		if ((f->proto == P_TCP && begin == 1) || begin * 8 + total - size > 65535)
			return MALFORMED;
		f->fragment = 1;
		f->at.index = (FRAGMENT << 8) + f->proto;
		f->at.sport = 0;
		return GOOD;
	}
	return transport(f, data, end, offset + size, total - size);
}

/* The headers of IPv6 that stand before the one that is judged. */
inline_ int walked_over(u32 proto)
{
	const u64 low = 1ull << P_HOP | 1ull << P_ROUTING | 1ull << P_FRAGMENT | 1ull << P_AH | 1ull << P_DESTINATION;
	return proto < 64 ? (low >> proto) & 1 : proto == P_MOBILITY;
}

inline_ int ipv6(struct frame *f, void *data, void *end, u32 offset, u32 length)
{
	u8 *p = header_at(data, end, offset, 40);
	if (!p)
		return TRUNCATED;
	u32 rest = bpf_ntohs(*(u16 *)(p + 4));
	if (p[0] >> 4 != 6)
		return MALFORMED;
	if (offset + 40 + rest > length)
		return TRUNCATED;
	f->family = 6;
	f->proto = p[6];
	f->peer6.high = *(u64 *)(p + 8);
	f->peer6.low = *(u64 *)(p + 16);
	f->local6.high = *(u64 *)(p + 24);
	f->local6.low = *(u64 *)(p + 32);
	offset += 40;
	for (int i = 0; i < 6 && walked_over(f->proto); i++) {
		u32 proto = f->proto, size;
		p = header_at(data, end, offset, 8);
		if (!p)
			return TRUNCATED;
		size = proto == P_FRAGMENT ? 8 : proto == P_AH ? (p[1] + 2) * 4 : (p[1] + 1) * 8;
		if (size > rest || size < 8)
			return MALFORMED;
		f->proto = p[0];
		if (proto == P_FRAGMENT) {
			u32 begin = bpf_ntohs(*(u16 *)(p + 2)) >> 3;
			if (begin) {
				if ((f->proto == P_TCP && begin == 1) || begin * 8 + rest - 8 > 65535)
					return MALFORMED;
				f->fragment = 1;
				f->at.index = (FRAGMENT << 8) + f->proto;
				f->at.sport = 0;
				return GOOD;
			}
		}
		offset += size;
		rest -= size;
		if (offset > 0xe00)
			return EXTENSIONS;
	}
	return walked_over(f->proto) ? EXTENSIONS : transport(f, data, end, offset, rest);
}

/* `length` is that of the whole frame; of what leaves, the end may be elsewhere than between `data` and `end`. */
inline_ int parse(struct frame *f, void *data, void *end, u32 length)
{
	u32 offset = 14, type;
	u8 *p = header_at(data, end, 0, 14);
	if (!p)
		return TRUNCATED;
	type = bpf_ntohs(*(u16 *)(p + 12));
#pragma unroll
	for (int i = 0; i < 2; i++) {
		if (type != ETH_VLAN && type != ETH_QINQ)
			break;
		p = header_at(data, end, offset, 4);
		if (!p)
			return TRUNCATED;
		type = bpf_ntohs(*(u16 *)(p + 2));
		offset += 4;
	}
	f->family = 0;
	f->fragment = 0;
	f->ethertype = type;
	if (type == ETH_IP)
		return ipv4(f, data, end, offset, length);
	if (type == ETH_IPV6)
		return ipv6(f, data, end, offset, length);
	return GOOD;
}

#endif
