"""The second list of a stateless law: what could be the reply of something that the first list permits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from configlet.model.net import Family, Span, merge, subtract
from configlet.model.policy import ANY_PORT, DPORT, DST, FLAG, FRAG, PROTO, SPORT, SRC, Box, Entry
from configlet.packets.boxes import ICMP, TCP, change
from configlet.packets.verdict import REPLY_TYPE

MULTICAST: dict[Family, Span] = {4: (0xE0000000, 0xEFFFFFFF), 6: (0xFF << 120, (1 << 128) - 1)}
"""224.0.0.0/4 and ff00::/8: an initiation to them has no reply (DESIGN 5.4)."""

_WHOLE: Span = (0, 0)
_FRAGMENT: Span = (1, 1)
_ESTABLISHED: Span = (1, 1)


def reply_list(entries: Sequence[Entry], family: Family) -> tuple[Entry, ...]:
    """The first-match list (default deny) of the packets whose reverse the given list permits.

    TCP passes only with ACK or RST, ICMP only as the answer of echo and timestamp, and only unicast initiations have
    replies. Order and denies are kept; each row remembers its rule and says ``reply``.

    A permit of all protocols becomes a few rows of which the denying ones (new TCP, ICMP without an answer) decide
    nothing that a later row could permit; so no row needs a range of protocols that it was not given.
    """
    return tuple(row for entry in entries for row in _replies(entry, family))


def _replies(entry: Entry, family: Family) -> Iterator[Entry]:
    box = entry.box
    special = [number for number in (ICMP[family], TCP) if box[PROTO][0] <= number <= box[PROTO][1]]
    if not special or box[PROTO][0] == box[PROTO][1] or not box[DPORT] == box[SPORT] == ANY_PORT:
        for part in _unicast(box, family):
            for piece in _split(part, family):
                yield Entry(entry.permit, piece, entry.rule, reply=True)
    elif entry.permit:
        for part in _unicast(box, family):
            for permit, piece in _mixed(part, family, special):
                yield Entry(permit, piece, entry.rule, reply=True)
    else:
        yield Entry(False, _turn(box), entry.rule, reply=True)


def _unicast(box: Box, family: Family) -> Iterator[Box]:
    for span in subtract((box[DST],), (MULTICAST[family],)):
        yield change(box, DST, span)


def _mixed(box: Box, family: Family, special: list[int]) -> Iterator[tuple[bool, Box]]:
    """Rows of a permit of several protocols with all their ports: the special ones first, the rest behind them."""
    if box[FRAG][1]:
        yield True, change(_turn(box), FRAG, _FRAGMENT)
    if box[FRAG][0]:
        return
    whole = change(box, FRAG, _WHOLE)
    for number in special:
        one = change(whole, PROTO, (number, number))
        for piece in _whole(one, family):
            yield True, piece
        yield False, _turn(one)
    yield True, _turn(whole)


def _split(box: Box, family: Family) -> Iterator[Box]:
    """Exact, disjoint reply boxes of one box."""
    if box[FRAG][1]:
        # A fragment has no ports: its point has zero in both, so nothing but the ends is turned.
        yield change(change(change(box, DST, box[SRC]), SRC, box[DST]), FRAG, _FRAGMENT)
    if box[FRAG][0]:
        return
    low, high = box[PROTO]
    for number in sorted((ICMP[family], TCP)):
        if low <= number <= high:
            if low < number:
                yield from _whole(change(change(box, PROTO, (low, number - 1)), FRAG, _WHOLE), family)
            yield from _whole(change(change(box, PROTO, (number, number)), FRAG, _WHOLE), family)
            low = number + 1
    if low <= high:
        yield from _whole(change(change(box, PROTO, (low, high)), FRAG, _WHOLE), family)


def _whole(box: Box, family: Family) -> Iterator[Box]:
    """Reply boxes of unfragmented packets, where the protocols of the box are all ordinary, or TCP, or ICMP."""
    if box[PROTO] == (TCP, TCP):
        if box[FLAG][1]:
            yield change(_turn(box), FLAG, _ESTABLISHED)
    elif box[PROTO] == (ICMP[family], ICMP[family]):
        ends = change(change(box, DST, box[SRC]), SRC, box[DST])
        for span in _answers(box[DPORT], family):
            yield change(ends, DPORT, span)
    else:
        yield _turn(box)


def _answers(asked: Span, family: Family) -> tuple[Span, ...]:
    """The types and codes that answer an interval of types and codes."""
    found: list[Span] = []
    for kind, answer in REPLY_TYPE[family].items():
        low, high = max(asked[0], kind << 8), min(asked[1], kind << 8 | 255)
        if low <= high:
            found.append((low - (kind << 8) + (answer << 8), high - (kind << 8) + (answer << 8)))
    return merge(found)


def _turn(box: Box) -> Box:
    proto, dst, src, dport, sport, flag, fragment = box
    return (proto, src, dst, sport, dport, flag, fragment)
