"""A table said as another table was: with other names, other addresses that lie to one another in the same way, and other
lines in its long lists, of which nothing was asked but to take their place.

The walk through chains knows of addresses what they have in common, whether that is nothing, and whether it is the whole of
one of them; of names, which are the same; of a long list that it looks up where its key may have every value, nothing. So
what it finds in one table it finds in each table of the same pattern, with that table's addresses and lists put in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import repeat
from typing import Any, NamedTuple

from configlet.model.lines import Run
from configlet.model.lines import Said as Row
from configlet.model.policy import Box
from configlet.readers.asked import GROUPS, Key
from configlet.readers.columns import Columns
from configlet.readers.frames import Framed
from configlet.readers.nested import Nesting, nesting
from configlet.readers.spans import BITS, Span, Unreadable, known_addresses

MOST = 1 << 21
"""Characters of patterns that are remembered, counted for each way of addresses to lie in them."""
KNOWN = 64
"""Lists without long lists that are remembered, of each pattern."""
Spans = Mapping[int, tuple[Span, ...]]
"""By family the intervals of addresses that a walk may meet in a table."""
_EVER: Spans = {
    family: ((0, (1 << BITS[family]) - 1), (0, group - 1), (group, (1 << BITS[family]) - 1))
    for family, group in GROUPS.items()
}
"""Those that it may meet in every table."""
_nesting = lru_cache(maxsize=64)(nesting)
"""Of a family of which a host has no address many tables say the same."""
Held = tuple[Span, int, int, Span, Span, Span, Span]
"""A box that has for its destination and its source their places among a table's intervals."""


class Few(NamedTuple):
    """Lines that rules say, or elements of the frame."""

    permits: Sequence[bool]
    boxes: Sequence[Held]


class All(NamedTuple):
    """The lines of all elements of the long list at a place: what they take of each base, by these fields of it."""

    place: int
    bases: Sequence[Held]
    fields: tuple[int, ...]


Steps = Sequence[Few | All]
Parts = list[Run | list[Row]]


class Listed(NamedTuple):
    """A list of lines of a family: as the walk finds them, and with the same ``together`` in few steps, in which those that
    stand in another order share no packet."""

    family: int
    steps: Steps
    together: Steps
    known: dict[Sequence[Span], Parts] | None
    """These lines by the intervals of a table, where none is of a long list: then many tables have the same."""


class Said(NamedTuple):
    """What the walk finds in each table of a pattern whose addresses lie in the same way."""

    total: int
    """The lines of the frame."""
    lists: Sequence[tuple[tuple[str, ...], bool]]
    """Of each long list in the order of the text the types of its key, and whether its elements count."""
    rules: int
    """How many lists of rules follow these."""
    decides: Mapping[int, bool]
    """By the place of its name whether a chain that does no more than to decide permits."""
    steps: Sequence[Listed]
    judges: Mapping[Key, int]
    """Which of them judges where."""

    def parts(
        self, words: Sequence[str], spans: Spans, lists: Sequence[Columns], ends: Mapping[str, bool]
    ) -> list[tuple[Parts, Callable[[], Parts]]] | None:
        """Lists of lines, each in few parts, and in parts as the walk finds them; None where an element leads to no chain that
        decides. ``ends``: such chains that are not in the frame."""
        leads = {words[place]: permit for place, permit in self.decides.items()}
        leads.update(ends)
        if not all(one.targets <= leads.keys() for one in lists):
            return None
        out: list[tuple[Parts, Callable[[], Parts]]] = []
        for family, steps, together, known in self.steps:
            filled = partial(_filled, spans=spans[family], lists=lists, leads=leads)
            found = known.get(spans[family]) if known is not None else None
            if found is None:
                found = filled(together)
                if known is not None:
                    if len(known) >= KNOWN:
                        known.clear()
                    known[spans[family]] = found
            out.append((found, partial(filled, steps)))
        return out


def _filled(steps: Steps, spans: Sequence[Span], lists: Sequence[Columns], leads: Mapping[str, bool]) -> Parts:
    out: Parts = []
    held: dict[int, tuple[Sequence[bool], dict[object, Any]]] = {}
    for step in steps:
        if isinstance(step, Few):
            out.append([*zip(step.permits, _put(step.boxes, spans), strict=True)])
            continue
        of = lists[step.place]
        if step.place not in held:
            # Where elements lead to chains it hangs on these whether they permit.
            held[step.place] = of.permits(leads), {} if of.targets else of.known
        out.append(Run(_put(step.bases, spans), step.fields, of.axes, *held[step.place]))
    return out


def _put(boxes: Sequence[Held], spans: Sequence[Span]) -> list[Box]:
    return [
        (proto, spans[to], spans[start], dport, sport, flag, fragment)
        for proto, to, start, dport, sport, flag, fragment in boxes
    ]


class _Pattern(NamedTuple):
    """By family the places of addresses among the words; what was found, by how these lie to one another."""

    places: Mapping[int, Sequence[int]]
    said: dict[tuple[Nesting | None, ...], Said | None]

    def spans(self, words: Sequence[str]) -> Spans:
        """By family all intervals that a walk may meet. Raises Unreadable where a word is no address of the family."""
        return {
            family: (*_EVER[family], *map(known_addresses, map(words.__getitem__, places), repeat(family)))
            for family, places in self.places.items()
        }


class Again:
    """What was found in tables before."""

    __slots__ = ("_held", "_known")

    def __init__(self) -> None:
        self._known: dict[object, _Pattern] = {}
        self._held = 0

    def of(self, framed: Framed, walked: Callable[[Spans], Said | None]) -> tuple[Said, Spans] | None:
        """What is said of a frame, and its intervals; ``walked`` finds it where it is not known."""
        if self._held > MOST:
            self._known.clear()
            self._held = 0
        known = self._known.get(framed.pattern)
        if known is None:
            known = self._known[framed.pattern] = _Pattern(_by_family(framed), {})
            self._held += len(framed.pattern[0])
        try:
            spans = known.spans(framed.words)
        except Unreadable:
            return None
        lie = tuple(map(_nesting, spans.values()))
        if None in lie:
            return None
        if lie not in known.said:
            known.said[lie] = walked(spans)
            self._held += len(framed.pattern[0])
        said = known.said[lie]
        return said and (said, spans)


def _by_family(framed: Framed) -> Mapping[int, list[int]]:
    out: dict[int, list[int]] = {family: [] for family in _EVER}
    for place in dict.fromkeys(framed.addresses):
        out[6 if ":" in framed.words[place] else 4].append(place)
    return out
