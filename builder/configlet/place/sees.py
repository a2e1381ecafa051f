"""What sees what: stack by mechanism, each cell with its reason as a sentence (DESIGN 6; reference pages on NICs).

Data, not code. ``rx`` and ``tx`` say whether the mechanism meets packets that the workload receives and sends.
"""

from __future__ import annotations

from dataclasses import dataclass

from configlet.model.inventory import Stack


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table."""

    rx: bool
    tx: bool
    sentence: str
    source: str


_KERNEL = "the Linux kernel's packet path (netfilter hooks)"
_ONLOAD = "Onload (Xilinx-CNS/onload, UG1586)"
_DPDK = "DPDK programmer's guide; vendor drivers"

HOST: dict[Stack, Cell] = {
    "kernel": Cell(True, True, "The kernel's sockets receive behind nftables and send through it.", _KERNEL),
    "container": Cell(
        True, True, "A container behind a veth crosses the host's input, forward and output hooks.", _KERNEL
    ),
    "af_xdp": Cell(
        False,
        False,
        "An AF_XDP socket takes packets from the driver before nftables and sends past it: the host's table is blind.",
        "kernel documentation, AF_XDP",
    ),
    "onload": Cell(
        False,
        False,
        "Onload runs TCP and UDP in the application, straight on the NIC's queues: the host's nftables never meets its "
        "packets and is blind.",
        _ONLOAD,
    ),
    "dpdk": Cell(
        False,
        False,
        "DPDK polls the NIC from user space and bypasses the kernel: the host's nftables is blind to it.",
        _DPDK,
    ),
    "rdma": Cell(
        False,
        False,
        "RDMA is carried out by the NIC between application buffers: no packet meets the kernel, its nftables is blind.",
        "RDMA core documentation",
    ),
    "vm": Cell(
        False,
        False,
        "A virtual machine's packets are bridged by the hypervisor's switch and never enter the host's input or output: "
        "the host's nftables is blind; the guest's own table is the guest's.",
        _KERNEL,
    ),
    "vm-sriov": Cell(
        False,
        False,
        "An SR-IOV function hands the guest the NIC's own queues: the host's nftables is blind.",
        "SR-IOV; vendor drivers",
    ),
    "vm-vdpa": Cell(
        False,
        False,
        "vDPA connects the guest's virtio queues to the NIC: the host's nftables is blind.",
        "vDPA, kernel documentation",
    ),
}
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
