"""Which rows of a list could share a packet with another row of it, found for the whole list at once.

Most rows of a list share no packet with any other: their ports differ, or the ends of those that have a port in common.
That is seen on sorted numbers, whatever row they are of. Who is named here may still share nothing with anybody; who is
not named surely does not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress, count
from operator import lt, not_, sub

from configlet.model.net import Span, Spans, merge, overlap
from configlet.model.told import Group, Told, columns, ends

BROAD = 1024
"""Ports of a row from which it is compared by its end alone, as it would hang together with whatever is between."""

FEW = 4
"""Rows for which a group is sooner looked through than put in order by its ports."""
Rows = Sequence[Span] | Mapping[int, Span]


def linked(spans: Sequence[Span]) -> list[list[int]]:
    """The numbers of the spans in groups that hang together: of different groups no two share a value. Spans that stand
    alone are left out."""
    if len(spans) < 2:
        return []
    begins, finals = zip(*spans, strict=True)
    group = _chained(begins, finals)
    if not group:
        return []
    found: dict[int, list[int]] = {}
    for number, low in enumerate(begins):
        if low in group:
            found.setdefault(group[low], []).append(number)
    return list(found.values())


def hanging(begins: Sequence[int], finals: Sequence[int]) -> tuple[list[int], list[int]]:
    """The same of spans by their first and last values, as columns: the numbers of those that hang together with another, and
    the number of each one's group, from 1."""
    groups = list(map(_chained(begins, finals).get, begins))
    return list(compress(count(), groups)), list(filter(None, groups))


def _chained(begins: Sequence[int], finals: Sequence[int]) -> dict[int, int]:
    """The first values of the spans that hang together with another, each with the number of its group.

    Where as many spans have ended as began before a value, none reaches from one side of it to the other.
    """
    lows = sorted(begins)
    apart = list(map(lt, sorted(finals), lows[1:]))
    group: dict[int, int] = {}
    if False in apart:
        for at in compress(count(), map(not_, apart)):
            group[lows[at + 1]] = group.setdefault(lows[at], at + 1)
    return group


def doubtful(by: Mapping[Span, Sequence[int]], ends: Rows, ports: Rows) -> set[int]:
    """The numbers of the rows that could share a packet with another one, by their protocol, other end and ports.

    ``by``: their numbers by protocol; ``ends`` and ``ports``: what a number has of each.
    """
    out = set[int]()
    broad: list[int] = []
    narrow: list[Sequence[int]] = []
    for (first, last), numbers in by.items():
        if first != last:
            broad += numbers
            continue
        some = [ports[n] for n in numbers]
        wide = [n for n, (low, high) in zip(numbers, some, strict=True) if high - low >= BROAD]
        few = sorted(set(numbers).difference(wide)) if wide else numbers
        broad += wide
        narrow.append(few)
        for together in linked([ports[n] for n in few] if wide else some):
            of = [few[at] for at in together]
            out.update(of[at] for group in linked([ends[n] for n in of]) for at in group)
    if broad:
        out |= _reaching(broad, narrow, ends)
    return out


def _reaching(broad: Sequence[int], narrow: Sequence[Sequence[int]], ends: Rows) -> set[int]:
    """Those of some rows, and of others beside them, that could share an end with one of the former."""
    mine = [ends[n] for n in broad]
    out = {broad[at] for group in linked(mine) for at in group}
    all_of = merge(mine)
    others = {end for numbers in narrow for end in {ends[n] for n in numbers} if overlap((end,), all_of)}
    if others:
        out.update(n for numbers in narrow for n in numbers if ends[n] in others)
        there = merge(others)
        out.update(n for n in broad if overlap((ends[n],), there))
    return out


