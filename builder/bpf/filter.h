/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict of a frame: parse, tables, connections, counters. */
#ifndef FILTER_H
#define FILTER_H

#include "parse.h"

/* Connections that began here. The key is the local view, so that a reply and what it answers have the same. */
struct flow4 {
	u32 peer, local;
	u16 peer_port, local_port; /* ICMP: the identifier, and the type and code of the answer */
	u8 proto, pad[3];
};
struct flow6 {
	struct six peer, local;
	u16 peer_port, local_port;
	u8 proto, pad[3];
};
struct flow {
	u64 seen; /* nanoseconds since boot */
	u32 result; /* of the packet that began it, under the generation that saw it last */
	u32 flags;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 131072);
	__type(key, struct flow4);
	__type(value, struct flow);
} flows4 SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 131072);
	__type(key, struct flow6);
	__type(value, struct flow);
} flows6 SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

struct event {
	u64 time;
	u32 result, index, sport, proto;
	struct six peer, local; /* IPv4: the address in the first four bytes of each, on the wire's order */
	u32 family, size;
};

/* Counts a packet, and answers how many of them this CPU had counted there before. */
inline_ u64 count(void *map, u32 index, u32 bytes)
{
	struct hits *h = at(map, index);
	if (!h)
		return 0;
	h->bytes += bytes;
	return h->packets++;
}

inline_ u32 refused(int why, u32 bytes)
{
	count(&seen, why, bytes);
	return XDP_DROP;
}

/* An answer has its request's point with the ends turned: ports, or the other type of ICMP (0 when there is none). */
inline_ int turned(const struct frame *f, struct point *out)
{
	u32 axis = f->at.index >> 8, x = f->at.index & 0xffff;

	if (f->fragment || axis >= OTHER)
		return 0;
	if (axis >= ICMP && axis < SCTP) {
		u32 type = x >> 8, other;
		if (f->family == 4 && (type == 0 || type == 8))
			other = 8 - type;
		else if (f->family == 4 && (type == 13 || type == 14))
			other = 27 - type;
		else if (f->family == 6 && (type == 128 || type == 129))
			other = 257 - type;
		else
			return 0;
		out->index = (f->at.index & ~0xff00u) | other << 8;
		out->sport = 0;
		return 1;
	}
	out->index = (f->at.index & ~0xffffu) | f->at.sport;
	out->sport = x;
	return 1;
}

inline_ int stale(const struct flow *flow, u32 proto, u64 now)
{
	u64 limit = proto == P_TCP ? constant.timeout_tcp : constant.timeout_other;
	return now - flow->seen > limit * 1000000000ull;
}

/* Whether a denied packet answers something that went out and that the tables of today still let out. */
inline_ int answers(const struct frame *f)
{
	struct point began;
	struct flow *flow;
	u32 axis = f->at.index >> 8, result;
	u64 now;

	if (axis < TCP_SEEN || !turned(f, &began)) /* a new TCP connection answers nothing */
		return 0;
	if (f->family == 4) {
		struct flow4 key = {.peer = f->peer, .local = f->local, .peer_port = f->at.sport,
				    .local_port = f->at.index, .proto = f->proto};
		flow = bpf_map_lookup_elem(&flows4, &key);
		if (!flow)
			return 0;
		result = look4_leaving(f->peer, f->local, began.index, began.sport);
	} else {
		struct flow6 key = {.peer = f->peer6, .local = f->local6, .peer_port = f->at.sport,
				    .local_port = f->at.index, .proto = f->proto};
		flow = bpf_map_lookup_elem(&flows6, &key);
		if (!flow)
			return 0;
		result = classify6(f->peer6, f->local6, 1, began);
	}
	now = bpf_ktime_get_ns();
	if (result & (STEP | DENY) || stale(flow, f->proto, now))
		return 0;
	flow->seen = now;
	return 1;
}

/* Remembers a packet that leaves, if the tables let it out: `f` has the source as local end. */
inline_ void remember(struct frame *f)
{
	struct point back;
	struct flow value = {};
	u32 result;

	if (!f->family || !turned(f, &back))
		return;
	if ((f->at.index >> 8) < TCP_SEEN + 256) /* a reply of TCP is asked for ACK or RST */
		back.index = (TCP_SEEN << 8) | (back.index & 0xffff);
	if (f->at.index >> 16 >= ICMP >> 8 && f->at.index >> 16 < SCTP >> 8) {
		back.sport = f->at.sport; /* the identifier is in both */
		f->at.sport = 0;
	}
	result = f->family == 4 ? look4_leaving(f->local, f->peer, f->at.index, f->at.sport)
				: classify6(f->local6, f->peer6, 1, f->at);
	if (result & (STEP | DENY))
		return;
	value.seen = bpf_ktime_get_ns();
	value.result = result;
	if (f->family == 4) {
		struct flow4 key = {.peer = f->local, .local = f->peer, .peer_port = back.sport,
				    .local_port = back.index, .proto = f->proto};
		struct flow *known = bpf_map_lookup_elem(&flows4, &key);
		if (known) {
			known->seen = value.seen;
			known->result = result;
		} else {
			bpf_map_update_elem(&flows4, &key, &value, BPF_ANY);
		}
	} else {
		struct flow6 key = {.peer = f->local6, .local = f->peer6, .peer_port = back.sport,
				    .local_port = back.index, .proto = f->proto};
		struct flow *known = bpf_map_lookup_elem(&flows6, &key);
		if (known) {
			known->seen = value.seen;
			known->result = result;
		} else {
			bpf_map_update_elem(&flows6, &key, &value, BPF_ANY);
		}
	}
}

