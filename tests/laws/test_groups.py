"""Laws of blocks and groups: they mean exactly their single rows, from the rule to the text and on the way between two."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from configlet.fit.acl import acl_rows
from configlet.fit.budget import cost
from configlet.fit.host import host_rows
from configlet.fit.law import Scope, at_locals, routed_lists
from configlet.fit.tables import fitted
from configlet.lab.parsers import ios as lab
from configlet.model.block import Block, Listed, items, listed
from configlet.model.gate import Artifact, Gate, Law, Proof, Table
from configlet.model.inventory import Term
from configlet.model.net import Span, addresses
from configlet.model.policy import Entry, Packet, Policy, Rule
from configlet.model.problem import Place, Refused
from configlet.packets import trim
from configlet.packets.atoms import difference
from configlet.packets.blocks import blocks
from configlet.packets.boxes import packet_of
from configlet.packets.entries import entries
from configlet.packets.trim import trimmed
from configlet.packets.verdict import first, passes
from configlet.packets.walk import differ
from configlet.plan.recipes import way
from configlet.plan.recipes_lists import Impossible, Lists, Step, Unit, after
from configlet.prove import prove
from configlet.readers import read
from configlet.render import render
from tests.builders import platform, span
from tests.cli_run import DAY, configlet
from tests.lab.cli_bench import make_ios, shell
from tests.planted import switch_hits
from tests.product_site import product_site

NET = 0x0A000000
HERE = (NET, NET + 255)
IOS = platform("ios")
WORD = "acl"


def policy(dice: random.Random, rules: int) -> Policy:
    """Rules between scattered addresses of a small space, with services that touch and services that do not."""
    return Policy(tuple(_rule(dice, number) for number in range(rules)), ("r",))


def _rule(dice: random.Random, number: int) -> Rule:
    def ends() -> list[tuple[str, int, Span]]:
        starts = [NET + dice.randrange(0, 600) for _ in range(dice.randint(1, 6))]
        return [("r", 4, (low, low + dice.choice([0, 0, 1, 3, 15]))) for low in starts]

    def term() -> Term:
        proto = dice.choice([6, 6, 6, 17, 1, 47, None])
        low = dice.choice([20, 21, 22, 53, 80, 81])
        if proto == 1:
            return Term(1, dport=(2048, 2303)) if dice.random() < 0.5 else Term(1)
        if proto in (6, 17):
            sport = (1024, 65535) if dice.random() < 0.2 else (0, 65535)
            return Term(proto, sport, (low, low + dice.choice([0, 0, 2])))
        return Term(proto)

    terms = tuple(dict.fromkeys(term() for _ in range(dice.randint(1, 4))))
    action = "allow" if dice.random() < 0.7 else "deny"
    source, destination = addresses(ends()), addresses(ends())  # type: ignore[arg-type]
    place = Place("policy.yaml", number + 1, 3)
    return Rule(f"r{number}", "policy", action, source, destination, terms, False, place)  # type: ignore[arg-type]


def packets(dice: random.Random, rules: Policy, count: int) -> Iterator[Packet]:
    """Packets at the edges of what the rules name."""
    ends = sorted(
        {
            edge
            for rule in rules.rules
            for side in (rule.source, rule.destination)
            for low, high in side.of("r", 4)
            for edge in (low - 1, low, high, high + 1)
        }
        | {HERE[0], HERE[1], HERE[1] + 1}
    )
    ports = [19, 20, 21, 22, 23, 24, 53, 54, 80, 81, 82, 83, 1023, 1024]
    for _ in range(count):
        proto, fragment = dice.choice([6, 6, 6, 17, 1, 47, 200]), dice.random() < 0.1
        ported = proto in (6, 17) and not fragment
        dport = dice.choice(ports) if ported else dice.choice([0, 2048, 2050, 13 * 256]) if proto == 1 and not fragment else 0
        sport = dice.choice(ports) if ported else 0
        flag = proto == 6 and not fragment and dice.random() < 0.5
        yield Packet("r", 4, proto, dice.choice(ends), dice.choice(ends), sport, dport, flag, fragment)


def permits(rows: Sequence[Entry], packet: Packet) -> bool:
    hit = first(rows, packet)
    return hit is not None and hit.permit


def test_blocks_of_a_policy_mean_its_entries() -> None:
    dice = random.Random(3)
    seen = 0
    for _ in range(40):
        rules = policy(dice, dice.randint(1, 6))
        whole, single = listed(blocks(rules, "r", 4)), entries(rules, "r", 4)
        seen += isinstance(whole, Listed)
        for packet in packets(dice, rules, 120):
            assert permits(whole, packet) == permits(single, packet), packet
    assert seen > 25


@pytest.mark.parametrize("match", [False, True])
@pytest.mark.parametrize("direction", ["in", "out"])
def test_laws_and_rows_of_blocks_pass_what_those_of_entries_pass(direction: str, match: bool) -> None:
    dice = random.Random(5)
    scope = Scope((HERE,), (), match)
    kept = 0
    for _ in range(40):
        rules = policy(dice, dice.randint(1, 6))
        law = Law(4, routed_lists(listed(blocks(rules, "r", 4)), scope, direction, 4))
        single = Law(4, routed_lists(entries(rules, "r", 4), scope, direction, 4))
        try:
            rows = acl_rows(law)
        except Refused as error:
            assert match and "Fragments" in str(error)
            rows = None
        kept += isinstance(rows, Listed)
        for packet in packets(dice, rules, 120):
            expected = passes(single, packet)[0]
            assert passes(law, packet)[0] == expected, packet
            if rows is not None:
                assert permits(rows, packet) == expected, packet
    assert kept > 10


def test_rows_of_a_hosts_blocks_are_disjoint_and_pass_what_its_entries_pass() -> None:
    dice = random.Random(7)
    for _ in range(40):
        rules = policy(dice, dice.randint(1, 6))
        mine = ((NET + 16, NET + 16), (NET + 64, NET + 80))
        rows = host_rows(Law(4, (at_locals(listed(blocks(rules, "r", 4)), mine),)))
        single = at_locals(entries(rules, "r", 4), mine)
        for packet in packets(dice, rules, 120):
            hits = [row for row in rows if first([row], packet)]
            assert len(hits) <= 1
            assert any(row.permit for row in hits) == permits(single, packet), packet


def test_lists_over_atoms_differ_exactly_where_their_rows_do() -> None:
    dice = random.Random(11)
    found = {True: 0, False: 0}
    for _ in range(150):
        rules = policy(dice, dice.randint(1, 4))
        one = listed(blocks(rules, "r", 4))
        other = entries(rules, "r", 4)
        if dice.random() < 0.6:
            at = dice.randrange(len(other))
            flipped = replace(other[at], permit=not other[at].permit)
            other = (*other[:at], *((flipped,) if dice.random() < 0.5 else ()), *other[at + 1 :])
        got, expected = difference(4, (one,), other), difference(4, (tuple(one),), other)
        found[got is None] += 1
        assert (got is None) == (expected is None)
        if got is not None:
            packet = packet_of(4, "r", got)  # type: ignore[arg-type]
            assert permits(one, packet) != permits(other, packet), packet
    assert min(found.values()) > 25


def test_rows_that_decide_nothing_are_taken_out_and_the_rest_passes_the_same() -> None:
    dice = random.Random(19)
    top, fewer = (1 << 32) - 1, 0
    for _ in range(150):
        rules = policy(dice, dice.randint(1, 4))
        rows = []
        for entry in entries(rules, "r", 4):
            wide = entry.box[3] == entry.box[4] == (0, 65535)
            fragment = dice.choice([(0, 0), (0, 1), (1, 1)]) if wide else (0, 0)
            rows.append(entry.over((*entry.box[:6], fragment)))  # type: ignore[arg-type]
        every = ((0, 255), (0, top), (0, top), (0, 65535), (0, 65535), (0, 1))
        for _ in range(dice.randint(0, 2)):
            line = replace(rows[0], permit=dice.random() < 0.4, box=(*every, dice.choice([(1, 1), (1, 1), (0, 1)])))
            rows.insert(dice.randint(0, len(rows)), line)
        left = trimmed(4, rows)
        fewer += len(left) < len(rows)
        assert differ(4, (rows,), left) is None
        for packet in packets(dice, rules, 40):
            hit, kept = first(rows, packet), first(left, packet)
            assert (hit is not None and hit.permit) == (kept is not None and kept.permit), packet
    assert fewer > 60


def test_of_many_denies_only_what_a_later_permit_meets_is_kept() -> None:
    dice, told = random.Random(31), Counter[str]()
    ends, ports = [(1, 1), (2, 3), (1, 9)], [(22, 22), (22, 22), (80, 90), (80, 80), (0, 65535)]
    protos = [(6, 6), (6, 6), (17, 17), (2, 255), (0, 255)]
    for _ in range(800):
        boxes = [(dice.choice(protos), dice.choice(ends), dice.choice(ends), dice.choice(ports)) for _ in range(7)]
        rows = [trim.Cell(dice.random() < 0.5, (*box, (0, 65535), (0, 1), (0, 0))) for box in boxes]
        left = trim.met(rows)
        assert differ(4, (rows,), left) is None, rows
        told.update(gone=len(rows) - len(left), narrower=len(set(left) - set(rows)))
    assert min(told.values()) > 100, told


@pytest.mark.parametrize("match", [False, True])
def test_rows_and_law_are_equal_over_the_whole_packet_space(match: bool) -> None:
    dice = random.Random(17)
    seen = 0
    for _ in range(60):
        rules = policy(dice, dice.randint(2, 8))
        direction = dice.choice(["in", "out"])
        single = Law(4, routed_lists(entries(rules, "r", 4), Scope((HERE,), (), match), direction, 4))
        law = Law(4, routed_lists(listed(blocks(rules, "r", 4)), Scope((HERE,), (), match), direction, 4))
        try:
            rows = acl_rows(law)
        except Refused:
            continue
        seen += 1
        assert difference(4, single.lists, rows) is None
    assert seen > 20


def test_a_reply_that_a_deny_meets_before_the_permit_around_it_is_still_said() -> None:
    here, there = (addresses([("r", 4, low)]) for low in (HERE, (NET + 512, NET + 767)))
    place = Place("policy.yaml", 1, 3)

    def rule(name: str, action: str, ends: tuple[object, object], term: Term) -> Rule:
        return Rule(name, "policy", action, *ends, (term,), False, place)  # type: ignore[arg-type]

    rules = Policy(
        (
            rule("no shell", "deny", (here, there), Term(6, dport=(22, 22))),
            rule("all out", "allow", (here, there), Term(None)),
            rule("back in", "allow", (there, here), Term(6)),
        ),
        ("r",),
    )
    law = Law(4, routed_lists(entries(rules, "r", 4), Scope((HERE,), (), False), "in", 4))
    assert passes(law, Packet("r", 4, 6, NET + 1, NET + 512, 5000, 22, established=True))[0]
    assert difference(4, law.lists, acl_rows(law)) is None


def test_sets_that_leave_nothing_out_are_the_whole_dimension() -> None:
    top = (1 << 32) - 1
    one = entries(product(1, 1, 1), "r", 4)[0]

    def block(*sources: Span) -> Block[Entry]:
        whole = ((0, 255),), ((0, top),), tuple(sources), ((0, 65535),), ((0, 65535),), ((0, 1),), ((0, 0),)
        return Block(whole, one)

    everything = (one.over(((0, 255), (0, top), (0, top), (0, 65535), (0, 65535), (0, 1), (0, 0))),)
    parts = listed([block((0, 4), (9, top)), block((5, 6), (8, 8)), block((7, 7), (7, 7))])
    assert difference(4, (everything,), parts) is None
    for last in (top - 1, top - 2):
        found = difference(4, (everything,), listed([block((0, 4), (6, last)), block((5, 5), (5, 5))]))
        assert found is not None and found[2] == (last + 1, top)  # type: ignore[index]


def test_an_entry_with_groups_means_its_product_and_the_fragments_of_its_addresses() -> None:
    far, near = [f"11.0.{2 * n}.0" for n in range(9)], [f"10.1.0.{2 * n + 1}" for n in range(9)]
    text = "\n".join(
        [
            "object-group network cfglt-far",
            *(f" {address} 255.255.255.0" for address in far),
            "object-group network cfglt-near",
            *(f" host {address}" for address in near),
            "ip access-list extended cfglt-x-v4",
            " 10 permit tcp object-group cfglt-far object-group cfglt-near eq 80",
            "interface Vlan120",
            " ip access-group cfglt-x-v4 in",
        ]
    )
    lines = read(IOS, WORD, text, "text").lists["Vlan120", "in", 4]
    assert isinstance(lines, Listed)
    ends = {(span(a, 4), span(f"{b}/24", 4)) for a in near for b in far}
    whole, whatever = (80, 80), (0, 65535)
    expected = {((6, 6), a, b, whole, whatever, (0, 1), (0, 0)) for a, b in ends}
    expected |= {((6, 6), a, b, whatever, whatever, (0, 1), (1, 1)) for a, b in ends}
    assert {line.box for line in lines} == expected and len(lines) == len(expected)


def test_no_step_touches_a_group_that_a_list_names() -> None:
    unit = Unit(10, "permit ip object-group cfglt-a any")
    group = ("network", "cfglt-a")
    held = Lists({(4, "cfglt-x-v4"): (unit,)}, {}, {group: ("any",)})
    for verb in ("define", "forget"):
        with pytest.raises(Impossible, match="in use"):
            after(held, Step(verb, (0, ""), group=group, members=("host 10.0.0.1",)))  # type: ignore[arg-type]
    with pytest.raises(Impossible, match="not there"):
        after(Lists({}, {}), Step("add", (4, "cfglt-x-v4"), unit))


def table(rules: Policy, direction: str = "out", scope: Span = (NET + 0x10000, NET + 0x1FFFF)) -> Table:
    """A gate's table, with groups from the first line on that they save."""
    law = Law(4, routed_lists(listed(blocks(rules, "r", 4)), Scope((scope,), (), False), direction, 4))
    capability = replace(IOS.kinds[WORD].capability, groups_from=1)
    gate = Gate("leaf1/Vlan120/v4", "leaf1", "ios", "acl", "Vlan120", direction, (4,), "r", ("servers",), capability)  # type: ignore[arg-type]
    return Table(gate, "r", 4, law, fitted(acl_rows(law), gate, 4))


