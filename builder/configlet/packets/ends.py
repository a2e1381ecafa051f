"""The rows of a host's list by the ends of their packets: towards each of its addresses, from each, between them, the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from itertools import chain, groupby, product, repeat
from operator import attrgetter, itemgetter
from typing import cast

from configlet.model.block import Block, Boxed, items
from configlet.model.lines import Lines, Run, Said
from configlet.model.net import Span
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DPORT, DST, FRAG, PROTO, SRC, Box
from configlet.packets.sides import Key, Keys, Side

TOLD = (0, 0)
"""What a row says of an end that is told."""
_ROW, _FIRST = attrgetter("permit", "box"), itemgetter(0)
_WHOLE = (0, 0)
_ALL = (ANY_PORT, ANY_PORT, ANY_BIT, _WHOLE)
_Pair = tuple[int, int]


class Ends:
    """A first-match list by what its rows have something of, each time in the list's order: packets to each of a host's
    addresses (``own``) from elsewhere, from each to elsewhere, between any two of them (``within``), and between others
    (``beyond``). A row of which neither end is told stands in several places.
    """

    __slots__ = ("_done", "_finished", "_held", "beyond", "origin", "own", "towards", "within")

    def __init__(self, own: Collection[int]) -> None:
        self.own = own
        self.towards, self.origin = ({at: Side() for at in own} for _ in (DST, SRC))
        self.within: dict[_Pair, list[Said]] = {pair: [] for pair in product(own, own)}
        self.beyond: list[Said] = []
        self._held: dict[Span, tuple[int, ...]] = {}
        self._done: dict[_Pair, list[Span]] = {pair: [] for pair in self.within}
        """Between two addresses the protocols of which a row had everything but fragments,"""
        self._finished: set[_Pair] = set()
        """and the pairs between which one had everything of all protocols."""

    def rows(self, rows: Sequence[Boxed]) -> None:
        """The next rows, of which blocks or parts may stand for some."""
        if isinstance(rows, Lines) and rows.parts:
            for part in rows.parts:
                if isinstance(part, Run):
                    self.run(part)
                else:
                    self.said(part)
            return
        found = items(rows)
        if Block not in map(type, found):
            self.said([*map(_ROW, found)])
            return
        of = ([(item.permit, box) for box in product(*item.sets)] if isinstance(item, Block) else [_ROW(item)] for item in found)
        self.said([*chain.from_iterable(of)])

    def said(self, rows: Sequence[Said]) -> None:
        """The same."""
        held = {span: self._of(span) for span in {box[DST] for _, box in rows} | {box[SRC] for _, box in rows}}
        towards = {(at, at): side for at, side in self.towards.items()}
        origin = {(at, at): side for at, side in self.origin.items()}
        finished = self._finished
        for permit, box in rows:
            proto, dst, src, dport, sport, flag, part = box
            into, of = held[dst], held[src]
            if into and of and (part != _WHOLE or not finished.issuperset(product(into, of))):
                self._between(proto, permit, (dport, sport, flag, part), into, of)
            if dst in towards:
                if src in origin:
                    continue
                side, key = towards[dst], (src, dport, sport, flag, part)
            elif src in origin:
                side, key = origin[src], (dst, dport, sport, flag, part)
            else:
                self._wide(permit, box, into, of)
                continue
            if not permit:
                side.denies.append((proto, (key,)))
            elif proto in side.permits:
                known, ahead = side.permits[proto]
                known.append(key)
                ahead.append(len(side.denies))
            else:
                side.permits[proto] = [key], [len(side.denies)]

    def run(self, run: Run) -> None:
        """The next rows, all of a run; base by base, as the first element that has a packet decides it in whichever base."""
        place = self._place(run)
        if place is None:
            self.said([*run.rows()])
            return
        near, far = place
        held = {span: of for span in _distinct(run, far) if (of := self._of(span))}
        inner = {span for span in held if span[0] == span[1]}
        for base in run.bases:
            at = base[near][0]
            groups = _groups(run, base, far)
            if held:
                ends = {span: ((at,), of) if near == DST else (of, (at,)) for span, of in held.items()}
                self._within(base, groups, ends)
            side = (self.towards if near == DST else self.origin)[at]
            for permit, keys in groups:
                if left := [key for key in keys if key[0] not in inner] if inner else keys:
                    side.add(base[PROTO], permit, left)

    def _place(self, run: Run) -> tuple[int, int] | None:
        """The dimension in which all of a run has nothing but an address of the host, which may be another one for each base,
        and the dimension of the other end; None where its rows are taken one by one."""
        for near, far in ((DST, SRC), (SRC, DST)):
            if far in run.fields and not {near, PROTO} & {*run.fields}:
                ends = {base[near] for base in run.bases}
                if all(low == high and low in self.own for low, high in ends):
                    return near, far
        return None

    def _of(self, span: Span) -> tuple[int, ...]:
        """The addresses of the host that a span has."""
        found = self._held.get(span)
        if found is None:
            low, high = span
            found = self._held[span] = tuple([at for at in self.own if low <= at <= high])
        return found

    def _wide(self, permit: bool, box: Box, into: Iterable[int], of: Iterable[int]) -> None:
        """A row of which neither end is told."""
        for at in into:
            self.towards[at].add(box[PROTO], permit, (box[SRC:],))
        for at in of:
            self.origin[at].add(box[PROTO], permit, ((box[DST], *box[DPORT:]),))
        self.beyond.append((permit, box))

    def _within(
        self, base: Box, groups: Iterable[tuple[bool, Keys]], ends: Mapping[Span, tuple[Sequence[int], Sequence[int]]]
    ) -> None:
        """Those rows of a base that are between addresses of the host, by their other end."""
        pairs = (pair for both in ends.values() for pair in product(*both))
        if base[FRAG] == _WHOLE and all(self._decided(pair, base[PROTO]) for pair in pairs):
            return
        for permit, keys in groups:
            for key in keys:
                if key[0] in ends:
                    self._between(base[PROTO], permit, key[1:], *ends[key[0]])

    def _between(self, proto: Span, permit: bool, key: Key, into: Iterable[int], of: Iterable[int]) -> None:
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
        return any(low <= proto[0] and proto[1] <= high for low, high in self._done[pair])


def _distinct(run: Run, far: int) -> Set[Span]:
    """What the elements of a run say of a field."""
    key = run.fields, far
    if key not in run.known:
        run.known[key] = {*run.axes[run.fields.index(far)]}
    return cast("Set[Span]", run.known[key])


def _groups(run: Run, base: Box, far: int) -> Sequence[tuple[bool, Keys]]:
    """The rows of a base, those that do the same and stand together as one: what they say of one end and of ports, flags and
    fragments."""
    key = run.fields, far, base[DPORT:]
    if key not in run.known:
        columns: list[Iterable[Span]] = [*map(repeat, base)]
        for field, spans in zip(run.fields, run.axes, strict=True):
            columns[field] = spans
        rows = zip(run.permits, zip(columns[far], *columns[DPORT:]))  # noqa: B905 - those of a base have no end
        run.known[key] = [(permit, [key for _, key in some]) for permit, some in groupby(rows, _FIRST)]
    return cast("Sequence[tuple[bool, Keys]]", run.known[key])