inline_ void tell(const struct frame *f, u32 result, u32 bytes)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		return;
	e->time = bpf_ktime_get_ns();
	e->result = result;
	e->index = f->at.index;
	e->sport = f->at.sport;
	e->proto = f->proto;
	e->family = f->family;
	e->size = bytes;
	e->peer = f->peer6;
	e->local = f->local6;
	if (f->family == 4) {
		e->peer.high = bpf_htonl(f->peer);
		e->local.high = bpf_htonl(f->local);
	}
	bpf_ringbuf_submit(e, 0);
}

inline_ int icmp_id(struct frame *f)
{
	u32 axis = f->at.index >> 8;
	return axis >= ICMP && axis < SCTP;
}

/* What a result means for a frame; only here is more than the tables asked. */
inline_ int denied(struct frame *f, u32 result, u32 bytes)
{
	if (constant.use_connections && answers(f)) {
		count(&seen, CONNECTION, bytes);
		return XDP_PASS;
	}
	/* Every so many-th of a result, the first one at once; a random number would cost a call. */
	u64 before = constant.use_counters ? count(&counters, result & NUMBER, bytes)
		   : constant.events	   ? bpf_get_prandom_u32()
					   : 0;
	if (constant.events && (result & LOG || !(before & (constant.events - 1))))
		tell(f, result, bytes);
	return XDP_DROP;
}

static __noinline int denied4(struct frame *f, u32 result, u32 bytes)
{
	f->family = 4;
	return denied(f, result, bytes);
}

inline_ int passed(u32 result, u32 bytes)
{
	if (constant.use_counters)
		count(&counters, result & NUMBER, bytes);
	return XDP_PASS;
}

/* Frames of every kind. */
__attribute__((noinline)) int any_frame(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct frame f = {};
	u32 bytes = end - data, result;
	struct point asked;
	int why = parse(&f, data, end, bytes);

	if (why != GOOD)
		return refused(why, bytes);
	if (!f.family) {
		if (f.ethertype == ETH_ARP) {
			count(&seen, PASSED_ARP, bytes);
			return XDP_PASS;
		}
#pragma unroll
		for (int i = 0; i < 4; i++)
			if (constant.ethertypes[i] && constant.ethertypes[i] == f.ethertype) {
				count(&seen, PASSED_ETHERTYPE, bytes);
				return XDP_PASS;
			}
		return refused(NOT_IP, bytes);
	}
	asked = f.at;
	if (constant.use_connections && icmp_id(&f))
		asked.sport = 0;
	result = f.family == 4 ? look4(f.peer, f.local, asked.index, asked.sport) : classify6(f.peer6, f.local6, 0, asked);
	if (result & STEP)
		return refused(BROKEN, bytes);
	return result & DENY ? denied(&f, result, bytes) : passed(result, bytes);
}

/*
 * The verdict of a frame. Whole TCP and UDP over IPv4 without tag and options is most of the traffic: its headers lie
 * at known places, in five words of eight bytes behind one comparison, which are cut in registers. `any_frame` says
 * the same of such a frame.
 */
inline_ int judge(struct xdp_md *ctx)
{
	u64 *word = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	u32 bytes = end - (void *)word, total, result, peer, local;
	u64 link, head, from, to, state, proto, tcp, size, seen_before;
	struct point at;

	if ((void *)word + 54 > end)
		return any_frame(ctx);
	link = word[1], head = word[2], from = word[3], to = word[4], state = word[5];
	proto = head >> 56;
	if ((link >> 32 & 0xffffff) != (0x450000 | bpf_htons(ETH_IP)) || head >> 32 & bpf_htons(0x1fff) || proto > 63 ||
	    !(plain(1ull << P_TCP | 1ull << P_UDP) >> proto & 1))
		return any_frame(ctx);
	/* By arithmetic: which of the two it is changes from packet to packet, and a wrong guess costs more than this. */
	tcp = plain(((proto ^ P_TCP) - 1) >> 63);
	size = (state >> 50 & 60) * tcp + 8 * (1 - tcp);
	seen_before = (0 - plain(state >> 56 & 0x14)) >> 63 & tcp;
	total = bpf_ntohs((u16)head);
	if (size < 8 + 12 * tcp || total < 20 + size || total + 14 > bytes ||
	    bpf_ntohs((u16)(to >> 48)) + (tcp << 16) < 8)
		return any_frame(ctx);
	at.sport = bpf_ntohs((u16)(to >> 16));
	at.index = bpf_ntohs((u16)(to >> 32)) + (UDP << 8) * (1 - tcp) + (seen_before << 16);
	peer = bpf_ntohl((u32)(from >> 16));
	local = bpf_ntohl((u32)(from >> 48 | to << 16));
	result = classify4(peer, local, at);
	if (result & STEP)
		return refused(BROKEN, bytes);
	if (result & DENY) {
		if (constant.use_connections || constant.events) {
			struct frame f = {.at = at, .proto = proto, .peer = peer, .local = local};
			return denied4(&f, result, bytes);
		}
		passed(result, bytes);
		return XDP_DROP;
	}
	return passed(result, bytes);
}

#endif
