"""What sees what: every stack by every mechanism, each cell with its reason as a sentence and its source (DESIGN 6).

Data, not code. ``rx`` and ``tx`` say whether the mechanism surely meets what the workload receives and sends; what
depends on something that the inventory does not say counts as not seen, and the sentence says on what.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, get_args

from configlet.model.frozen import dataclass
from configlet.model.inventory import Stack

Row = Stack
Mechanism = Literal[
    "nftables", "xdp", "vswitch", "serverlock", "ntuple", "tcflower", "rteflow", "onload-firewall", "leaf-port", "gateway"
]
ROWS: tuple[Row, ...] = get_args(Stack)
MECHANISMS: tuple[Mechanism, ...] = get_args(Mechanism)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table."""

    rx: bool
    tx: bool
    sentence: str
    source: str


KERNEL = "Linux kernel: net/core/dev.c and the netfilter hooks"
XDP = "Linux kernel documentation: BPF_PROG_TYPE_XDP, AF_XDP"
ONLOAD = "Xilinx-CNS/onload 9.2, src/driver/linux_resource/filter.c; UG1586"
SFC = "Xilinx-CNS/onload, the sfc driver: ethtool_common.c, filter.h"
MLX = "Linux mlx5: en_fs_ethtool.c, en_rep.c; DPDK nics/mlx5"
TSA = "DPDK efx_regs_mcdi.h (BSD-3), rules for each direction; simulated, never tested on hardware"
FLOW = "DPDK rte_flow guide and nics/features"
VIRT = "Open vSwitch, OVN and the kernel's bridge; SR-IOV and vDPA documentation"
WIRE = "IEEE 802.1Q bridging: a port filters the frames that cross it"

BYPASS: tuple[Row, ...] = ("af_xdp", "onload", "dpdk", "rdma")
GUESTS: tuple[Row, ...] = ("vm", "vm-sriov", "vm-vdpa")
HOSTED: tuple[Row, ...] = (
    "kernel", "container", "container-bridge", "container-macvlan", "container-ipvlan", "af_packet",
)  # fmt: skip


def _sees(sentence: str, source: str) -> Cell:
    return Cell(True, True, sentence, source)


def _rx(sentence: str, source: str) -> Cell:
    return Cell(True, False, sentence, source)


def _blind(sentence: str, source: str) -> Cell:
    return Cell(False, False, sentence, source)


NFTABLES: dict[Row, Cell] = {
    "kernel": _sees("The kernel's sockets receive behind nftables and send through it.", KERNEL),
    "container": _sees(
        "A container behind a veth that the host routes crosses the host's input, forward and output hooks.", KERNEL),
    "container-bridge": _blind(
        "A container on a bridge of the host gets its frames switched: the host's IP hooks meet them only with br_netfilter, "
        "which the inventory does not say.", KERNEL),
    "container-macvlan": _blind(
        "A macvlan takes its frames from the NIC below before the host's IP hooks and sends straight to it: the host's "
        "table is blind, and only a table in the container's own namespace would see.", KERNEL),
    "container-ipvlan": _blind(
        "An ipvlan in l2 mode passes the host's hooks by; only l3s mode enters them, and the inventory does not say which.",
        KERNEL),
    "af_packet": _blind(
        "A packet socket gets its copy before the IP hooks and sends past them: the host's table is blind.", KERNEL),
    "af_xdp": _blind(
        "An AF_XDP socket takes packets from the driver before nftables and sends past it: the host's table is blind.", XDP),
    "onload": _blind(
        "Onload runs TCP and UDP in the application, straight on the NIC's queues: the host's nftables never meets its "
        "packets and is blind.", ONLOAD),
    "dpdk": _blind(
        "DPDK polls the NIC from user space and bypasses the kernel: the host's nftables is blind to it.", FLOW),
    "rdma": _blind(
        "RDMA is carried out by the NIC between application buffers: no packet meets the kernel, its nftables is blind.", MLX),
    "vm": _blind(
        "A virtual machine's packets are bridged by the hypervisor's switch and never enter the host's input or output: "
        "the host's nftables is blind; the guest's own table is the guest's.", VIRT),
    "vm-sriov": _blind("An SR-IOV function hands the guest the NIC's own queues: the host's nftables is blind.", VIRT),
    "vm-vdpa": _blind("vDPA connects the guest's virtio queues to the NIC: the host's nftables is blind.", VIRT),
}  # fmt: skip

