/* SPDX-License-Identifier: Apache-2.0 */
/* From addresses, protocol and ports to a result: three to six dependent loads, whatever the number of filters. */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "tables.h"

#define inline_ static __always_inline

struct point {
	u32 index; /* of the service table: axis * 256 + port, or type * 256 + code, or protocol */
	u32 sport; /* ICMP with connections: its identifier */
};

inline_ void *at(void *map, u32 index)
{
	return bpf_map_lookup_elem(map, &index);
}

/* The verifier must see the bound; the compiler, which could prove it, must not take it away. */
inline_ u32 bound(u32 value, u32 top)
{
	asm volatile("" : "+r"(value));
	return value > top ? top : value;
}

/* How many of four sorted 16-bit numbers are at most x. */
inline_ u32 below4(u64 starts, u32 x)
{
	const u64 ones = 0x0001000100010001ull, tops = 0x8000800080008000ull;
	u64 many = x * ones;
	u64 low = (many | tops) - (starts & ~tops);
	u64 yes = ((many & ~starts) | (~(many ^ starts) & low)) & tops;
	return ((yes >> 15) * ones) >> 48;
}

inline_ u32 in32(const struct line32 *line, u32 x)
{
	return line->val[bound(below4(*(const u64 *)line->start, x), 4)];
}

inline_ u32 in64(const struct line64 *line, u32 x)
{
	const u64 *starts = (const u64 *)line->start;
	return line->val[bound(below4(starts[0], x) + below4(starts[1], x), 8)];
}

inline_ u32 in_wide(const struct wide64 *line, u32 x)
{
	u64 n = 0;
#pragma unroll
	for (int i = 0; i < 7; i++)
		n += ((u64)line->start[i] - x - 1) >> 63;
	return line->val[bound(n, 7)];
}

inline_ u32 class_of(u32 index)
{
	struct page *page = at(&svc, index >> 8);
	return page ? page->class[index & 255] : 0;
}

inline_ u32 by_sport(u32 e, u32 sport)
{
	struct line64 *line = at(&lines64, e & NUMBER);
	return line ? in64(line, sport) : DEFAULT;
}

/* Rows, overlays and source ports. Whatever still is a step at the end denies. */
inline_ u32 finish(u32 e, u32 class, u32 sport)
{
	u32 kind = e >> 28, i = e & NUMBER;

	if (kind >= OVER64 && kind <= OVER16) {
		if (kind == OVER16) {
			struct over16 *line = at(&overs16, i);
			if (!line)
				return DEFAULT;
			e = class >= line->lo && class <= line->hi ? line->val : line->parent;
		} else if (kind == OVER32) {
			struct line32 *line = at(&lines32, i);
			if (!line)
				return DEFAULT;
			e = in32(line, class);
			if (e == PARENT)
				e = line->parent;
		} else {
			struct line64 *line = at(&lines64, i);
			if (!line)
				return DEFAULT;
			e = in64(line, class);
			if (e == PARENT)
				e = line->parent;
		}
		kind = e >> 28;
		i = e & NUMBER;
	}
	if (kind == ROW) {
		if (constant.blocks > 1) {
			u64 cell = (u64)i * constant.blocks + (class >> 6);
			struct pointers *p = at(&rowptr, cell >> 4);
			if (!p)
				return DEFAULT;
			i = p->block[cell & 15];
		}
		struct block *block = at(&cells, i);
		if (!block)
			return DEFAULT;
		e = block->ref[class & 63];
	}
	if (constant.use_sport && e >> 28 == LINE64) {
		e = by_sport(e, sport);
		if (e >> 28 == LINE64)
			e = by_sport(e, sport);
		if (e >> 28 == LINE64)
			e = by_sport(e, sport);
	}
	return e;
}

inline_ struct header *header_of(void *map, u32 mask, u32 local)
{
	struct bucket *bucket = at(map, ((local * constant.multiplier) >> 16) & mask);
	if (!bucket)
		return 0;
	struct header *t = &bucket->at[bucket->at[1].ip == local];
	return t->ip == local && t->used ? t : 0;
}


inline_ u32 deeper(u32 e, u64 a)
{
	struct chunk *chunk = at(&nodes, e & NUMBER);
	return chunk ? chunk->ref[a & 255] : DEFAULT;
}

