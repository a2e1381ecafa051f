"""First-match lists restricted to what can cross a gate."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, compress, count
from operator import attrgetter, itemgetter, not_

from configlet.model.block import Block, Sets, sets_of
from configlet.model.net import Span, Spans, merge
from configlet.model.policy import ANY_BIT, ANY_PORT, DST, FRAG, SRC, WRITTEN, Box, Entry, Rule
from configlet.packets.axis import Axis
from configlet.packets.blocks import Item, cut, rule_of, single

NON_FIRST: Span = (1, 1)


LONG, KNOWN = 64, 16
"""Spans from which a set is long, and of how many such sets the borders are remembered."""
EITHER = -1
"""The question for both ends at once."""
_ENDS = (DST, SRC)
Asked = Callable[[int, Spans], Spans]
"""Tells which of some sorted spans of one dimension meet the ends that permits speak of."""
_PERMIT, _BOX = attrgetter("permit"), attrgetter("box")


class Whole:
    """The whole policy of a realm and family, of which each gate asks for what can touch its addresses.

    The first question in a dimension goes through all rows; an index is made when there is a second one.
    """

    __slots__ = ("_asked", "_axes", "items")

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self._asked: set[int] = set()
        self._axes: dict[int, Axis] = {}

    def touching(self, level: int, spans: Spans) -> Iterator[Item]:
        """The rows that can have an address of the spans, in order, and some that do not."""
        if level not in self._asked:
            self._asked.add(level)
            yield from self.items
            return
        yield from (self.items[number] for number in sorted(self.axis(level).near(spans)))

    def either(self, spans: Spans) -> Iterator[tuple[Item, Sequence[int]]]:
        """The rows of which one end can be in the spans, each with the dimensions in which it can."""
        if EITHER not in self._asked:
            self._asked |= {EITHER, DST, SRC}
            yield from ((item, _ENDS) for item in self.items)
            return
        to, start = self.axis(DST).near(spans), self.axis(SRC).near(spans)
        both = to & start
        for number in sorted(to | start):
            yield self.items[number], _ENDS if number in both else _ENDS[:1] if number in to else _ENDS[1:]

    def at(self, one: int) -> list[Item]:
        """The rows cut to a single address: each towards it, then from it, in order."""
        span, spans, found, items = (one, one), ((one, one),), dict[int, Item](), self.items
        for turn, level in enumerate(_ENDS):
            for number in self._around(level, one):
                item = items[number]
                if isinstance(item, Block):
                    found.update((2 * number + turn, piece) for piece in cut(item, level, spans))
                    continue
                p, d, s, dp, sp, fl, fr = item.box
                low, high = s if turn else d
                if low <= one <= high:
                    box = (p, d, span, dp, sp, fl, fr) if turn else (p, span, s, dp, sp, fl, fr)
                    found[2 * number + turn] = item if low == high else Entry(item.permit, box, item.rule, item.reply)
        self._asked |= {EITHER, DST, SRC}
        return list(map(found.__getitem__, sorted(found)))

    def _around(self, level: int, one: int) -> Iterable[int]:
        """The numbers of the rows that can have an address, and some that do not."""
        return self.axis(level).around(one) if EITHER in self._asked else range(len(self.items))

    def axis(self, level: int) -> Axis:
        """The rows by their ends in one dimension."""
        found = self._axes.get(level)
        if found is None:
            rows = [i.sets[level] if isinstance(i, Block) else (i.box[level],) for i in self.items]
            found = self._axes[level] = Axis(rows)
        return found


def clip(found: Iterable[Item], level: int, spans: Spans) -> list[Item]:
    """Each row cut to the spans in one address dimension, in order; what is outside vanishes."""
    return [piece for item in found for piece in cut(item, level, spans)]


def with_span(box: Box, level: int, span: Span) -> Box:
    """The box with one interval replaced."""
    return (*box[:level], span, *box[level + 1 :])  # type: ignore[return-value]


def guarded(entries: Sequence[Item], spans: Spans, rule: Rule, box: Box) -> tuple[Item, ...]:
    """The list with a deny of everything inside the spans, ahead of what the operator wrote.

    Traffic inside a segment never crosses its gateway; what claims to is spoofed.
    """
    at = next(
        (i for i, e in enumerate(entries) if not e.permit or rule_of(e).origin in WRITTEN), len(entries)
    )
    guard = [Entry(False, with_span(with_span(box, SRC, a), DST, b), rule) for a in spans for b in spans]
    return (*entries[:at], *guard, *entries[at:])


def needed(*lists: Sequence[Item]) -> tuple[tuple[Item, ...], ...]:
    """The lists without what the network's own denies say of addresses that no permit speaks of.

    Default deny decides those anyway. A site has an own address for every gateway and link; a gate meets few of them.
    All lists are cut alike, so that a deny that stands in each of them stays the same row.
    """
    ends = permitted(lists)
    return tuple(tuple(of_permits(items, ends)) for items in lists)


def of_permits(items: Sequence[Item], ends: Mapping[int, Spans]) -> list[Item]:
    """The permits as they stand, of each deny what the ends meet."""
    return of_spoken(items, asking(ends))


def of_spoken(items: Sequence[Item], asked: Asked) -> list[Item]:
    """The same by what tells which addresses meet those ends."""
    out, at = list[Item](), 0
    for number in compress(count(), map(not_, map(_PERMIT, items))):
        out += items[at:number]
        out += met(items[number], asked)
        at = number + 1
    out += items[at:]
    return out


def permitted(lists: Iterable[Iterable[Item]]) -> dict[int, Spans]:
    """The destinations and the sources that some permit of the lists speaks of."""
    permits = [item for items in lists for item in items if item.permit]
    if not permits:
        return {DST: (), SRC: ()}
    some = Block in set(map(type, permits))
    blocks = [item.sets for item in permits if isinstance(item, Block)] if some else ()
    boxes = [item.box for item in permits if not isinstance(item, Block)] if some else list(map(_BOX, permits))
    return {
        level: merge(dict.fromkeys(chain(map(itemgetter(level), boxes), *_distinct(blocks, level))))
        for level in (DST, SRC)
    }


def _distinct(blocks: Sequence[Sets], level: int) -> Iterable[Spans]:
    return {id(sets[level]): sets[level] for sets in blocks}.values()


def asking(ends: Mapping[int, Spans]) -> Asked:
    """Tells which addresses meet some ends."""
    return lambda level, some: meeting(some, ends[level])


def met(item: Item, asked: Asked) -> Sequence[Item]:
    """A row as it is; of a deny of the network's own only the addresses that meet the ends that are asked."""
    if item.permit or rule_of(item).origin != "infrastructure":
        return (item,)
    if not isinstance(item, Block):
        box = item.box
        return (item,) if asked(DST, (box[DST],)) and asked(SRC, (box[SRC],)) else ()
    proto, all_to, all_start, *upper = item.sets
    to = asked(DST, all_to)
    start = to and asked(SRC, all_start)
    if not start:
        return ()
    left = item if to is all_to and start is all_start else Block((proto, to, start, *upper), item.like)  # type: ignore[arg-type]
    return (left,) if len(to) + len(start) > 2 else tuple(single(left))


