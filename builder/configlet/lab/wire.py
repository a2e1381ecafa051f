"""Building the wire: namespaces kept by descriptors, and one ``ip -batch`` for each of them.

Interface work is left to iproute2, which is what an operator would type; a hundred links need no daemon of ours.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from configlet.lab.enter import CLONE_NEWNET, SEARCH, in_thread, inside, unshare
from configlet.lab.topology_values import End, Namespace, Role, Route, Wiring

_WORKERS = 4
_PATIENCE = 10.0
_ALL = ("all", "default")
_EVERYWHERE = {
    **{f"ipv4/conf/{c}/{key}": "0" for c in _ALL for key in ("rp_filter", "send_redirects", "accept_redirects")},
    **{
        f"ipv6/conf/{c}/{key}": "0"
        for c in _ALL
        for key in ("accept_ra", "accept_dad", "dad_transmits", "autoconf", "accept_redirects", "router_solicitations")
    },
}
_BRIDGE_FILTERS = ("bridge-nf-call-arptables", "bridge-nf-call-iptables", "bridge-nf-call-ip6tables")
_BY_ROLE: dict[Role, dict[str, str]] = {
    "switch": {
        "ipv4/conf/all/forwarding": "1",
        "ipv6/conf/all/forwarding": "1",
        "ipv4/fib_multipath_hash_policy": "1",
        "ipv6/fib_multipath_hash_policy": "1",
    },
    "host": {"ipv4/conf/all/arp_ignore": "1", "ipv4/conf/all/arp_announce": "2"},
    "nic": {"ipv6/conf/all/disable_ipv6": "1", "ipv6/conf/default/disable_ipv6": "1"},
    "fabric": {"ipv6/conf/all/disable_ipv6": "1", "ipv6/conf/default/disable_ipv6": "1"},
}


def _tune(role: Role) -> None:
    """Set the kernel's knobs in the namespace of the calling thread."""
    root = Path("/proc/sys/net")
    for key, value in {**_EVERYWHERE, **_BY_ROLE.get(role, {})}.items():
        (root / key).write_text(value)
    for key in _BRIDGE_FILTERS:
        knob = root / "bridge" / key
        if knob.exists():  # without the module there is nothing that could filter bridged frames
            knob.write_text("0")


def make_namespace(role: Role) -> int:
    """A new, tuned network namespace; it lives as long as the descriptor (and whatever runs in it)."""

    def body() -> int:
        unshare(CLONE_NEWNET)
        _tune(role)
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    return in_thread(body)


