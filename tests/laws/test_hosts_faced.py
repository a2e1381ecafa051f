"""Laws of hosts whose rows stand in groups: they are taken apart and compared as the same rows one by one are."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product
from typing import cast

import pytest

from configlet.model.block import Block, Boxed
from configlet.model.gate import Cell, Law, Line
from configlet.model.lines import Lines, Run, Said
from configlet.model.net import Span
from configlet.model.policy import DPORT, DST, FRAG, SRC, Box, Entry
from configlet.model.told import Face, Faced, Group, Item, Told, faces
from configlet.packets.bands import Band, Peers, joined, keys
from configlet.packets.ends import Ends, _ended
from configlet.packets.hosts import alike
from configlet.packets.sides import Side
from configlet.prove.compare import witnesses
from configlet.prove.observed import observing
from tests.laws.test_fit_bulk import rule
from tests.laws.test_hosts import ANYWHERE, PEERS, TCP, UDP, moved, row, same, told
from tests.laws.walk_lists import ANY_BIT, ANY_PORT, ANY_PROTO, FRAGMENT, WHOLE, Row, Rows

HOSTS = (40, 90, 5, 33)
PROTOS: Sequence[Span] = (ANY_PROTO, (1, 1), (2, 255), TCP, UDP)
PORTS: Sequence[Span] = ((22, 22), (80, 89), (85, 85), ANY_PORT)
RULE, SEEN = rule("written", "policy", True, False), rule("seen", "observe", True, False)
Said_ = list[tuple[Span, list[tuple[object, list[object]]] | None]]


def drawn(dice: random.Random, count: int) -> list[Told]:
    """What a policy says of a prefix: mostly permits of a port, some denies, some that say all of a protocol."""
    out = []
    for _ in range(count):
        level, peer = dice.choice((DST, SRC)), dice.choice(PEERS)
        if dice.random() < 0.25:
            said = False, dice.choice([ANY_PROTO, ANY_PROTO, TCP]), ANY_PORT, ANY_PORT, ANY_BIT, WHOLE
        elif dice.random() < 0.1:
            said = True, ANY_PROTO, ANY_PORT, ANY_PORT, ANY_BIT, WHOLE
        else:
            rest = (ANY_PORT, ANY_BIT, WHOLE) if dice.random() < 0.8 else ((53, 53), (0, 0), dice.choice((WHOLE, ANY_BIT)))
            said = dice.random() < 0.9, dice.choice([TCP, TCP, UDP, (1, 1)]), dice.choice(PORTS), *rest
        permit, proto, *key = said
        out.append(Told(level, permit, proto, (peer, *key), RULE if dice.random() < 0.98 else SEEN))  # type: ignore[arg-type]
    return out


def groups(rows: Sequence[Told]) -> dict[tuple[int, Span], Group]:
    """The rows of a face as they are shared by all hosts of a prefix."""
    found: dict[tuple[int, Span], list[tuple[int, Told]]] = {}
    for number, one in enumerate(rows):
        found.setdefault((one.level, one.proto), []).append((2 * number, one))
    return {place: group(place, some) for place, some in found.items()}


def group(place: tuple[int, Span], some: Sequence[tuple[int, Told]]) -> Group:
    numbers, rows = zip(*some, strict=True)
    return Group(*place, numbers, rows)


def head(dice: random.Random, own: Sequence[int]) -> list[Item]:
    """What a host says to itself, what its network needs and keeps closed: rows and blocks."""
    out: list[Item] = [entry(row(True, ANY_PROTO, (at, at), (at, at))) for at in own if dice.random() < 0.9]
    for _ in range(dice.randrange(4)):
        mine, others = [(at, at) for at in own if dice.random() < 0.7] or [(7, 7)], ((0, 3), (5, 5), (33, 40), (64, 70))
        far = tuple(sorted(dice.sample(others, dice.randrange(1, 4))))
        ends = (tuple(mine), far) if dice.random() < 0.5 else (far, tuple(mine))
        proto, ports = dice.choice([(ANY_PROTO, (ANY_PORT,)), (TCP, ((22, 22), (80, 89)))])
        like = Entry(dice.random() < 0.3, ((0, 0),) * 7, RULE)  # type: ignore[arg-type]
        out.append(Block(((proto,), *ends, ports, (ANY_PORT,), (ANY_BIT,), (WHOLE,)), like))
    if dice.random() < 0.3:
        out.append(entry(row(dice.random() < 0.5, dice.choice(PROTOS), dice.choice(PEERS), dice.choice(PEERS))))
    dice.shuffle(out)
    return out


def entry(one: Row) -> Entry:
    return Entry(one.permit, cast(Box, one.box), RULE)


def plain(law: Sequence[Entry]) -> Rows:
    return [Row(one.permit, one.box) for one in law]


def runs(dice: random.Random, rows: Sequence[Said], own: Sequence[int], known: dict[object, dict[object, object]]) -> Lines:
    """The same lines as a reader gives them: those of one protocol at one address that stand together as a run; bodies that
    have the same elements share what is known of them."""
    parts: list[Run | list[Said]] = []
    for permit, box in rows:
        near = next((level for level in (DST, SRC) if box[level] in {(at, at) for at in own}), None)
        base = [*box]
        if near is None or dice.random() < 0.05:
            parts.append([(permit, box)])
            continue
        far = SRC if near == DST else DST
        fields = (far, DPORT) if box[0] in (TCP, UDP) else (far,)
        for field in fields:
            base[field] = ANY_PORT if field == DPORT else ANYWHERE
        last = parts[-1] if parts else None
        if isinstance(last, Run) and last.bases == [tuple(base)] and last.fields == fields:
            axes = [[*axis, box[field]] for axis, field in zip(last.axes, fields, strict=True)]
            parts[-1] = Run(last.bases, fields, axes, [*last.permits, permit], {})
        else:
            parts.append(Run([cast(Box, tuple(base))], fields, [[box[field]] for field in fields], [permit], {}))
    shared = [
        Run(p.bases, p.fields, [*map(tuple, p.axes)], p.permits, known.setdefault(repr((p.axes, p.permits)), {}))
        if isinstance(p, Run)
        else p
        for p in parts
    ]
    return Lines(shared, lambda: [Line(*said, number, "") for number, said in enumerate(rows, 1)])


def apart(law: Sequence[Boxed], own: Sequence[int]) -> Ends:
    ends = Ends(own)
    ends.rows(law)
    return ends


def said(side: Side) -> Said_:
    """The permits of each protocol with the denies ahead of each."""
    out: Said_ = []
    for proto in sorted({(0, 0), (1, 1), (2, 2), TCP, UDP}):
        part = side.of(proto)
        assert part is not None
        permits = [(key, [*keys(part.denies[:ahead])]) for key, ahead in part.placed]
        out.append((proto, sorted(permits)))  # type: ignore[type-var, arg-type]
    return out


def cases(seed: int, count: int, most: int) -> list[tuple[random.Random, Faced, tuple[int, ...]]]:
    """Laws of several hosts of a prefix each time, which share groups."""
    dice, out = random.Random(seed), []
    for _ in range(count):
        rows = drawn(dice, dice.randrange(1, most))
        shared = groups(rows)
        for at in dice.sample(HOSTS, 2):
            own = (at, *(one for one in HOSTS if one != at and dice.random() < 0.4))
            mine = shared
            if dice.random() < 0.4:
                more = drawn(dice, 1)[0]
                place = more.level, more.proto
                there = [(2 * n, one) for n, one in enumerate(rows) if (one.level, one.proto) == place]
                there = sorted([*there, (2 * dice.randrange(len(rows) + 1) - 1, more)], key=lambda one: one[0])
                mine = {**shared, place: group(place, there)}
            out.append((dice, Faced(head(dice, own), Face(at, mine)), own))
    return out


def test_a_law_in_groups_is_taken_apart_as_its_rows_are() -> None:
    crossed = 0
    for _, law, own in cases(51, 700, 14):
        boxes = [(i.permit, box) for i in law.items for box in (product(*i.sets) if isinstance(i, Block) else (i.box,))]
        one, two = apart(law, own), apart([Cell(*said) for said in boxes], own)
        assert one.within == two.within and one.beyond == two.beyond, law
        for at in own:
            assert said(one.towards[at]) == said(two.towards[at]), (at, [*law])
            assert said(one.origin[at]) == said(two.origin[at]), (at, [*law])
        crossed += sum(map(len, one.within.values())) > len(own)
    assert crossed > 200, crossed


def test_what_is_seen_to_be_alike_of_a_law_in_groups_passes_the_same() -> None:
    """By brute force; texts as they are printed, and with one row changed, moved, dropped, or turned."""
    known: dict[object, dict[object, object]] = {}
    equal = found = unlike = 0
    for dice, law, own in cases(52, 110, 9):
        rows = plain(law)
        text = printed(dice, rows)
        assert same(rows, text)
        equal, found = equal + 1, found + compared(dice, law, text, own, known)
        for _ in range(4):
            other = slipped(dice, text if dice.random() < 0.7 else rows)
            seen = compared(dice, law, other, own, known)
            assert not seen or same(rows, other), (rows, other)
            unlike += not seen
    assert found > 0.9 * equal, (found, equal)
    assert unlike > 300, unlike


def printed(dice: random.Random, rows: Rows) -> Rows:
    """As the chains of a table say it; a law that speaks of fragments as it stands."""
    return told(dice, rows) if all(one.box[FRAG] == WHOLE for one in rows) else list(rows)


def slipped(dice: random.Random, rows: Rows) -> Rows:
    if dice.random() < 0.5:
        return moved(dice, rows)
    out, at = list(rows), dice.randrange(len(rows))
    way = dice.randrange(3)
    if way == 0:
        del out[at]
    elif way == 1:
        out[at] = out[at]._replace(permit=not out[at].permit)
    else:
        ends = (dice.choice(HOSTS),) * 2, dice.choice(PEERS)
        added = row(dice.random() < 0.6, dice.choice(PROTOS), *dice.choice((ends, ends[::-1])))
        out.insert(at, added if dice.random() < 0.5 else dice.choice(rows))
    return out


def compared(
    dice: random.Random, law: Faced, text: Rows, own: Sequence[int], known: dict[object, dict[object, object]]
) -> bool:
    """Whether they are seen to be alike: as the proof asks, and the other way round, and with the law's rows one by one."""
    lines = runs(dice, [(one.permit, cast(Box, one.box)) for one in text], own, known)
    assert [Row(permit, box) for permit, box in zip(*lines.columns, strict=True)] == text
    answers = []
    for rows, said, like in ((law, lines, True), (law, lines, False), (tuple(law), [Cell(*one) for one in text], True)):
        ours = apart(rows, own)
        theirs = Ends(own, ours if like else None)
        theirs.rows(said)
        answers.append(alike(4, ours, theirs))
    if any(answers) and not all(answers):
        assert same(plain(law), text)
    return any(answers)


