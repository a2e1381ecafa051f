// SPDX-License-Identifier: Apache-2.0
/* The filter table of a host's interfaces: what each generation brings, and the one program that every interface has. */
#include "filter.h"

char licensed[] SEC("license") = "Apache-2.0";

/* Slot 0 is the generation in force. It is pinned: a table of programs is emptied when its last user goes. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} generation SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} generation_leaving SEC(".maps");

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	return judge(ctx);
}

SEC("tc")
int record(struct __sk_buff *skb)
{
	struct frame f = {};

	bpf_skb_pull_data(skb, skb->len < 160 ? skb->len : 160);
	if (parse(&f, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len) == GOOD)
		remember(&f);
	return 0; /* TC_ACT_OK: this table judges what arrives */
}

SEC("xdp")
int dispatch(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &generation, 0);
	count(&seen, NOT_LOADED, (long)ctx->data_end - (long)ctx->data);
	return XDP_DROP;
}

SEC("tc")
int dispatch_leaving(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &generation_leaving, 0);
	return 0;
}
