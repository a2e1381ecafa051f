"""Protocols as classes, so that "every other protocol" is one value and boxes can be cut without enumerating it.

Inside this package a box's first interval may count classes: 0 to n-1 the protocols that somebody names, n the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from configlet.fit.clip import with_span
from configlet.model.net import Family, Span
from configlet.model.policy import ANY_PROTO, PROTO, Entry

TCP, UDP = 6, 17
ICMP: dict[Family, int] = {4: 1, 6: 58}


@dataclass(frozen=True, slots=True)
class Classes:
    """The protocols that a list names, and the class of all others."""

    named: tuple[int, ...]

    @property
    def rest(self) -> int:
        """The class of every protocol that is not named."""
        return len(self.named)

    def span(self, proto: Span) -> Span:
        """A protocol interval (one, or all) as classes."""
        if proto == ANY_PROTO:
            return 0, self.rest
        at = self.named.index(proto[0])
        return at, at

    def proto(self, classes: Span) -> Span:
        """A class interval back as protocols: one named, or all of them."""
        return (self.named[classes[0]],) * 2 if classes[0] == classes[1] < self.rest else ANY_PROTO

    def enter(self, entry: Entry) -> Entry:
        """The entry with classes instead of protocols."""
        return entry.over(with_span(entry.box, PROTO, self.span(entry.box[PROTO])))

    def leave(self, entry: Entry) -> Entry:
        """The entry with protocols again."""
        return entry.over(with_span(entry.box, PROTO, self.proto(entry.box[PROTO])))


def classes_of(family: Family, *lists: Iterable[Entry]) -> Classes:
    """TCP, UDP, ICMP and whatever else is named."""
    named = {e.box[PROTO][0] for entries in lists for e in entries if e.box[PROTO] != ANY_PROTO}
    return Classes(tuple(sorted(named | {TCP, UDP, ICMP[family]})))
