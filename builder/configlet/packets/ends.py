"""The rows of a host's list by the ends of their packets: towards each of its addresses, from each, between them, the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from functools import cache
from itertools import groupby, product, repeat
from operator import attrgetter, itemgetter
from typing import cast

from configlet.model.block import Block, Boxed, items
from configlet.model.lines import Lines, Parts, Run, Said, stretches
from configlet.model.net import Span
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DPORT, DST, PROTO, SPORT, SRC, Box
from configlet.model.told import Face, Faced, Group, Key
from configlet.packets.bands import Band, Peers, banded
from configlet.packets.faces import Bands, bands_of, outside, put
from configlet.packets.sides import Side

TOLD = (0, 0)
"""What a row says of an end that is told."""
_ROW, _FIRST = attrgetter("permit", "box"), itemgetter(0)
_WHOLE = (0, 0)
_ALL = (ANY_PORT, ANY_PORT, ANY_BIT, _WHOLE)
_Turn = tuple[bool, int, int, Peers]
_Pair = tuple[int, int]
_Held = Mapping[Span, Sequence[int]]


class Ends:
    """A first-match list by what its rows have something of, each time in the list's order: packets to each of a host's
    addresses (``own``) from elsewhere, from each to elsewhere, between any two of them (``within``), and between others
    (``beyond``). A row of which neither end is told stands in several places.

    ``like``: another list that this one is compared with, taken apart before by the same addresses. What shares nothing with its
    permits is not denied here: without denies more passes, and nothing may.
    """

    __slots__ = ("_by_end", "_done", "_faced", "_finished", "_held", "_seen", "beyond", "origin", "own", "towards", "within")

    def __init__(self, own: Collection[int], like: Ends | None = None) -> None:
        self.own = own
        self.towards: dict[int, Side] = {at: Side(like.towards[at] if like else None) for at in own}
        self.origin: dict[int, Side] = {at: Side(like.origin[at] if like else None) for at in own}
        self.within: dict[_Pair, list[Said]] = {pair: [] for pair in product(own, own)}
        self.beyond: list[Said] = []
        self._by_end = {level: {(at, at): side for at, side in sides.items()}
                        for level, sides in ((DST, self.towards), (SRC, self.origin))}  # fmt: skip
        self._held: dict[Span, tuple[int, ...]] = like._held if like else {}
        self._seen: dict[int, tuple[Peers, _Held, Set[Span]]] = like._seen if like else {}
        """What was found of other ends that are held, and those that are an address and nothing else."""
        self._faced: dict[tuple[int, Span], Peers] = like._faced if like else {}
        """The other ends of a face by side and protocol: most texts have the same."""
        self._done: dict[_Pair, list[Span]] = {pair: [] for pair in self.within}
        """Between two addresses the protocols of which a row had everything but fragments,"""
        self._finished: set[_Pair] = set()
        """and the pairs between which one had everything of all protocols."""

    def rows(self, rows: Sequence[Boxed]) -> None:
        """The next rows, of which blocks, parts or a face may stand for some."""
        if isinstance(rows, Lines) and rows.parts:
            for part in _ended(rows.parts):
                if isinstance(part, Run):
                    self.run(part)
                else:
                    self.said(part)
            return
        faced = isinstance(rows, Faced) and rows.face.own in self.own
        for block, some in groupby(rows.head if faced else items(rows), Block.__instancecheck__):  # type: ignore[attr-defined]
            if block:
                for item in some:
                    self.block(item)
            else:
                self.said([*map(_ROW, some)])
        if faced:
            self.face(rows.face)  # type: ignore[attr-defined]

    def said(self, rows: Sequence[Said]) -> None:
        """The same."""
        if not self.own:
            self.beyond += rows
            return
        held, of_span = self._held, self._of
        towards, origin = self._by_end[DST], self._by_end[SRC]
        finished = self._finished
        for permit, box in rows:
            proto, dst, src, dport, sport, flag, part = box
            into = held[dst] if dst in held else of_span(dst)
            of = held[src] if src in held else of_span(src)
            if into and of and (part != _WHOLE or not finished.issuperset(product(into, of))):
                self._between(proto, permit, (dport, sport, flag, part), into, of)
            if dst in towards:
                if src not in origin:
                    towards[dst].row(proto, permit, (src, dport, sport, flag, part))
            elif src in origin:
                origin[src].row(proto, permit, (dst, dport, sport, flag, part))
            else:
                self._wide(permit, box, into, of)

    def block(self, block: Block[Boxed]) -> None:
        """The rows of a block; those that do not differ in protocols or in an end of the host's together."""
        protos, *ends, dports, sports, flags, parts = block.sets
        near = next((at for at in (DST, SRC) if all(map(self._by_end[at].__contains__, ends[at - DST]))), None)
        if near is None:
            self.said([(block.permit, box) for box in product(*block.sets)])
            return
        far = ends[SRC - near]
        peers = Peers(far if len(dports) == 1 else tuple([end for end in far for _ in dports]))
        ports = dports * len(far)
        bands = [(block.permit, Band(peers, ports, rest)) for rest in product(sports, flags, parts)]
        for proto, (at, _) in product(protos, ends[near - DST]):
            self._put(near, at, proto, bands)

    def run(self, run: Run) -> None:
        """The next rows, all of a run; base by base, as the first element that has a packet decides it in whichever base."""
        place = self._place(run)
        if place is None:
            if bases := self._heard(run):
                self.said([*run._replace(bases=bases).rows()])
            return
        near, far = place
        sides, inner, turn = self._by_end[near], self._inner(run, far), 1 if near == DST else -1
        for base in run.bases:
            proto, own = base[PROTO], base[near]
            asked = sides[own].asks(proto, base[DPORT])
            if asked or inner is None:
                self._put(near, own[0], proto, _bands(run, base, far, self._faced.get((near, proto))), denied=asked)
                continue
            for permit, of in inner:
                self._between(proto, permit, base[DPORT:], *((own[0],), of)[::turn])

    def face(self, face: Face) -> None:
        """The next rows, all of a face."""
        own, groups = face.own, [*face.groups.values()]
        found = [[(band, *self._among(band.peers)) for _, band in group.once(bands_of)] for group in groups]
        asked = []
        for group, bands in zip(groups, found, strict=True):
            level, proto = group.level, group.proto
            if len(bands) == 1:
                self._faced[level, proto] = bands[0][0].peers
            some = [held for band, held, _ in bands if held and not self._settled(level, own, proto, band.rest[-1], held)]
            if some:
                asked.append((group, {span: of for held in some for span, of in held.items()}))
        self._asked(own, asked)
        inner = [{span for *_, alone in bands for span in alone} for bands in found]
        for level, sides in ((DST, self.towards), (SRC, self.origin)):
            mine = [outside(*one) for one in zip(groups, inner, strict=True) if one[0].level == level]
            put(sides[own], mine)

    def _place(self, run: Run) -> tuple[int, int] | None:
        """The dimension in which all of a run has nothing but an address of the host, which may be another one for each base,
        and the dimension of the other end; None where its rows are taken one by one."""
        for near, far in _ways(run.fields):
            mine = self._by_end[near]
            if all(map(mine.__contains__, [base[near] for base in run.bases])):
                return near, far
        return None

    def _heard(self, run: Run) -> Sequence[Box]:
        """The bases of which rows count: of denies, each of what goes from one of the host's addresses elsewhere or comes to one
        from there, those of which somebody asks; else all."""
        if any(run.permits) or run.fields not in ((DST, SRC), (SRC, DST)):
            return run.bases
        into, of = run.axes[run.fields.index(DST)], run.axes[run.fields.index(SRC)]
        towards, origin = self._by_end[DST], self._by_end[SRC]
        sides: dict[int, Side] = {}
        for dst, src in zip(into, of, strict=True):
            side = towards.get(dst) if not self._of(src) else origin.get(src) if not self._of(dst) else None
            if side is None:
                return run.bases
            sides[id(side)] = side
        return [base for base in run.bases if any(side.asks(base[PROTO], base[DPORT]) for side in sides.values())]

    def _inner(self, run: Run, far: int) -> Sequence[tuple[bool, Sequence[int]]] | None:
        """What all of a run says of each base of whose denies nobody asks: whether it permits what other addresses of the host;
        None where it permits more than these, or says more."""
        if DPORT in run.fields or _uneven(run.fields):
            return None
        out: list[tuple[bool, Sequence[int]]] = []
        for permit, _, _, peers in _turns(run, far, None):
            held, alone = self._among(peers)
            if permit and len(alone) < len(peers.distinct):
                return None
            if held:
                out += [(permit, held[span]) for span in peers.spans if span in held]
        return out

    def _of(self, span: Span) -> tuple[int, ...]:
        """The addresses of the host that a span has."""
        found = self._held.get(span)
        if found is None:
            low, high = span
            found = self._held[span] = tuple([at for at in self.own if low <= at <= high])
        return found

    def _wide(self, permit: bool, box: Box, into: Iterable[int], of: Iterable[int]) -> None:
        """A row of which neither end is told."""
        proto, dst, src, dport, sport, flag, part = box
        for at in into:
            self.towards[at].row(proto, permit, (src, dport, sport, flag, part))
        for at in of:
            self.origin[at].row(proto, permit, (dst, dport, sport, flag, part))
        self.beyond.append((permit, box))

    def _put(self, near: int, at: int, proto: Span, bands: Bands, *, denied: bool = True) -> None:
        """The next rows of an address; ``denied``: whether denies count of what it has from elsewhere, or sends there."""
        side = (self.towards if near == DST else self.origin)[at]
        for permit, band in bands:
            held, alone = self._among(band.peers)
            if held:
                if not self._settled(near, at, proto, band.rest[-1], held):
                    for key in band.rows():
                        if key[0] in held:
                            self._between(proto, permit, key[1:], *((at,), held[key[0]])[:: 1 if near == DST else -1])
            if permit or denied:
                if not (band := band.without(alone)):
                    continue
                side.add(proto, permit, band)

    def _among(self, peers: Peers) -> tuple[_Held, Set[Span]]:
        """Those of some ends that have addresses of the host, and of these those that have nothing else than one."""
        known = self._seen.get(id(peers))
        if known is None:
            found = {span: self._of(span) for span in peers.holding(self.own)}
            known = self._seen[id(peers)] = peers, found, {span for span in found if span[0] == span[1]}
        return known[1:]

    def _settled(self, near: int, at: int, proto: Span, part: Span, held: _Held) -> bool:
        """Whether rows ahead have decided all that some rows say of packets between addresses of the host."""
        if part != _WHOLE:
            return False
        for of in held.values():
            for one in of:
                if not self._decided((at, one) if near == DST else (one, at), proto):
                    return False
        return True

    def _asked(self, own: int, asked: Sequence[tuple[Group, _Held]]) -> None:
        """Those rows of a face that are between addresses of the host, in order."""
        rows = [
            (number, group, row, held)
            for group, held in asked
            for number, row in zip(group.numbers, group.rows, strict=True)
            if row.key[0] in held
        ]
        for _, group, row, held in sorted(rows, key=_FIRST):
            ends = ((own,), held[row.key[0]])[:: 1 if group.level == DST else -1]
            self._between(group.proto, row.permit, row.key[1:], *ends)

    def _between(
        self, proto: Span, permit: bool, key: tuple[Span, ...], into: Iterable[int], of: Iterable[int]
    ) -> None:
        """A row between addresses of the host, unless it speaks only of what a row ahead has decided: most often that is what a
        host says to itself."""
        for pair in product(into, of):
            if key[-1] == _WHOLE and self._decided(pair, proto):
                continue
            self.within[pair].append((permit, cast(Box, (proto, TOLD, TOLD, *key))))
            if key == _ALL:
                self._done[pair].append(proto)
                if proto == ANY_PROTO:
                    self._finished.add(pair)

    def _decided(self, pair: _Pair, proto: Span) -> bool:
        first, last = proto
        for low, high in self._done[pair]:  # noqa: SIM110 - asked of many rows
            if low <= first and last <= high:
                return True
        return False


