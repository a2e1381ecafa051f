"""ServerLock tables, as sent to a NIC or dumped out of it, as lists of permits.

What the published header leaves open is read in the way that passes most: a rule that could win over another of the
other verdict makes the text unreadable, unless the denying one looks at fewer of the same fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from configlet.model.block import Block, Sets, listed
from configlet.model.gate import Line, Reading, Texts
from configlet.model.net import BITS, TOP, Family, Spans, merge
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO
from configlet.model.problem import Place, refuse
from configlet.model.running import Running
from configlet.packets.boxes import box_text
from configlet.packets.near import Near
from configlet.readers import mcdi
from configlet.readers.mcdi import Rule, Tables
from configlet.readers.whole import whole

ROOTS: dict[int, Family] = {0: 4, 1: 6}
"""The trie's roots: an assumption, as the header does not say how IPv6 finds its own."""
SHOWN = 2000
Ids = Mapping[int, Spans]


class ServerlockReader:
    """The reader of these tables; its grammar holds how many entries a node of the trie has, and where ids begin."""

    def __init__(self, grammar: Mapping[str, Any]) -> None:
        self.entries, self.least = int(grammar["entries"]), int(grammar["subnet_min"])

    def running(self, text: str, file: str) -> Running:
        """What a whole text says, as one."""
        return whole(self.read, text, file)

    def read(self, text: str, file: str) -> Reading:
        """One list for each NIC, direction and family. Raises Refused for what is not known."""
        if not text.strip():
            return Reading({}, 0, 0)
        total = sum(1 for line in text.splitlines() if line.strip())
        lists: dict[tuple[str, str, int], Sequence[Line]] = {}
        canonical = [mcdi.HEAD]
        for tables in mcdi.tables_of(text, file):
            found = self._lists(tables, file)
            lists |= {(name, *key): lines for name in tables.attach for key, lines in found.items()}
            canonical += _canonical(tables, found)
        return Reading(lists, total, total, False, partial(Texts, "\n".join(canonical) + "\n"))

    def _lists(self, tables: Tables, file: str) -> dict[tuple[str, int], Sequence[Line]]:
        """One list for each direction and family."""
        subnets = {family: self._subnets(tables, root, file) for root, family in ROOTS.items()}
        ports = {code: _spans(mcdi.ports_of(tables.trees.get(code, [(0xFFFF, 0)]), file))
                 for code in (mcdi.LOCAL_TREE, mcdi.REMOTE_TREE)}  # fmt: skip
        out: dict[tuple[str, int], Sequence[Line]] = {}
        for family in ROOTS.values():
            found = [(rule, _seen(rule, subnets[family], ports, file)) for rule in tables.rules if rule.family == family]
            for direction in ("in", "out"):
                out[direction, family] = _list(family, direction, found, file)
        return out

    def _subnets(self, tables: Tables, root: int, file: str) -> dict[int, Spans]:
        """Each subnet id with its addresses, by the longest way down the trie."""
        out: dict[int, list[tuple[int, int]]] = {}
        family = ROOTS[root]
        step = self.entries.bit_length() - 1

        def walk(number: int, low: int, bits: int) -> None:
            entries = tables.nodes.get(number)
            if entries is None or len(entries) != self.entries or bits < step:
                raise _odd(file, 1, f"node {number} of the trie is missing, too deep, or has not {self.entries} entries")
            for slot, entry in enumerate(entries):
                first = low + (slot << (bits - step))
                if entry >= self.least:
                    out.setdefault(entry, []).append((first, first + (1 << (bits - step)) - 1))
                elif entry % self.entries or entry // self.entries in ROOTS:
                    raise _odd(file, 1, f"node {number} of the trie leads to no node")
                else:
                    walk(entry // self.entries, first, bits - step)

        walk(root, 0, BITS[family])
        return {mark: merge(spans) for mark, spans in out.items()}


def _spans(found: Mapping[int, Sequence[tuple[int, int]]]) -> dict[int, Spans]:
    return {mark: merge(spans) for mark, spans in found.items()}


def _seen(rule: Rule, subnets: Ids, ports: Mapping[int, Ids], file: str) -> Sets:
    """What a rule matches, with the local end where a received packet has it."""
    top = TOP[4 if rule.family == 4 else 6]
    every: Spans = ((0, top),)
    remote = every
    if rule.flags & mcdi.REMOTE_IP:
        remote = ((rule.remote, rule.remote),)
    elif rule.flags & mcdi.REMOTE_SUBNET:
        remote = _known(subnets, rule.subnet, rule, file)
    local: Spans = ((rule.local, rule.local),) if rule.flags & mcdi.LOCAL_IP else every
    proto: Spans = ((rule.proto, rule.proto),) if rule.flags & mcdi.IP_PROTO else (ANY_PROTO,)
    lport, rport = (
        ((value, value),) if rule.flags & exact else _known(ports[tree], mark, rule, file) if rule.flags & ranged else (ANY_PORT,)
        for value, exact, mark, ranged, tree in (
            (rule.local_port, mcdi.LOCAL_PORT, rule.local_range, mcdi.LOCAL_RANGE, mcdi.LOCAL_TREE),
            (rule.remote_port, mcdi.REMOTE_PORT, rule.remote_range, mcdi.REMOTE_RANGE, mcdi.REMOTE_TREE),
        )
    )  # fmt: skip
    return proto, local, remote, lport, rport, (ANY_BIT,), ((0, 0),)


def _known(ids: Ids, mark: int, rule: Rule, file: str) -> Spans:
    if mark not in ids:
        raise _odd(file, rule.number, f"the rule asks for the id {mark}, which no map gives")
    return ids[mark]


Found = Sequence[tuple[Rule, Sets]]


def _list(family: Family, direction: str, found: Found, file: str) -> Sequence[Line]:
    """The permits of one direction: of whole packets, and of fragments, whose ports a NIC takes from their data."""
    passing = [(r, s) for r, s in found if (r.rx if direction == "in" else r.tx)]
    closed = [(r, s) for r, s in found if not (r.rx if direction == "in" else r.tx)]
    if not any(rule.flags == mcdi.ETHER_TYPE for rule, _ in closed):
        what = f"no rule closes IPv{family} {direction}: what the NIC does with all else is not known"
        raise _odd(file, 1, what)
    _sure(passing, closed, file)
    blocks: dict[Sets, Line] = {}
    for rule, (proto, local, remote, lport, rport, flag, first) in passing:
        ends = (local, remote, lport, rport) if direction == "in" else (remote, local, rport, lport)
        for dports, sports, fragment in ((ends[2], ends[3], first), ((ANY_PORT,), (ANY_PORT,), ((1, 1),))):
            sets: Sets = (proto, ends[0], ends[1], dports, sports, flag, fragment)
            box = tuple(spans[0] for spans in sets)
            line = Line(True, box, rule.number, box_text(family, box))  # type: ignore[arg-type]
            blocks.setdefault(sets, line)
    return listed(Block(sets, line) for sets, line in blocks.items())


def _sure(passing: Found, closed: Found, file: str) -> None:
    """Raises Refused where a permit meets a deny that does not look at fewer of the same fields."""
    near = Near([sets for _, sets in passing])
    for deny, sets in closed:
        for number in near.meeting(sets):
            permit = passing[number][0]
            if deny.flags == permit.flags or deny.flags & ~permit.flags:
                raise _odd(file, permit.number, f"which of this rule and line {deny.number} decides is not published")


def _canonical(tables: Tables, lists: Mapping[tuple[str, int], Sequence[Line]]) -> Iterator[str]:
    """People's lines first, then the messages in one order, with counters numbered as they appear."""
    yield from (f"attach {name}" for name in sorted(tables.attach))
    for (direction, _), lines in lists.items():
        words = sorted({line.text for line in lines if not line.box[6][0]})
        yield from (f"# {direction} {text}" for text in words[:SHOWN])
    yield from (f"message {code:04x} {payload}" for code, payload in sorted(tables.messages) if code != mcdi.RULE)
    numbers: dict[int, int] = {0: 0}
    for payload in sorted((p for code, p in tables.messages if code == mcdi.RULE), key=lambda p: p[:-8]):
        counter = int.from_bytes(bytes.fromhex(payload[-8:]), "little")
        mark = numbers.setdefault(counter, len(numbers))
        yield f"message {mcdi.RULE:04x} {payload[:-8]}{mark.to_bytes(4, 'little').hex()}"


def _odd(file: str, number: int, what: str) -> Exception:
    return refuse("Table of a NIC that cannot be read", f"{what}. Nothing is known of what it passes.", Place(file, number))


__all__ = ["ServerlockReader"]
