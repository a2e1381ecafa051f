"""Statements on packets that belong to no connection: what a host says to its network, and ICMP that is no request.

The kernel tracks no neighbour discovery, and begins a connection only with an ICMP request; so a row about other
types is judged by the packet itself, if it belongs to no connection. Answers and errors of a connection go with it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import is_, itemgetter
from typing import Any, NamedTuple

from configlet.model.net import TOP, Family, Span, Spans, merge, overlap, subtract
from configlet.model.policy import ANY_PORT, ANY_PROTO, DPORT, DST, PROTO, SPORT, SRC, Entry
from configlet.model.problem import Refused, refuse
from configlet.model.told import Group, passes, places, rules
from configlet.packets.apart import reaches
from configlet.packets.boxes import meet
from configlet.render.filter_order import meeting
from configlet.render.filter_parted import Parted, Row, piece_of
from configlet.render.filter_words import Endings, number_text, span_text

_At = tuple[Span, Sequence[int], Group]
"""Rows of a local end, and what their numbers are among all rows."""
_MULTICAST: dict[Family, Span] = {4: (0xE0000000, 0xEFFFFFFF), 6: (0xFF << 120, TOP[6])}


class Statement(NamedTuple):
    """One statement on a packet's own header; each match ends in a blank. ``verdict`` is all that it does."""

    source: str
    destination: str
    upper: str
    verdict: str


def statements(
    operands: Mapping[str, Any], family: Family, parted: Parted, ending: Endings
) -> Mapping[str, Sequence[Statement]]:
    """The statements of the chains ``infrastructure`` and ``stray_icmp``, in the order of the rows."""
    if parted.towards or parted.origin or any(entry.rule.log for _, entry in parted.plain):
        return _said(operands, family, parted, ending)
    style = tuple([operands[key] for key in ("address", "icmp", "requests", "text")])
    key = family, *[id(entry) for _, entry in parted.plain]
    known = _ALONE.get(key)
    if known is None or not all(map(is_, known[1], style)):
        if len(_ALONE) >= KNOWN:
            _ALONE.clear()
        known = _ALONE[key] = list(parted.plain), style, _said(operands, family, parted, ending)
    return known[2]


KNOWN = 64
_ALONE: dict[tuple[int, ...], tuple[Sequence[Row], Sequence[object], Mapping[str, Sequence[Statement]]]] = {}
"""The statements of a few lists without a local end, which hosts without an address of a family have in common: by the identity
of the rows, which are held there, as is how the platform writes."""


def _said(
    operands: Mapping[str, Any], family: Family, parted: Parted, ending: Endings
) -> dict[str, list[Statement]]:
    out: dict[str, list[Statement]] = {"infrastructure": [], "stray_icmp": []}
    icmp: int = operands["icmp"][family]
    plain = [row for row in parted.plain if row[1].box[PROTO] == (icmp, icmp)]
    loose = [entry for _, entry in parted.plain if entry.box[PROTO] != (icmp, icmp)]
    out["infrastructure"] += (_header(operands, family, entry, ending) for entry in loose)
    bare = {number for number, _ in plain}
    told, stray = _told(plain, list(_stray(parted, icmp))), out["stray_icmp"]
    word, requests = "icmp" if family == 4 else "icmpv6", tuple(operands["requests"][family])
    for number, entry in told:
        types = entry.box[DPORT]
        if number in bare and overlap((types,), _begin(requests)):
            raise _cannot(entry, "neither of its ends is a local address, and its replies would be lost")
        ends, line = _ends(operands, family, entry), ending(entry.rule, entry.permit).line
        stray += [Statement(*ends, upper, line) for upper in _uppers(word, requests, types)]
    return out


def _stray(parted: Parted, icmp: int) -> Iterator[_At]:
    """The rows of local ends that are of ICMP too."""
    for side in (parted.towards, parted.origin):
        for own, parts in side.items():
            for part in parts:
                for (low, high), group in part.groups.items():
                    if low <= icmp <= high:
                        yield own, part.order, group