_XDP: dict[Row, Cell] = {
    **{row: _rx("XDP sees only what is received, in the driver before the kernel's stack; what is sent never meets it.", XDP)
       for row in ("kernel", "container")},
    "container-bridge": _rx("XDP on the NIC runs before the host's bridge; what is sent never meets it.", XDP),
    "container-macvlan": _rx("XDP on the NIC runs before a macvlan takes the frame; what is sent never meets it.", XDP),
    "container-ipvlan": _rx("XDP on the NIC runs before an ipvlan takes the frame; what is sent never meets it.", XDP),
    "af_packet": _rx("XDP runs before packet sockets get their copy; what they send never meets it.", XDP),
    "af_xdp": _blind(
        "An interface runs one XDP program, and the application's own takes the packets: a table sees them only if it is "
        "chained before that program, which the inventory does not say.", XDP),
    "onload": _blind("Onload's filters steer packets to its own queues, which no XDP program of the driver serves.", ONLOAD),
    "dpdk": _blind("DPDK has the NIC's queues, or the whole device: the kernel's driver runs no XDP program for them.", FLOW),
    "rdma": _blind("RDMA packets go to queue pairs of the NIC; the driver's receive rings and XDP never have them.", MLX),
    "vm": _blind(
        "XDP on the uplink meets a guest's headers only where the kernel's own bridge carries them and no overlay wraps them, "
        "which the inventory does not say.", XDP),
    "vm-sriov": _blind("The function's queues are the guest's; the host's driver runs no XDP program for them.", VIRT),
    "vm-vdpa": _blind("The NIC fills the guest's virtio queues; the host's driver runs no XDP program for them.", VIRT),
}  # fmt: skip

_VSWITCH: dict[Row, Cell] = {
    **{row: _blind("Not attached to a hypervisor's switch: there is none on the way.", VIRT) for row in (*HOSTED, *BYPASS)},
    "vm": _sees("A virtio guest's packets all cross the hypervisor's switch.", VIRT),
    "vm-sriov": _blind("An SR-IOV function passes the hypervisor's switch by.", VIRT),
    "vm-vdpa": _blind("vDPA's data path is in the NIC; the hypervisor's switch only sees what is not offloaded.", VIRT),
}

_SERVERLOCK: dict[Row, Cell] = {
    **{row: _sees("ServerLock judges in the NIC, both ways, whatever takes or brings the packet in the host.", TSA)
       for row in (*HOSTED, "onload", "dpdk", "af_xdp")},
    "rdma": _blind("The NICs that have ServerLock carry no RDMA; nothing is known of such packets there.", TSA),
    "vm": _blind("Overlaid packets show only their outer headers to the NIC, and the inventory does not say that none are.", TSA),
    "vm-sriov": _blind("What goes from one function to another inside the NIC is not known to meet the rules.", TSA),
    "vm-vdpa": _blind("The NICs that have ServerLock offer no vDPA.", TSA),
}  # fmt: skip

_NTUPLE: dict[Row, Cell] = {
    **{row: _rx("ntuple filters drop in the NIC what is received; what is sent never meets them.", SFC) for row in HOSTED},
    "af_xdp": _rx("ntuple filters drop in the NIC before a queue is chosen; what is sent never meets them.", XDP),
    "onload": _blind("Onload's own filters go into the same table and win there: an ntuple rule does not count.", ONLOAD),
    "dpdk": _blind("On mlx5 the kernel's ntuple rules come after the bypass, elsewhere DPDK has taken the device and them.", MLX),
    "rdma": _blind("The kernel's ntuple rules come after RDMA's own steering.", MLX),
    "vm": _blind("They see inner headers only without an overlay, which the inventory does not say.", SFC),
    "vm-sriov": _blind("ntuple rules are the physical function's own; another function's packets do not meet them.", MLX),
    "vm-vdpa": _blind("ntuple rules are the physical function's own; a vDPA device's packets do not meet them.", MLX),
}

