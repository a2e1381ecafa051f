"""A filter table as it was read: rules, elements of maps, hooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from configlet.readers.grammar import Source
from configlet.readers.spans import BITS, Span, address_text

FAMILY = {"ipv4_addr": 4, "ipv6_addr": 6}


@dataclass(frozen=True, slots=True)
class Selector:
    """What is asked of a packet. ``of`` is its own header (packet) or its connection's first packet (connection)."""

    field: str
    of: str
    value: str
    family: int | None
    proto: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """A condition: the selected field is in one of the spans. ``states`` are bits, for the state of a connection."""

    selector: Selector | None
    spans: tuple[Span, ...]
    fragments: int = 0
    states: int = 0


@dataclass(frozen=True, slots=True)
class Lookup:
    """A lookup in a verdict map by several selectors."""

    selectors: tuple[Selector, ...]
    map: str


class Rule(NamedTuple):
    """One rule: its conditions, then a lookup, a jump or a verdict, or nothing (it only counts)."""

    source: Source
    matches: tuple[Match, ...]
    lookup: Lookup | None
    verdict: str
    target: str
    label: str
    text: str
    counted: bool = False
    """Whether it counts the packets that it decides."""


class End(NamedTuple):
    """What becomes of a packet in the end, under which rule's name, and whether that is counted."""

    permit: bool
    label: str
    counted: bool


Said = tuple[tuple[Span, ...], str, str, End | None]
"""What an element says: its key; the verb and the chain to which it leads, or its own end."""


class Element(NamedTuple):
    """One element of a verdict map: it leads to a chain (``verb``, ``target``), or it is the ``end`` itself."""

    spans: tuple[Span, ...]
    verb: str
    target: str
    end: End | None
    source: Source

    def text(self, kinds: tuple[str, ...]) -> str:
        """Its one form, where the key has these types."""
        said = (
            span_text(FAMILY[kind], span) if kind in FAMILY else number_text(span)
            for kind, span in zip(kinds, self.spans, strict=True)
        )
        comment = f' comment "{self.end.label}"' if self.end and self.end.label else ""
        return f"{' . '.join(said)}{comment} : {self.verb}{' ' if self.target else ''}{self.target}"


@dataclass(frozen=True, slots=True)
class VerdictMap:
    """One verdict map: the types of its key, its elements, and whether each of them counts."""

    kinds: tuple[str, ...]
    elements: Sequence[Element]
    counting: bool = False


@dataclass(frozen=True, slots=True)
class Hook:
    """A base chain: where it judges, and what it does with what nothing decided."""

    name: str
    accept: bool
    source: Source


@dataclass(slots=True)
class Table:
    """A table as read."""

    maps: dict[str, VerdictMap] = field(default_factory=dict)
    chains: dict[str, list[Rule]] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)
    ends: dict[str, End | None] = field(default_factory=dict)
    """Of the chains that only count, log and decide the rule that decides, if there is one."""
    pattern: bool = False
    """Whether it stands for all tables that are said in the same way."""

    def put(self, name: str, rules: list[Rule]) -> None:
        """Another chain."""
        self.chains[name] = rules
        end: Rule | None = None
        for rule in rules:
            if rule.matches or rule.lookup or rule.target:
                return
            end = end or (rule if rule.verdict else None)
        self.ends[name] = end_of(end) if end else None


def end_of(rule: Rule) -> End:
    """What a rule that decides does with every packet."""
    return End(rule.verdict == "accept", rule.label, rule.counted)


def span_text(family: int | None, span: Span) -> str:
    """One form of an interval of addresses: an address, a prefix where it is one, or both ends."""
    assert family is not None
    low, high = span
    size = (high - low + 1).bit_length() - 1
    if low == high:
        return address_text(family, low)
    if high - low + 1 == 1 << size and low % (1 << size) == 0:
        return f"{address_text(family, low)}/{BITS[family] - size}"
    return f"{address_text(family, low)}-{address_text(family, high)}"


def number_text(span: Span) -> str:
    """One number, or both ends of an interval."""
    return str(span[0]) if span[0] == span[1] else f"{span[0]}-{span[1]}"