def meeting(some: Spans, spans: Spans) -> Spans:
    """Those of some sorted spans that share a value with others, whole."""
    if len(some) == 1:
        return some if _meets(some[0], spans) else ()
    if len(some) < len(spans):
        return tuple(span for span in some if _meets(span, spans))
    lows, highs = _borders(some)
    out, at, last = list[Span](), 0, len(some)
    for low, high in spans:
        at = bisect_left(highs, low, at)
        if at == last:
            break
        end = bisect_right(lows, high, at)
        if at < end:
            out += some[at:end]
            at = end
    return tuple(out)


_BORDERS: dict[int, tuple[Spans, list[int], list[int]]] = {}
"""Of a few long sets, by the identity of each, which is held here, where their spans begin and end."""


def _borders(some: Spans) -> tuple[list[int], list[int]]:
    known = _BORDERS.get(id(some))
    if known is None:
        known = some, [low for low, _ in some], [high for _, high in some]
        if len(some) >= LONG:
            if len(_BORDERS) >= KNOWN:
                _BORDERS.clear()
            _BORDERS[id(some)] = known
    return known[1:]


def _meets(span: Span, spans: Spans) -> bool:
    at = bisect_right(spans, (span[1] + 1,))
    return at > 0 and spans[at - 1][1] >= span[0]


def with_fragments(entries: Iterable[Item], *, match: bool) -> tuple[Item, ...]:
    """What a list says of non-first fragments: nothing, or (``match``) what addresses and protocol alone say.

    A permit passes fragments of its addresses and protocol; a deny decides them only when it looks at no port.
    """
    return tuple(piece for entry in entries for piece in _with_fragments(entry)) if match else tuple(entries)


def _with_fragments(item: Item) -> Iterator[Item]:
    sets = sets_of(item)
    entry = item.like if isinstance(item, Block) else item
    bare = (*sets[: SRC + 1], *_BARE)
    if sets[SRC + 1 : FRAG] == _BARE[:-1]:
        yield from single(Block((*bare[:FRAG], (ANY_BIT,)), entry))  # type: ignore[arg-type]
        return
    yield item
    if item.permit:
        yield from single(Block(bare, entry))  # type: ignore[arg-type]


_BARE = ((ANY_PORT,), (ANY_PORT,), (ANY_BIT,), (NON_FIRST,))
