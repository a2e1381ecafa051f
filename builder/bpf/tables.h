/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of one generation. Numbers are little-endian, addresses and ports in host byte order; what a lookup key
 * shows in bytes is said there. builder/configlet/encoders/xdp_layout.py has the same layout for the compiler.
 *
 * A reference (u32) is a result or the next step:
 *   bit 31 = 0   result: bits 0-27 its number, bit 28 deny, bit 29 log; 0x7fffffff: ask the overlay's parent
 *   bit 31 = 1   bits 28-31 the kind of step, bits 0-27 its index
 */
#ifndef TABLES_H
#define TABLES_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "The tables are little-endian, and frames are looked at in little-endian words."
#endif

#define STEP 0x80000000u
#define NUMBER 0x0fffffffu
#define DENY 0x10000000u
#define LOG 0x20000000u
#define PARENT 0x7fffffffu
#define DEFAULT DENY /* result 0 */

enum step { ROW = 8, CHUNK, LINE64, LINE32, OVER64, OVER32, OVER16, WIDE64 };

/* Axes of the service table, in pages of 256 points. */
enum axis {
	TCP_NEW = 0,
	TCP_SEEN = 256, /* ACK or RST is set */
	UDP = 512,
	ICMP = 768, /* type * 256 + code */
	ICMPV6 = 1024,
	SCTP = 1280,
	OTHER = 1536, /* by protocol number */
	FRAGMENT = 1537, /* non-first fragments, by protocol number */
	PAGES = 1538,
};

struct header { /* the table of one local address */
	u32 ip, root, shift, used, pre, pad[3];
};
struct bucket {
	struct header at[2];
};
struct page {
	u16 class[256];
};
struct chunk {
	u32 ref[256];
};
struct line32 { /* four cuts of 16 bits; the value before the first cut is val[0] */
	u16 start[4];
	u32 val[5], parent;
} __attribute__((aligned(8)));
struct line64 {
	u16 start[8];
	u32 val[9], parent, pad[2];
};
struct wide64 { /* seven cuts of 24 bits */
	u32 start[7], val[8], pad;
};
struct over16 {
	u16 lo, hi;
	u32 val, parent, pad;
};
struct pointers {
	u32 block[16];
};
struct block {
	u32 ref[64];
};
struct hits {
	u64 packets, bytes;
};
struct name {
	char text[96];
};

#define ARRAY_OF(name, kind)                              \
	struct {                                          \
		__uint(type, BPF_MAP_TYPE_ARRAY);         \
		__uint(map_flags, BPF_F_MMAPABLE);        \
		__uint(max_entries, 1);                   \
		__type(key, u32);                         \
		__type(value, struct kind);               \
	} name SEC(".maps")

/*
 * A table is one value of a map of its own, and its address a number in the program: an element is one comparison and
 * one load away, where a lookup would first write its key to the stack. The loader brings the map, with all elements
 * and GAP bytes behind them: an index within a line is masked, and a mask may point a little beyond the last line.
 */
#define TABLE(name, kind) struct kind name[1] SEC(".data." #name) = {}
#define GAP 64

TABLE(locals, bucket); /* towards local IPv4 addresses */
TABLE(leaving, bucket); /* from them; only for what connections are remembered by */
TABLE(svc, page);
TABLE(nodes, chunk);
TABLE(lines32, line32);
TABLE(lines64, line64);
TABLE(wides64, wide64);
TABLE(overs16, over16);
TABLE(rowptr, pointers);
TABLE(cells, block);
ARRAY_OF(names, name); /* what each result is called; the program does not read it */

#define LOOKUP(name, kind, k, v, entries, f)              \
	struct {                                          \
		__uint(type, BPF_MAP_TYPE_##kind);        \
		__uint(map_flags, f);                     \
		__uint(max_entries, entries);             \
		__type(key, struct k);                    \
		__type(value, struct v);                  \
	} name SEC(".maps")

struct dst4_key { /* bits, address as on the wire */
	u32 bits;
	u8 address[4];
};
struct dst6_key { /* 32 + bits, side as 4 bytes (0 towards, 1 from), address as on the wire */
	u32 bits;
	u8 side[4], address[16];
};
struct local6_key {
	u64 high, low; /* as on the wire */
	u32 side, pad;
};
struct number {
	u32 number, pad;
};
struct h64_key {
	u64 high; /* as on the wire */
	u32 table, pad;
};
struct h64_value {
	u32 ref;
	u32 more; /* 0 nothing longer than /64, 1 whole addresses, 2 also prefixes in between: ask l128 by id */
	u32 id, pad;
};
struct h128_key {
	u64 high, low;
	u32 table, pad;
};
struct ref {
	u32 ref, pad;
};
struct l64_key { /* 32 + bits, table or id, the high or low half of the address, as on the wire */
	u32 bits;
	u32 table;
	u8 half[8];
};

LOOKUP(dst4, LPM_TRIE, dst4_key, header, 1, BPF_F_NO_PREALLOC); /* destinations that are no single local address */
LOOKUP(dst6, LPM_TRIE, dst6_key, number, 1, BPF_F_NO_PREALLOC);
LOOKUP(local6, HASH, local6_key, number, 1, 0);
LOOKUP(h64, HASH, h64_key, h64_value, 1, 0);
LOOKUP(h128, HASH, h128_key, ref, 1, 0);
LOOKUP(l6, LPM_TRIE, l64_key, ref, 1, BPF_F_NO_PREALLOC); /* peers' prefixes shorter than /64 */
LOOKUP(l128, LPM_TRIE, l64_key, ref, 1, BPF_F_NO_PREALLOC); /* and from /65 to /127 */

/* One struct, so that whoever loads needs no symbol table. The verifier knows its values and drops unused stages. */
struct constants {
	u32 locals_mask, leaving_mask, multiplier;
	u32 blocks; /* blocks of 64 classes in a row */
	u32 steps; /* lines over classes that may stand behind the first one, up to 3 */
	u32 use_sport, use_counters, use_connections;
	u32 events; /* one deny of a result in so many is told; 0 none, else a power of two */
	u32 ethertypes[4]; /* passed beside ARP; 0 unused */
	u32 timeout_tcp, timeout_other; /* seconds */
	/* From here on not of the text but of the tables: the number of the last element of each. */
	u32 last_locals, last_leaving, last_svc, last_nodes, last_lines32, last_lines64, last_wides64, last_overs16;
	u32 last_rowptr, last_cells;
};
const volatile struct constants constant = {.multiplier = 1, .blocks = 1, .use_sport = 1, .use_counters = 1};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct hits);
} counters SEC(".maps"); /* by result */

enum seen {
	PASSED_ARP,
	PASSED_ETHERTYPE,
	NOT_IP,
	MALFORMED,
	TRUNCATED,
	EXTENSIONS, /* a chain of IPv6 headers that is too long */
	BROKEN, /* a reference that leads nowhere: the tables are damaged */
	CONNECTION, /* passed as a reply */
	NOT_LOADED,
	SEEN,
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SEEN);
	__type(key, u32);
	__type(value, struct hits);
} seen SEC(".maps");

#endif
