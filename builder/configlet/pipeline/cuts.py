"""A file of a site cut into the items of its one list or map, so that some of them can be read alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache, partial
from hashlib import sha256
from itertools import accumulate, chain, count, pairwise, repeat
from operator import add, gt, itemgetter
from typing import Any, NamedTuple

Texts = tuple[str, ...]
Spoken = tuple[Texts, Texts, Texts, Texts]
"""What an item speaks of: places, hosts, uses, whole, as in ``Item``."""
_DIGEST = 32
TOP = re.compile(rb"[^\s#\-]")
"""How a line with a top-level key begins."""
_TOPS = re.compile(rb"\n" + TOP.pattern)
_HEADER = re.compile(rb"(\w+):\s*(#.*)?$")


class Item(NamedTuple):
    """Some lines of a file, counted from 0, and what they speak of: places (segments, externals) and hosts by name."""

    start: int
    stop: int
    places: Texts
    hosts: Texts
    name: str
    digest: str
    uses: Texts = ()
    """Of a rule: every name and label that its selectors and services have."""
    whole: Texts = ()
    """Of a rule: the places that it speaks of by more than the names of hosts there."""


class Columns(NamedTuple):
    """The items of a file in columns, as of the tens of thousands of a large site few are looked at.

    Where each starts, its name, its digest, one behind the other (of rules only); and by ``which`` number in ``spoken`` stands
    what it speaks of (places, hosts, uses, whole).
    """

    spoken: Sequence[Sequence[Sequence[str]]]
    which: Sequence[int]
    starts: Sequence[int]
    digests: str
    names: Sequence[str]


class Cut(NamedTuple):
    """A file of which every item of one list or map is known: its kind, the line of its key, its items.

    ``alone``: nothing else stands in the file but a tier. ``head`` is the digest of what stands before the first item, and
    the last ends at ``end``. What all items together speak of and use tells whether the file has to be ``opened`` at all.
    """

    kind: str
    header: int
    alone: bool
    head: str
    end: int
    places: frozenset[str]
    uses: frozenset[str]
    """Every name and label that any item uses."""
    owners: frozenset[str]
    """The names of hosts, of a file of hosts."""
    opened: Callable[[], Columns]
    has: Callable[[str], bool]
    """Whether perhaps an item has this name; False: surely none has."""

    @property
    def items(self) -> tuple[Item, ...]:
        """All of them, in the order of their lines."""
        return tuple(map(self._item, range(len(self.opened().starts))))

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Where each starts and stops."""
        starts = self.opened().starts
        return tuple(zip(starts, (*starts[1:], self.end), strict=True))

    def speaking(self, places: set[str]) -> tuple[Item, ...]:
        """The items that speak of any of these places."""
        if self.places.isdisjoint(places):
            return ()
        held = self.opened()
        hits = {number for number, said in enumerate(held.spoken) if not places.isdisjoint(said[0])}
        return tuple(self._item(at) for at, number in enumerate(held.which) if number in hits)

    def named(self, names: Collection[str]) -> tuple[Item, ...]:
        """The hosts that have one of these names."""
        if self.owners.isdisjoint(names):
            return ()
        return tuple(self._item(at) for at, name in enumerate(self.opened().names) if name in names)

    def _item(self, at: int) -> Item:
        spoken, which, starts, digests, names = self.opened()
        stop = starts[at + 1] if at + 1 < len(starts) else self.end
        places, hosts, uses, whole = map(tuple, spoken[which[at]])
        digest = digests[_DIGEST * at : _DIGEST * (at + 1)]
        return Item(starts[at], stop, places, hosts, names[at], digest, uses, whole)


class Speaking(NamedTuple):
    """Where the items of a file stand, by their lines from 0; their names, and what each speaks of."""

    lines: list[int]
    names: list[str]
    spoken: list[Spoken]


