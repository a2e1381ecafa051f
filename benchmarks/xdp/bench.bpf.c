// SPDX-License-Identifier: Apache-2.0
/*
 * Entry points for measurements, around the product's own code. A test run does not restore the packet between its
 * repeats, and a constant packet trains every cache; so each run copies the next of 65,536 packets over the buffer.
 */
#include "filter.h"

char licensed[] SEC("license") = "Apache-2.0";

#define PACKETS 65536

struct packet {
	u64 word[8];
};
TABLE(trace, packet);
TABLE(answers_, hits); /* by packet: verdict */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} turn SEC(".maps");

inline_ u32 next(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	u64 *n = at(&turn, 0);
	if (!n || data + 64 > end)
		return 0;
	u32 i = (*n)++ & (PACKETS - 1);
	struct packet *p = at(&trace, i);
	if (!p)
		return 0;
	u64 *out = data;
	out[0] = p->word[0];
	out[1] = p->word[1];
	out[2] = p->word[2];
	out[3] = p->word[3];
	out[4] = p->word[4];
	out[5] = p->word[5];
	return i;
}

SEC("xdp")
int bench_empty(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int bench_copy(struct xdp_md *ctx)
{
	return next(ctx) & 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int bench_parse(struct xdp_md *ctx)
{
	struct frame f = {};
	next(ctx);
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	if (parse(&f, data, end, end - data) != GOOD)
		return XDP_ABORTED;
	return (f.peer ^ f.local ^ f.at.index ^ f.at.sport) & 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int bench(struct xdp_md *ctx)
{
	next(ctx);
	return judge(ctx);
}

SEC("xdp")
int hot(struct xdp_md *ctx)
{
	return judge(ctx);
}

SEC("xdp")
int check(struct xdp_md *ctx)
{
	u32 i = next(ctx);
	int verdict = judge(ctx);
	struct hits *h = at(&answers_, i);
	if (h)
		h->packets = verdict;
	return verdict;
}

/* A generator: live frames of the trace into the stack of the interface that the test run names, without a queue. */
SEC("xdp")
int generate(struct xdp_md *ctx)
{
	next(ctx);
	return XDP_PASS;
}