@pytest.mark.parametrize("seed", [53, 54])
def test_a_proof_of_a_law_in_groups_finds_what_differs(seed: int) -> None:
    known: dict[object, dict[object, object]] = {}
    differing = 0
    for dice, law, own in cases(seed, 60, 9):
        text = printed(dice, plain(law))
        for other in (text, slipped(dice, text), slipped(dice, text)):
            if any(one.box[DPORT][1] > ANY_PORT[1] for one in other):
                continue
            lines = runs(dice, [(one.permit, cast(Box, one.box)) for one in other], own, known)
            found = witnesses(Law(4, (law,)), lines, "realm", "file", own)
            assert bool(found) is not same(plain(law), other), (plain(law), other)
            differing += bool(found)
    assert differing > 30, differing


def test_rules_that_only_observe_are_named_in_order() -> None:
    some = 0
    for _, law, _ in cases(55, 200, 20):
        names = observing(Law(4, (law,)))
        assert names == observing(Law(4, (tuple(law),)))
        some += bool(names)
        quiet = Faced(law.head, Face(law.face.own, law.face.groups, observes=False))
        assert observing(Law(4, (quiet,))) == observing(Law(4, (tuple(law)[: len(law) - len(law.face)],)))
    assert some > 20


def test_a_row_of_fragments_between_two_addresses_is_not_taken_for_decided() -> None:
    own = (40, 90)
    first = [row(True, ANY_PROTO, (40, 40), (90, 90)), row(True, ANY_PROTO, (90, 90), (40, 40))]
    law = Faced([*map(entry, first)], faces([entry(row(True, TCP, (40, 40), (88, 91), part=FRAGMENT))], 40))
    assert alike(4, apart(law, own), apart(tuple(law), own))
    assert not alike(4, apart(law, own), apart(tuple(map(entry, first)), own))


