"""A law as a gate can keep it that does not see some fields (DESIGN 5.5), and what such a gate passes beyond the law.

What a blind gate cannot tell apart is one class; it passes the class when the law passes any packet of it. A packet that
is a non-first fragment has bytes of data where others have ports, and these may be any: to a gate that does not see
fragments it looks like every whole packet of its addresses and protocol.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from configlet.model.block import Block, Sets, items, listed, sets_of
from configlet.model.gate import Law
from configlet.model.net import Family, Spans, merge
from configlet.model.policy import ANY_BIT, ANY_PORT, DPORT, FLAG, FRAG, PROTO, SPORT, Entry, Packet
from configlet.packets.blocks import Item, single
from configlet.packets.boxes import ICMP, TCP, UDP
from configlet.packets.near import Near
from configlet.packets.sets import common, minus_all, put, without

FLAGS, TYPES, FRAGMENTS = "tcp-flags", "icmp-type", "fragment"
FIELDS = (FLAGS, TYPES, FRAGMENTS)
"""The fields that a capability record may name in ``blind_to``."""
_WHOLE: Spans = ((0, 0),)
_LATER: Spans = ((1, 1),)
_ALL: Spans = (ANY_PORT,)
_EITHER: Spans = (ANY_BIT,)


def blind(law: Law, fields: Collection[str]) -> Law:
    """The law with that blindness: one list of permits, and the same law where nothing is hidden."""
    if not set(fields) & set(FIELDS):
        return law
    wide = (piece for item in permits(law) for piece in widened(item, law.family, fields))
    return Law(law.family, (listed(_joined(wide)),))


def _joined(rows: Iterable[Item]) -> Iterator[Item]:
    """Rows of one rule that differ in their protocols alone as one: replies stand apart only for what is not seen."""
    found: dict[tuple[object, ...], tuple[Entry, list[Sets]]] = {}
    for row in rows:
        like, sets = row.like if isinstance(row, Block) else row, sets_of(row)
        found.setdefault((sets[1:], id(like.rule), like.reply), (like, []))[1].append(sets)
    for like, parts in found.values():
        protos = merge(span for sets in parts for span in sets[PROTO])
        yield from single(Block(put(parts[0], PROTO, protos), like))


def accelerable(law: Law) -> Law:
    """What of a law Onload's firewall can speak of: TCP and UDP."""
    both: Spans = ((TCP, TCP), (UDP, UDP))
    found = ((i, common(sets_of(i)[PROTO], both)) for i in permits(law))
    parts = (Block(put(sets_of(i), PROTO, p), i.like if isinstance(i, Block) else i) for i, p in found if p)
    return Law(law.family, (listed(piece for part in parts for piece in single(part)),))


def permitted(law: Law) -> Sequence[Entry]:
    """What the law passes as a list of permits, in no order that matters."""
    if len(law.lists) == 1 and all(item.permit for item in items(law.lists[0])):
        return law.lists[0]
    return listed(permits(law))


def permits(law: Law) -> Iterator[Item]:
    """What the law passes, without denies: each permit less the denies before it. Pieces keep their rule."""
    for part in law.lists:
        rows = items(part)
        denies = [(at, sets_of(row)) for at, row in enumerate(rows) if not row.permit]
        near = Near([sets for _, sets in denies])
        for at, row in enumerate(rows):
            if row.permit:
                yield from _less(row, [denies[n][1] for n in near.meeting(sets_of(row)) if denies[n][0] < at])


def _less(row: Item, denies: Sequence[Sets]) -> Iterator[Item]:
    if not denies:
        yield row
        return
    like = row.like if isinstance(row, Block) else row
    for piece in minus_all(sets_of(row), denies):
        yield from single(Block(piece, like))


def widened(row: Item, family: Family, fields: Collection[str]) -> Iterator[Item]:
    """The classes of which a permit passes any member."""
    like = row.like if isinstance(row, Block) else row
    for sets in _classes(sets_of(row), family, fields):
        yield from single(Block(sets, like))


def _classes(sets: Sets, family: Family, fields: Collection[str]) -> Iterator[Sets]:
    parts: Iterable[Sets] = (sets,)
    if FLAGS in fields and sets[FLAG] != _EITHER:
        parts = [p for part in parts for p in _of_protocol(part, TCP, {FLAG: _EITHER})]
    if TYPES in fields and (sets[DPORT] != _ALL or sets[SPORT] != _ALL):
        parts = [p for part in parts for p in _of_protocol(part, ICMP[family], {DPORT: _ALL, SPORT: _ALL})]
    for part in parts:
        if FRAGMENTS not in fields:
            yield part
            continue
        bare = put(put(put(part, DPORT, _ALL), SPORT, _ALL), FLAG, _EITHER)
        # Where fragments pass by address and protocol, so does all that looks like one of them.
        yield put(bare if part[FRAG][-1][1] else part, FRAG, _WHOLE)
        yield put(bare, FRAG, _LATER)


def _of_protocol(sets: Sets, number: int, wide: dict[int, Spans]) -> Iterator[Sets]:
    """The part of one protocol with some fields open, and the part of the others as it is."""
    mine, others = common(sets[PROTO], ((number, number),)), without(sets[PROTO], ((number, number),))
    if mine:
        part = put(sets, PROTO, mine)
        for level, spans in wide.items():
            part = put(part, level, spans)
        yield part
    if others and (FLAG not in wide or sets[FLAG][0][0] == 0):
        yield put(sets, PROTO, others)


def seen(packet: Packet, fields: Collection[str]) -> Packet:
    """The member of its class that stands for a whole packet: no flag, type and code 0. A fragment stays what it is."""
    if FLAGS in fields:
        packet = replace(packet, established=False)
    if TYPES in fields and packet.proto == ICMP[packet.family] and not packet.fragment:
        packet = replace(packet, dport=0, sport=0)
    return packet


def exposure(law: Law, wide: Law) -> Iterator[Entry]:
    """What a blind gate passes beyond the law, flow by flow: disjoint from the law, each piece with its rule."""
    kept = [sets_of(item) for item in permits(law)]
    near = Near(kept)
    for item in (i for part in wide.lists for i in items(part)):
        sets = sets_of(item)
        like = item.like if isinstance(item, Block) else item
        for piece in minus_all(sets, [kept[number] for number in near.meeting(sets)]):
            yield from Block(piece, like).rows()
