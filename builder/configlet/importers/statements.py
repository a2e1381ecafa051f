"""The lines of a list as statements: what a person would say in one breath, ends and services apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from configlet.model.block import Block, items, sets_of
from configlet.model.gate import Line
from configlet.model.net import Span, Spans, merge
from configlet.model.policy import ANY_BIT, DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC

Service = tuple[Span, Span, Span]
"""Protocol, destination ports (or ICMP types), source ports."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One rule in the making. ``sources`` and ``destinations`` are sets of addresses that each have a name of their own."""

    permit: bool
    sources: tuple[Spans, ...]
    destinations: tuple[Spans, ...]
    services: tuple[Service, ...]
    answers: bool
    """Whether it speaks of TCP with ACK or RST only."""
    label: str
    text: str
    numbers: tuple[int, ...]


def statements(lines: Sequence[Line]) -> Iterator[Statement]:
    """The statements of a list, whole packets only; neighbours of one remark that differ in one part are one."""
    last: Statement | None = None
    for one in _plain(lines):
        joined = _joined(last, one) if last else None
        if joined is None and last is not None:
            yield last
        last = joined or one
    if last is not None:
        yield last


def _plain(lines: Sequence[Line]) -> Iterator[Statement]:
    """A statement for each line of the text, or for each box of one that is no product."""
    for (number, text), group in groupby(items(lines), key=_place):
        like: Line | None = None
        found: list[tuple[Spans, ...]] = []
        for item in group:
            sets = sets_of(item)
            if any(low == 0 for low, _ in sets[FRAG]):
                found.append(sets)
                like = item.like if isinstance(item, Block) else item
        if like is not None:
            yield from _statements(found, like, number, text)


def _place(item: Line | Block[Line]) -> tuple[int, str]:
    line = item.like if isinstance(item, Block) else item
    return line.number, line.text


def _statements(found: list[tuple[Spans, ...]], like: Line, number: int, text: str) -> Iterator[Statement]:
    sources, targets = _all(sets[SRC] for sets in found), _all(sets[DST] for sets in found)
    services = tuple(dict.fromkeys(one for sets in found for one in _services(sets)))
    count = sum(len(sets[SRC]) * len(sets[DST]) * len(list(_services(sets))) for sets in found)
    answers = any(sets[FLAG] != (ANY_BIT,) for sets in found)
    made = Statement(like.permit, (merge(sources),), (merge(targets),), services, answers, like.label, text, (number,))
    if count == len(sources) * len(targets) * len(services):
        yield made
        return
    for sets in found:
        ends = (merge(sets[SRC]),), (merge(sets[DST]),)
        yield replace(made, sources=ends[0], destinations=ends[1], services=tuple(_services(sets)))


def _services(sets: tuple[Spans, ...]) -> Iterator[Service]:
    return ((p, d, s) for p in sets[PROTO] for d in sets[DPORT] for s in sets[SPORT])


def _all(spans: Iterable[Spans]) -> tuple[Span, ...]:
    return tuple(dict.fromkeys(span for part in spans for span in part))


def _joined(one: Statement, other: Statement) -> Statement | None:
    """Both as one, where they stand under one remark and differ in one part only; else None."""
    if (one.permit, one.answers, one.label) != (other.permit, other.answers, other.label) or other.label == "default":
        return None
    parts = ("sources", "destinations", "services")
    differ = [part for part in parts if getattr(one, part) != getattr(other, part)]
    if len(differ) != 1 or (not one.label and differ[0] != "services"):
        return None
    joined = replace(one, text=f"{one.text}; {other.text}", numbers=(*one.numbers, *other.numbers))
    if differ == ["services"]:
        return replace(joined, services=tuple(dict.fromkeys((*one.services, *other.services))))
    if differ == ["sources"]:
        return replace(joined, sources=tuple(dict.fromkeys((*one.sources, *other.sources))))
    return replace(joined, destinations=tuple(dict.fromkeys((*one.destinations, *other.destinations))))
