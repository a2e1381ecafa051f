"""The elements of verdict maps: hosts have most of theirs in common, and those are made once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any

from configlet.model.net import Family, Span
from configlet.model.policy import DPORT, PROTO, SPORT, Box, Entry, Rule
from configlet.render.filter_parted import Parted
from configlet.render.filter_words import Element, Ending, counted, number_text, span_text
from configlet.render.values import labels

MOST = 16_384
"""Elements that are remembered, those of some tens of hosts."""


class Elements:
    """Makes the elements of the maps of one host. ``ending`` says how the rule of a row that logs ends there; names of
    others are written in the style of ``text``."""

    def __init__(self, family: Family, text: Mapping[str, Any], ending: Callable[[Entry], Ending]) -> None:
        self.family, self.ending, self.label = family, ending, labels(text)
        self.known = _known(family, tuple((key, repr(said)) for key, said in text.items()))

    def of(self, stage: str, numbers: Sequence[int], parted: Parted, other: int, *, sport: bool) -> tuple[Element, ...]:
        """An element for each row: its other end, and what is looked up at the stage."""
        known = self.known.of[stage, sport]
        ends, rules = parted.column(other), parted.rules
        upper = parted.column({"any": other, "proto": PROTO, "ports": DPORT}[stage])
        if sport:
            lower = parted.column(SPORT)
            keys: list[_At] = [(ends[n], (upper[n], lower[n]), rules[n]) for n in numbers]
        else:
            keys = [(ends[n], upper[n], rules[n]) for n in numbers]
        found = list(map(known.get, keys))
        if None in found:
            missing = [at for at, element in enumerate(found) if element is None]
            some = [parted.rows[numbers[at]] for at in missing]
            made = self.made(stage, other, some, [row.box for row in some], sport=sport)
            kept = self.known.make_room(len(some))
            for at, row, element in zip(missing, some, made, strict=True):
                found[at] = element
                if kept and not row.rule.log:  # one that logs leads to a chain of this host
                    known[keys[at]] = element
                    self.known.rules.append(row.rule)
        return tuple(found)  # type: ignore[arg-type]

    def made(
        self, stage: str, other: int, rows: Sequence[Entry], boxes: Sequence[Box], *, sport: bool = False
    ) -> tuple[Element, ...]:
        """An element for each row, or piece of it."""
        spans = [box[other] for box in boxes]
        text = {span: span_text(self.family, span) for span in set(spans)}
        ends = [text[span] for span in spans]
        if stage != "any":
            upper = [number_text(box[DPORT if stage == "ports" else PROTO]) for box in boxes]
            lower = [f" . {number_text(box[SPORT])}" for box in boxes] if sport else repeat("", len(ends))
            ends = [f"{end}{one} . {at}" for end, one, at in zip(ends, lower, upper, strict=True)]
        return tuple([_new(Element, (key, *self._said(row))) for key, row in zip(ends, rows, strict=True)])

    def _said(self, row: Entry) -> Ending:
        rule = row.rule
        if rule.log:
            return self.ending(row)
        found = self.known.endings.get((rule.name, row.permit))
        if found is None:
            found = self.known.endings[rule.name, row.permit] = counted(self.label(rule.name), row.permit)
        return found


_new = tuple.__new__
"""One for each element of a long map: the shortest way to make them."""
_At = tuple[Span, Span | tuple[Span, Span], int]
"""The other end of a row, its ports or protocol, and its verdict and the identity of its rule."""


class _Known:
    """Elements by stage and what a row says. A rule is known by its identity, for as long as it is held here."""

    def __init__(self) -> None:
        stages = [("any", False), ("proto", False), ("ports", False), ("ports", True)]
        self.of: dict[tuple[str, bool], dict[_At, Element]] = {stage: {} for stage in stages}
        self.endings: dict[tuple[str, bool], Ending] = {}
        """Of rules that do not log, by name and verdict."""
        self.rules: list[Rule] = []

    def make_room(self, count: int) -> bool:
        """Whether so many more may be remembered; when they are too many together, all others are let go of."""
        if len(self.rules) + count > MOST:
            self.rules.clear()
            self.endings.clear()
            for known in self.of.values():
                known.clear()
        return count <= MOST


@lru_cache(maxsize=8)
def _known(_family: Family, _style: tuple[tuple[str, str], ...]) -> _Known:
    """What is remembered of one family and one platform's way to write names."""
    return _Known()
