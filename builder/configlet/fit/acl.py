"""Rows of an ordered, stateless list: what an ACL platform can hold, in the order of the policy.

The layout is: what passes of non-first fragments first; replies as permits (denies that they would cross are cut out of them);
then the initiations as written, with their denies; then deny. Permits ahead of a first-match list only add, so the whole
is exactly "initiations or replies", and the proof confirms it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from configlet.fit.classes import Classes, classes_of
from configlet.fit.clip import with_span
from configlet.fit.law import DEFAULT, INSIDE
from configlet.model.gate import Law
from configlet.model.net import Family, prefixes
from configlet.model.policy import ANY_BIT, ANY_PORT, DST, FRAG, PROTO, SRC, Box, Entry
from configlet.model.problem import refuse
from configlet.packets.boxes import meet, minus_all
from configlet.packets.entries import permits_only

WHOLE, NON_FIRST = (0, 0), (1, 1)
SHARED = (INSIDE.name, "infrastructure addresses")
"""Denies that hold for initiations and replies alike, as their boxes are symmetric."""


def acl_rows(law: Law) -> tuple[Entry, ...]:
    """The rows for a two-list law. What none of them passes is denied; the platform writes that line, and the one that
    denies the fragments that no row passes."""
    initiations, replies = law.lists
    classes = classes_of(law.family, initiations, replies)
    first, second = [[classes.enter(e) for e in part] for part in (initiations, replies)]
    fragments = _fragment_rows(classes, first, second)
    whole = [*_whole_rows(law.family, classes, _only(first, WHOLE), _only(second, WHOLE))]
    return (*fragments, *(classes.leave(e) for e in whole))


def _only(entries: Iterable[Entry], bit: tuple[int, int]) -> list[Entry]:
    """The entries as they decide packets with this fragment bit."""
    return [
        e if e.box[FRAG] == bit else e.over(with_span(e.box, FRAG, bit))
        for e in entries
        if e.box[FRAG][0] <= bit[0] <= e.box[FRAG][1]
    ]


def _fragment_rows(classes: Classes, first: list[Entry], second: list[Entry]) -> Iterator[Entry]:
    for entry in (e for part in (first, second) for e in permits_only(_only(part, NON_FIRST))):
        low, high = entry.box[PROTO]
        if (low, high) != (0, classes.rest) and high == classes.rest:
            raise refuse(
                "Fragments that no list can tell apart",
                f'The rule "{entry.rule.name}" passes fragments of every protocol but some: an access list has no word '
                "for that. Set `fragments: drop` on the segment, or name the protocols in the rule.",
                entry.rule.place,
                nature="red",
            )
        for one in [(low, high)] if high == classes.rest else [(c, c) for c in range(low, high + 1)]:
            yield classes.leave(entry.over(with_span(entry.box, PROTO, one)))


def _whole_rows(family: Family, classes: Classes, first: list[Entry], second: list[Entry]) -> Iterator[Entry]:
    starts, starts_closed, starts_written = _parts(first)
    answers, answers_closed, answers_written = _parts(second)
    boxes = {e.box for e in answers_closed}
    both = [e for e in starts_closed if e.box in boxes]
    common = {e.box for e in both}
    written = [*(e for e in starts_closed if e.box not in common), *starts_written]
    replied = [*(e for e in answers_closed if e.box not in common), *answers_written]
    later = [*_replies(family, classes, replied, written), *_pruned(written)]
    yield from starts
    yield from (e for e in answers if not _covered(e, starts))
    yield from (e for e in both if any(o.permit and meet(o.box, e.box) for o in later))
    yield from (e for e in later if not any(meet(e.box, earlier.box) == e.box for earlier in both))


def _parts(entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry], list[Entry]]:
    """What the network needs, what it keeps closed, and what the operator wrote, in this order."""
    at = next((i for i, e in enumerate(entries) if e.rule.origin in ("policy", "intra")), len(entries))
    head = entries[:at]
    turn = next((i for i, e in enumerate(head) if not e.permit and e.rule.name in SHARED), len(head))
    return list(head[:turn]), list(head[turn:]), list(entries[at:])


def _replies(family: Family, classes: Classes, second: list[Entry], first: list[Entry]) -> Iterator[Entry]:
    """Replies as rows that take nothing from the initiations behind them.

    A deny that a reply would cross is either cut out of the reply, or its box is decided on the spot: the initiations
    inside it, then the deny. Whichever is shorter.
    """
    pending: list[Entry] = []
    broad: list[Entry] = []
    for entry in second:
        if not entry.permit:
            pending.append(entry)
            continue
        over = [deny for deny in pending if meet(deny.box, entry.box)]
        pieces = minus_all(entry.box, [deny.box for deny in over])
        spots = [[*_inside(first, deny), deny] for deny in over]
        if sum(_lines(family, box) for box in pieces) > 1 + sum(_lines(family, e.box) for spot in spots for e in spot):
            yield from (e for spot in spots for e in spot)
            pending = [deny for deny in pending if deny not in over]
            pieces = (entry.box,)
        for box in pieces:
            piece = entry.over(box)
            if _covered(piece, first):
                continue
            yield from _named(classes, piece)
            if box[PROTO][1] == classes.rest:
                broad.append(piece)
    yield from _rest_rows(classes, broad, first)


def _inside(first: Sequence[Entry], deny: Entry) -> list[Entry]:
    found = [e.over(box) for e in first if (box := meet(e.box, deny.box))]
    return [e for at, e in enumerate(found) if e.permit or any(o.permit and meet(o.box, e.box) for o in found[at:])]


def _lines(family: Family, box: Box) -> int:
    return len(prefixes(family, box[SRC])) * len(prefixes(family, box[DST]))


def _named(classes: Classes, entry: Entry) -> Iterator[Entry]:
    low, high = entry.box[PROTO]
    for one in range(low, min(high, classes.rest - 1) + 1):
        yield entry.over(with_span(entry.box, PROTO, (one, one)))


def _rest_rows(classes: Classes, broad: Sequence[Entry], first: Sequence[Entry]) -> Iterator[Entry]:
    """Replies of every protocol that nobody names, between two address spans.

    No list has a word for "all but these": so what the named ones may do there is said first, then they are denied
    there, and then the rest passes.
    """
    if not broad:
        return
    regions = list(dict.fromkeys((e.box[DST], e.box[SRC]) for e in broad))
    plain = permits_only(first)
    for dst, src in regions:
        for entry in plain:
            both = meet(entry.box, ((0, classes.rest - 1), dst, src, ANY_PORT, ANY_PORT, ANY_BIT, ANY_BIT))
            if both:
                yield from _named(classes, entry.over(both))
    for dst, src in regions:
        for one in range(classes.rest):
            yield Entry(False, ((one, one), dst, src, ANY_PORT, ANY_PORT, ANY_BIT, WHOLE), DEFAULT)
    for entry in broad:
        yield entry.over(with_span(entry.box, PROTO, (0, classes.rest)))


def _covered(entry: Entry, first: Iterable[Entry]) -> bool:
    """Whether the initiations pass all of it anyway."""
    for other in first:
        both = meet(entry.box, other.box)
        if both is not None:
            return other.permit and both == entry.box
    return False


def _pruned(first: Sequence[Entry]) -> Iterator[Entry]:
    """Without rows that decide nothing: permits inside an earlier row, derived denies that no later permit meets."""
    for at, entry in enumerate(first):
        if any(meet(entry.box, earlier.box) == entry.box for earlier in first[:at]):
            continue
        written = entry.permit or entry.rule.origin == "policy"
        if written or any(later.permit and meet(entry.box, later.box) for later in first[at + 1 :]):
            yield entry
