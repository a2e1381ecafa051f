"""Law: what a policy says of an address in groups is what it says row by row, and the rows of a host's table are the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from benchmarks.sites import Size, write
from configlet.fit.clip import Whole, needed, of_spoken
from configlet.fit.facing import MANY, Facing
from configlet.fit.host import host_rows
from configlet.fit.law import ITSELF, Laws
from configlet.fit.reached import Reached
from configlet.fit.tables import tables
from configlet.model.block import Block, items, listed, sets_of
from configlet.model.gate import Law
from configlet.model.net import Family, family_of
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, DST, PROTO, SRC, Entry
from configlet.model.problem import Refused
from configlet.model.told import Face, Faced, faces
from configlet.packets.atoms import difference
from configlet.packets.blocks import Item
from configlet.packets.boxes import meet
from configlet.pipeline.site import open_site
from configlet.rules import expand
from tests.laws.test_fit_bulk import BASE, item, rule
from tests.oracle.dice import inventory

ROOT = Path(__file__).parents[2]
FAMILIES: tuple[Family, Family] = (4, 6)


def _policy(dice: random.Random, family: Family) -> list[Item]:
    """What the network needs and keeps closed, then what the operator wrote: most of it in single rows."""
    base, whole = BASE[family], (0, (1 << (32 if family == 4 else 128)) - 1)
    network = [item(dice, base, n, "infrastructure", 1.0) for n in range(dice.randrange(3))]
    gates = tuple((base + n, base + n) for n in sorted(dice.sample(range(1024), dice.randrange(2, 40))))
    closed = Entry(
        False, (ANY_PROTO, gates[0], whole, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), rule("own", "infrastructure", False, False)
    )
    sets = sets_of(closed)
    shut = [Block((sets[0], *ends, *sets[3:]), closed) for ends in ((gates, (whole,)), ((whole,), gates))]
    calm, permits = dice.random() < 0.7, dice.choice((0.7, 0.95, 1.0))
    written = [item(dice, base, n, permits=permits, calm=calm) for n in range(dice.choice((1, 10, 60)))]
    if dice.random() < 0.8:
        written = [one for one in written if not isinstance(one, Block)]
    return [*network, *shut, *written]


def _faced(policy: list[Item], one: int, mine: Sequence[int]) -> tuple[Law, Law] | None:
    """The law of a host that says things to ``mine`` itself, of which one address stands in rules: with its rows in groups and
    one by one; None where they are not given in groups."""
    own = [Entry(True, (ANY_PROTO, (a, a), (a, a), ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), ITSELF) for a in mine]
    facing = Facing(policy)
    face = facing.of(one)
    if not face:
        return None
    head = [*own, *facing.network.at(one)]
    ends = Reached(head, face)
    plain = Law(4, tuple(map(listed, needed((*own, *Whole(policy).at(one))))))
    return Law(4, (Faced(items(listed(of_spoken(head, ends))), face),)), plain


@pytest.mark.parametrize("family", FAMILIES)
def test_an_address_has_the_rows_of_all_its_prefixes_in_order(family: Family) -> None:
    dice = random.Random(family)
    faced = shared = joint = 0
    for _ in range(200):
        policy = _policy(dice, family)
        facing, before = Facing(policy), dict[object, object]()
        for one in (BASE[family] + n for n in (64, 65, 63, 300, 64, 2000, 128, 3)):
            found = facing.of(one)
            expected = Whole(policy).at(one)
            if found is None:
                large = [piece for piece in expected if isinstance(piece, Block)]
                assert any(piece.count > MANY or piece.sets[PROTO] == ((20, 30),) for piece in large)
                continue
            network = facing.network.at(one)
            assert [*listed(network), *found.entries()] == [*listed(expected)]
            assert len(found) == len(listed(expected)) - len(listed(network))
            faced += len(found)
            for place, group in found.groups.items():
                assert {row.level for row in group.rows} == {place[0]} and {row.proto for row in group.rows} == {place[1]}
                assert list(group.numbers) == sorted(group.numbers)
                shared += before.get(place) is group
                joint += len(group) > 1
                before[place] = group
    assert faced > 8000 and shared > 300 and joint > 1000


@pytest.mark.parametrize("family", FAMILIES)
def test_the_rows_of_a_face_are_those_that_a_look_at_each_gives(family: Family) -> None:
    dice = random.Random(20 + family)
    faced = cut = closed = 0
    for _ in range(900):
        one = BASE[family] + dice.choice((64, 65, 300, 7))
        mine = [*[one] * (dice.random() < 0.9), *[BASE[family] + dice.choice((310, 66, 5000, 20))] * (dice.random() < 0.4)]
        made = _faced(_policy(dice, family), one, mine)
        if made is None:
            continue
        law, plain = made
        assert tuple(law.lists[0]) == tuple(plain.lists[0])
        rows, expected = host_rows(law), host_rows(plain)
        if isinstance(rows, Faced):
            assert tuple(rows) == tuple(expected) and len(rows) == len(expected) and rows.face.apart
            for level in (DST, SRC):
                side = [group for group in rows.face.groups.values() if group.level == level]
                boxes = [row.at((rows.face.own, rows.face.own)).box for group in side for row in group.rows]
                assert not any(meet(a, b) for a, b in combinations(boxes, 2))
            faced += len(rows.face)
            closed += len(law.lists[0].face) - len(rows.face)  # type: ignore[attr-defined]
        else:
            assert tuple(rows) == tuple(expected) or any(isinstance(item, Block) for item in items(plain.lists[0]))
            assert difference(family, (rows,), expected) is None
            cut += 1
    assert faced > 2000 and cut > 60 and closed > 60


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_of_another_address_ahead_of_a_face_are_looked_at_with_it(family: Family) -> None:
    dice = random.Random(40 + family)
    stands = cut = 0
    for _ in range(150):
        mine = [BASE[family] + n for n in dice.sample((64, 65, 300, 7), 2)]
        own = [Entry(True, (ANY_PROTO, (a, a), (a, a), ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), ITSELF) for a in mine]
        facing = Facing(_policy(dice, family))
        other, face = map(facing.of, mine)
        if not (face and other):
            continue
        head = [*own, *(row for one in mine for row in facing.network.at(one)), *[*other.entries()][: dice.choice((1, 2, 99))]]
        rows = host_rows(Law(family, (Faced(items(listed(head)), face),)))
        assert tuple(rows) == tuple(host_rows(Law(family, (listed([*head, *face.entries()]),))))
        stands, cut = stands + isinstance(rows, Faced), cut + (not isinstance(rows, Faced))
    assert stands > 10 and cut > 10, (stands, cut)


def test_of_a_row_that_another_cuts_what_is_left_is_taken_where_it_is_of_its_protocol_and_has_room() -> None:
    here = BASE[4] + 64
    own = Entry(True, (ANY_PROTO, (here, here), (here, here), ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), ITSELF)
    far, near = (BASE[4], BASE[4] + 255), (here, here)
    log, plain = rule("log", "policy", False, True), rule("r", "policy", True, False)
    narrow = Entry(True, ((6, 6), near, far, (22, 22), ANY_PORT, ANY_BIT, (0, 0)), plain)
    wide = Entry(True, (ANY_PROTO, near, far, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), plain)
    shut = Entry(False, ((6, 6), near, far, (20, 30), ANY_PORT, ANY_BIT, (0, 0)), log)
    part = narrow.over((*narrow.box[:6], (0, 1)))
    other = narrow.over((narrow.box[0], (far[0], far[1] + 256), near, *narrow.box[3:]))
    for found, stands in (
        ([narrow], True), ([narrow, shut], True), ([shut, narrow], True), ([narrow, wide], False),
        ([narrow, other], True), ([part], False), ([wide, other], True), ([shut, other], True),
        ([narrow, shut, other], False), ([narrow, shut, narrow], False), ([wide, narrow, wide, shut, other], True),
    ):  # fmt: skip
        rows = host_rows(Law(4, (Faced([own], faces(found, here)),)))
        assert isinstance(rows, Faced) is stands
        assert tuple(rows) == tuple(host_rows(Law(4, ((own, *found),))))


def test_a_rule_of_many_ends_is_given_one_by_one_up_to_a_number_of_them() -> None:
    here = BASE[4] + 64
    sources = tuple((here + 2 * n, here + 2 * n) for n in range(1, MANY + 2))
    box = (6, 6), (here, here), sources[0], (22, 22), ANY_PORT, ANY_BIT, (0, 0)
    single = Entry(True, box, rule("r", "policy", True, False))
    sets = sets_of(single)
    for target in ((here, here), (here - 64, here + 63), (here - 3, here + 9)):
        for count, protos in ((MANY, (6, 6)), (MANY + 1, (6, 6)), (2, (6, 7)), (2, ANY_PROTO)):
            block = Block(((protos,), (target,), sources[:count], *sets[3:]), single)
            policy: list[Item] = [single, block, single.over((*single.box[:3], (23, 23), *single.box[4:]))]
            found = Facing(policy).of(here)
            assert (found is None) is (count > MANY or protos == (6, 7))
            assert found is None or [*found.entries()] == [*listed(Whole(policy).at(here))]


def test_a_rule_with_several_ends_around_an_address_is_given_once() -> None:
    """As one from all that is outside, and from a host in one of the gaps."""
    here = BASE[4] + 64
    box = (6, 6), (here + 5000, here + 5000), (here, here), (22, 22), ANY_PORT, ANY_BIT, (0, 0)
    single = Entry(True, box, rule("r", "policy", True, False))
    sets = sets_of(single)
    for mine in ((here, here), (here - 64, here + 63), (here - 3, here + 9), (here - 3, here + 900)):
        wide = (here - 9000, here - 600), (here + 1000, here + 3000), (here + 4000, 1 << 31)
        for more in (((here - 700, here - 600),), wide):
            for level in (DST, SRC):
                spans = tuple(sorted((mine, *more)))
                ends = (spans, sets[SRC]) if level == DST else (sets[DST], spans)
                policy: list[Item] = [Block((sets[PROTO], *ends, *sets[3:]), single)]
                for one in (here, here - 600, here + 1000, here - 300):
                    found = Facing(policy).of(one)
                    assert found is not None and [*found.entries()] == [*listed(Whole(policy).at(one))]


def test_what_the_network_says_behind_the_operator_is_no_group() -> None:
    here = BASE[4] + 64
    box = (6, 6), (here, here), (here, here + 3), (22, 22), ANY_PORT, ANY_BIT, (0, 0)
    written = Entry(True, box, rule("r", "policy", True, False))
    late = Entry(False, written.box, rule("own", "infrastructure", False, False))
    assert Facing([late, written]).of(here) and Facing([written, late]).of(here) is None


def test_a_host_of_two_addresses_in_rules_has_the_rows_of_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, Size(4, 60, 600))
    site = open_site(tmp_path, "big", date(2026, 1, 1))
    gates = [gate for gate in site.placement.gates if gate.kind == "filter-table"]
    site.laws.host(gates[0], 4)
    mine = [[spans for _, spans in site.laws._locals_by_realm(gate, 4)][-1] for gate in gates]
    for one, other in pairwise(mine):
        monkeypatch.setattr(site.laws, "_locals_by_realm", lambda _gate, _family, both=(one, other): [("prod", s) for s in both])
        expected = needed(site.laws._host_entries(gates[0], 4))
        assert tuple(site.laws.host(gates[0], 4).lists[0]) == tuple(listed(expected[0]))


@pytest.mark.parametrize("name", ["big", "dc1"])
def test_hosts_of_a_site_have_their_laws_in_groups(name: str, tmp_path: Path) -> None:
    write(tmp_path, Size(4, 60, 600))
    site = open_site(tmp_path if name == "big" else ROOT, name, date(2026, 1, 1))
    faced: list[Face] = []
    for gate in site.placement.gates:
        for family in gate.families if gate.kind == "filter-table" else ():
            law = site.laws.host(gate, family)
            expected = tuple(map(listed, needed(site.laws._host_entries(gate, family))))
            assert tuple(law.lists[0]) == tuple(expected[0])
            faced += [law.lists[0].face] if isinstance(law.lists[0], Faced) else []
        for table in tables(site.laws, [gate]) if gate.kind == "filter-table" and gate.stateful else ():
            assert tuple(table.rows) == tuple(host_rows(Law(table.family, (tuple(table.law.lists[0]),))))
    groups = [id(group) for face in faced for group in face.groups.values()]
    assert len(faced) > (50 if name == "big" else 0) and len(set(groups)) < len(groups)


MANAGED = """tier: 5000
policy:
  - {name: polls, from: [management], to: [management], service: [tcp/9100], action: allow, reason: monitoring, owner: ops}
