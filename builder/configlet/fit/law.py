"""The law of each gate (DESIGN 5.3, 5.4, 5.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from ipaddress import ip_network
from itertools import chain
from typing import NamedTuple

from configlet.fit.between import Told
from configlet.fit.clip import Whole, clip, guarded, meeting, needed, of_permits, of_spoken, permitted, with_fragments
from configlet.fit.facing import Facing
from configlet.fit.kernel import LOOP, NOBODY, kernel_entries, link_entries
from configlet.fit.reached import Reached
from configlet.fit.sides import Side, Sides
from configlet.model.block import Listed, items, listed
from configlet.model.frozen import dataclass
from configlet.model.gate import Gate, Law
from configlet.model.inventory import External, Inventory, Segment
from configlet.model.net import Family, Span, Spans, family_of, merge, span_of
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DST, SRC, Box, Entry, Policy, Rule
from configlet.model.told import Face, Faced
from configlet.packets.blocks import Item, blocks, cut, replies, rule_of
from configlet.packets.boxes import full

UNNUMBERED: dict[Family, Spans] = {
    4: (span_of(ip_network("0.0.0.0/32")),),
    6: (span_of(ip_network("::/128")), span_of(ip_network("fe80::/10"))),
}
"""Sources that infrastructure packets may have on a segment beside its own addresses (RFC 2131, RFC 4291)."""

INSIDE = Rule("stays in its segment", "infrastructure", "deny", NOBODY, NOBODY, (), False, None)
ITSELF = Rule("a host talks to itself", "infrastructure", "allow", NOBODY, NOBODY, (), False, None)
DEFAULT = Rule("default deny", "default", "deny", NOBODY, NOBODY, (), False, None)


@dataclass(frozen=True, slots=True)
class Scope:
    """What stands behind a routed gate: its addresses and the groups that it receives."""

    spans: Spans
    groups: Spans
    fragments: bool
    gateways: Spans = ()
    """The gateway's own addresses on the link, for neighbour discovery; none where the link has no IPv6."""


KEPT, ROWS = 64, 100_000
"""Laws of interfaces that are remembered, those of a few devices, and how many rows these may have."""