@cache
def product(sources: int = 9, services: int = 4, destinations: int = 9, shift: int = 0) -> Policy:
    """One rule of so many ends and ports, none of which join."""
    far = addresses(("r", 4, (0x0B000000 + 32 * n, 0x0B000000 + 32 * n + 15)) for n in range(shift, shift + sources))
    near = addresses(("r", 4, (NET + 0x10001 + 2 * n,) * 2) for n in range(destinations))
    terms = tuple(Term(6, dport=(1000 + 3 * n,) * 2) for n in range(services))
    return Policy((Rule("many", "policy", "allow", far, near, terms, False, Place("policy.yaml", 7, 3)),), ("r",))


def proofs(artifact: Artifact, text: str | None = None) -> list[Proof]:
    said = artifact.text if text is None else text
    return list(prove(replace(artifact, text=said), read(IOS, WORD, said, "text")))


@pytest.mark.parametrize("direction", ["in", "out"])
def test_a_product_becomes_groups_that_are_counted_both_ways_and_proved(direction: str) -> None:
    made = table(product(), direction)
    counted = cost(made)
    artifact = render("leaf1", IOS, WORD, [made])
    lines = [line for line in artifact.text.splitlines() if line.startswith(" ") and "remark" not in line]
    assert counted.held == 9 * 4 * 9
    # Two lines are written of every list, and one binds it.
    assert counted.typed == len(lines) - 3 + artifact.text.count("\nobject-group") + artifact.text.startswith("object-group")
    assert counted.typed < 40
    assert [proof.verdict for proof in proofs(artifact)] == ["PROVED"]


