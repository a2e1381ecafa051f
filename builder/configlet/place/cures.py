"""Why nothing sees a workload, gate by gate, and the cheapest gate that would: cheapest first is what is there already."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from configlet.model.inventory import Host, Workload
from configlet.place.ends import End
from configlet.place.gates import Placement
from configlet.place.local import Way, hops_at, host_of, inside, stacks_of
from configlet.place.sees import HALF_CURE, HOST
from configlet.place.stacks import IN_NIC, TABLE, Cell, Mechanism

Offered = Callable[[str], tuple[str, ...]]
"""The filter mechanisms of a NIC model that have a platform."""
_NICS: tuple[Mechanism, ...] = ("serverlock", "tcflower", "ntuple", "rteflow")
UNMANAGED = "Its host is not managed, so no table of ours stands there."


def guarded_end(placement: Placement, source: End, target: End) -> End:
    """The end of an unguarded pair at which a gate is missed most: the one of a managed host that nothing there sees."""
    ends = [end for end in (target, source) if end.workload]
    hosts = {end.name: host_of(placement, end) for end in ends}
    ours = [end for end in ends if (host := hosts[end.name]) and host.managed]
    blind = [end for end in ours if end.workload and not HOST[end.workload.stack].rx]
    return (blind or ours or ends)[0]


def reasons(placement: Placement, end: End, way: Way, other: End) -> Iterator[str]:
    """A sentence for each gate at an end that does not see this direction, or the one that there is none."""
    host = host_of(placement, end)
    if end.workload is None or host is None:
        return
    if not host.managed:
        yield UNMANAGED
        return
    hops = [(name, hop) for name in ("", *dict(end.workload.also)) for hop in hops_at(placement, end, way, other, name)]
    said = [f"{hop.gate.name}{f' ({name})' if name else ''}: {hop.sentence}" for name, hop in hops if not hop.sees]
    yield from said
    if not said:
        yield HOST[end.workload.stack].sentence


def cheapest(placement: Placement, end: End, other: End, offered: Offered) -> str:
    """The gate that would see both directions with the least that is new; of a NIC only what its model has."""
    host = host_of(placement, end)
    workload = end.workload
    if workload is None or host is None:
        return "a gate at one of the two ends"
    if all(_whole(TABLE["nftables"][stack]) for stack in stacks_of(workload)):
        return HALF_CURE if host.managed else f"manage {host.name}, whose kernel serves this workload"
    if inside(end, other):
        return f"run the two on different hosts, as what stays inside {host.name} meets no table at a NIC or a switch"
    if _whole(TABLE["vswitch"][workload.stack]):
        return "the hypervisor's switch (OVN, NSX, Neutron)"
    return _in_nics(host, workload, offered) or _xdp(host, workload) or "a leaf-port gate that binds the port to its address"


def _xdp(host: Host, workload: Workload) -> str:
    if not host.managed or host.platform == "xdp" or not TABLE["xdp"][workload.stack].rx:
        return ""
    return f"an XDP table on {host.name} for what is received (`platform: xdp`), and a leaf-port gate for what is sent"


def _whole(cell: Cell) -> bool:
    return cell.rx and cell.tx


def _in_nics(host: Host, workload: Workload, offered: Offered) -> str:
    nics = host.nics_of(workload)
    names = ", ".join(nic.name for nic in nics)
    of_all = [m for m in _NICS if m in IN_NIC and nics and all(m in offered(nic.model) for nic in nics)]
    free = [m for m in of_all if not any(nic.filter_table for nic in nics)]
    both = next((m for m in free if _whole(TABLE[m][workload.stack])), None)
    if both:
        return f"a {both} table in {names}, which this model of NIC has (`filter_table: {both}`)"
    half = next((m for m in free if TABLE[m][workload.stack].rx and m != "rteflow"), None)
    if half:
        return f"a {half} table in {names} for what is received (`filter_table: {half}`), and a leaf-port gate for what is sent"
    return ""
