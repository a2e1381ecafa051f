"""What a simulated switch's running configuration says, enforced on real packets by nftables.

Each realm of a device is a namespace with one table, ``inet switch``. An ``in`` list judges everything that enters by
its interface, for the switch itself too, as EOS does before routing; an ``out`` list judges what is forwarded. First
match decides, and what no entry matches is dropped. Nothing here uses connection tracking: it would put fragments
together before they are judged, and a switch sees fragments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from configlet.lab.parsers import eos
from configlet.lab.parsers.eos import Binding, Filters
from configlet.lab.parsers.eos_entry import Ace, Bits
from configlet.lab.topology_values import ifname
from configlet.model.net import BITS, TOP, Family, Spans, address_text

TABLE = "inet switch"
HEAD: dict[str, str] = {
    "in": "type filter hook prerouting priority -290; policy accept;",
    "out": "type filter hook forward priority 0; policy accept;",
}
LATER: dict[Family, str] = {4: "ip frag-off & 0x1fff != 0", 6: "frag frag-off != 0"}
"""Fragments that are not the first. They get lists of their own, without entries that ask for ports, flags or types:
on such a fragment nftables would take whatever stands there (for IPv6 the fragment header itself) for ports."""
INTERFACE = {"in": "iifname", "out": "oifname"}
MOST_WEIGHT = 1200
"""Parts of rules in one transaction. In a user namespace netlink takes 212,992 bytes; a part is below 150 of them."""


class NotProgrammed(Exception):  # noqa: N818 - the device's own words
    """The data plane did not take the access lists."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One access list as nftables rules. ``weights`` is the size of each rule in parts."""

    name: str
    rules: tuple[str, ...]
    weights: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plane:
    """One namespace: its lists, and for each direction the statements that send packets to them."""

    chains: tuple[Chain, ...]
    jumps: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def weight(self) -> int:
        """The size of the whole in parts of rules."""
        return sum(sum(chain.weights) + 1 for chain in self.chains) + 3 * sum(len(rules) for _, rules in self.jumps)


def compile_plane(filters: Filters, vrf: str) -> Plane:
    """The rules of one VRF. Lists that are bound nowhere in it are left out."""
    bound = [binding for binding in filters.bindings if binding.vrf == vrf]
    used = sorted({(binding.family, binding.acl) for binding in bound})
    names = {key: f"v{key[0]}_{index}" for index, key in enumerate(used)}
    chains = [_chain(names[key], later, filters.acls.get(key, ())) for key in used for later in (True, False)]
    jumps = ((way, [j for b in bound if b.way == way for j in _jumps(b, names[b.family, b.acl])]) for way in HEAD)
    return Plane(tuple(chains), tuple((way, tuple(rules)) for way, rules in jumps))


def _jumps(binding: Binding, chain: str) -> Iterable[str]:
    enters = f'{INTERFACE[binding.way]} "{ifname(binding.interface)}" meta nfproto ipv{binding.family}'
    yield f"{enters} {LATER[binding.family]} jump {chain}_later"
    yield f"{enters} jump {chain}"


def _chain(name: str, later: bool, aces: Sequence[Ace]) -> Chain:
    """A list for later fragments, or for all other packets.

    A list that is bound but not defined or empty drops everything: what hardware does there differs, this is safe.
    """
    rules = [_rule(ace) for ace in aces if (not _deep(ace) if later else not ace.fragments)]
    rules.append(("counter drop", 3))
    return Chain(name + "_later" * later, tuple(text for text, _ in rules), tuple(weight for _, weight in rules))


@lru_cache(16384)
def _rule(ace: Ace) -> tuple[str, int]:
    """An entry as a rule, and the size of it in parts."""
    parts = [*_matches(ace), "accept" if ace.permit else "counter drop"]
    return " ".join(parts), 2 + sum(1 + part.count(",") for part in parts)


def _deep(ace: Ace) -> bool:
    """Whether the entry asks for something that a later fragment does not hold."""
    return bool(ace.sport or ace.dport or ace.established or ace.icmp)


def _matches(ace: Ace) -> Iterable[str]:
    """The statements that a packet must fulfil."""
    word = "ip" if ace.family == 4 else "ip6"
    if ace.proto is not None:
        yield f"ip6 nexthdr {ace.proto}" if ace.first else f"meta l4proto {ace.proto}"
    yield from _address(ace.family, f"{word} saddr", ace.source)
    yield from _address(ace.family, f"{word} daddr", ace.destination)
    transport = "tcp" if ace.proto == 6 else "udp"
    if ace.sport is not None:
        yield f"{transport} sport {_set(ace.sport.spans)}"
    if ace.dport is not None:
        yield f"{transport} dport {_set(ace.dport.spans)}"
    if ace.established:
        yield "tcp flags & (ack | rst) != 0"
    if ace.icmp is not None:
        kind, code = ace.icmp
        icmp = "icmp" if ace.family == 4 else "icmpv6"
        yield f"{icmp} type {kind}" + (f" {icmp} code {code}" if code is not None else "")


