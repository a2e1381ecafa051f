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

/* A number that the compiler may not reason about: no branch in place of arithmetic, no bound taken away. */
inline_ u64 plain(u64 value)
{
	asm volatile("" : "+r"(value));
	return value;
}

/* 1 when two numbers of 32 bits are equal, else 0; without a branch, as it is a coin's toss. */
inline_ u64 same(u32 one, u32 other)
{
	return plain((u64)(one ^ other) - 1) >> 63;
}

/* The element of a table, where `index` is known to be one. */
#define ELEMENT(table, index)                             \
	({                                                \
		void *all_ = (table);                     \
		asm volatile("" : "+r"(all_));            \
		(typeof(&(table)[0]))(all_ + (index) * sizeof((table)[0])); \
	})

/* Names an element of a table; beyond its end the function answers `otherwise`. */
#define FIND(it, table, index, otherwise)                 \
	u64 it##_at = plain(index);                       \
	if (it##_at > constant.last_##table)              \
		return otherwise;                         \
	typeof(&(table)[0]) it = ELEMENT(table, it##_at)

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
	return line->val[plain(below4(*(const u64 *)line->start, x)) & 7];
}

inline_ u32 in64(const struct line64 *line, u32 x)
{
	const u64 *starts = (const u64 *)line->start;
	return line->val[plain(below4(starts[0], x) + below4(starts[1], x)) & 15];
}

inline_ u32 in_wide(const struct wide64 *line, u32 x)
{
	u64 n = 0;
#pragma unroll
	for (int i = 0; i < 7; i++)
		n += ((u64)line->start[i] - x - 1) >> 63;
	return line->val[plain(n) & 7];
}

inline_ u32 class_of(u32 index)
{
	FIND(page, svc, index >> 8, 0);
	return page->class[index & 255];
}

inline_ u32 in_over16(u32 i, u32 class)
{
	FIND(line, overs16, i, DEFAULT);
	u64 outside = plain((u64)class - line->lo | (u64)line->hi - class) >> 63;
	return line->val ^ (u32)((line->val ^ line->parent) & (0 - outside));
}

inline_ u32 in_over32(u32 i, u32 class)
{
	FIND(line, lines32, i, DEFAULT);
	u32 e = in32(line, class);
	return e == PARENT ? line->parent : e;
}

inline_ u32 in_over64(u32 i, u32 class)
{
	FIND(line, lines64, i, DEFAULT);
	u32 e = in64(line, class);
	return e == PARENT ? line->parent : e;
}

inline_ u32 in_row(u32 i, u32 class)
{
	if (constant.blocks > 1) {
		u64 cell = (u64)i * constant.blocks + (class >> 6);
		FIND(pointers, rowptr, cell >> 4, DEFAULT);
		i = pointers->block[cell & 15];
	}
	FIND(block, cells, i, DEFAULT);
	return block->ref[class & 63];
}

inline_ u32 by_sport(u32 e, u32 sport)
{
	FIND(line, lines64, e & NUMBER, DEFAULT);
	return in64(line, sport);
}

/*
 * Rows, overlays and source ports. Whatever still is a step at the end denies. The class is asked for only where a peer
 * has more than one result; it waits for nothing, so that a processor that expects it loads it ahead.
 */
inline_ u32 finish(u32 e, struct point p)
{
	u32 kind = e >> 28, i = e & NUMBER, class, sport = p.sport;

	if (!(e & STEP))
		return e;
	class = class_of(p.index);
	if (kind >= OVER64 && kind <= OVER16)
		e = kind == OVER16 ? in_over16(i, class) : kind == OVER32 ? in_over32(i, class) : in_over64(i, class);
#pragma unroll
	for (u32 step = 0; step < 3; step++)
		if (step < constant.steps && e >> 28 == OVER64)
			e = in_over64(e & NUMBER, class);
	if (e >> 28 == ROW)
		e = in_row(e & NUMBER, class);
	if (constant.use_sport && e >> 28 == LINE64) {
		e = by_sport(e, sport);
		if (e >> 28 == LINE64)
			e = by_sport(e, sport);
		if (e >> 28 == LINE64)
			e = by_sport(e, sport);
	}
	return e;
}

inline_ struct header *used(struct bucket *bucket, u32 local)
{
	if (bucket->at[0].ip == local && bucket->at[0].used)
		return &bucket->at[0];
	return bucket->at[1].ip == local && bucket->at[1].used ? &bucket->at[1] : 0;
}

/* The masks are smaller than the numbers of buckets, and the verifier sees that they are. */
inline_ u32 bucket_of(u32 local, u32 mask)
{
	return mask ? ((local * constant.multiplier) >> 16) & mask : 0;
}

inline_ u32 deeper(u32 e, u64 a)
{
	FIND(chunk, nodes, e & NUMBER, DEFAULT);
	return chunk->ref[a & 255];
}

inline_ u32 by_line(u32 e, u32 peer)
{
	u32 kind = e >> 28, i = e & NUMBER;

	if (kind == LINE32) {
		FIND(line, lines32, i, DEFAULT);
		return in32(line, peer & 0xffff);
	}
	if (kind == LINE64) {
		FIND(line, lines64, i, DEFAULT);
		return in64(line, peer & 0xffff);
	}
	if (kind == WIDE64) {
		FIND(line, wides64, i, DEFAULT);
		return in_wide(line, peer & 0xffffff);
	}
	return e;
}

inline_ u32 peer4(const struct header *t, u32 peer)
{
	u64 a = (u64)peer << (t->pre & 31);
	u32 shift = t->shift & 31;
	/* The chunks of a root lie behind one another, so that its slots are one array. */
	u64 slot = plain(((u64)(t->root & NUMBER) << 8) + (a >> shift));
	if (slot > (u64)constant.last_nodes * 256 + 255)
		return DEFAULT;
	u32 e = *ELEMENT((u32 *)nodes, slot);

	if (e >> 28 == CHUNK) {
		e = deeper(e, a >> ((shift - 8) & 31));
		if (e >> 28 == CHUNK)
			e = deeper(e, a >> ((shift - 16) & 31));
		if (e >> 28 == CHUNK)
			e = deeper(e, a >> ((shift - 24) & 31));
	}
	return by_line(e, peer);
}

/* The result for a packet between a peer and a local IPv4 address. */
inline_ u32 classify4(u32 peer, u32 local, struct point p)
{
	struct header *t = used(ELEMENT(locals, (u64)bucket_of(local, constant.locals_mask)), local);
	if (!t) {
		/* A pointer out of a function would be unknown to the verifier, so the second table is asked in place. */
		struct dst4_key key = {.bits = 32};
		*(u32 *)key.address = bpf_htonl(local);
		t = bpf_map_lookup_elem(&dst4, &key);
		if (!t)
			return DEFAULT;
	}
	return finish(peer4(t, peer), p);
}

inline_ u32 classify4_leaving(u32 peer, u32 local, struct point p)
{
	struct header *t = used(ELEMENT(leaving, (u64)bucket_of(local, constant.leaving_mask)), local);
	return t ? finish(peer4(t, peer), p) : DEFAULT;
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
	if (!table) {
		struct dst6_key prefix = {.bits = 160};
		*(u32 *)prefix.side = side;
		((u64 *)prefix.address)[0] = local.high;
		((u64 *)prefix.address)[1] = local.low;
		table = bpf_map_lookup_elem(&dst6, &prefix);
		if (!table)
			return DEFAULT;
	}
	return finish(peer6(peer, table->number), p);
}

#endif
