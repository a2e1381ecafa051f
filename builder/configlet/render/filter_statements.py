"""Statements on packets that belong to no connection: what a host says to its network, and ICMP that is no request.

The kernel tracks no neighbour discovery, and begins a connection only with an ICMP request; so a row about other
types is judged by the packet itself, if it belongs to no connection. Answers and errors of a connection go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from configlet.model.net import TOP, Family, Span, Spans, intersect, subtract
from configlet.model.policy import ANY_PORT, ANY_PROTO, DPORT, DST, PROTO, SPORT, SRC, Entry
from configlet.model.problem import Refused, refuse
from configlet.packets.boxes import meet
from configlet.render.filter_order import meeting
from configlet.render.filter_parted import Parted, joined, piece_of
from configlet.render.filter_words import Ending, number_text, span_text

_MULTICAST: dict[Family, Span] = {4: (0xE0000000, 0xEFFFFFFF), 6: (0xFF << 120, TOP[6])}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement on a packet's own header; each match ends in a blank. ``verdict`` is all that it does."""

    source: str
    destination: str
    upper: str
    verdict: str


def statements(
    operands: Mapping[str, Any], family: Family, parted: Parted, ending: Callable[[Entry], Ending]
) -> dict[str, list[Statement]]:
    """The statements of the chains ``infrastructure`` and ``stray_icmp``, in the order of the rows."""
    out: dict[str, list[Statement]] = {"infrastructure": [], "stray_icmp": []}
    icmp: int = operands["icmp"][family]
    one, rows = (icmp, icmp), parted.rows
    loose = joined({proto: of for proto, of in parted.plain.items() if proto != one})
    out["infrastructure"] += (_header(operands, family, rows[number], ending) for number in loose)
    held = [by for side in (parted.towards, parted.origin) for by in side.values()]
    plain = parted.plain.get(one, [])
    stray = [n for by in held for proto, of in by.items() if proto[0] <= icmp <= proto[1] for n in of]
    bare = {id(rows[number]) for number in plain}
    for entry in _told(rows, [*stray, *plain]):
        out["stray_icmp"] += _icmp(operands, family, entry, ending, loose=id(entry) in bare)
    return out


def _told(rows: Sequence[Entry], numbers: Sequence[int]) -> Iterator[Entry]:
    """The rows of these numbers, in order, less the denies that no later permit meets: the default deny says those."""
    said = [n for n in numbers if rows[n].permit or rows[n].rule.log]
    permits = sorted(n for n in said if rows[n].permit)
    first = permits[-1] if permits else 0
    denies = meeting([n for n in numbers if n < first and not rows[n].permit], rows, [rows[n].box for n in permits])
    for number in sorted({*said, *denies}):
        entry = rows[number]
        met = any(later > number and meet(entry.box, rows[later].box) for later in permits)
        if entry.permit or entry.log or met:
            yield entry


def _header(operands: Mapping[str, Any], family: Family, entry: Entry, ending: Callable[[Entry], Ending]) -> Statement:
    low, high = entry.box[PROTO]
    group = piece_of(entry.box[DST], (_MULTICAST[family],))
    if not entry.permit or entry.rule.origin != "infrastructure" or not (group or entry.box[DST] == entry.box[SRC]):
        raise _cannot(entry, "neither of its ends is a local address, and its replies would be lost")
    if (entry.box[DPORT], entry.box[SPORT]) != (ANY_PORT, ANY_PORT) or (low != high and (low, high) != ANY_PROTO):
        raise _cannot(entry, "such a row must take a whole protocol, or all")
    upper = "" if (low, high) == ANY_PROTO else f"meta l4proto {low} "
    return Statement(*_ends(operands, family, entry), upper, ending(entry).line)


def _ends(operands: Mapping[str, Any], family: Family, entry: Entry) -> tuple[str, str]:
    word = operands["address"][family]
    source, destination = (span_text(family, entry.box[level]) for level in (SRC, DST))
    if entry.box[SRC] == entry.box[DST] == (0, TOP[family]):
        return "", ""
    return f"{word} saddr {source} ", f"{word} daddr {destination} "


def _icmp(
    operands: Mapping[str, Any], family: Family, entry: Entry, ending: Callable[[Entry], Ending], *, loose: bool
) -> Iterator[Statement]:
    """A row's types that begin no connection; of a row without a local end all its types must be such."""
    requests = operands["requests"][family]
    begin: Spans = tuple((256 * n, 256 * n + 255) for n in requests)
    if loose and intersect((entry.box[DPORT],), begin):
        raise _cannot(entry, "neither of its ends is a local address, and its replies would be lost")
    ends = _ends(operands, family, entry)
    word = "icmp" if family == 4 else "icmpv6"
    if entry.box[DPORT] == ANY_PORT:
        every = ", ".join(map(str, requests))
        yield Statement(*ends, f"{word} type != {{ {every} }} ", ending(entry).line)
        return
    for span in subtract((entry.box[DPORT],), begin):
        for upper in _types(word, span):
            yield Statement(*ends, upper, ending(entry).line)


def _types(word: str, span: Span) -> Iterable[str]:
    (first, low), (last, high) = divmod(span[0], 256), divmod(span[1], 256)
    if low == 0 and high == 255:
        return (f"{word} type {number_text((first, last))} ",)
    if first == last:
        return (f"{word} type {first} {word} code {number_text((low, high))} ",)
    edges = (span[0], 256 * first + 255), (256 * (first + 1), 256 * last - 1), (256 * last, span[1])
    return [text for edge in edges if edge[0] <= edge[1] for text in _types(word, edge)]


def _cannot(entry: Entry, why: str) -> Refused:
    detail = f'The rule "{entry.rule.name}" gives a row that no statement can say: {why}. Nothing was rendered.'
    return refuse("Row that cannot be written", detail, entry.rule.place)
