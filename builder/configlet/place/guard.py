"""The end-to-end law (DESIGN 5.2): what no gate decides, and what stateless and blind gates pass beyond the policy.

Nothing here looks at all pairs of ends. Ends of different places meet a routed gate unless a place is open or one host
has both, so that ends are compared inside their place and host only; of ends that no rule tells apart one speaks for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Literal

from configlet.model.frozen import dataclass
from configlet.model.gate import Gate
from configlet.model.inventory import Acceptance
from configlet.model.net import FAMILIES, Family, family_of, merge, overlap, span_of
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DST, FRAG, PROTO, SRC, Box, Entry, Packet, Rule
from configlet.packets.boxes import meet, packet_of
from configlet.packets.entries import permits_only, split
from configlet.packets.index import Cells, Index
from configlet.packets.reply import reply_list
from configlet.place.beyond import Beyond, LawOf, hidden
from configlet.place.ends import End, Inside, ends_of, managements_of, workloads_of
from configlet.place.gates import Placement
from configlet.place.local import Way, guards_at, inside, keeps, only_at_nics, whole
from configlet.place.paths import doors, routes

IndexOf = Callable[[str, Family], Index[Entry]]


@dataclass(frozen=True, slots=True)
class Gap:
    """Packets that pass though the policy does not say so, between two ends, with an example.

    ``unguarded``: no gate sees them. ``reply-exposure``: the gates on the way cannot tell them from replies of
    ``reply_of``, and the written deny ``rule`` meets them. ``blindness``: the gates do not see in which field they
    differ from what ``reply_of`` lets pass; ``rule`` is the written deny that meets them, if any. ``observed``: they
    are counted and pass, as both segments say `enforcement: observe`.
    """

    what: Literal["unguarded", "reply-exposure", "blindness", "observed"]
    source: End
    target: End
    gates: tuple[str, ...]
    example: Packet
    rule: Rule | None
    reply_of: Rule | None = None


def gaps(placement: Placement, realms: tuple[str, ...], index: IndexOf, law_of: LawOf) -> tuple[Gap, ...]:
    """All gaps of a site. Only pairs of ends without a host table that remembers connections can have one."""
    beyond = Beyond(law_of)
    loose = frozenset(work.name for work in placement.inventory.workloads if not keeps(placement, work))
    parts = [(realm, family, index(realm, family)) for realm in realms for family in FAMILIES]
    inside = workloads_of(placement.inventory)
    return tuple(
        gap
        for realm, family, of in parts
        for gap in (*_Realm(placement, realm, family, of, beyond, loose, inside).gaps(), *_observed(placement, realm, family, of))
    )


def _observed(placement: Placement, realm: str, family: Family, index: Index[Entry]) -> Iterator[Gap]:
    """What passes from one segment to another because both only observe."""
    seen = [s for s in placement.inventory.segments if s.observed and s.realm == realm]
    spans = {s.name: merge(span_of(n) for n in s.prefixes if family_of(n) == family) for s in seen}
    ends = [End(realm, family, spans[s.name], s, None, None) for s in seen if spans[s.name]]
    for source, target in ((a, b) for a in ends for b in ends):
        parts = (part for box in _region(source, target) for part in split(index.between(source.spans, target.spans), box))
        found = next(((box, entry.rule) for box, entry in parts if entry and entry.rule.origin == "observe"), None)
        if found:
            yield Gap("observed", source, target, (), packet_of(family, realm, found[0]), found[1])


def accepted(gap: Gap, acceptances: tuple[Acceptance, ...]) -> Acceptance | None:
    """The acceptance that speaks of this gap, if the operator wrote one."""
    return next((a for a in acceptances if a.what == gap.what and _speaks(a, gap)), None)


def _speaks(acceptance: Acceptance, gap: Gap) -> bool:
    names = {gap.source.name, gap.target.name}
    asked = []
    if acceptance.workload:
        asked.append(acceptance.workload in names)
    if acceptance.gate:
        asked.append(acceptance.gate in gap.gates)
    if acceptance.source:
        asked.append(acceptance.source.name in (gap.source.name, gap.source.place))
    if acceptance.destination:
        asked.append(acceptance.destination.name in (gap.target.name, gap.target.place))
    return bool(asked) and all(asked)


class _Realm:
    """One realm and family: its bare ends, and the guards between places, each looked up once."""

    def __init__(
        self,
        placement: Placement,
        realm: str,
        family: Family,
        index: Index[Entry],
        beyond: Beyond,
        loose: frozenset[str],
        inside_of: Inside,
    ) -> None:
        self.placement, self.family, self.realm, self.index, self.beyond = placement, family, realm, index, beyond
        inventory = placement.inventory
        self.ends = [
            *ends_of(inventory, realm, family, lambda work: work.name in loose, inside_of),
            *managements_of(inventory, realm, family, lambda name: not whole(placement, name)),
        ]
        self.missed = frozenset(n for n, end in enumerate(self.ends) if only_at_nics(placement, end.manages))
        self.places: dict[str, list[int]] = {}
        self.hosts: dict[str, list[int]] = {}
        for number, end in enumerate(self.ends):
            self.places.setdefault(end.place, []).append(number)
            if end.workload:
                self.hosts.setdefault(end.workload.host, []).append(number)
        self.guards = cache(self._guards)
        self.at = cache(self._at)
        self.seeing: dict[tuple[int, Way, bool], tuple[Gate, ...]] = {}

    def gaps(self) -> Iterator[Gap]:
        if self.missed or any(end.workload for end in self.ends):
            yield from self._all_unguarded()
            yield from self._exposed()
            yield from self._unseen()

    def _guards(self, source: str, target: str) -> tuple[str, ...] | None:
        """The routed gates common to a way between two places; None when nothing connects them, () when one is open."""
        if source == target:
            return ()
        ends = self.ends[self.places[source][0]], self.ends[self.places[target][0]]
        ways = routes(self.placement, *ends)
        if not ways:
            return None
        found = [tuple(hop.gate.name for hop in hops) for _, hops in ways]
        return () if not all(found) else tuple(dict.fromkeys(name for names in found for name in names))

    def _all_unguarded(self) -> Iterator[Gap]:
        """Pairs inside a place or a host, and pairs of places of which neither is closed on its side."""
        sound: set[tuple[str, str, int, int]] = set()
        cells = Cells({span for level in (SRC, DST) for span in self.index.spans(level)})
        for number, other in self._unrouted():
            if not self.at(number, other):
                source, target = self.ends[number], self.ends[other]
                key = (source.place, target.place, _cell(cells, source, number), _cell(cells, target, other))
                if key in sound or self._routed(number, other) != ():
                    continue
                gap = self._unguarded(source, target)
                if gap is None:
                    sound.add(key)
                else:
                    yield gap

    def _unrouted(self) -> Iterator[tuple[int, int]]:
        """The pairs of ends that perhaps meet no gateway."""
        leaving, entering = self._open("in"), self._open("out")
        into = [number for place in entering for number in self.places[place]]
        for number, source in enumerate(self.ends):
            others = {*self.places[source.place], *(into if source.place in leaving else ())}
            others.update(self.hosts[source.workload.host] if source.workload else ())
            for other in sorted(others):
                if number != other and self._asked(source, other):
                    yield number, other

    def _asked(self, source: End, other: int) -> bool:
        """Whether a pair is ours to judge: a workload at an end, or the way to a host that has tables, but none there."""
        target = self.ends[other]
        if source.manages or target.manages:
            return other in self.missed
        return bool(source.workload or target.workload)

    def _at(self, source: int, target: int) -> tuple[Gate, ...]:
        """The gates at the two ends themselves that see what goes from one to the other."""
        return (*self._seeing(source, "sends", target), *self._seeing(target, "receives", source))

    def _seeing(self, number: int, way: Way, other: int) -> tuple[Gate, ...]:
        """The gates at an end; of the other end they ask only whether it is inside the same host."""
        end, further = self.ends[number], self.ends[other]
        if end.workload is None:
            return ()
        key = number, way, inside(end, further)
        found = self.seeing.get(key)
        if found is None:
            found = self.seeing[key] = guards_at(self.placement, end, way, further)
        return found

    def _between(self, one: int, other: int) -> tuple[str, ...] | None:
        """The gates without memory from one end to the other; None or () where there are none."""
        routed = self._routed(one, other)
        return None if routed is None else (*routed, *(gate.name for gate in self.at(one, other)))

    def _routed(self, one: int, other: int) -> tuple[str, ...] | None:
        """The gates between the places of two ends, which what stays inside a host never meets."""
        source, target = self.ends[one], self.ends[other]
        return () if inside(source, target) else self.guards(source.place, target.place)

    def _open(self, direction: str) -> set[str]:
        """The places with a door that no gate guards in this direction."""
        open_ = set()
        for place, numbers in self.places.items():
            guarded = doors(self.placement, self.ends[numbers[0]], direction)
            if guarded and not all(guarded.values()):
                open_.add(place)
        return open_

    def _unguarded(self, source: End, target: End) -> Gap | None:
        entries = self.index.between(source.spans, target.spans)
        for box in _region(source, target):
            for part, entry in split(entries, box):
                if entry is None or entry.rule.origin == "observe" or _denies(entry):
                    example = packet_of(self.family, self.realm, part)
                    return Gap("unguarded", source, target, (), example, entry.rule if entry else None)
        return None

    def _unseen(self) -> Iterator[Gap]:
        """What passes between two ends because all gates there are blind to a field: a gap for each permit and protocol,
        fragments apart."""
        for one, other in self._unrouted():
            gates = self.at(one, other)
            if not any(map(hidden, gates)) or self._routed(one, other) != ():
                continue
            source, target = self.ends[one], self.ends[other]
            names, decides = tuple(g.name for g in gates), self.index.between(source.spans, target.spans)
            found: dict[tuple[object, ...], Gap] = {}
            for row in self.beyond.between(gates, source, target):
                key = id(row.rule), row.box[PROTO], row.box[FRAG]
                known = found.get(key)
                for part, entry in split(decides, row.box) if known is None or known.rule is None else ():
                    deny = entry.rule if entry and not entry.permit and entry.rule.origin == "policy" else None
                    if key not in found or deny:
                        example = packet_of(self.family, self.realm, part)
                        found[key] = Gap("blindness", source, target, names, example, deny, row.rule)
                    if deny:
                        break
            yield from found.values()

    def _exposed(self) -> Iterator[Gap]:
        """What a written deny meets of the replies that stateless gates must pass, where an end stands bare."""
        near = merge([span for end in self.ends if end.workload for span in end.spans])
        bare = cache(lambda span: overlap((span,), near))
        for at, deny in [(at, row) for at, row in enumerate(self.index.rows) if not row.permit]:
            source, target = deny.box[SRC], deny.box[DST]
            if deny.rule.origin != "policy" or not (bare(source) or bare(target)):
                continue
            # Only what decides packets from the deny's destination to its source can be answered in its box.
            for reply in permits_only(reply_list(self.index.between((target,), (source,)), self.family)):
                both = meet(reply.box, deny.box)
                for part in self._decided(at, deny, both) if both else ():
                    yield from self._crossing(part, reply, deny)

    def _decided(self, at: int, deny: Entry, box: Box) -> Iterator[Box]:
        """The parts of a box that this entry decides."""
        near = self.index.numbers(SRC, (box[SRC],)) & self.index.numbers(DST, (box[DST],))
        for part, entry in split(self.index.of(n for n in near if n <= at), box):
            if entry is deny:
                yield part

    def _crossing(self, box: Box, reply: Entry, deny: Entry) -> Iterator[Gap]:
        sources, targets = ([n for n, end in enumerate(self.ends) if _has(end, box[level])] for level in (SRC, DST))
        for one in sources:
            for other in targets if self.ends[one].workload else [n for n in targets if self.ends[n].workload]:
                source, target = self.ends[one], self.ends[other]
                hit = next((b for b in (meet(box, r) for r in _region(source, target)) if b), None)
                gates = self._between(one, other) if hit and one != other else None
                if hit and gates:
                    example = packet_of(self.family, self.realm, hit)
                    yield Gap("reply-exposure", source, target, gates, example, deny.rule, reply.rule)


def _denies(entry: Entry) -> bool:
    return not (entry.permit or entry.rule.origin == "infrastructure")


def bare(placement: Placement, end: End) -> bool:
    """Whether no table at an end's host decides both ways of every connection of it."""
    if end.manages:
        return not whole(placement, end.manages)
    return end.workload is None or not keeps(placement, end.workload)


def _cell(cells: Cells, end: End, number: int) -> int:
    """Ends of one cell are alike to every rule; what is not one address is alike to nothing else."""
    low, high = end.spans[0]
    return cells.of(low) if low == high and len(end.spans) == 1 else -1 - number


def _has(end: End, span: tuple[int, int]) -> bool:
    return any(lo <= span[1] and span[0] <= hi for lo, hi in end.spans)


def _region(source: End, target: End) -> Iterable[Box]:
    for s in source.spans:
        for t in target.spans:
            yield ANY_PROTO, t, s, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)