def doubted(groups: Iterable[Group]) -> dict[int, Told]:
    """The same of the rows of one side of an address, by their numbers: those that could share a packet with another one."""
    out: dict[int, Told] = {}
    parts = [(group, group.once(parted)) for group in groups]
    for group, (near, _, _) in parts:
        if near:
            out.update((group.numbers[at], group.row(at)) for at in near)
    mine = [columns(group)[0][at] for group, (_, wide, _) in parts for at in wide]
    if not mine:
        return out
    linked_, others = linked(mine), _reached_by(mine, [(group, few) for group, (_, _, few) in parts if few])
    if not linked_ and not others:
        return out
    broad = ((group.numbers[at], group.row(at)) for group, (_, wide, _) in parts for at in wide)
    there = merge(others)
    beside = {number for together in linked_ for number in together}
    out.update(one for number, one in enumerate(broad) if number in beside or overlap((mine[number],), there))
    for group, (_, wide, few) in parts if others else ():
        if not few.isdisjoint(others):
            some = {*range(len(group))}.difference(wide) if wide else range(len(group))
            there_ = columns(group)[0]
            out.update((group.numbers[at], group.row(at)) for at in some if there_[at] in others)
    return out


def _reached_by(mine: Sequence[Span], parts: Sequence[tuple[Group, frozenset[Span]]]) -> set[Span]:
    """Those of some other ends of groups that share an address with one of ``mine``."""
    all_of = merge(mine) if parts else ()
    return {end for group, few in parts if reaches(group, all_of) for end in few if overlap((end,), all_of)}


def doubts(group: Group) -> dict[int, Told]:
    """The same of the rows of one group alone."""
    if group.parts and group.proto[0] != group.proto[1] and not any(group.each(doubts)):
        many, few = group.parts
        there = many.once(reached)
        if not any(overlap((end,), there) for end in columns(few)[0]):
            return {}
    return doubted([group])


def reached(group: Group) -> Spans:
    """The other ends of its rows."""
    return merge(group.once(ends))


def reaches(group: Group, spans: Spans) -> bool:
    """Whether some of them share an address with sorted spans."""
    return any(overlap(spans, part.once(reached)) for part in group.parts or (group,))


def parted(group: Group) -> tuple[Sequence[int], Sequence[int], frozenset[Span]]:
    """The places of the rows of a group that could share a packet, of those that are compared by their ends alone, and the
    other ends of all but these."""
    if group.proto[0] != group.proto[1]:
        return (), range(len(group)), frozenset()
    if group.parts and _strangers(*group.parts):
        return (), (), frozenset().union(*[few for _, _, few in group.each(parted)])
    others, ports, *_ = columns(group)
    begins, finals = zip(*ports, strict=True)
    if max(map(sub, finals, begins)) >= BROAD:
        wide = [at for at, (low, high) in enumerate(ports) if high - low >= BROAD]
        few = sorted({*range(len(group))}.difference(wide))
        return sorted(doubtful({group.proto: few}, others, ports)), wide, frozenset([others[at] for at in few])
    near = [together[at] for together in linked(ports) for of in linked([others[n] for n in together]) for at in of]
    return sorted(near), (), group.once(ends)


def _strangers(many: Group, few: Group) -> bool:
    """Whether no row of two groups of a protocol could share a packet with another, and no ports are wide. Most of what a host
    has is of its prefix, where that was seen."""
    if any(near or wide for near, wide, _ in (many.once(parted), few.once(parted))):
        return False
    others, theirs, *_ = columns(many)
    for end, (low, high) in zip(*columns(few)[:2], strict=True):
        if len(few) > FEW:
            begins, places = many.once(by_port)
            near: Iterable[int] = places[bisect_right(begins, low - BROAD) : bisect_right(begins, high)]
        else:
            near = [at for at, (first, last) in enumerate(theirs) if first <= high and low <= last]
        for at in near:
            other, ports = others[at], theirs[at]
            if low <= ports[1] and other[0] <= end[1] and end[0] <= other[1]:
                return False
    return True


def by_port(group: Group) -> tuple[Sequence[int], Sequence[int]]:
    """Where the ports of its rows begin, in order, and the places of these rows."""
    found = sorted([(low, at) for at, (low, _) in enumerate(columns(group)[1])])
    return [low for low, _ in found], [at for _, at in found]
