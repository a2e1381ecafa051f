"""Where lines of one form have what they say, and what it means there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from configlet.readers.clauses import Shape
from configlet.readers.spans import Span

Ends = Mapping[str, Span]
"""Addresses, or ports, by their text, where they are one span; KeyError for others."""
Places = tuple[slice, slice, slice, slice]
"""The source, its ports, the destination and its ports."""


class Meant(NamedTuple):
    """What entries of one form mean, but for their addresses and ports."""

    permit: bool
    proto: Span
    flags: Span
    fragment: Span
    sports: Ends
    dports: Ends
    """Where a type is asked for, the type; else ports that are one span. Others are no keys of these."""
    flag: str | None
    """The word that asks for the flags, if one does."""
    also_fragments: bool


One = tuple[bool, Span, slice, slice | None, slice, slice | None, Ends, Ends, Span, Span]
"""Whether lines permit, and what makes a box of one: its protocol, ``Places`` (None for ports that are not said), its ports by
their text, flags and fragments."""


class Cut:
    """Where lines of one form have what they say; no expression tells digits apart, so that it is the same place in all."""

    __slots__ = ("meant", "number", "one", "parts", "shape")

    def __init__(self, number: slice, meant: Meant, shape: Shape | None = None, places: Places | None = None) -> None:
        self.number, self.meant = number, meant
        self.shape = shape
        """What the words around the parts mean, and how they are said again; None of a remark."""
        self.parts: Callable[[str], Sequence[str]] | None = itemgetter(*places) if places else None
        """Gives what stands at the ``Places``; None of a remark."""
        self.one: One | None = None
        """Of lines that are one box each what makes it."""
        if places:
            permit, proto, flags, fragment, sports, dports, *_ = meant
            source, sport, to, dport = places
            start = None if sport.start == sport.stop else sport
            end = None if dport.start == dport.stop and dports is sports else dport
            self.one = permit, proto, source, start, to, end, sports, dports, flags, fragment


class Worded(NamedTuple):
    """Lines of one form whose words around the parts have digits: what gives these words, and what lines are that have them."""

    words: Callable[[str], Sequence[str]]
    cuts: dict[Sequence[str], Cut]
