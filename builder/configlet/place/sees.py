"""What a host's own table sees, and the words of a finding. The table of all mechanisms is in ``stacks``."""

from __future__ import annotations

from configlet.model.inventory import Stack
from configlet.place.stacks import NFTABLES, Cell

HOST: dict[Stack, Cell] = {stack: found for stack, found in NFTABLES.items() if stack in Stack.__args__}  # type: ignore[attr-defined,misc]
"""The host's nftables, by the stack of the workload."""

CURE: dict[Stack, str] = {
    "kernel": "manage the host's nftables",
    "container": "manage the host's nftables",
    "af_xdp": "an XDP table chained before the application's program, or a NIC filter table",
    "onload": "a ServerLock filter table in the NIC, or a leaf-port gate",
    "dpdk": "a leaf-port gate, or an rte_flow or switchdev table where the NIC has one",
    "rdma": "a switchdev table in the NIC, or a leaf-port gate",
    "vm": "the hypervisor's switch (OVN, NSX, Neutron)",
    "vm-sriov": "switchdev or VF rules in the NIC",
    "vm-vdpa": "a switchdev table in the NIC",
}
"""The cheapest gate that would see the workload, for the words of a finding."""

GATEWAY = "A routed packet crosses the gateway's interface whatever the workload's stack is."
NOT_ROUTED = "Both ends are in one segment: the packet is switched and never crosses the gateway."
HALF = (
    "The table at its host judges only what is received, and cannot remember connections: what the host sends, and what "
    "could be a reply, it must pass."
)
"""Of a host whose table is XDP's, where no other gate is on the way."""
HALF_CURE = "the host's nftables, or a gate at the other end that remembers connections"