def test_denies_of_which_the_law_asks_nothing_do_not_hide_what_the_text_passes() -> None:
    law = apart([entry(row(True, TCP, (40, 40), (0, 31), (22, 22)))], (40,))
    shut = row(False, UDP, (40, 40), (0, 31))
    for rows, expected in (
        ([row(True, TCP, (40, 40), (0, 31), (22, 22)), shut], True),
        ([row(True, TCP, (40, 40), (0, 31), (22, 22)), shut, row(True, UDP, (40, 40), (0, 31))], False),
        ([row(True, TCP, (40, 40), (0, 31), (22, 22)), row(True, UDP, (40, 40), (0, 31)), shut], False),
        ([row(False, ANY_PROTO, (40, 40), (5, 5)), row(True, TCP, (40, 40), (0, 31), (22, 22))], False),
        ([row(False, (1, 200), (40, 40), (5, 5)), row(True, TCP, (40, 40), (0, 31), (22, 22))], False),
    ):
        theirs = Ends((40,), law)
        theirs.rows([Cell(*one) for one in rows])
        assert alike(4, law, theirs) is expected, rows


def test_denies_count_ahead_of_many_permits() -> None:
    many = [row(True, TCP, (40, 40), (0, 31), (port, port)) for port in range(20)]
    law = apart([*map(entry, many)], (40,))
    for shut, expected in ((row(False, TCP, (40, 40), (5, 5)), False), (row(False, TCP, (40, 40), (33, 33)), True)):
        theirs = Ends((40,), law)
        theirs.rows([Cell(*one) for one in (shut, *many)])
        assert alike(4, law, theirs) is expected