def run(descriptor: int, argv: list[str], text: str, keep: Iterable[int] = ()) -> str:
    """Run a command in a namespace with text on its standard input; its output. Raises OSError when it fails."""
    done = inside(
        descriptor,
        lambda: subprocess.run(
            argv,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            pass_fds=tuple(keep),
            env={"PATH": SEARCH, "LC_ALL": "C"},
        ),
    )
    if done.returncode:
        raise OSError(f"{' '.join(argv)} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _batched(descriptor: int, tool: str, text: str, keep: Iterable[int] = ()) -> None:
    """Run lines through ``ip`` or ``bridge``; the line that failed is in the error."""
    if not text:
        return
    try:
        run(descriptor, [tool, "-batch", "-"], text, keep)
    except OSError as problem:
        number = re.search(r"Command failed -:(\d+)", str(problem))
        line = text.splitlines()[int(number[1]) - 1] if number else ""
        raise OSError(f"{problem} ({tool} {line})") from problem


def _veths(wiring: Wiring, descriptors: Mapping[str, int]) -> str:
    def end(item: End) -> str:
        return f"{item.name} address {item.mac} netns /proc/self/fd/{descriptors[item.namespace]}"

    return "".join(f"link add {end(v.a)} type veth peer name {end(v.b)}\n" for v in wiring.veths)


def _ports(wiring: Wiring, namespace: str) -> list[str]:
    """Bridges, and what each end of a wire needs."""
    out = [
        f"link add {b.name} address {b.mac} type bridge stp_state 0 mcast_snooping 0\nlink set {b.name} up"
        for b in wiring.bridges
        if b.namespace == namespace
    ]
    for end in (end for veth in wiring.veths for end in (veth.a, veth.b)):
        if end.namespace != namespace:
            continue
        if end.bridge:
            out.append(f"link set {end.name} addrgenmode none master {end.bridge}")
        if not end.learning:
            out.append(f"link set {end.name} type bridge_slave learning off")
        if end.up:
            out.append(f"link set {end.name} up")
    return out


def _route(route: Route) -> str:
    hops = [f"{f'via {hop.via} ' if hop.via else ''}dev {hop.interface}" for hop in route.hops]
    ways = hops[0] if len(hops) == 1 else " ".join(f"nexthop {hop}" for hop in hops)
    return f"route add {route.destination} table {route.table} {ways}"


def _batch(wiring: Wiring, namespace: str) -> str:
    """The ``ip -batch`` text of what stands on the links of one namespace."""
    out = []
    for item in wiring.addresses:
        if item.namespace == namespace:
            six = item.address.version == 6
            out.append(f"addr add {item.address} dev {item.interface}{' nodad' if six else ''}")
    out += [_route(r) for r in wiring.routes if r.namespace == namespace]
    for rule in wiring.rules:
        if rule.namespace == namespace:
            out.append(f"rule add from {rule.source} lookup {rule.table}")
    for known in wiring.neighbours:
        if known.namespace == namespace:
            out.append(f"neigh add {known.address} lladdr {known.mac} dev {known.interface} nud permanent")
    return "\n".join(out) + "\n"


def _macs(wiring: Wiring, namespace: str) -> str:
    ours = (f for f in wiring.forwarding if f.namespace == namespace)
    return "".join(f"fdb add {f.mac} dev {f.port} master static\n" for f in ours)


def _awaited(wiring: Wiring, namespace: str) -> set[str]:
    """The interfaces that carry addresses."""
    return {a.interface for a in wiring.addresses if a.namespace == namespace and a.interface != "lo"}


def _settle(names: set[str], deadline: float) -> None:
    """Wait until interfaces of this thread's namespace have their link-local address.

    The kernel notices a new carrier up to a second late, and until then it refuses IPv6 routes over it.
    """
    while True:
        rows = Path("/proc/thread-self/net/if_inet6").read_text().split("\n")
        missing = names - {row.split()[5] for row in rows if row.startswith("fe80")}
        if not missing:
            return
        if time.monotonic() > deadline:
            raise OSError(f"{', '.join(sorted(missing))}: no carrier")
        time.sleep(0.02)


def make_namespaces(wiring: Wiring) -> dict[str, int]:
    """A descriptor for each namespace of the wiring, by name."""
    return {item.name: make_namespace(item.role) for item in wiring.namespaces}


def apply(wiring: Wiring, descriptors: Mapping[str, int], say: Callable[[str], None]) -> None:
    """Build the wiring in namespaces that exist already. Raises OSError with what iproute2 said."""
    first: Namespace = wiring.namespaces[0]
    _batched(descriptors[first.name], "ip", _veths(wiring, descriptors), keep=descriptors.values())
    say(f"{len(wiring.veths)} wires laid")

    def links(name: str) -> None:
        _batched(descriptors[name], "ip", "\n".join(["link set lo up", *_ports(wiring, name)]) + "\n")

    def routes(name: str) -> None:
        inside(descriptors[name], partial(_settle, _awaited(wiring, name), deadline))
        _batched(descriptors[name], "ip", _batch(wiring, name))
        _batched(descriptors[name], "bridge", _macs(wiring, name))

    names = [n.name for n in wiring.namespaces]
    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(links, names))
        deadline = time.monotonic() + _PATIENCE
        list(pool.map(routes, names))
    say(f"{len(wiring.addresses)} addresses, {len(wiring.routes)} routes")
