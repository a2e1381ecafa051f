"""Rows that decide nothing, taken out of a first-match list with default deny before it is compared with another.

What is left passes the same packets. A walk over lists that are alike then ends at the first look, where a line that
denies all fragments would have led it into every corner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Protocol

from configlet.model.gate import Cell
from configlet.model.net import Family, Span
from configlet.model.policy import ANY_PORT, DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC
from configlet.packets.bits import Bits
from configlet.packets.boxes import full

FEW = 16
"""Denies of one list that are looked at; where there are more, they belong to the policy, and the walk needs them: unless the
text has so many more than the law."""
MOST = 8192
"""Rows of a list up to which many denies are looked at."""
_WHOLE, _NON_FIRST = (0, 0), (1, 1)


class Row(Protocol):
    """Anything with a box and permit or deny."""

    @property
    def permit(self) -> bool:
        """Whether the packets of the box pass."""

    @property
    def box(self) -> tuple[Span, ...]:
        """Seven closed intervals."""


def both(
    family: Family, laws: Sequence[Sequence[Row]], text: Sequence[Row]
) -> tuple[list[Sequence[Row]], Sequence[Row]]:
    """A law and a text, trimmed: of a text with many more denies than its law, those too, and alike in both.

    A host's text says what its network keeps closed anew for each protocol, also for those of which no rule speaks.
    """
    found, said = [trimmed(family, rows) for rows in laws], trimmed(family, text)
    if _closing(said) > sum(map(_closing, found)) + FEW and max(map(len, (*found, said))) <= MOST:
        return [met(rows) for rows in found], met(said)
    return found, said


def _closing(rows: Iterable[Row]) -> int:
    return sum(not row.permit for row in rows)


def trimmed(family: Family, rows: Sequence[Row]) -> Sequence[Row]:
    """The list without what follows a line for all non-first fragments and speaks of them, and without a few denies that
    meet no later permit."""
    return _denies(_fragments(family, rows))


def same(laws: Sequence[Sequence[Row]], text: Sequence[Row]) -> bool:
    """Whether the text has the boxes of the law in the law's order, which is equality seen at a glance."""
    found = [rows for rows in laws if any(row.permit for row in rows)]
    if len(found) != 1 or len(found[0]) != len(text):
        return False
    return all(a.permit == b.permit and a.box == b.box for a, b in zip(found[0], text, strict=True))


def _fragments(family: Family, rows: Sequence[Row]) -> Sequence[Row]:
    every = full(family)[:FRAG]
    at = next((n for n, row in enumerate(rows) if row.box[FRAG] == _NON_FIRST and row.box[:FRAG] == every), None)
    if at is None:
        return rows
    return [*rows[: at + rows[at].permit], *_whole(rows[at + 1 :])]


def _whole(rows: Iterable[Row]) -> Iterable[Row]:
    """The rows as they decide packets that are no fragment."""
    for row in rows:
        fragment = row.box[FRAG]
        if fragment == _WHOLE:
            yield row
        elif fragment[0] == 0:
            yield Cell(row.permit, (*row.box[:FRAG], _WHOLE))


def _denies(rows: Sequence[Row]) -> Sequence[Row]:
    numbers = [n for n, row in enumerate(rows) if not row.permit]
    if not 0 < len(numbers) <= FEW:
        return rows
    idle = {n for n in numbers if not _met(rows, n)}
    return [row for n, row in enumerate(rows) if n not in idle] if idle else rows


def met(rows: Sequence[Row]) -> Sequence[Row]:
    """The list without the denies that meet no later permit, and of the others the protocols from the first to the last of
    later permits that they meet: what else a deny holds, no permit behind it has.
    """
    groups: dict[tuple[Span, ...], int] = {}
    for row in rows:
        if row.permit:
            groups.setdefault(row.box[:DPORT], 1 << len(groups))
    dst, src = (Bits((ends[level], bit) for ends, bit in groups.items()) for level in (DST, SRC))
    protos: dict[Span, int] = {}
    for ends, bit in groups.items():
        protos[ends[PROTO]] = protos.get(ends[PROTO], 0) | bit
    ports: dict[int, set[Span]] = {bit: set() for bit in groups.values()}
    kept: list[Row] = []
    later = 0
    for row in reversed(rows):
        box = row.box
        if row.permit:
            bit = groups[box[:DPORT]]
            later |= bit
            ports[bit].add(box[DPORT])
            kept.append(row)
        elif near := later & dst[box[DST]] & src[box[SRC]]:
            low, high = box[PROTO]
            found = [span for span, of in protos.items() if span[0] <= high and low <= span[1] and _ported(box, near & of, ports)]
            if found:
                span = max(low, min(found)[0]), min(high, max(last for _, last in found))
                kept.append(row if span == (low, high) else Cell(False, (span, *box[1:])))
    kept.reverse()
    return kept


def _ported(box: tuple[Span, ...], near: int, ports: Mapping[int, Iterable[Span]]) -> bool:
    """Whether a deny shares a port with a permit of these groups."""
    if not near or box[DPORT] == ANY_PORT:
        return bool(near)
    low, high = box[DPORT]
    return any(near & bit and any(one <= high and low <= last for one, last in of) for bit, of in ports.items())


def _met(rows: Sequence[Row], at: int) -> bool:
    """Whether a permit behind a row shares a packet with it; the fragment bit parts most of them."""
    box = rows[at].box
    first, last = box[FRAG]
    for row in islice(rows, at + 1, None):
        low, high = row.box[FRAG]
        if row.permit and low <= last and first <= high and _meet(row.box, box):
            return True
    return False


def _meet(a: tuple[Span, ...], b: tuple[Span, ...]) -> bool:
    for at in (DST, SRC, PROTO, DPORT, SPORT, FLAG):
        (low, high), (first, last) = a[at], b[at]
        if low > last or first > high:
            return False
    return True