class Laws:
    """Laws of one site; equal ones are computed once and shared."""

    def __init__(self, inventory: Inventory, policy: Policy) -> None:
        self.inventory, self.policy = inventory, policy
        self.whole = cache(lambda realm, family: Whole(blocks(policy, realm, family)))
        self.facing = cache(lambda realm, family: Facing(self.whole(realm, family).items))
        self.sides = cache(lambda realm, family: Sides(family, self.whole(realm, family).items))
        self.models = {device.name: device.model for device in inventory.devices}
        self._hosts = {h.name: h for h in inventory.hosts}
        self.observed = any(segment.observed for segment in inventory.segments)
        self._segments = {s.name: s for s in inventory.segments}
        self._externals = {e.name: e for e in inventory.externals}
        self.fitted: dict[int, Sequence[Entry]] = {}
        """The rows of a law, by its id, for as long as it is remembered."""
        self.written: dict[object, Sequence[Entry]] = {}
        """The same as lines are written from them, by the id of those rows and how a gate holds groups."""
        self.plain: dict[int, Routed] = {}
        """What is known of the rows of a law, by its id, for as long as it is remembered."""
        self.lines: dict[int, int] = {}
        """How many lines some of them are at most, by the id of those rows."""
        self._routed = cache(self._routed_law)
        self._scope = cache(self._scope_of)
        self.bare = cache(_bare)
        """The law of a host that has no address of a family: what its kernel needs, one object for all such hosts."""
        self.bare_rows: dict[int, Sequence[Entry]] = {}
        """The rows of such a law, by its id."""

    def forget(self) -> None:
        """Let go of what was computed, when it is much: owners that share it are asked for one after the other."""
        if len(self.fitted) > KEPT or sum(map(len, (*self.fitted.values(), *self.written.values()))) > ROWS:
            self._routed.cache_clear()
            self.plain.clear()
            self.fitted.clear()
            self.lines.clear()
            self.written.clear()

    def routed(self, gate: Gate, family: Family) -> Law:
        """The stateless law of a gateway's or an external's interface in one direction."""
        return self._routed(gate.realm, self._scope(gate.realm, gate.segments, family), gate.direction, family)

    def _routed_law(self, realm: str, scope: Scope, direction: str, family: Family) -> Law:
        made = routed(self.sides(realm, family), scope, direction)
        law = Law(family, made.lists)
        self.plain[id(law)] = made
        return law

    def _scope_of(self, realm: str, names: tuple[str, ...], family: Family) -> Scope:
        """The addresses, received groups and fragment rule behind an interface."""
        segments = [self._segments[name] for name in names if name in self._segments]
        externals = [self._externals[name] for name in names if name in self._externals]
        networks = [n for s in segments for n in s.prefixes] + [n for e in externals for n in e.prefixes]
        groups = [n for m in self.inventory.multicast if set(m.receivers) & set(names) for n in m.groups]
        judged = segments or [s for s in self.inventory.segments if s.realm == realm]
        return Scope(
            merge(span_of(n) for n in networks if family_of(n) == family),
            merge(span_of(n) for n in groups if family_of(n) == family),
            any(s.fragments == "match" for s in judged),
            _gateways(segments, externals) if family == 6 else (),
        )

    def host(self, gate: Gate, family: Family) -> Law:
        """The stateful law of a host's table: what its kernel needs, then the policy at each of its addresses."""
        if not any(of == family for of, _ in gate.locals):
            return self.bare(family, any(lo != hi for _, (lo, hi) in gate.locals))
        faced = self._faced(gate, family)
        return Law(family, (faced,) if faced else tuple(map(listed, needed(self._host_entries(gate, family)))))

    def _faced(self, gate: Gate, family: Family) -> Faced | None:
        """The same with what the operator wrote of one address in groups. None where a host has several addresses in a realm, or
        rows that are not looked at one by one; whoever asked before, as the rows of a table are those that it has alone."""
        head, faces = self._itself(gate, family), list[Face]()
        for facing, spans in self._facing(gate, family):
            if len(spans) > 1 or spans[0][0] != spans[0][1]:
                return None
            face = facing.of(spans[0][0])
            if face is None:
                return None
            head += facing.network.at(spans[0][0])
            faces.append(face)
        faces.sort(key=len)
        if not faces or not faces[-1]:
            return None
        head += chain.from_iterable(face.entries() for face in faces[:-1])
        return Faced(items(listed(of_spoken(head, Reached(head, faces[-1])))), faces[-1])

    def _facing(self, gate: Gate, family: Family) -> list[tuple[Facing, Spans]]:
        """What the policy of each realm says, and a host's ends there."""
        return [(self.facing(realm, family), spans) for realm, spans in self._locals_by_realm(gate, family) if spans]

    def towards(self, gate: Gate, family: Family) -> Law:
        """The stateless law of a table at a host's interfaces: initiations to its addresses, and replies; of one for
        what is sent (direction ``out``) initiations from them, and replies.

        What the host sends itself is never received, and what claims to be is spoofed.
        """
        near, far = (SRC, DST) if gate.direction == "out" else (DST, SRC)
        segments = [s for s in self.inventory.segments if s.name in gate.segments]
        match = any(s.fragments == "match" for s in segments)
        receives = any(lo != hi for _, (lo, hi) in gate.locals)
        link = tuple(e for e in kernel_entries(family, receives=receives) if e.rule is not LOOP)
        starts: list[Item] = []
        answered: list[Item] = []
        for realm, spans in self._locals_by_realm(gate, family):
            whole = self.whole(realm, family)
            starts += clip(whole.touching(near, spans), near, spans)
            answered += clip(whole.touching(far, spans), far, spans)
        first = (*link, *with_fragments(starts, match=match))
        back = tuple(replies(with_fragments(answered, match=match), family))
        return Law(family, tuple(map(listed, needed(first, back))))

    def _itself(self, gate: Gate, family: Family) -> list[Item]:
        """What the kernel of a host needs, and what the host says to itself."""
        receives = any(lo != hi for _, (lo, hi) in gate.locals)
        out: list[Item] = [*kernel_entries(family, receives=receives)]
        mine = merge(span for f, span in gate.locals if f == family)
        for span in (s for s in mine if s[1] < MULTICAST[family]):
            out += (
                Entry(True, (ANY_PROTO, (one, one), (one, one), ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), ITSELF)
                for one in range(span[0], span[1] + 1)
            )
        return out

    def _host_entries(self, gate: Gate, family: Family) -> list[Item]:
        """The network's rows of all realms first: what an operator wrote of one realm is not cut around the gateways of another.
        Then the shorter lists first; no packet of a realm is in two of them."""
        facing = self._facing(gate, family)
        network = [at_locals(each.network, spans) for each, spans in facing]
        written = [at_locals(each.written, spans) for each, spans in facing]
        parts = [*network, *sorted(written, key=len)]
        return [*self._itself(gate, family), *chain.from_iterable(map(items, parts))]

    def _locals_by_realm(self, gate: Gate, family: Family) -> Iterator[tuple[str, Spans]]:
        mine = {span for f, span in gate.locals if f == family}
        for realm, spans in sorted(self.realms_of(gate, family).items()):
            yield realm, merge(span for span in spans if span in mine)

    def realms_of(self, gate: Gate, family: Family) -> dict[str, list[Span]]:
        """What a host has in each realm: addresses of its workloads, groups that they receive, its management."""
        host, segments = self._hosts[gate.owner], self._segments
        found: dict[str, list[Span]] = {}
        for workload in host.workloads:
            realm = segments[workload.segment].realm
            found.setdefault(realm, []).extend([(int(a), int(a)) for a in workload.addresses if family_of(a) == family])
            for group in self.inventory.multicast:
                if workload.segment in group.receivers:
                    found.setdefault(group.realm, []).extend(span_of(n) for n in group.groups if family_of(n) == family)
        if host.management and family_of(host.management.address) == family:
            address = int(host.management.address)
            found.setdefault(self.inventory.controller_realm, []).append((address, address))
        return found

    def realms_at(self, gate: Gate) -> dict[tuple[Family, Span], list[str]]:
        """The same by what a host has: the realms of each."""
        host, segments = self._hosts[gate.owner], self._segments
        found: dict[tuple[Family, Span], list[str]] = {}
        for workload in host.workloads:
            realm = segments[workload.segment].realm
            for address in workload.addresses:
                number = int(address)
                found.setdefault((family_of(address), (number, number)), []).append(realm)
            for group in self.inventory.multicast:
                for network in group.groups if workload.segment in group.receivers else ():
                    found.setdefault((family_of(network), span_of(network)), []).append(group.realm)
        if host.management:
            number = int(host.management.address)
            at = family_of(host.management.address), (number, number)
            found.setdefault(at, []).append(self.inventory.controller_realm)
        return found