def test_of_permits_of_several_protocols_the_first_counts() -> None:
    shut, peer = row(False, TCP, (40, 40), (5, 5)), (0, 31)
    law = [row(True, ANY_PROTO, (40, 40), peer), shut, row(True, TCP, (40, 40), peer)]
    others = [row(True, proto, (40, 40), peer) for proto in ((0, 5), (7, 255))]
    for text, expected in (([*others, shut, law[2]], False), ([*others, law[2], shut], True)):
        assert not expected or same(law, text)
        assert alike(4, apart([*map(entry, law)], (40,)), apart([*map(entry, text)], (40,))) is expected


def test_no_protocols_are_taken_together_that_a_row_tells_apart() -> None:
    for permit in (True, False):
        side = apart([entry(row(permit, TCP, (40, 40), (0, 31)))], (40,)).towards[40]
        assert side.of((0, 6)) is None and side.of((6, 7)) is None and side.of(UDP) is not None


def test_a_run_that_says_both_ends_counts_as_its_rows_one_by_one() -> None:
    dice, silent, other = random.Random(45), 0, 0
    ends = [(one, one) for one in HOSTS] + list(PEERS)
    for _ in range(600):
        own = tuple(dice.sample(HOSTS, 2))
        first = (own[0],) * 2
        law = apart([row(True, dice.choice(PROTOS), first, dice.choice(PEERS), dice.choice(PORTS)) for _ in range(2)], own)
        fields = dice.choice(((DST, SRC), (SRC, DST)))
        mine = [(at, at) for at in own]
        pairs = [(dice.choice(mine), dice.choice(ends))[:: dice.choice((1, -1))] for _ in range(3)]
        deny = dice.random() < 0.7
        permits = [not deny and dice.random() < 0.5 for _ in pairs]
        bases = [row(False, dice.choice(PROTOS), ANYWHERE, ANYWHERE, dice.choice(PORTS)).box for _ in range(2)]
        run = Run(bases, fields, [*zip(*pairs, strict=True)], permits, {})
        theirs, singly = Ends(own, law), Ends(own, law)
        theirs.run(run)
        singly.said([*run.rows()])
        assert (theirs.within, theirs.beyond) == (singly.within, singly.beyond)
        for at in own:
            for one, two in ((theirs.towards[at], singly.towards[at]), (theirs.origin[at], singly.origin[at])):
                assert [*one.rows()] == [*two.rows()]
        silent += len(bases) - len(theirs._heard(run))
        other += bool(theirs._heard(run))
    assert silent > 20
    assert other > 50