def cut_of(raw: bytes, kind: str, items: Speaking) -> Cut | None:
    """A file cut into its items; None where they do not stand as people write them."""
    if any(map(gt, items.lines, items.lines[1:])):
        order = sorted(range(len(items.lines)), key=items.lines.__getitem__)
        items = Speaking(*([column[at] for at in order] for column in items))  # type: ignore[arg-type]
    starts = items.lines
    first = starts[0]
    tops = {raw.count(b"\n", 0, at): at for at in _tops(raw)}
    header = max((line for line in tops if line < first), default=-1)
    said = _HEADER.match(_line(raw, tops[header])) if header >= 0 else None
    if said is None or said[1] != kind.encode() or max(tops) > first:
        return None
    cuts = _begins(raw, kind, starts, tops[header], header)
    if cuts is None:
        return None
    alone = all(raw.startswith(b"tier:", at) for line, at in tops.items() if line != header)
    spoken = dict(zip(map(id, items.spoken), items.spoken, strict=True))
    numbers = dict(zip(spoken, count(), strict=False))
    digests = ""
    if kind == "policy":
        half = _DIGEST // 2
        digests = b"".join([sha256(raw[a:b].rstrip()).digest()[:half] for a, b in pairwise((*cuts, len(raw)))]).hex()
    columns = Columns([*spoken.values()], [*map(numbers.__getitem__, map(id, items.spoken))], starts, digests, items.names)
    end = starts[-1] + raw.count(b"\n", cuts[-1]) + 1
    return _cut(kind, header, alone, digest_of(raw[: cuts[0]]), end, columns)


def _begins(raw: bytes, kind: str, starts: Sequence[int], at: int, line: int) -> list[int] | None:
    """Where the lines begin on which items start, which are all indented alike; ``at`` begins a ``line`` ahead of them."""
    mark = b"- " if kind != "hosts" else b""
    for _ in range(starts[0] - line):
        at = raw.find(b"\n", at) + 1
    head = _line(raw, at)
    indent = head[: len(head) - len(head.lstrip())]
    if not head.startswith(indent + mark) or not (indent or mark):
        return None
    if mark:
        apart = b"\n" + indent + mark
        pieces = raw[at + len(apart) - 1 :].split(apart)[:-1]
        found = [*map(add, accumulate(map(len, pieces), initial=at), count(0, len(apart)))]
        lines = [*map(add, accumulate(map(bytes.count, pieces, repeat(b"\n")), initial=starts[0]), count())]
    else:
        found = [one.start() + 1 for one in re.compile(rb"\n" + indent + rb"(?=[^ ])").finditer(raw, at - 1)]
        lines = [*accumulate(map(raw.count, repeat(b"\n"), found, found[1:]), initial=starts[0])]
    if lines == starts:
        return found
    begins = dict(zip(lines, found, strict=True))
    cuts = [begins[line] for line in starts if line in begins]
    return cuts if len(cuts) == len(set(starts)) == len(starts) else None


def _line(raw: bytes, at: int) -> bytes:
    end = raw.find(b"\n", at)
    return raw[at:] if end < 0 else raw[at:end]


def _tops(raw: bytes) -> Iterator[int]:
    """Where top-level keys begin."""
    if TOP.match(raw):
        yield 0
    yield from (found.start() + 1 for found in _TOPS.finditer(raw))


def _cut(kind: str, header: int, alone: bool, head: str, end: int, columns: Columns) -> Cut:
    places, uses = (frozenset(chain.from_iterable(map(itemgetter(n), columns.spoken))) for n in (0, 2))
    owners = frozenset(columns.names if kind == "hosts" else ())
    return Cut(kind, header, alone, head, end, places, uses, owners, lambda: columns, columns.names.__contains__)


def to_parts(cut: Cut) -> tuple[list[Any], list[Any], Sequence[str]]:
    """For a cache: what is asked of every cut, its columns but the names, and the names."""
    spoken, *columns, names = cut.opened()
    return [*cut[:5], *map(sorted, cut[5:8])], [[*map(_shorter, spoken)], *columns], names


def _shorter(said: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """What an item speaks of; where it uses the places that it speaks of and names no host, as most rules do, these alone."""
    places, hosts, uses, whole = said
    return (places,) if places == uses == whole and not hosts else said


def _longer(said: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """The same again."""
    return (said[0], (), said[0], said[0]) if len(said) == 1 else said


def from_parts(said: Sequence[Any], columns: Callable[[], Any], names: Callable[[], bytes]) -> Cut:
    """The cut again; its columns, and the JSON of its names, are only asked for when they are needed."""
    def opened() -> Columns:
        spoken, which, starts, digests = columns()
        return Columns([*map(_longer, spoken)], which, starts, digests, json.loads(names()))

    kind, header, alone, head, end, *sets = said
    places, uses, owners = map(frozenset, sets)
    has = partial(_has, names)
    return Cut(kind, header, alone, head, end, places, uses, owners, cache(opened), has)


def _has(names: Callable[[], bytes], name: str) -> bool:
    """Whether a name perhaps stands in a list of names, of which the JSON is given: what is not found there is not in it."""
    return json.dumps(name).encode() in names()


def digest_of(text: bytes) -> str:
    """The digest of some lines, whatever blank lines follow them."""
    return sha256(text.rstrip()).hexdigest()[:_DIGEST]