def _bare(family: Family, receives: bool) -> Law:
    return Law(family, tuple(map(listed, needed(list(kernel_entries(family, receives=receives))))))


def _gateways(segments: Iterable[Segment], externals: Iterable[External]) -> Spans:
    ways = [a for s in segments if s.gateways for a in s.gateways.virtual]
    ways += [a for e in externals for a in e.addresses]
    return merge((int(a), int(a)) for a in ways if family_of(a) == 6)


MULTICAST: dict[Family, int] = {4: int(ip_network("224.0.0.0/4")[0]), 6: int(ip_network("ff00::/8")[0])}


class Routed(NamedTuple):
    """The lists of an interface, and what they are made of where all that the operator wrote there is plain."""

    lists: tuple[Sequence[Entry], Sequence[Entry]]
    heads: tuple[Sequence[Item], Sequence[Item]] = ((), ())
    """What the network needs and keeps closed, ahead of what the operator wrote: initiations, replies."""
    written: tuple[Told, Told] | None = None
    """What the operator wrote, all of it plain (``fit.plain``): initiations, permits of replies; None where not all of it
    is."""
    single: bool = False
    """Whether the operator wrote no block."""


def routed(sides: Sides, scope: Scope, direction: str) -> Routed:
    """Initiations in one direction, and the replies to initiations in the other, with what is known of the rows."""
    near, far = (SRC, DST) if direction == "in" else (DST, SRC)
    family, match = sides.family, scope.fragments
    wide = merge((*scope.spans, *(UNNUMBERED[family] if near == SRC else scope.groups)))
    narrow = scope.spans if near == SRC else wide
    here, there = sides.side(near, narrow, match=match), sides.side(far, scope.spans, match=match)
    link = (
        tuple(link_entries(direction, scope.spans, scope.gateways, receives=bool(scope.groups)))
        if family == 6 and scope.gateways
        else ()
    )
    asked, answered = _head(sides, scope, near, wide, narrow), _head(sides, scope, far, scope.spans, scope.spans)
    # Neighbour discovery is never fragmented (RFC 6980), so the link's own rows stay as they are.
    heads = ((*link, *asked), tuple(replies(answered, family)))
    plain = None if match else sides.plain(len(here.rows) + len(there.rows))
    written = sides.told(here, there) if plain else None
    if written is None:
        ends = permitted((here.rows, there.replies, *heads))
        first, second = (of_permits(head, ends) for head in heads)
        return Routed((listed((*first, *here.rows)), listed((*second, *there.replies))), (first, second))
    spoken = _spoken(sides, here, there, permitted(heads))
    first, second = (of_spoken(head, spoken) for head in heads)
    lists = ahead(first, here.rows, single=sides.written.single), ahead(second, there.replies, single=sides.written.single)
    return Routed(lists, (first, second), written, sides.written.single)


