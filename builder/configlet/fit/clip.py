"""First-match lists restricted to what can cross a gate."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

from configlet.model.block import Block, sets_of
from configlet.model.net import Span, Spans, merge
from configlet.model.policy import ANY_BIT, ANY_PORT, DST, FRAG, SRC, WRITTEN, Box, Entry, Rule
from configlet.packets.axis import Axis
from configlet.packets.blocks import Item, cut, rule_of, single
from configlet.packets.sets import put

NON_FIRST: Span = (1, 1)


EITHER = -1
"""The question for both ends at once."""
_ENDS = (DST, SRC)


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
        if level not in self._axes:
            self._axes[level] = Axis(i.sets[level] if isinstance(i, Block) else (i.box[level],) for i in self.items)
        yield from (self.items[number] for number in sorted(self._axes[level].near(spans)))

    def either(self, spans: Spans) -> Iterator[tuple[Item, Sequence[int]]]:
        """The rows of which one end can be in the spans, each with the dimensions in which it can."""
        if EITHER not in self._asked:
            self._asked |= {EITHER, DST, SRC}
            yield from ((item, _ENDS) for item in self.items)
            return
        for level in (DST, SRC):
            if level not in self._axes:
                self._axes[level] = Axis(i.sets[level] if isinstance(i, Block) else (i.box[level],) for i in self.items)
        to, start = self._axes[DST].near(spans), self._axes[SRC].near(spans)
        both = to & start
        for number in sorted(to | start):
            yield self.items[number], _ENDS if number in both else _ENDS[:1] if number in to else _ENDS[1:]


def clip(whole: Whole, level: int, spans: Spans) -> Iterator[Item]:
    """Each row cut to the spans in one address dimension, in order; what is outside vanishes."""
    for item in whole.touching(level, spans):
        yield from cut(item, level, spans)


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
    return tuple(
        tuple(piece for item in items for piece in ((item,) if item.permit else met(item, ends))) for items in lists
    )


def permitted(lists: Iterable[Iterable[Item]]) -> dict[int, Spans]:
    """The destinations and the sources that some permit of the lists speaks of."""
    to, start = set[Span](), set[Span]()
    groups = {DST: dict[int, Spans](), SRC: dict[int, Spans]()}
    for item in (i for items in lists for i in items if i.permit):
        if isinstance(item, Block):
            for level, of in groups.items():
                of[id(item.sets[level])] = item.sets[level]
        else:
            to.add(item.box[DST])
            start.add(item.box[SRC])
    rows = {DST: to, SRC: start}
    return {level: merge((*rows[level], *(s for spans in of.values() for s in spans))) for level, of in groups.items()}


def met(item: Item, ends: Mapping[int, Spans]) -> Iterator[Item]:
    """A row as it is; of a deny of the network's own only the addresses that the ends meet."""
    if item.permit or rule_of(item).origin != "infrastructure":
        yield item
        return
    sets = sets_of(item)
    kept = {level: tuple(span for span in sets[level] if _meets(span, spans)) for level, spans in ends.items()}
    if not all(kept.values()):
        return
    if not isinstance(item, Block):
        yield item
        return
    for level, spans in kept.items():
        sets = put(sets, level, spans)
    yield from single(Block(sets, item.like))


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
