"""A file of a site cut into the items of its one list or map, so that some of them can be read alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

Texts = tuple[str, ...]
TOP = re.compile(r"[^\s#\-]")
"""How a line with a top-level key begins."""
_HEADER = re.compile(r"(\w+):\s*(#.*)?$")


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


@dataclass(frozen=True, slots=True)
class Cut:
    """A file of which every item of one list or map is known: its kind, the line of its key, its items.

    ``alone``: nothing else stands in the file but a tier. ``head`` is the digest of what stands before the first item.
    The items stand in columns, as of the tens of thousands of a large site few are looked at: where each starts, its name,
    its digest, and by ``which`` number in ``spoken`` stands what it speaks of (places, hosts, uses, whole). The last ends
    at ``end``.
    """

    kind: str
    header: int
    alone: bool
    head: str
    end: int
    spoken: Sequence[Sequence[Sequence[str]]]
    which: Sequence[int]
    starts: Sequence[int]
    names: Sequence[str]
    digests: Sequence[str]

    @property
    def items(self) -> tuple[Item, ...]:
        """All of them, in the order of their lines."""
        return tuple(map(self._item, range(len(self.starts))))

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Where each starts and stops."""
        return tuple(zip(self.starts, (*self.starts[1:], self.end), strict=True))

    def speaking(self, places: set[str]) -> tuple[Item, ...]:
        """The items that speak of any of these places."""
        hits = {number for number, said in enumerate(self.spoken) if not places.isdisjoint(said[0])}
        return tuple(self._item(at) for at, number in enumerate(self.which) if number in hits) if hits else ()

    def named(self, names: Collection[str]) -> tuple[Item, ...]:
        """The items that have one of these names."""
        return tuple(self._item(at) for at, name in enumerate(self.names) if name in names)

    def uses(self) -> set[str]:
        """Every name and label that any item uses."""
        return {name for said in self.spoken for name in said[2]}

    def columns(self) -> list[Any]:
        """All fields, as the class takes them."""
        return [getattr(self, field.name) for field in fields(self)]

    def _item(self, at: int) -> Item:
        stop = self.starts[at + 1] if at + 1 < len(self.starts) else self.end
        places, hosts, uses, whole = map(tuple, self.spoken[self.which[at]])
        return Item(self.starts[at], stop, places, hosts, self.names[at], self.digests[at], uses, whole)


def cut_of(text: str, kind: str, items: Iterable[Item]) -> Cut | None:
    """A file cut into its items, of which only the stops and digests are not known; None where they do not stand as people
    write them."""
    lines = text.split("\n")
    ordered = sorted(items, key=lambda item: item.start)
    starts = [item.start for item in ordered]
    first = starts[0]
    tops = [at for at, line in enumerate(lines) if TOP.match(line)]
    header = max((at for at in tops if at < first), default=-1)
    said = _HEADER.match(lines[header]) if header >= 0 else None
    mark = "- " if kind != "hosts" else ""
    indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
    whole = all(lines[at].startswith(indent + mark) for at in starts) and len(set(starts)) == len(starts)
    if said is None or said[1] != kind or not whole or (not indent and not mark) or tops[-1] > first:
        return None
    alone = all(lines[at].startswith("tier:") for at in tops if at != header)
    spoken: dict[tuple[Texts, ...], int] = {}
    which = [spoken.setdefault((i.places, i.hosts, i.uses, i.whole), len(spoken)) for i in ordered]
    stops = [*starts[1:], len(lines)]
    digests = [digest_of(lines[a:b]) if kind == "policy" else "" for a, b in zip(starts, stops, strict=True)]
    names = [item.name for item in ordered]
    return Cut(kind, header, alone, digest_of(lines[:first]), len(lines), list(spoken), which, starts, names, digests)


def digest_of(lines: list[str]) -> str:
    """The digest of some lines, whatever blank lines follow them."""
    return hashlib.sha256("\n".join(lines).rstrip().encode()).hexdigest()[:32]
