"""Laws of what a host's law and text both say: taken out of both, with what is left seen to be the same, they pass the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import cast

import pytest

from configlet.model.block import Block
from configlet.model.gate import Law, Line
from configlet.model.lines import Lines, Run, Said
from configlet.model.net import TOP, Span
from configlet.model.policy import DPORT, DST, SRC, Box, Entry
from configlet.model.told import Face, Faced, Group, Item, Told, told
from configlet.packets import agreed as product
from configlet.packets.agreed import agreed
from configlet.prove.compare import witnesses
from tests.laws.test_fit_bulk import rule
from tests.laws.walk_cells import Cells
from tests.laws.walk_lists import ANY_BIT, ANY_PORT, ANY_PROTO, FRAGMENT, WHOLE, Row, Rows

HOSTS = (40, 90, 5, 33)
EVERYWHERE = (0, TOP[4])
TOPS = (255, TOP[4], TOP[4], 65535, 65535, 1, 1)
ENDS: Sequence[Span] = ((0, 3), (7, 7), (8, 15), (16, 31), (12, 12), (41, 63), (64, 71), (65, 65), (100, 127))
"""None has an address of a host."""
AROUND: Sequence[Span] = ((32, 47), (88, 91), (0, 63), (40, 40), (33, 33), (90, 90))
TCP, UDP, ICMP = (6, 6), (17, 17), (1, 1)
PORTS: Sequence[Span] = ((22, 22), (80, 89), (443, 443))
RULE = rule("written", "policy", True, False)
Lists = list[Run | list[Said]]


def box(proto: Span, dst: Span, src: Span, dport: Span = ANY_PORT, part: Span = WHOLE) -> Box:
    return proto, dst, src, dport, ANY_PORT, ANY_BIT, part


def turned(level: int, near: Span, far: Span) -> tuple[Span, Span]:
    return (near, far) if level == DST else (far, near)


def some(dice: random.Random, ends: Sequence[Span], most: int) -> list[Span]:
    return sorted(dice.sample(ends, dice.randrange(1, most)))


def apart(ends: Sequence[Span]) -> list[Span]:
    """Those that share nothing with one ahead, as a block has them."""
    return [end for at, end in enumerate(ends) if not any(a[1] >= end[0] for a in ends[:at])]


class Host:
    """A law as the fit makes it, and a text as a reader finds it, with what makes such ones differ by chance."""

    def __init__(self, dice: random.Random, slips: float) -> None:
        self.dice, self.slips = dice, slips
        self.own = dice.sample(HOSTS, dice.choice((1, 2, 2, 3)))
        self.at = (self.own[0],) * 2
        self.needed = [row for row in self._needed() if dice.random() < 0.8]
        self.closed = {level: apart(some(dice, ENDS, 5)) for level in (DST, SRC) if dice.random() < 0.8}
        self.groups = {place: rows for place in ((DST, TCP), (DST, UDP), (SRC, TCP)) if (rows := self._permits(*place))}
        self.denied = {level: some(dice, ENDS, 3) for level in (DST, SRC) if dice.random() < 0.4}

    def slip(self, chance: float = 1.0) -> bool:
        return self.dice.random() < self.slips * chance

    def _needed(self) -> list[Said]:
        dice, ends = self.dice, ENDS if self.dice.random() > 0.1 else (*ENDS, *AROUND)
        return [
            (True, box(ICMP, self.at, dice.choice(ends), (768, 1023))),
            (True, box(ANY_PROTO, *[dice.choice(ENDS)] * 2)),
            (False, box(ANY_PROTO, self.at, dice.choice(ends))),
            (dice.random() < 0.7, box(TCP, *turned(dice.choice((DST, SRC)), (self.own[-1],) * 2, dice.choice(ends)), (22, 22))),
            (True, box(ICMP, EVERYWHERE, EVERYWHERE, (2048, 2303))),
        ]

    def _permits(self, level: int, proto: Span) -> list[Told]:
        dice = self.dice
        ends = (*ENDS, *AROUND)
        ports = {dice.choice(PORTS) for _ in range(dice.randrange(4))}
        rows = [Told(level, True, proto, (dice.choice(ends), port, ANY_PORT, ANY_BIT, WHOLE), RULE) for port in sorted(ports)]
        if rows and self.slip(0.3):
            rows[0] = Told(level, True, proto, (dice.choice(ends), ANY_PORT, ANY_PORT, ANY_BIT, FRAGMENT), RULE)
        return rows

    def law(self) -> Faced:
        head: list[Item] = [Entry(True, box(ANY_PROTO, (at, at), (at, at)), RULE) for at in self.own]
        head += [Entry(permit, one, RULE) for permit, one in self.needed]
        for level, ends in self.closed.items():
            dst, src = turned(level, (self.at,), tuple(ends))  # type: ignore[arg-type]
            sets = (ANY_PROTO,), dst, src, (ANY_PORT,), (ANY_PORT,), (ANY_BIT,), (WHOLE,)
            head.append(Block(sets, Entry(False, ((0, 0),) * 7, RULE)))  # type: ignore[arg-type]
        if self.slip(0.5):
            self.dice.shuffle(head)
        rows = [row for some in self.groups.values() for row in some]
        for level, denied in self.denied.items():
            rows += [told(Entry(False, box(ANY_PROTO, *turned(level, self.at, end)), RULE), level) for end in denied]
        self.dice.shuffle(rows)
        found: dict[tuple[int, Span], tuple[list[int], list[Told]]] = {}
        for number, row in enumerate(rows):
            numbers, of = found.setdefault((row.level, row.proto), ([], []))
            numbers.append(number)
            of.append(row)
        return Faced(head, Face(self.own[0], {place: Group(*place, *of) for place, of in found.items()}))

    def text(self, law: Faced) -> Lines:
        dice = self.dice
        parts: Lists = [[(False, box(ANY_PROTO, EVERYWHERE, EVERYWHERE, part=FRAGMENT)), *self.needed]]
        first = dice.random() < 0.5
        told = {level for level in self.closed if first}
        if not all(level in told for level in (DST, SRC)):
            parts[0] += [(True, box(ANY_PROTO, self.at, self.at))]  # type: ignore[operator]
        parts[0] += [(True, box(ANY_PROTO, (at, at), (at, at))) for at in self.own[1:]]  # type: ignore[operator]
        for level, ends in self.closed.items():
            parts.append(self._denies(level, ends, [self.at] if level in told else []))
        for place, group in law.face.groups.items():
            if place in self.groups:
                parts.append(self._list(place, group))
            elif dice.random() < 0.8:
                ends = [row.key[0] for row in group.rows if dice.random() < 0.8]
                if ends and dice.random() < 0.5:
                    parts.append(self._denies(place[0], ends, []))
                elif ends:
                    parts.append(self._pairs(place[0], ends))
        if self.slip(0.6):
            at = dice.randrange(len(parts))
            parts.insert(dice.randrange(len(parts)), parts.pop(at))
        if dice.random() < 0.5:
            parts.append([(False, box(ANY_PROTO, EVERYWHERE, EVERYWHERE, part=ANY_BIT))])
        return Lines(parts, lambda: [Line(*one, n, "") for n, one in enumerate(rows(parts), 1)])

    def _denies(self, level: int, ends: Sequence[Span], mine: Sequence[Span]) -> Run:
        kept = [end for end in ends if not self.slip(0.4)]
        if self.slip(0.4):
            kept.append(self.dice.choice((*ENDS, *AROUND)))
        if self.slip(0.3):
            self.dice.shuffle(kept)
        protos = [ANY_PROTO] if self.dice.random() < 0.4 else [(0, 0), (1, 1), (2, 255)]
        if self.slip(0.3):
            protos = self.dice.sample(protos, len(protos) - 1) or [TCP]
        bases = [box(proto, *turned(level, self.at, EVERYWHERE)) for proto in protos]
        return Run(bases, (SRC if level == DST else DST,), [[*mine, *kept]], [*map(bool, mine), *[False] * len(kept)], {})

    def _pairs(self, level: int, ends: Sequence[Span]) -> Run:
        axes = [*zip(*[turned(level, self.at, end) for end in ends], strict=True)]
        return Run([box(ICMP, EVERYWHERE, EVERYWHERE)], (DST, SRC), axes, [self.slip(0.1)] * len(ends), {})

    def _list(self, place: tuple[int, Span], group: Group) -> Run:
        level, proto = place
        keys = [row.key for row in group.rows]
        if self.slip(0.3):
            self.dice.shuffle(keys)
        if self.slip(0.2):
            keys.append((self.dice.choice(ENDS), self.dice.choice(PORTS), *keys[0][2:]))
        far = [key[0] for key in keys]
        part = FRAGMENT if self.slip(0.1) else ANY_BIT if self.slip(0.1) else keys[0][-1]
        base = box(proto, *turned(level, self.at, EVERYWHERE), part=part)
        permits = [not self.slip(0.05) for _ in keys]
        return Run([base], (SRC if level == DST else DST, DPORT), [far, [key[1] for key in keys]], permits, {})


def rows(parts: Lists) -> list[Said]:
    return [one for part in parts for one in (part.rows() if isinstance(part, Run) else part)]


def same(law: Faced, text: Lines) -> bool:
    one: Rows = [Row(entry.permit, entry.box) for entry in law]
    two: Rows = [Row(*said) for said in rows(cast(Lists, text.parts))]
    cells = Cells((one, two), TOPS)
    return cells.passing(one) == cells.passing(two)


@pytest.mark.parametrize(("slips", "least"), [(0.0, 0.6), (0.2, 0.2), (0.6, 0.02)])
def test_what_is_seen_to_agree_passes_the_same(slips: float, least: float) -> None:
    """By brute force; ``_known`` answers for hosts with other addresses."""
    product._known.clear()
    dice, found, unlike, count = random.Random(61), 0, 0, 500
    for _ in range(count):
        host = Host(dice, slips)
        law = host.law()
        text = host.text(law)
        seen, equal = agreed(4, law, text, host.own), same(law, text)
        assert equal or not seen, (host.own, [*law], text.parts)
        found += seen
        unlike += not equal
    assert found > least * count, found
    assert unlike > 0.5 * slips * count, unlike
    assert len(product._known) < count


A, B = (40, 40), (90, 90)
ONE, TWO, THREE, FOUR = (16, 31), (64, 71), (100, 127), (32, 47)
SELF = [(True, box(ANY_PROTO, A, A)), (True, box(ANY_PROTO, B, B))]
PAIRS = [(TWO, (22, 22)), (THREE, (443, 443))]
MANY = [(at, at) for at in range(200, 240)]
CROSSED = (True, box(TCP, A, B))


def block(level: int, *ends: Span, permit: bool = False, proto: Span = ANY_PROTO) -> Block[Entry]:
    sets = (proto,), *turned(level, (A,), ends), (ANY_PORT,), (ANY_PORT,), (ANY_BIT,), (WHOLE,)  # type: ignore[arg-type]
    return Block(sets, Entry(permit, ((0, 0),) * 7, RULE))  # type: ignore[arg-type]


def rest(part: Span = WHOLE, sport: Span = ANY_PORT) -> tuple[Span, Span, Span]:
    return sport, ANY_BIT, part


def law(
    *head: Said | Block[Entry],
    listed: Sequence[tuple[Span, Span]] = PAIRS,
    level: int = DST,
    said: tuple[Span, Span, Span] = rest(),
    denied: Sequence[tuple[int, Span]] = (),
) -> Faced:
    items = [one if isinstance(one, Block) else Entry(*one, RULE) for one in head]
    denies = [Told(at, False, ANY_PROTO, (end, ANY_PORT, *rest()), RULE) for at, end in denied]
    groups = {(one.level, ANY_PROTO): Group(one.level, ANY_PROTO, [at], [one]) for at, one in enumerate(denies)}
    found = [Told(level, True, TCP, (*pair, *said), RULE) for pair in listed]
    if found:
        groups[level, TCP] = Group(level, TCP, [*range(10, 10 + len(found))], found)
    return Faced(items, Face(40, groups))


def in_turn(*rows: tuple[bool, Span]) -> Faced:
    """A law whose one group has rows that permit and others that deny."""
    found = [Told(DST, permit, TCP, (end, ANY_PORT, *rest()), RULE) for permit, end in rows]
    return Faced([Entry(*one, RULE) for one in SELF], Face(40, {(DST, TCP): Group(DST, TCP, range(len(found)), found)}))


def shut(*ends: Span, permits: int = 0, base: Box | None = None) -> Run:
    """Denies of what comes from some ends, of which the first are permits."""
    what = base or box(ANY_PROTO, A, EVERYWHERE)
    return Run([what], (SRC,), [ends], [at < permits for at in range(len(ends))], {})


def listed(
    *pairs: tuple[Span, Span], near: Span = A, protos: Sequence[Span] = (TCP,), level: int = DST, part: Span = WHOLE
) -> Run:
    bases = [box(proto, *turned(level, near, EVERYWHERE), part=part) for proto in protos]
    far = SRC if level == DST else DST
    return Run(bases, (far, DPORT), [*map(list, zip(*pairs, strict=True))], [True] * len(pairs), {})


def lines(*parts: Run | list[Said]) -> Lines:
    return Lines(parts, lambda: ())


LIST = listed(*PAIRS)
DENIED = (ANY_PROTO, A, EVERYWHERE, ANY_PORT)
BOTH = shut(TWO)._replace(bases=[box(UDP, A, EVERYWHERE), box(ANY_PROTO, B, EVERYWHERE)])
FIRST, SOURCE = [*SELF], (True, box(TCP, ONE, A))
PAST = (True, box(ANY_PROTO, (0, 3), (20, 25)))
BESIDE = Run([box(ANY_PROTO, EVERYWHERE, EVERYWHERE)], (DST, SRC), [[(0, 3)], [ONE]], [False], {})


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (law(*SELF, block(DST, ONE, (88, 91)), CROSSED), lines(FIRST, [CROSSED], shut(ONE, (88, 91)), LIST)),
        (law(*SELF, block(DST, ONE, (88, 91)), CROSSED), lines([*FIRST, CROSSED], shut(ONE), LIST)),
        (law(*SELF, block(DST, *MANY), CROSSED), lines(FIRST, shut(*MANY, (88, 91)), [CROSSED], LIST)),
        (law(*SELF, block(DST, *MANY)), lines(FIRST, shut(*MANY[:20], TWO, *MANY[20:]), LIST)),
        (law(*SELF, block(DST, *MANY, TWO)), lines(FIRST, shut(*MANY), LIST)),
        (law(*SELF, CROSSED), lines(FIRST, shut(ONE, (88, 91)), [CROSSED], LIST)),
        (law(listed=[(FOUR, (22, 22))], level=SRC, denied=[(DST, FOUR)]), lines([], listed((FOUR, (22, 22)), level=SRC))),
        (
            law(*SELF, block(DST, TWO), said=rest(ANY_BIT)),
            lines(FIRST, shut(TWO, base=box(ANY_PROTO, A, EVERYWHERE, part=ANY_BIT)), listed(*PAIRS, part=ANY_BIT)),
        ),
        (law(*SELF, said=rest(sport=(53, 53))), lines(FIRST, LIST)),
        (law(*SELF), lines(FIRST, listed(PAIRS[0], (THREE, (80, 80))))),
        (law(*SELF), lines(FIRST, listed(PAIRS[0], (ONE, (443, 443))))),
        (law(*SELF, block(DST, ONE)), lines(FIRST, shut((0, 3), ONE, permits=1), LIST)),
        (law(*SELF), lines([*FIRST, (False, box(TCP, A, TWO))], LIST)),
        (law(*SELF, (False, box(TCP, A, TWO))), lines(FIRST, LIST)),
        (law(*SELF), lines(FIRST, shut(TWO, base=box(ANY_PROTO, A, EVERYWHERE, (0, 1023))), LIST)),
        (law(*SELF, block(DST, TWO)), lines(FIRST, shut(TWO, base=box(ANY_PROTO, A, EVERYWHERE, (80, 443))), LIST)),
        (law(*SELF, block(DST, TWO)), lines(FIRST, LIST, shut(TWO))),
        (law(*SELF, block(DST, TWO), block(SRC, ONE), SOURCE), lines([*FIRST, SOURCE], shut(TWO), LIST)),
        (law(*SELF, PAST), lines(FIRST, BESIDE, [PAST], LIST)),
        (law(*SELF, block(DST, ONE, permit=True)), lines(FIRST, LIST)),
        (law(*SELF, block(DST, TWO)), lines(FIRST, BOTH, LIST)),
        (law(*SELF, block(DST, TWO)), lines(FIRST, shut(TWO, base=(*DENIED, (53, 53), ANY_BIT, WHOLE)), LIST)),
        (law(*SELF, block(DST, TWO)), lines(FIRST, shut(TWO, base=(*DENIED, ANY_PORT, (0, 0), WHOLE)), LIST)),
        (law(*SELF, block(DST, TWO, proto=UDP)), lines(FIRST, shut(TWO), LIST)),
        (law(*SELF, block(DST, TWO), block(DST, ONE)), lines(FIRST, shut(ONE), LIST)),
        (in_turn((False, TWO), (True, THREE)), lines(FIRST)),
        (in_turn((True, TWO), (False, (0, 3)), (True, ONE)), lines(FIRST, listed((TWO, ANY_PORT)))),
        (law(*SELF), lines(FIRST, listed(*PAIRS, protos=(TCP, UDP)))),
        (law(*SELF), lines(FIRST, listed(*PAIRS, near=B))),
        (law(*SELF), lines(FIRST)),
        (law(*SELF, denied=[(DST, TWO)]), lines(FIRST, LIST)),
    ],
)
def test_what_differs_is_not_seen_to_agree(one: Faced, two: Lines) -> None:
    assert agreed(4, law(*SELF, block(DST, ONE)), lines(FIRST, shut(ONE), LIST), (40, 90))
    assert not same(one, two)
    assert not agreed(4, one, two, (40, 90))


def test_a_list_that_was_put_together_is_looked_at_in_all_its_parts() -> None:
    rows = [Told(DST, True, TCP, (*pair, *rest()), RULE) for pair in PAIRS]
    one, two = (Group(DST, TCP, [at], [row]) for at, row in enumerate(rows))
    for parts in ((one, two), (two, one)):
        head = [Entry(*row, RULE) for row in SELF]
        found = Faced(head, Face(40, {(DST, TCP): Group(DST, TCP, [0, 1], rows, parts)}))
        assert agreed(4, found, lines(FIRST, shut(ONE), LIST), (40, 90))
        for end in (TWO, THREE):
            assert not agreed(4, found, lines(FIRST, shut(end), LIST), (40, 90))


def test_elements_of_which_no_packet_is_left_say_nothing() -> None:
    for nothing in (LIST, shut(TWO)):
        text = lines(FIRST, nothing._replace(bases=[]), LIST)
        assert same(law(*SELF), text)
        assert agreed(4, law(*SELF), text, (40, 90))


def test_an_answer_is_for_hosts_of_which_no_address_lies_in_another_end() -> None:
    for at, expected in ((40, True), (70, False), (66, False), (41, True)):
        own = (at, at)
        need, crossed = (True, box(TCP, own, TWO)), (False, box(ANY_PROTO, own, own))
        one, two = Faced([Entry(*need, RULE)], Face(at, {})), lines([crossed, need])
        assert same(one, two) is agreed(4, one, two, (at,)) is expected


def test_an_answer_is_for_one_family() -> None:
    """All addresses of IPv4 are few of IPv6, and a host's own are none of these."""
    for family, own, expected in ((4, (40, 90), True), (6, (TOP[4] + 40, TOP[4] + 90), False), (4, (40, 90), True)):
        one, two = ((at, at) for at in own)
        need, more = (True, box(TCP, one, EVERYWHERE)), (True, box(TCP, one, two))
        found = Faced([Entry(*need, RULE)], Face(own[0], {}))
        assert agreed(family, found, lines([need, more]), own) is expected  # type: ignore[arg-type]


def test_an_answer_is_of_all_that_rows_say() -> None:
    need = (True, box(TCP, A, TWO, (22, 22)))
    one = Faced([Entry(*need, RULE)], Face(40, {}))
    assert agreed(4, one, lines([need]), (40,))
    for other in (box(TCP, A, ONE, (22, 22)), box(TCP, A, TWO, (23, 23)), box(UDP, A, TWO, (22, 22)), box(TCP, TWO, A, (22, 22))):
        assert not agreed(4, one, lines([(True, other)]), (40,))
        assert not agreed(4, one, lines([need, (True, other)]), (40,))
    assert not agreed(4, one, lines([(False, need[1])]), (40,))


def test_lines_without_parts_are_compared_each_for_themselves() -> None:
    found = Law(4, ((Entry(True, box(TCP, A, TWO), RULE),),))
    for end, expected in ((TWO, 0), (ONE, 2), (TWO, 0)):
        one = Line(True, box(TCP, A, end), 1, "")
        text = Lines.of([True], [one.box], lambda one=one: (one,))  # type: ignore[misc]
        assert len(witnesses(found, text, "main", "text")) == expected