def _told(plain: Sequence[Row], stray: Sequence[_At]) -> Iterable[Row]:
    """The rows in order, less the denies that no later permit meets: the default deny says those."""
    said = [row for row in plain if row[1].permit or row[1].rule.log]
    shut = [row for row in plain if not row[1].permit and not row[1].rule.log]
    some = [group.once(heard) for _, _, group in stray]
    for (own, order, group), found in zip(stray, some, strict=True):
        said += [(order[group.numbers[at]], group.row(at).at(own)) for at in found]
    permits = sorted([row for row in said if row[1].permit], key=itemgetter(0))
    last = permits[-1][0] if permits else -1
    for (own, order, group), found in zip(stray, some, strict=True):
        ahead = bisect_left(group.numbers, bisect_left(order, last))
        if ahead > bisect_left(found, ahead) and _met(own, group, permits):
            quiet = set(range(ahead)).difference(found)
            shut += ((order[group.numbers[at]], group.row(at).at(own)) for at in sorted(quiet))
    shut = [row for row in shut if row[0] < last]
    if shut:
        denies = meeting(range(len(shut)), [entry for _, entry in shut], [entry.box for _, entry in permits])
        said += (
            shut[at]
            for at in denies
            if any(number > shut[at][0] and meet(shut[at][1].box, entry.box) for number, entry in permits)
        )
    return sorted(said, key=itemgetter(0))


def heard(group: Group) -> Sequence[int]:
    """The places of the rows that permit or log."""
    found = places(group, heard)
    if found is None:
        said = zip(passes(group), rules(group), strict=True)
        found = [at for at, (permit, rule) in enumerate(said) if permit or rule.log]
    return found


def _met(own: Span, group: Group, permits: Iterable[Row]) -> bool:
    """Whether a permit could share a packet with a row of a local end."""
    mine, other = (DST, SRC) if group.level == DST else (SRC, DST)
    return any(
        e.box[mine][0] <= own[1] and own[0] <= e.box[mine][1] and reaches(group, (e.box[other],)) for _, e in permits
    )


def _header(operands: Mapping[str, Any], family: Family, entry: Entry, ending: Endings) -> Statement:
    low, high = entry.box[PROTO]
    group = piece_of(entry.box[DST], (_MULTICAST[family],))
    if not entry.permit or entry.rule.origin != "infrastructure" or not (group or entry.box[DST] == entry.box[SRC]):
        raise _cannot(entry, "neither of its ends is a local address, and its replies would be lost")
    if (entry.box[DPORT], entry.box[SPORT]) != (ANY_PORT, ANY_PORT) or (low != high and (low, high) != ANY_PROTO):
        raise _cannot(entry, "such a row must take a whole protocol, or all")
    upper = "" if (low, high) == ANY_PROTO else f"meta l4proto {low} "
    return Statement(*_ends(operands, family, entry), upper, ending(entry.rule, entry.permit).line)


def _ends(operands: Mapping[str, Any], family: Family, entry: Entry) -> tuple[str, str]:
    word, (_, dst, src, *_) = operands["address"][family], entry.box
    if src == dst == (0, TOP[family]):
        return "", ""
    return f"{word} saddr {span_text(family, src)} ", f"{word} daddr {span_text(family, dst)} "


@lru_cache(maxsize=8)
def _begin(requests: Sequence[int]) -> Spans:
    return merge((256 * n, 256 * n + 255) for n in requests)


@lru_cache(maxsize=256)
def _uppers(word: str, requests: Sequence[int], types: Span) -> Sequence[str]:
    """Matches of the types that begin no connection."""
    if types == ANY_PORT:
        return (f"{word} type != {{ {', '.join(map(str, requests))} }} ",)
    return [upper for span in subtract((types,), _begin(requests)) for upper in _types(word, span)]


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