_TCFLOWER: dict[Row, Cell] = {
    **{row: _sees("In switchdev mode with skip_sw the NIC's switch judges both ways on the uplink.", MLX)
       for row in (*HOSTED, "af_xdp", "dpdk", "rdma")},
    "onload": _blind("Where Onload's NICs take tc flower (EF100, X4), its own filters are steered apart; not confirmed.", SFC),
    "vm": _blind("The NIC's switch meets inner headers only without an overlay, which the inventory does not say.", MLX),
    "vm-sriov": _sees("In switchdev mode each function has a representor, and its rules are in the NIC's switch.", MLX),
    "vm-vdpa": _sees("In switchdev mode each vDPA device's function has a representor with rules in the NIC's switch.", MLX),
}  # fmt: skip

_RTEFLOW: dict[Row, Cell] = {
    **{row: _blind("rte_flow rules belong to a port that a DPDK application has opened; here there is none.", FLOW)
       for row in (*HOSTED, "af_xdp", "onload", "rdma", *GUESTS)},
    "dpdk": _rx("The port's own rte_flow rules drop what is received, but the application can remove them: never the "
                "only guard.", FLOW),
}  # fmt: skip

_ONLOAD_FIREWALL: dict[Row, Cell] = {
    **{row: _blind("Onload's firewall decides which of Onload's filters may be inserted; nothing else meets it.", ONLOAD)
       for row in ROWS},
    "onload": _blind("It drops nothing: what it denies is decelerated to the kernel, where nftables must drop it.", ONLOAD),
}  # fmt: skip

_LEAF_PORT: dict[Row, Cell] = {
    **{row: _sees("Every frame between the host and anybody else crosses the leaf's port; inside the host none does.", WIRE)
       for row in (*HOSTED, *BYPASS)},
    "vm": _blind("It meets the guest's headers only without an overlay, else the outer ones; the inventory does not say.", WIRE),
    "vm-sriov": _sees("What leaves the NIC crosses the leaf's port; from one function to another nothing does.", WIRE),
    "vm-vdpa": _sees("What leaves the NIC crosses the leaf's port; from one device to another nothing does.", WIRE),
}  # fmt: skip

_GATEWAY: dict[Row, Cell] = {
    row: _sees("A routed packet crosses the gateway's interface whatever the workload's stack is; a switched one does not.", WIRE)
    for row in ROWS
}

TABLE: dict[Mechanism, dict[Row, Cell]] = {
    "nftables": NFTABLES,
    "xdp": _XDP,
    "vswitch": _VSWITCH,
    "serverlock": _SERVERLOCK,
    "ntuple": _NTUPLE,
    "tcflower": _TCFLOWER,
    "rteflow": _RTEFLOW,
    "onload-firewall": _ONLOAD_FIREWALL,
    "leaf-port": _LEAF_PORT,
    "gateway": _GATEWAY,
}
IN_NIC: frozenset[str] = frozenset(("serverlock", "ntuple", "tcflower", "rteflow", "onload-firewall"))
"""Mechanisms that a NIC holds, named as the platforms of their tables."""
OUTSIDE = IN_NIC | {"xdp"}
"""Mechanisms at the NIC, which what passes between two workloads of one host never meets (DESIGN 6)."""
OF_THE_HOST: frozenset[Stack] = frozenset(("kernel", "af_packet", "af_xdp", "onload", "rdma"))
"""Stacks whose addresses the host's kernel has itself, so that it delivers from one to another whatever their segments."""


@cache
def cell(row: Row, platform: str) -> Cell:
    """What the table of a platform sees of a stack. A host's table of any other platform is judged as nftables'."""
    found: Mechanism = next((m for m in TABLE if m == platform), "nftables")
    return TABLE[found][row]
