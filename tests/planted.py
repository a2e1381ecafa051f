"""The texts into which faults are planted, the faults, and judges of packets that share nothing with the prover."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from configlet.lab.parsers import eos as lab
from configlet.lab.parsers.eos_entry import Ace, Bits
from configlet.model.gate import Artifact, Table
from configlet.model.policy import DPORT, DST, PROTO, SPORT, SRC, Box, Entry, Packet
from configlet.platforms.content import stock
from configlet.render import render
from tests.builders import acl, host, platform, row, rows

HERE4, HERE6 = "10.1.20.11", "2001:db8:1:20::11"

IN4 = [
    *rows(["permit tcp 10.1.20.0/24 10.1.70.5 to 53", "permit udp 10.1.20.0/24 10.1.70.5 to 53"], name="names"),
    *rows(
        ["permit icmp 10.1.20.0/24 10.1.70.0/24 type 8", "permit icmp 10.1.20.0/24 10.1.70.0/24 type 3/4"], name="ping"
    ),
    row("permit tcp 10.1.20.0/24 10.1.10.0/24 from 9001-9016 established", name="clients place orders", reply=True),
    row("deny ip 10.1.20.0/24 10.1.30.0/24", name="nothing reaches the engine", log=True),
    row("permit tcp 10.1.20.0/24 10.0.0.0/8 to 8000-8099", name="web"),
    row("permit tcp 10.1.20.0/24 10.1.30.0/24 from 7000 established", name="monitoring", reply=True),
    row("permit udp 10.1.20.0/24 10.1.70.9 to 123 from 1024-65535", name="time"),
]
OUT4 = [
    row("permit tcp 10.1.10.0/24 10.1.20.0/24 to 9001-9016", name="clients place orders"),
    row("permit udp 10.1.70.5 10.1.20.0/24 from 53", name="names", reply=True),
]
IN6 = [
    *rows(["permit icmpv6 any any type 135", "permit icmpv6 any any type 136"], 6, name="neighbour discovery"),
    row("permit tcp 2001:db8:1:20::/64 2001:db8:1:70::5 to 53", 6, name="names"),
    row("permit icmpv6 2001:db8:1:20::/64 2001:db8:1:70::/64 type 128", 6, name="ping"),
    row("permit tcp 2001:db8:1:20::/64 2001:db8:1:10::/64 from 9001-9016 established", 6, name="orders", reply=True),
]
OUT6 = [row("permit tcp 2001:db8:1:10::/64 2001:db8:1:20::/64 to 9001-9016", 6, name="clients place orders")]
PLAIN4 = [row("permit ospf 10.0.1.0/31 224.0.0.5", name="ospf"), row("permit ip 10.1.70.0/24 10.1.20.0/24", name="all")]

LOOP4 = [row("permit ip 127.0.0.0/8 127.0.0.0/8", name="loopback", origin="infrastructure")]
LOOP6 = [
    row("permit ip ::1 ::1", 6, name="loopback", origin="infrastructure"),
    row("permit icmpv6 any any type 133-136", 6, name="neighbour discovery", origin="infrastructure"),
]
HOST4 = [
    *LOOP4,
    row(f"deny ip 10.1.10.1 {HERE4}", name="infrastructure addresses", origin="infrastructure"),
    row(f"permit tcp 10.1.10.0/24 {HERE4} to 9001-9016", name="clients place orders"),
    row(f"permit udp 10.1.70.5 {HERE4} to 123 from 1024-65535", name="time"),
    row(f"permit icmp 10.1.70.0/24 {HERE4} type 8", name="ping"),
    row(f"deny tcp 10.1.10.0/24 {HERE4} to 22", name="no desk has a shell", log=True),
    row(f"permit tcp 10.1.0.0/16 {HERE4} to 22", name="ssh"),
    row(f"permit udp {HERE4} 10.1.70.5 to 53", name="names"),
    row(f"permit ospf 10.0.1.0/31 {HERE4}", name="ospf"),
]
HOST6 = [
    *LOOP6,
    row(f"permit tcp 2001:db8:1:10::/64 {HERE6} to 9001-9016", 6, name="clients place orders"),
    row(f"permit icmpv6 2001:db8:1:70::/64 {HERE6} type 128", 6, name="ping"),
    row(f"permit udp {HERE6} 2001:db8:1:70::5 to 53", 6, name="names"),
]


def tables(name: str) -> list[Table]:
    """The tables of the device or of the host, right as they are."""
    if name == "nftables":
        return [host(HOST4, [HERE4, HERE6]), host(HOST6, [HERE4, HERE6], 6)]
    return [
        acl(IN4),
        acl(OUT4, direction="out"),
        acl(IN6, 6),
        acl(OUT6, 6, direction="out"),
        acl(PLAIN4, binding="Ethernet1"),
    ]


KIND = {"eos": "acl", "ios": "acl", "nftables": "filter-table"}
FILES = {"eos": "eos/acl.j2", "ios": "ios/acl.j2", "nftables": "nftables/filter-table.j2"}

Change = Callable[[str], str]
Compile = Callable[[Table], Table]


@dataclass(frozen=True)
class Fault:
    """One fault, planted into the template, the text, or the rows."""

    name: str
    platform: str
    template: Change | None = None
    text: Change | None = None
    compile: Compile | None = None

    def artifact(self, root: Path) -> Artifact:
        """The faulty artifact, whose tables say what it should have meant."""
        right = tables(self.platform)
        made = [self.compile(table) for table in right] if self.compile else right
        if self.template:
            self._overlay(root)
        artifact = render("leaf1", platform(self.platform, root), KIND[self.platform], made)
        text = self.text(artifact.text) if self.text else artifact.text
        sound = render("leaf1", platform(self.platform), KIND[self.platform], right)
        assert text != sound.text, "the fault changes nothing"
        return replace(artifact, text=text, tables=tuple(right))

    def _overlay(self, root: Path) -> None:
        assert self.template is not None
        source = (stock() / "configlets" / FILES[self.platform]).read_text()
        path = root / "configlets" / FILES[self.platform]
        path.parent.mkdir(parents=True)
        path.write_text(self.template(source))


def swap(old: str, new: str, count: int = -1) -> Change:
    """A text with something replaced; it must be there."""

    def change(text: str) -> str:
        assert old in text, old
        return text.replace(old, new, count)

    return change


def exchange(one: str, other: str) -> Change:
    """A text in which two words have changed places."""
    return lambda text: swap("\0", other)(swap(other, one)(swap(one, "\0")(text)))


def drop(part: str) -> Change:
    """A text without the lines that hold a part."""

    def change(text: str) -> str:
        assert part in text, part
        return "".join(line for line in text.splitlines(keepends=True) if part not in line)

    return change


def rows_of(name: str, change: Callable[[Sequence[Entry]], Sequence[Entry]], family: int = 4) -> Compile:
    """A compile step that makes other rows of the tables of one family that hold a rule of this name."""

    def compile_(table: Table) -> Table:
        if table.family != family or not any(e.rule.name == name for e in table.rows):
            return table
        return replace(table, rows=tuple(change(table.rows)))

    return compile_


def each(name: str, change: Callable[[Entry], Entry | None], family: int = 4) -> Compile:
    """A compile step that changes the rows of one rule, or loses them."""

    def rows_(entries: Sequence[Entry]) -> list[Entry]:
        changed = [change(entry) if entry.rule.name == name else entry for entry in entries]
        return [entry for entry in changed if entry is not None]

    return rows_of(name, rows_, family)


def put(level: int, span: tuple[int, int]) -> Callable[[Entry], Entry]:
    """A row with another interval in one dimension."""

    def change(entry: Entry) -> Entry:
        box: Box = (*entry.box[:level], span, *entry.box[level + 1 :])  # type: ignore[assignment]
        return replace(entry, box=box)

    return change


def turned(entry: Entry) -> Entry:
    """A row with its ends exchanged."""
    box = entry.box
    return replace(entry, box=(box[PROTO], box[SRC], box[DST], box[DPORT], box[SPORT], *box[5:]))


def ports_turned(entry: Entry) -> Entry:
    """A row with source and destination ports exchanged."""
    box = entry.box
    return replace(entry, box=(*box[:3], box[SPORT], box[DPORT], *box[5:]))


def law_passes(table: Table, packet: Packet) -> bool:
    """The law, read row by row."""
    at = point(packet)
    for part in table.law.lists:
        for entry in part:
            if all(low <= value <= high for (low, high), value in zip(entry.box, at, strict=True)):
                return entry.permit
    return False


def point(packet: Packet) -> tuple[int, ...]:
    """A packet as a point."""
    ends = packet.proto, packet.dst, packet.src, packet.dport, packet.sport
    return *ends, int(packet.established), int(packet.fragment)


def switch_passes(text: str, table: Table, packet: Packet) -> bool:
    """The text as the simulated switch understands it, line by line; an interface without a list passes everything."""
    found = lab.read(text)
    gate = table.gate
    bound = [
        b.acl for b in found.bindings if (b.interface, b.way, b.family) == (gate.binding, gate.direction, table.family)
    ]
    if not bound:
        return True
    return next((ace.permit for ace in found.acls[table.family, bound[0]] if switch_hits(ace, packet)), False)


def switch_hits(ace: Ace, packet: Packet) -> bool:
    """Whether an entry of the simulated switch takes a packet."""
    if ace.proto not in (None, packet.proto) or not (_in(ace.source, packet.src) and _in(ace.destination, packet.dst)):
        return False
    upper = ace.sport or ace.dport or ace.icmp or ace.established
    if packet.fragment or ace.fragments:
        return packet.fragment and not upper
    ports = ((ace.sport, packet.sport), (ace.dport, packet.dport))
    if any(want and not any(low <= port <= high for low, high in want.spans) for want, port in ports):
        return False
    kind, code = divmod(packet.dport, 256)
    if ace.icmp and not (ace.icmp[0] == kind and ace.icmp[1] in (None, code)):
        return False
    return packet.established or not ace.established


def _in(bits: Bits, address: int) -> bool:
    return address & bits.care == bits.value & bits.care