"""


def test_a_rule_of_one_realm_changes_no_row_of_another(tmp_path: Path) -> None:
    write(tmp_path, Size(4, 60, 600))
    rows: list[dict[str, set[Entry]]] = []
    for _ in range(2):
        site = open_site(tmp_path, "big", date(2026, 1, 1))
        gates = [gate for gate in site.placement.gates if gate.kind == "filter-table"]
        found = {gate.name: {row for table in tables(site.laws, [gate]) for row in table.rows} for gate in gates}
        rows.append(found)
        (tmp_path / "inventory/big/policy/managed.yaml").write_text(MANAGED)
    plain, managed = rows
    assert any(row.rule.name == "polls" for of in managed.values() for row in of)
    for name, of in plain.items():
        realms = {row.rule.name for row in managed[name] - of}
        assert realms <= {"polls", "infrastructure addresses"}
        assert {row for row in of if row.rule.origin == "policy"} <= managed[name]


@pytest.mark.parametrize("origin", ["observe", "policy"])
def test_a_face_tells_whether_rules_of_the_policy_only_observe(origin: str) -> None:
    dice = random.Random(8)
    rules = [item(dice, BASE[4], 0), item(dice, BASE[4], 1, origin, 1.0), item(dice, BASE[4], 2)]
    faces_ = [found for found in map(Facing(rules).of, range(BASE[4], BASE[4] + 64)) if found]
    assert faces_ and all(face.observes is (origin == "observe") for face in faces_)


def test_hosts_without_an_address_of_a_family_have_one_law_and_its_rows(tmp_path: Path) -> None:
    write(tmp_path, Size(4, 60, 600))
    site = open_site(tmp_path, "big", date(2026, 1, 1))
    found: dict[tuple[Family, bool], set[int]] = {}
    for gate in (one for one in site.placement.gates if one.kind == "filter-table"):
        for family in FAMILIES:
            others = tuple((of, span) for of, span in gate.locals if of != family)
            for locals_ in (others, (*others, (10 - family, (5, 6)))):
                law = site.laws.host(replace(gate, locals=locals_), family)
                expected = needed(site.laws._host_entries(replace(gate, locals=locals_), family))
                assert law == Law(family, tuple(map(listed, expected))) and host_rows(law) is law.lists[0]
                (table,) = tables(site.laws, [replace(gate, locals=locals_, families=(family,))])
                assert table.law is law and table.rows is law.lists[0]
                found.setdefault((family, locals_ != others), set()).add(id(law))
    assert [len(laws) for laws in found.values()] == [1, 1, 1, 1]


def test_a_hosts_rows_are_the_same_whoever_asked_before() -> None:
    (like,) = open_site(ROOT, "dc1", date(2026, 11, 24)).placement.owners["client1"]
    seen = 0
    for seed in range(120):
        site = inventory(random.Random(seed))
        try:
            policy = expand(site)
        except Refused:
            continue
        ends = {host.name: [(family_of(a), (int(a), int(a))) for a in host.workloads[0].addresses] for host in site.hosts}
        gates = [replace(like, name=name, owner=name, locals=tuple(of)) for name, of in ends.items()]
        found = []
        for order in (gates, gates[::-1]):
            laws = Laws(site, policy)
            found.append({(t.gate.name, t.family): tuple(t.rows) for gate in order for t in tables(laws, [gate])})
        assert found[0] == found[1]
        seen += len(found[0])
    assert seen > 100, seen
