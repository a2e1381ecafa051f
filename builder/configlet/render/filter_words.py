"""What the template of a host's filter table is given: maps, lookups and chains, and how spans and numbers are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from configlet.model.net import BITS, Family, Span, address_text
from configlet.model.policy import Rule
from configlet.model.told import Group


class Stage(NamedTuple):
    """When a text judges some rows of a local end; ``order``: what their numbers are among all rows."""

    at: int
    own: Span
    order: Sequence[int]
    group: Group


class Ending(NamedTuple):
    """What is done with a rule's packets, as an element of a map says it (``comment`` ends in a blank) and as a line does."""

    comment: str
    verdict: str

    @property
    def line(self) -> str:
        """What a line says: a chain of the rule's own counts by itself."""
        return f"counter {self.verdict} {self.comment[:-1]}" if self.comment else self.verdict


Endings = Callable[[Rule, bool], Ending]
"""How a rule ends, as a permit or as a deny."""


def counted(comment: str, permit: bool) -> Ending:
    """The ending of a rule that counts and does not log."""
    return Ending(f'comment "{comment}" ', "accept" if permit else "drop")


class Element(NamedTuple):
    """One key of a verdict map, for which rule, and what is done: ``comment`` is empty or ends in a blank."""

    key: str
    comment: str
    verdict: str


class Map(NamedTuple):
    """One verdict map."""

    name: str
    key: str
    elements: Sequence[Element]


class Lookup(NamedTuple):
    """One lookup in a local address's chain. ``protocols`` are those of packets of such a connection: its own, and
    ICMP for its errors.
    """

    map: str
    proto: int
    protocols: str
    sport: bool


class Lookups(NamedTuple):
    """What one part of a chain looks up of the other end, in this order; an empty name stands for no such map."""

    ports: tuple[Lookup, ...]
    proto: str
    any: str


class Local(NamedTuple):
    """The chain of one local address (or group) in one direction: what is looked up of the other end."""

    name: str
    direction: str
    word: str
    end: str
    dispatch: tuple[Element, ...]
    parts: tuple[Lookups, ...]
    maps: tuple[Map, ...]


@lru_cache(maxsize=16384)
def span_text(family: Family, span: Span) -> str:
    """A span as nft writes it: an address, a prefix, or a range."""
    if span[0] == span[1]:
        return address_text(family, span[0])
    size = span[1] - span[0]
    if not size & (size + 1) and not span[0] & size:
        return f"{address_text(family, span[0])}/{BITS[family] - size.bit_length()}"
    return f"{address_text(family, span[0])}-{address_text(family, span[1])}"


def number_text(span: Span) -> str:
    """Ports, protocols or types: one, or a range."""
    return str(span[0]) if span[0] == span[1] else f"{span[0]}-{span[1]}"
