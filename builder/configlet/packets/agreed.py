"""A host's law and its text without what both say: what is left is the same for most hosts, and asked once for all of them.

A permit that both lists have adds the same to both where no deny ahead of it in one list alone meets it, and a deny that
meets no permit behind it says nothing. So the long lists go, and the few rows that stay differ in the host's own addresses
alone: of an answer nothing is changed by exchanging these for others, as no other end that is said has one of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import compress, count, product
from operator import ne, not_
from typing import NamedTuple

from configlet.model.block import Block, items
from configlet.model.gate import Cell, Line
from configlet.model.lines import Lines, Parts, Run, Said
from configlet.model.net import Family, Span, Spans, covers
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC, Box, Entry
from configlet.model.told import Face, Faced, Group, Item
from configlet.packets.atoms import difference
from configlet.packets.boxes import change, full
from configlet.packets.faces import bands_of

FEW, MOST, KNOWN = 32, 128, 256
"""Rows of a block or a list that stay one by one; rows that may be left of a list; answers that are remembered."""
_WHOLE = (0, 0)
_ALL = ((ANY_PROTO,), (ANY_PORT,), (ANY_PORT,), (ANY_BIT,), (_WHOLE,))
_SAID = (PROTO, DPORT, SPORT, FLAG, FRAG)
_PAIRS = ((DST, SRC), (SRC, DST))
_OTHER = {DST: SRC, SRC: DST}
_Own = Mapping[Span, int]
_Place = tuple[int, Span]
"""A dimension, and one of the host's addresses there."""


class _Other(Exception):  # noqa: N818 - it is said of lists
    """These lists are otherwise than those of most hosts."""


class _Shut(NamedTuple):
    """What some rows of a text that stand together deny at a place."""

    number: int
    """Of the part."""
    place: _Place
    bases: Sequence[Box]
    """Of what; the ends stand in the other dimension."""
    ends: Sequence[Span]


class _Listed(NamedTuple):
    """A long list of permits of a text, and the group of the law that has the same rows."""

    number: int
    denies: int
    """How many denies are left ahead of it."""
    place: _Place
    base: Box
    group: Group


class _Law:
    """A law: ``left`` are the rows that stand in no long list, ``shut`` by place the other ends, sorted and disjoint, from which
    nothing comes or to which nothing goes, ahead of the groups, which permit or deny."""

    __slots__ = ("denies", "left", "own", "permits", "shut")

    def __init__(self, rows: Sequence[Entry], own: _Own) -> None:
        self.left: list[Said] = []
        self.shut: dict[_Place, Spans] = {}
        self.permits: dict[tuple[int, Span], Group] = {}
        self.denies: list[Group] = []
        self.own: Span | None = None
        if isinstance(rows, Faced):
            self._head(rows.head, own)
            self._face(rows.face, own)
        else:
            self._head(items(rows), own)

    def _head(self, head: Sequence[Item], own: _Own) -> None:
        if len(head) > MOST:
            raise _Other
        for item in head:
            some: Sequence[Said]
            if not isinstance(item, Block):
                some = ((item.permit, item.box),)
            elif place := _closed(item, own):
                ends = item.sets[_OTHER[place[0]]]
                if place in self.shut or any(covers(ends, at) for at, _ in own):
                    raise _Other
                self.shut[place] = ends
                continue
            elif item.count <= FEW:
                some = [(item.permit, box) for box in product(*item.sets)]
            else:
                raise _Other
            if self.shut:
                _behind(self.shut, some, own)
            self.left += some

    def _face(self, face: Face, own: _Own) -> None:
        self.own = face.own, face.own
        if self.own not in own:
            raise _Other
        for place, group in face.groups.items():
            found = group.once(bands_of)
            if len(found) != 1:
                raise _Other
            permit, band = found[0]
            if permit:
                self.permits[place] = group
            elif band.peers.holding([at for at, _ in own]):
                raise _Other
            else:
                self.denies.append(group)