def _ended(parts: Parts) -> Parts:
    """Some parts without the denies at their end: what no row permits passes nowhere."""
    last = len(parts)
    while last:
        part = parts[last - 1]
        if any(part.permits if isinstance(part, Run) else [permit for permit, _ in part]):
            break
        last -= 1
    return parts[:last]


def _bands(run: Run, base: Box, far: int, hint: Peers | None) -> Bands:
    """The rows of a base, those that do the same and stand together as one: what they say of one end and of ports, flags and
    fragments."""
    key = run.fields, far, base[DPORT:]
    if key not in run.known:
        run.known[key] = _mixed(run, base, far) if _uneven(run.fields) else _even(run, base, far, hint)
    return cast("Bands", run.known[key])


@cache
def _ways(fields: tuple[int, ...]) -> Sequence[tuple[int, int]]:
    """The dimensions of a host's own end and of the other one, where elements say these fields: both ends or a protocol never."""
    both = ((DST, SRC), (SRC, DST))
    return [(near, far) for near, far in both if far in fields and not {near, PROTO} & {*fields}]


@cache
def _uneven(fields: tuple[int, ...]) -> bool:
    """Whether elements say more than one end and ports."""
    return not {*fields} <= {DST, SRC, DPORT}


def _even(run: Run, base: Box, far: int, hint: Peers | None) -> Bands:
    sport, flag, part = base[SPORT:]
    ports = tuple(run.axes[run.fields.index(DPORT)]) if DPORT in run.fields else (base[DPORT],) * len(run.permits)
    return [(permit, Band(peers, ports[at:end], (sport, flag, part))) for permit, at, end, peers in _turns(run, far, hint)]


def _turns(run: Run, far: int, hint: Peers | None) -> Sequence[_Turn]:
    """From where to where its elements do the same, and their ends; ``hint``: ends that may be the same."""
    key = run.fields, far
    if key not in run.known:
        spans = tuple(run.axes[run.fields.index(far)])
        same = hint if hint is not None and hint.spans == spans else Peers(spans)
        run.known[key] = [(permit, at, end, same.part(at, end)) for permit, at, end in stretches(run.permits)]
    return cast("Sequence[_Turn]", run.known[key])


def _mixed(run: Run, base: Box, far: int) -> Bands:
    columns: list[Iterable[Span]] = [*map(repeat, base)]
    for field, spans in zip(run.fields, run.axes, strict=True):
        columns[field] = spans
    rows = zip(run.permits, zip(columns[far], *columns[DPORT:]))  # noqa: B905 - those of a base have no end
    turns = groupby(rows, _FIRST)
    return [(permit, band) for permit, some in turns for band in banded(cast("list[Key]", [key for _, key in some]))]