inline_ u32 peer4(const struct header *t, u32 peer)
{
	u64 a = (u64)peer << (t->pre & 31);
	u32 shift = t->shift & 31;
	struct chunk *chunk = at(&nodes, t->root + (a >> shift >> 8));
	if (!chunk)
		return DEFAULT;
	u32 e = chunk->ref[(a >> shift) & 255];
	if (e >> 28 == CHUNK) {
		e = deeper(e, a >> ((shift - 8) & 31));
		if (e >> 28 == CHUNK)
			e = deeper(e, a >> ((shift - 16) & 31));
		if (e >> 28 == CHUNK)
			e = deeper(e, a >> ((shift - 24) & 31));
	}
	u32 kind = e >> 28, i = e & NUMBER;
	if (kind == LINE32) {
		struct line32 *line = at(&lines32, i);
		return line ? in32(line, peer & 0xffff) : DEFAULT;
	}
	if (kind == LINE64) {
		struct line64 *line = at(&lines64, i);
		return line ? in64(line, peer & 0xffff) : DEFAULT;
	}
	if (kind == WIDE64) {
		struct wide64 *line = at(&wides64, i);
		return line ? in_wide(line, peer & 0xffffff) : DEFAULT;
	}
	return e;
}

/* The result for a packet between a peer and a local IPv4 address. */
inline_ u32 classify4(u32 peer, u32 local, struct point p)
{
	struct header *t = header_of(&locals, constant.locals_mask, local);
	u32 class = class_of(p.index);
	if (!t) {
		/* A pointer out of a function would be unknown to the verifier, so the second table is asked in place. */
		struct dst4_key key = {.bits = 32};
		*(u32 *)key.address = bpf_htonl(local);
		t = bpf_map_lookup_elem(&dst4, &key);
		if (!t)
			return DEFAULT;
	}
	return finish(peer4(t, peer), class, p.sport);
}

inline_ u32 classify4_leaving(u32 peer, u32 local, struct point p)
{
	struct header *t = header_of(&leaving, constant.leaving_mask, local);
	return t ? finish(peer4(t, peer), class_of(p.index), p.sport) : DEFAULT;
}

/* The same as functions, where a frame is on no short way: the verifier looks through each of them once. */
__attribute__((noinline)) u32 look4(u32 peer, u32 local, u32 index, u32 sport)
{
	struct point p = {.index = index, .sport = sport};
	return classify4(peer, local, p);
}

__attribute__((noinline)) u32 look4_leaving(u32 peer, u32 local, u32 index, u32 sport)
{
	struct point p = {.index = index, .sport = sport};
	return classify4_leaving(peer, local, p);
}

struct six {
	u64 high, low; /* as on the wire */
};

inline_ u32 peer6(struct six peer, u32 table)
{
	struct h64_key key = {.high = peer.high, .table = table};
	struct h64_value *value = bpf_map_lookup_elem(&h64, &key);
	if (!value) {
		struct l64_key prefix = {.bits = 96, .table = table};
		*(u64 *)prefix.half = peer.high;
		struct ref *found = bpf_map_lookup_elem(&l6, &prefix);
		return found ? found->ref : DEFAULT;
	}
	if (!value->more)
		return value->ref;
	struct h128_key whole = {.high = peer.high, .low = peer.low, .table = table};
	struct ref *found = bpf_map_lookup_elem(&h128, &whole);
	if (!found && value->more == 2) {
		struct l64_key prefix = {.bits = 96, .table = value->id};
		*(u64 *)prefix.half = peer.low;
		found = bpf_map_lookup_elem(&l128, &prefix);
	}
	return found ? found->ref : value->ref;
}

inline_ u32 classify6(struct six peer, struct six local, u32 side, struct point p)
{
	struct local6_key key = {.high = local.high, .low = local.low, .side = side};
	struct number *table = bpf_map_lookup_elem(&local6, &key);
	u32 class = class_of(p.index);
	if (!table) {
		struct dst6_key prefix = {.bits = 160};
		*(u32 *)prefix.side = side;
		((u64 *)prefix.address)[0] = local.high;
		((u64 *)prefix.address)[1] = local.low;
		table = bpf_map_lookup_elem(&dst6, &prefix);
		if (!table)
			return DEFAULT;
	}
	return finish(peer6(peer, table->number), class, p.sport);
}

#endif