class _Text:
    """A text taken apart in the same way, with what is a group of the law."""

    __slots__ = ("left", "permits", "shut")

    def __init__(self, parts: Parts, law: _Law, own: _Own) -> None:
        self.left: list[Said] = []
        self.shut: list[_Shut] = []
        self.permits: list[_Listed] = []
        groups = dict(law.permits)
        places: list[_Place] = []
        denies = 0
        for number, part in enumerate(parts):
            some: Sequence[Said] = ()
            if not isinstance(part, Run):
                some = part
            elif part.fields in _PAIRS:
                self._pairs(number, part, own)
            elif (place := _near(part, own)) and (group := _group(part, place, law, groups)):
                self.permits.append(_Listed(number, denies, place, part.bases[0], group))
            elif place and DPORT not in part.fields and not all(part.permits):
                some = self._ends(number, part, place)
            elif len(part.bases) * len(part.permits) <= FEW:
                some = [*part.rows()]
            else:
                raise _Other
            if len(places) < len(self.shut):
                places = [one.place for one in self.shut]
            if places and some:
                _behind(places, some, own)
            self.left += some
            denies += sum([not permit for permit, _ in some])
        if groups or len(self.left) > MOST:
            raise _Other

    def _ends(self, number: int, run: Run, place: _Place) -> Sequence[Said]:
        """Denies of some ends; told are its permits, which share nothing with these if they are of the host's own addresses."""
        (ends,), far = run.axes, _OTHER[place[0]]
        self.shut.append(_Shut(number, place, run.bases, tuple(compress(ends, map(not_, run.permits)))))
        return [(True, change(base, far, end)) for end in compress(ends, run.permits) for base in run.bases]

    def _pairs(self, number: int, run: Run, own: _Own) -> None:
        """Denies between one of the host's addresses and another end."""
        if any(run.permits):
            raise _Other
        into, of = run.axes[run.fields.index(DST)], run.axes[run.fields.index(SRC)]
        by: dict[_Place, list[Span]] = {}
        for dst, src in zip(into, of, strict=True):
            if (dst in own) == (src in own):
                raise _Other
            by.setdefault((DST, dst) if dst in own else (SRC, src), []).append(src if dst in own else dst)
        self.shut += [_Shut(number, place, run.bases, ends) for place, ends in by.items()]


def agreed(family: Family, rows: Sequence[Entry], lines: Sequence[Line], own: Collection[int]) -> bool:
    """Whether a law and some lines surely pass the same packets; False where that was not seen."""
    if not isinstance(lines, Lines) or not lines.parts:
        return False
    ours = {(at, at): number for number, at in enumerate(own)}
    try:
        law = _Law(rows, ours)
        text = _Text(lines.parts, law, ours)
        _apart(law, text, ours)
        key = family, *(_named(family, left, ours) for left in (law.left, text.left))
    except _Other:
        return False
    if key not in _known:
        if len(_known) >= KNOWN:
            _known.clear()
        one, two = ([Cell(permit, box) for permit, box in left] for left in (law.left, text.left))
        _known[key] = difference(family, (one,), two) is None
    return _known[key]


_known: dict[object, bool] = {}


def _closed(block: Block[Entry], own: _Own) -> _Place | None:
    """Where a block denies all from some ends or to some, if it does no more."""
    proto, dst, src, *rest = block.sets
    if block.permit or (proto, *rest) != _ALL:
        return None
    if len(dst) == 1 and dst[0] in own:
        return DST, dst[0]
    return (SRC, src[0]) if len(src) == 1 and src[0] in own else None


def _behind(places: Iterable[_Place], some: Sequence[Said], own: _Own) -> None:
    """See that none of some permits shares a packet with rows ahead that deny at some places ends which have none of the host's
    addresses."""
    for permit, box in some:
        if permit:
            for level, (at, _) in places:
                if box[level][0] <= at <= box[level][1] and box[_OTHER[level]] not in own:
                    raise _Other


def _near(run: Run, own: _Own) -> _Place | None:
    """Where all of a run speaks of one of the host's addresses and of other ends, and of nothing else but ports."""
    for level, far in _OTHER.items():
        if run.bases and run.fields in ((far,), (far, DPORT)):
            at = run.bases[0][level]
            if at in own and [base[level] for base in run.bases].count(at) == len(run.bases):
                return level, at
    return None