def _address(family: Family, field: str, bits: Bits) -> Iterable[str]:
    loose = TOP[family] ^ bits.care
    if not bits.care:
        return
    value = address_text(family, bits.value)
    if loose & (loose + 1) == 0:
        yield f"{field} {value}/{BITS[family] - loose.bit_length()}"
    else:
        yield f"{field} & {address_text(family, bits.care)} == {value}"


def _set(spans: Spans) -> str:
    found = [f"{lo}-{hi}" if lo != hi else str(lo) for lo, hi in spans]
    return found[0] if len(found) == 1 else "{ " + ", ".join(found) + " }"


def at_once(plane: Plane) -> str:
    """One transaction that replaces the whole table."""
    lines = [f"table {TABLE}", f"delete table {TABLE}", f"table {TABLE} {{"]
    for chain in plane.chains:
        lines += [f"  chain {chain.name} {{", *(f"    {rule}" for rule in chain.rules), "  }"]
    for way, rules in plane.jumps:
        lines += [f"  chain {way} {{", f"    {HEAD[way]}", *(f"    {rule}" for rule in rules), "  }"]
    return "\n".join([*lines, "}", ""])


def in_steps(plane: Plane, prefix: str, old: Sequence[str]) -> list[str]:
    """Transactions that load the lists under new names, where no packet comes by, and a last small one that flips.

    ``old`` are the chains that the flip leaves without use.
    """
    steps, lines, weight = [], [f"table {TABLE} {{ }}"], 0
    for chain in plane.chains:
        lines.append(f"add chain {TABLE} {prefix}{chain.name}")
        for rule, cost in zip(chain.rules, chain.weights, strict=True):
            if weight + cost > MOST_WEIGHT:
                steps.append("\n".join([*lines, ""]))
                lines, weight = [], 0
            lines.append(f"add rule {TABLE} {prefix}{chain.name} {rule}")
            weight += cost
    return [*steps, "\n".join([*lines, ""]), _flip(plane, prefix, old)]


def _flip(plane: Plane, prefix: str, old: Sequence[str]) -> str:
    lines = []
    for way, rules in plane.jumps:
        lines += [f"add chain {TABLE} {way} {{ {HEAD[way]} }}", f"flush chain {TABLE} {way}"]
        lines += [f"add rule {TABLE} {way} {rule.replace(' jump ', f' jump {prefix}')}" for rule in rules]
    for name in old:
        lines += [f"{verb} chain {TABLE} {name}" for verb in ("add", "flush", "delete")]
    return "\n".join([*lines, ""])


class Enforcer:
    """Programs the namespaces of one device, named ``device.realm``, through ``apply(namespace, nft text)``.

    ``read`` is the lab's own parser of the device's syntax family.
    """

    def __init__(
        self,
        device: str,
        realms: Sequence[str],
        apply: Callable[[str, str], None],
        read: Callable[[str], Filters] = eos.read,
    ) -> None:
        self._device = device
        self._apply = apply
        self._read = read
        self._now = {realm: Plane((), tuple((way, ()) for way in HEAD)) for realm in realms}
        self._loaded: dict[str, list[str]] = {realm: [] for realm in realms}
        self._count = 0

    def program(self, running: str) -> None:
        """Enforce a running configuration. Raises NotProgrammed, with the planes as they were.

        A realm changes in one instant; several realms change one after the other.
        """
        try:
            filters = self._read(running)
        except eos.Unreadable as why:
            raise NotProgrammed(f"not understood by the simulated hardware: {why}") from why
        planes = {realm: compile_plane(filters, realm) for realm in self._now}
        changed = [realm for realm, plane in planes.items() if plane != self._now[realm]]
        for index, realm in enumerate(changed):
            try:
                self._load(realm, planes[realm])
            except Exception as why:
                for done in changed[:index]:
                    self._load(done, self._now[done])
                raise NotProgrammed(f"could not program realm {realm}: {why}") from why
        self._now = planes

    def _load(self, realm: str, plane: Plane) -> None:
        namespace = f"{self._device}.{realm}"
        if plane.weight <= MOST_WEIGHT:
            self._apply(namespace, at_once(plane))
            self._loaded[realm] = [chain.name for chain in plane.chains]
            return
        self._count += 1
        prefix = f"g{self._count}_"
        old = list(self._loaded[realm])
        self._loaded[realm] += [prefix + chain.name for chain in plane.chains]
        for step in in_steps(plane, prefix, old):
            self._apply(namespace, step)
        self._loaded[realm] = [prefix + chain.name for chain in plane.chains]