def test_random_rules_as_groups_come_back_and_the_simulated_switch_agrees() -> None:
    dice = random.Random(13)
    named = 0
    for _ in range(25):
        rules = policy(dice, dice.randint(1, 4))
        made = table(rules, dice.choice(["in", "out"]), HERE)
        artifact = render("leaf1", IOS, WORD, [made])
        named += artifact.text.count("object-group network")
        assert [proof.verdict for proof in proofs(artifact)] == ["PROVED"], artifact.text
        aces = lab.read(artifact.text).acls[4, f"cfglt-Vlan120-{made.gate.direction}-v4"]
        for packet in packets(dice, rules, 60):
            passed = next((ace.permit for ace in aces if switch_hits(ace, packet)), False)
            assert passed == passes(made.law, packet)[0], packet
    assert named > 20


FAULTS = {
    "a member lost": (" host 10.1.0.1\n", ""),
    "a member widened": (" 11.0.0.0 255.255.255.240\n", " 11.0.0.0 255.255.255.224\n"),
    "a service lost": (" tcp eq 1003\n", ""),
    "another port": (" tcp eq 1003\n", " tcp eq 1004\n"),
    "another protocol": (" tcp eq 1003\n", " udp eq 1003\n"),
    "a range for a port": (" tcp eq 1003\n", " tcp range 1003 1004\n"),
    "any for a member": (" host 10.1.0.1\n", " any\n"),
    "a wildcard in a group": (" 11.0.0.0 255.255.255.240\n", " 11.0.0.0 0.0.0.15\n"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_in_a_group_is_refuted_or_refused(fault: tuple[str, str]) -> None:
    old, new = fault
    artifact = render("leaf1", IOS, WORD, [table(product())])
    assert old in artifact.text
    try:
        found = proofs(artifact, artifact.text.replace(old, new, 1))
    except Refused as error:
        assert "netmask" in str(error)
        return
    assert [proof.verdict for proof in found] == ["REFUTED"]
    assert found[0].witnesses


def test_ends_of_an_entry_with_groups_exchanged_are_refuted() -> None:
    artifact = render("leaf1", IOS, WORD, [table(product())])
    (entry,) = [line for line in artifact.text.splitlines() if line.count("object-group") == 3]
    words = entry.split()
    turned = " " + " ".join([*words[:4], *words[6:8], *words[4:6]])
    assert [p.verdict for p in proofs(artifact, artifact.text.replace(entry, turned))] == ["REFUTED"]


def text_of(rules: Policy) -> str:
    return render("leaf1", IOS, WORD, [table(rules)]).text


def entered(switch: object, text: str) -> str:
    """A text entered line by line into the simulated switch, each line taken; and what it then shows."""
    lines = [line.strip() for line in text.splitlines() if line.strip("! ")]
    said = shell(switch, "enable", "configure terminal", *lines, "end", "show running-config")
    refused = [line for line, answer in zip(lines, said[2:], strict=False) if "%" in answer]
    assert not refused, refused
    return said[-1]


def test_a_group_in_use_is_never_edited_and_both_ways_are_taken_by_the_switch() -> None:
    from configlet.readers.sections import owned

    kind = IOS.kinds[WORD]
    old, new = (read(IOS, WORD, text_of(product(shift=shift)), "text") for shift in (0, 1))
    switch = make_ios()
    shown = entered(switch, text_of(product()))
    assert read(IOS, WORD, owned(IOS, WORD, shown), "shown").canonical == old.canonical
    found = way(kind, read(IOS, WORD, owned(IOS, WORD, shown), "shown"), new)
    groups = {line for line in text_of(product()).splitlines() if line.startswith("object-group")}
    defined = [line for line in found.load.splitlines() if line.startswith("object-group")]
    assert defined and not groups & set(defined)
    shown = entered(switch, found.load)
    running = read(IOS, WORD, owned(IOS, WORD, shown), "shown")
    assert running.canonical == new.canonical
    back = way(kind, running, old)
    assert read(IOS, WORD, owned(IOS, WORD, entered(switch, back.load)), "shown").canonical == old.canonical


def test_a_group_that_somebody_edited_in_use_is_seen_and_not_mended_step_by_step() -> None:
    right, wrong = (text_of(product()), text_of(product()).replace(" host 10.1.0.1\n", "", 1))
    desired, running = (read(IOS, WORD, text, "text") for text in (right, wrong))
    assert desired.canonical != running.canonical
    with pytest.raises(Refused, match="changed in use"):
        way(IOS.kinds[WORD], running, desired)


def test_a_product_too_large_for_a_list_without_groups_is_refused_with_count_limit_and_place(tmp_path: Path) -> None:
    product_site(tmp_path, "eos", 30, 5, 30)
    ended = configlet("check", "dc9", "--at", DAY, cwd=tmp_path)
    assert ended.returncode == 3
    said = ended.stdout + ended.stderr
    assert "needs 4,5" in said and "has room for 4,000" in said
    assert '"far to near" 4,500 (inventory/dc9/policy.yaml:7:5)' in said


def test_as_groups_the_same_product_is_proved_where_the_hardware_holds_it_and_else_refused(tmp_path: Path) -> None:
    for hardware in (0, 10000):
        root = tmp_path / str(hardware)
        root.mkdir()
        product_site(root, "ios", 30, 5, 30, hardware=hardware)
        ended = configlet("check", "dc9", "--at", DAY, cwd=root)
        said = ended.stdout + ended.stderr
        if hardware:
            assert ended.returncode == 0 and "8 of 8 PROVED" in said, said
        else:
            assert ended.returncode == 3
            assert "lines and takes 2,000; with its groups expanded it needs 4,5" in said


def test_rows_that_are_looked_at_one_by_one_are_those_of_the_block() -> None:
    block = Block(
        (((6, 6),), ((1, 1), (3, 4)), ((7, 7), (9, 9)), ((80, 80), (90, 91)), ((0, 65535),), ((0, 1),), ((0, 0),)),
        entries(product(1, 1, 1), "r", 4)[0],
    )
    rows = listed([block, *entries(product(1, 1, 1), "r", 4)])
    assert len(rows) == 9 == len(tuple(rows)) and rows[-1] == tuple(rows)[-1]
    assert [row.box[1:4] for row in rows][:3] == [
        ((1, 1), (7, 7), (80, 80)),
        ((3, 4), (7, 7), (80, 80)),
        ((1, 1), (9, 9), (80, 80)),
    ]
    assert items(rows)[0] is block