def _spoken(sides: Sides, here: Side, there: Side, others: Mapping[int, Spans]) -> Callable[[int, Spans], Spans]:
    """What some addresses have in common with the ends that permits speak of: those of two sides, and others."""
    known, turn = sides.spoken(here, there)
    at = {DST: turn, SRC: 1 - turn}

    def asked(level: int, some: Spans) -> Spans:
        found = known.meeting(at[level], some)
        if len(found) == len(some):
            return found
        more = [span for span in meeting(some, others[level]) if span not in found] if others[level] else ()
        return tuple(sorted((*found, *more))) if more else found

    return asked


def ahead(head: Sequence[Item], rows: Sequence[Item], *, single: bool) -> Sequence[Entry]:
    """Some items ahead of others as a list; ``single``: of these none is a block."""
    if not single:
        return listed((*head, *rows))
    first = listed(head)
    if not isinstance(first, Listed):
        return (*first, *rows)  # type: ignore[arg-type]
    found = *first.items, *rows
    return Listed(found, len(first) - len(first.items) + len(found))


def _head(sides: Sides, scope: Scope, level: int, wide: Spans, narrow: Spans) -> Sequence[Item]:
    """What the network needs and keeps closed of which an end is in some addresses; in ``wide`` that of its own permits."""
    found = [
        piece
        for item in sides.network.around(level, wide)
        for piece in cut(item, level, wide if _of_the_network(item) else narrow)
    ]
    box: Box = (*full(sides.family)[:6], (0, 0))
    return with_fragments(guarded(found, scope.spans, INSIDE, box), match=scope.fragments)


def _of_the_network(item: Item) -> bool:
    return item.permit and rule_of(item).origin == "infrastructure"


def at_locals(whole: Whole | Sequence[Entry], spans: Spans) -> Sequence[Entry]:
    """The policy where one end is local: each rule towards the local addresses, then from them, in order."""
    known = whole if isinstance(whole, Whole) else Whole(items(whole))
    if len(spans) == 1 and spans[0][0] == spans[0][1]:
        return listed(known.at(spans[0][0]))
    return listed(piece for item, ends in known.either(spans) for level in ends for piece in cut(item, level, spans))
