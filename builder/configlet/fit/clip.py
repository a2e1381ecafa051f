"""First-match lists restricted to what can cross a gate."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

from configlet.fit.plain import Plain
from configlet.model.block import Block, sets_of
from configlet.model.net import Family, Span, Spans, merge
from configlet.model.policy import ANY_BIT, ANY_PORT, DST, FRAG, SRC, WRITTEN, Box, Entry, Rule
from configlet.packets.axis import Axis
from configlet.packets.blocks import Item, cut, rule_of, single
from configlet.packets.sets import put

NON_FIRST: Span = (1, 1)


LISTS, SHARE = 4, 16
"""So many lists were asked for, and together have as many rows as a sixteenth of the policy, when it is worth finding what
none of them need look at."""
EITHER = -1
"""The question for both ends at once."""
_ENDS = (DST, SRC)


class Whole:
    """The whole policy of a realm and family, of which each gate asks for what can touch its addresses.

    The first question in a dimension goes through all rows; an index is made when there is a second one.
    """

    __slots__ = ("_asked", "_axes", "_lists", "_looked", "_plain", "items")

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self._lists = self._looked = 0
        self._plain: Plain | None = None
        self._asked: set[int] = set()
        self._axes: dict[int, Axis] = {}

    def plain(self, family: Family, rows: int) -> Plain | None:
        """The rows that no list need look at, for a list of so many rows; None until it is worth it."""
        self._lists, self._looked = self._lists + 1, self._looked + rows
        if self._plain is None and self._lists > LISTS and self._looked * SHARE >= len(self.items):
            self._plain = Plain(family, self.items)
        return self._plain

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


def clipped(found: Iterable[Item], level: int, spans: Spans, pieces: dict[int, Item]) -> list[Item]:
    """The same of rows that were looked up, as a list; ``pieces`` learns what each new row was cut from, by its identity."""
    (first, last), *more = spans
    out: list[Item] = []
    for item in found:
        if type(item) is Entry and not more:
            low, high = item.box[level]
            if first <= low and high <= last:
                out.append(item)
                continue
        made = tuple(cut(item, level, spans))
        pieces.update((id(piece), item) for piece in made if piece is not item)
        out += made
    return out


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
    return tuple(_needed(items, ends) for items in lists)


def _needed(items: Sequence[Item], ends: Mapping[int, Spans]) -> tuple[Item, ...]:
    out: list[Item] = []
    for item in items:
        if item.permit or rule_of(item).origin != "infrastructure":
            out.append(item)
        else:
            out += met(item, ends)
    return tuple(out)


def permitted(lists: Iterable[Iterable[Item]]) -> dict[int, Spans]:
    """The destinations and the sources that some permit of the lists speaks of."""
    rows = [item for items in lists for item in items if item.permit]
    boxes = [item.box for item in rows if type(item) is Entry]
    blocks = [item.sets for item in rows if isinstance(item, Block)] if len(boxes) < len(rows) else []
    found: dict[int, Spans] = {}
    for level in (DST, SRC):
        groups = {id(sets[level]): sets[level] for sets in blocks}
        found[level] = merge({box[level] for box in boxes}.union(*groups.values()))
    return found


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