def test_a_run_of_which_denies_are_not_asked_for_counts_as_its_rows_one_by_one() -> None:
    dice, inner = random.Random(48), 0
    for _ in range(1500):
        own = tuple(dice.sample(HOSTS, 2))
        law = apart([row(True, dice.choice(PROTOS[1:]), (own[0],) * 2, (5, 5), dice.choice(PORTS)) for _ in range(2)], own)
        near, far = dice.choice(((DST, SRC), (SRC, DST)))
        spans = [dice.choice([*PEERS, *((at, at) for at in own)]) for _ in range(dice.randrange(1, 4))]
        ends = {near: (dice.choice(own),) * 2, far: ANYWHERE}
        base = row(False, dice.choice(PROTOS), ends[DST], ends[SRC], dice.choice(PORTS), dice.choice((WHOLE, ANY_BIT))).box
        ahead = [Cell(dice.random() < 0.7, row(True, ANY_PROTO, (at, at), (at, at)).box) for at in own if dice.random() < 0.5]
        run = Run([cast(Box, base)], (far,), [spans], [dice.random() < 0.4 for _ in spans], {})
        theirs, singly = Ends(own, law), Ends(own, law)
        theirs.rows(ahead)
        theirs.run(run)
        singly.said([(one.permit, cast(Box, one.box)) for one in ahead])
        singly.said([*run.rows()])
        assert (theirs.within, theirs.beyond) == (singly.within, singly.beyond)
        for at in own:
            for one, two in ((theirs.towards[at], singly.towards[at]), (theirs.origin[at], singly.origin[at])):
                assert [*one.rows()] == [*two.rows()]
        inner += any(singly.within.values()) and not any(side.denies for side in singly.towards.values())
    assert inner > 100, inner


def test_only_denies_behind_all_permits_are_left_out() -> None:
    dice = random.Random(49)
    for _ in range(400):
        rows: Rows = [row(dice.random() < 0.4, TCP, (40, 40), dice.choice(PEERS)) for _ in range(dice.randrange(8))]
        made = runs(dice, [(one.permit, one.box) for one in rows], (40,), {})  # type: ignore[misc]
        kept = _ended(made.parts)
        assert kept == made.parts[: len(kept)]
        assert not any(one.permit for one in rows[len(Lines(kept, list)) :])
        assert not kept or any(Lines(kept[-1:], list).columns[0])


def test_denies_ask_of_the_permits_of_all_protocols_and_ports_that_they_share() -> None:
    dice = random.Random(46)
    for _ in range(300):
        many = dice.randrange(12)
        rows = [row(dice.random() < 0.6, dice.choice(PROTOS), (40, 40), (5, 5), dice.choice(PORTS)) for _ in range(many)]
        side = Ends((40,), apart(rows, (40,))).towards[40]  # type: ignore[arg-type]
        for proto, port in product(PROTOS, PORTS):
            asked = [((one.box[0], proto), (one.box[3], port)) for one in rows if one.permit]
            shares = [all(a <= d and c <= b for (a, b), (c, d) in both) for both in asked]
            assert side.asks(proto, port) or not any(shares)
            assert not side.asks(proto, port) or any(shares) or len(rows) > 8


def test_parts_of_a_band_are_that_band_again_only_all_of_them_in_order() -> None:
    whole = Band(Peers(((1, 1), (2, 2), (3, 3))), (ANY_PORT,) * 3, (ANY_PORT, ANY_BIT, WHOLE))
    one, two, three = whole.part(0, 1), whole.part(1, 2), whole.part(2, 3)
    assert joined([one, two, three]) is whole
    for some in ([one, two], [two, three], [one, three], [two, one, three], [one, one, two]):
        found = joined(some)
        assert found is not None and found is not whole
        assert [*found.rows()] == [key for band in some for key in band.rows()]


def test_the_ends_around_some_others_are_those_that_share_an_address_with_one() -> None:
    dice = random.Random(47)
    for _ in range(400):
        lows = [[dice.randrange(60) for _ in range(dice.randrange(1, 9))] for _ in range(2)]
        some, asked = ([(low, low + dice.randrange(9)) for low in of] for of in lows)
        meeting = [(a, b) for a, b in asked if any(a <= high and low <= b for low, high in some)]
        assert Peers(tuple(some)).around(asked) == meeting
