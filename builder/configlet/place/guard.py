"""The end-to-end law (DESIGN 5.2): what no gate decides, and what stateless gates pass beyond the policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from configlet.model.inventory import Acceptance
from configlet.model.net import FAMILIES, Family
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, Box, Entry, Packet, Rule
from configlet.packets.boxes import meet, packet_of
from configlet.packets.entries import permits_only, split
from configlet.packets.reply import reply_list
from configlet.place.ends import End, ends_of
from configlet.place.gates import Placement
from configlet.place.paths import paths

EntriesOf = Callable[[str, Family], tuple[Entry, ...]]


@dataclass(frozen=True, slots=True)
class Gap:
    """Packets that pass though the policy does not say so, between two ends, with an example.

    ``unguarded``: no gate sees them. ``reply-exposure``: the gates on the way cannot tell them from replies of
    ``reply_of``, and the written deny ``rule`` meets them.
    """

    what: Literal["unguarded", "reply-exposure"]
    source: End
    target: End
    gates: tuple[str, ...]
    example: Packet
    rule: Rule | None
    reply_of: Rule | None = None


def gaps(placement: Placement, realms: tuple[str, ...], entries: EntriesOf) -> tuple[Gap, ...]:
    """All gaps of a site. Host tables remember connections, so only pairs that no host table sees can have one."""
    return tuple(
        gap
        for realm in realms
        for family in FAMILIES
        for gap in _Realm(placement, realm, family, entries(realm, family)).gaps()
    )


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

    def __init__(self, placement: Placement, realm: str, family: Family, entries: tuple[Entry, ...]) -> None:
        self.placement, self.family, self.realm, self.entries = placement, family, realm, entries
        self.ends = [end for end in ends_of(placement.inventory, realm, family) if end.bare]
        self.first: dict[str, End] = {}
        for end in self.ends:
            self.first.setdefault(end.place, end)
        self.guards = cache(self._guards)

    def gaps(self) -> Iterator[Gap]:
        for source in self.ends:
            for target in self.ends:
                if source.workload or target.workload:
                    yield from self._unguarded(source, target)
        yield from self._exposed()

    def _guards(self, source: str, target: str) -> tuple[str, ...] | None:
        """The routed gates common to a way between two places; None when nothing connects them, () when one is open."""
        if source == target:
            return ()
        ways = paths(self.placement, self.first[source], self.first[target])
        if not ways:
            return None
        found = [tuple(g.name for g in way.guards if g.kind == "acl") for way in ways]
        return () if not all(found) else tuple(dict.fromkeys(name for names in found for name in names))

    def _unguarded(self, source: End, target: End) -> Iterator[Gap]:
        if source is target or self.guards(source.place, target.place) != ():
            return
        for box in _region(source, target):
            for part, entry in split(self.entries, box):
                if entry is None or not (entry.permit or entry.rule.origin == "infrastructure"):
                    example = packet_of(self.family, self.realm, part)
                    yield Gap("unguarded", source, target, (), example, entry.rule if entry else None)
                    return

    def _exposed(self) -> Iterator[Gap]:
        denies = [(at, e) for at, e in enumerate(self.entries) if not e.permit and e.rule.origin == "policy"]
        if not denies:
            return
        for reply in permits_only(reply_list(self.entries, self.family)):
            for at, deny in denies:
                both = meet(reply.box, deny.box)
                for part, entry in split(self.entries[: at + 1], both) if both else ():
                    if entry is deny:
                        yield from self._crossing(part, reply, deny)

    def _crossing(self, box: Box, reply: Entry, deny: Entry) -> Iterator[Gap]:
        for source in self.ends:
            for target in self.ends:
                if source.place == target.place:
                    continue
                hit = next((b for b in (meet(box, r) for r in _region(source, target)) if b), None)
                gates = self.guards(source.place, target.place) if hit else None
                if hit and gates and (source.workload or target.workload):
                    example = packet_of(self.family, self.realm, hit)
                    yield Gap("reply-exposure", source, target, gates, example, deny.rule, reply.rule)


def _region(source: End, target: End) -> Iterator[Box]:
    for s in source.spans:
        for t in target.spans:
            yield ANY_PROTO, t, s, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)
