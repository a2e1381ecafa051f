"""What gates that do not see some fields pass beyond their laws between two ends (DESIGN 5.5), exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

from configlet.model.block import Block, items
from configlet.model.gate import Gate, Law
from configlet.model.net import Family
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, Box, Entry
from configlet.packets.blind import FIELDS, blind, exposure
from configlet.packets.boxes import meet
from configlet.packets.index import Index
from configlet.place.ends import End

LawOf = Callable[[Gate, Family], Law]
"""The law of a table that remembers nothing, as if it saw everything."""
WORDS = {"tcp-flags": "TCP flags", "icmp-type": "ICMP types", "fragment": "fragments"}


def hidden(gate: Gate) -> tuple[str, ...]:
    """The fields that a gate does not see."""
    return tuple(field for field in FIELDS if field in gate.capability.blind_to)


class Beyond:
    """What each gate passes as it sees, and what of that is beyond its law: made once for each gate and family."""

    def __init__(self, law_of: LawOf) -> None:
        self._law_of = law_of
        self._gates: dict[str, Gate] = {}
        self._rows = cache(self._made)

    def between(self, gates: Sequence[Gate], source: End, target: End) -> Iterator[Entry]:
        """What all of these gates pass from one end to another though one of them should not, each with its permit.

        Nothing where a gate sees every field: it passes the law, and closes what the others pass beyond it.
        """
        if not all(hidden(gate) for gate in gates):
            return
        self._gates |= {gate.name: gate for gate in gates}
        ends = source.spans, target.spans
        region = [(ANY_PROTO, t, s, ANY_PORT, ANY_PORT, ANY_BIT, ANY_BIT) for s in source.spans for t in target.spans]
        for gate in gates:
            others = [self._rows(h.name, source.family)[0].between(*ends) for h in gates if h is not gate]
            for row in self._rows(gate.name, source.family)[1].between(*ends):
                for box in _common(region, [[row], *others]):
                    yield row.over(box)

    def _made(self, name: str, family: Family) -> tuple[Index[Entry], Index[Entry]]:
        gate = self._gates[name]
        law = self._law_of(gate, family)
        wide = blind(law, hidden(gate))
        return Index([row for part in wide.lists for row in _rows_of(part)]), Index(list(exposure(law, wide)))


def _common(boxes: Iterable[Box], lists: Sequence[Sequence[Entry]]) -> Iterator[Box]:
    """The boxes as far as each list has a row for them."""
    found = list(boxes)
    for rows in lists:
        found = [both for box in found for row in rows if (both := meet(box, row.box))]
    yield from found


def _rows_of(part: Sequence[Entry]) -> Iterator[Entry]:
    for item in items(part):
        yield from item.rows() if isinstance(item, Block) else (item,)