def _group(run: Run, place: _Place, law: _Law, groups: dict[tuple[int, Span], Group]) -> Group | None:
    """The group that has the rows of a run, in order, if there is one; each is found once."""
    level, at = place
    base = run.bases[0]
    group = groups.get((level, base[PROTO])) if at == law.own and len(run.bases) == 1 else None
    if group is None or base[FRAG] != _WHOLE or not all(run.permits):
        return None
    band = group.once(bands_of)[0][1]
    ports = tuple(run.axes[1]) if len(run.fields) == 2 else (base[DPORT],) * len(run.permits)
    if band.rest != base[SPORT:] or band.peers.spans != tuple(run.axes[0]) or band.ports != ports:
        return None
    return groups.pop((level, base[PROTO]))


def _apart(law: _Law, text: _Text, own: _Own) -> None:
    """See that no deny of one list alone meets a permit of a long list, and that no end of theirs has one of the host's
    addresses."""
    known: dict[tuple[int, _Place], Collection[Span]] = {}
    for one in text.shut:
        ends: Collection[Span] = one.ends
        if len(ends) > FEW:  # then most are ends of the law, of which it is known
            ends = known[one.number, one.place] = _odd(law.shut.get(one.place, ()), one.ends)
        for at, _ in own:
            for low, high in ends:
                if low <= at <= high:
                    raise _Other
    rows = [row for row in (*law.left, *text.left) if not row[0]]
    ours = len(rows) - sum(not permit for permit, _ in text.left)
    for listed in text.permits:
        level, base = listed.place[0], listed.base
        over = _ahead(text.shut, listed)
        if len(over) == 1 and (key := (over[0].number, over[0].place)) in known:
            odd = [*known[key]]
        else:
            odd = [*_odd(law.shut.get(listed.place, ()), [end for one in over for end in one.ends])]
        for group in law.denies:
            if group.level == level:
                odd += group.once(bands_of)[0][1].peers.distinct
        far = _OTHER[level]
        odd += [box[far] for _, box in rows[: ours + listed.denies] if _shares(box, base, level)]
        for group in listed.group.parts or (listed.group,):
            for _, band in group.once(bands_of):
                if band.peers.around(odd):
                    raise _Other


def _ahead(shut: Sequence[_Shut], listed: _Listed) -> list[_Shut]:
    """What is denied ahead of a list at its place, of all that it may permit; what denies a part of that is not looked at
    closer."""
    out = []
    for one in shut:
        if one.place == listed.place and one.number < listed.number:
            if any(_over(what, listed.base) for what in one.bases):
                out.append(one)
            elif any(_shares(what, listed.base, listed.place[0]) for what in one.bases):
                raise _Other
    return out


def _over(shut: Box, base: Box) -> bool:
    """Whether what is denied of some ends is all that a list may permit of them."""
    for at in _SAID:  # noqa: SIM110 - asked of many rows
        if shut[at][0] > base[at][0] or base[at][1] > shut[at][1]:
            return False
    return True


def _shares(box: Box, base: Box, level: int) -> bool:
    """Whether a row may share a packet with one of a list, if their other ends have something in common."""
    for at in (level, *_SAID):  # noqa: SIM110 - asked of many rows
        if box[at][0] > base[at][1] or base[at][0] > box[at][1]:
            return False
    return True


def _odd(one: Sequence[Span], two: Sequence[Span]) -> Collection[Span]:
    """Those of some ends that are in one list alone; most often both are the same but for a few."""
    front = next(compress(count(), map(ne, one, two)), min(len(one), len(two)))
    one, two = one[front:], two[front:]
    back = next(compress(count(), map(ne, reversed(one), reversed(two))), min(len(one), len(two)))
    return {*one[: len(one) - back]} ^ {*two[: len(two) - back]}


def _named(family: Family, rows: Sequence[Said], own: _Own) -> object:
    """Some rows with numbers in place of the host's addresses, none of which lies in another end but that of all addresses."""
    everywhere = full(family)[DST]
    names: dict[Span, object] = {**own, everywhere: everywhere}
    out: list[object] = []
    for permit, box in rows:
        for end in box[DST:DPORT]:
            if end not in names:
                if any(end[0] <= at <= end[1] for at, _ in own):
                    raise _Other
                names[end] = end
        out += permit, box[PROTO], names[box[DST]], names[box[SRC]], box[DPORT:]
    return tuple(out)
