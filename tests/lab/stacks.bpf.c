/* What an AF_XDP application brings, and a table that drops all: the two programs of the tests of stacks. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, 4);
    __type(key, __u32);
    __type(value, __u32);
} sockets SEC(".maps");

SEC("xdp") int take(struct xdp_md *ctx) { return bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS); }

SEC("xdp") int deny(struct xdp_md *ctx) { return XDP_DROP; }

char _license[] SEC("license") = "GPL";
