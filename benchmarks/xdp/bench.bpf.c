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
ARRAY_OF(trace, packet);
ARRAY_OF(answers_, hits); /* by packet: verdict */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} turn SEC(".maps");

/* The first of so many packets that nobody took yet. */
inline_ u32 taken(u32 many)
{
	u64 *n = at(&turn, 0);
	u32 first = n ? *n : 0;

	if (n)
		*n += many;
	return first;
}

inline_ void lay(struct xdp_md *ctx, u32 i)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct packet *p = at(&trace, i & (PACKETS - 1));
	u64 *out = data;

	if (!p || data + 64 > end)
		return;
	out[0] = p->word[0];
	out[1] = p->word[1];
	out[2] = p->word[2];
	out[3] = p->word[3];
	out[4] = p->word[4];
	out[5] = p->word[5];
}

inline_ u32 next(struct xdp_md *ctx)
{
	u32 i = taken(1);

	lay(ctx, i);
	return i & (PACKETS - 1);
}

inline_ void note(u32 i, int verdict)
{
	struct hits *h = at(&answers_, i & (PACKETS - 1));

	if (h)
		h->packets = verdict;
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

	note(i, verdict);
	return verdict;
}

/*
 * The same in bursts, as a driver empties its ring: a call and a return for every packet, but the kernel's own work for
 * a test run only once in so many. What a run answers is the sum of its verdicts, so that none of them can be left out.
 */
#define BURST 64

__attribute__((noinline)) int called(struct xdp_md *ctx)
{
	return judge(ctx);
}

__attribute__((noinline)) int nothing(struct xdp_md *ctx)
{
	int verdict = XDP_PASS;

	asm volatile("" : "+r"(verdict) : "r"(ctx));
	return verdict;
}

#define EACH _Pragma("clang loop unroll(disable)") for (u32 k = 0; k < BURST; k++)

SEC("xdp")
int burst_empty(struct xdp_md *ctx)
{
	int sum = 0;

	EACH sum += nothing(ctx);
	return sum;
}

SEC("xdp")
int burst_copy(struct xdp_md *ctx)
{
	u32 first = taken(BURST);
	int sum = 0;

	EACH {
		lay(ctx, first + k);
		sum += nothing(ctx);
	}
	return sum;
}

SEC("xdp")
int burst(struct xdp_md *ctx)
{
	u32 first = taken(BURST);
	int sum = 0;

	EACH {
		lay(ctx, first + k);
		sum += called(ctx);
	}
	return sum;
}

SEC("xdp")
int burst_check(struct xdp_md *ctx)
{
	u32 first = taken(BURST);
	int sum = 0;

	EACH {
		lay(ctx, first + k);
		int verdict = called(ctx);
		note(first + k, verdict);
		sum += verdict;
	}
	return sum;
}

/* A generator: live frames of the trace into the stack of the interface that the test run names, without a queue. */
SEC("xdp")
int generate(struct xdp_md *ctx)
{
	next(ctx);
	return XDP_PASS;
}
