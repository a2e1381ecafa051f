"""Laws of groups: they mean exactly their single rows, from the rule to the text and on the way between two."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from configlet.fit.acl import acl_rows
from configlet.fit.budget import cost
from configlet.fit.law import Scope
from configlet.fit.tables import fitted
from configlet.lab.parsers import ios as lab
from configlet.model.block import Listed, listed
from configlet.model.gate import Artifact, Gate, Law, Proof, Table
from configlet.model.net import Span
from configlet.model.policy import Policy
from configlet.model.problem import Refused
from configlet.packets.blocks import blocks
from configlet.packets.verdict import passes
from configlet.plan.recipes import way
from configlet.plan.recipes_lists import Impossible, Lists, Step, Unit, after
from configlet.prove import prove
from configlet.readers import read
from configlet.render import render
from tests.builders import platform, routed_lists, span
from tests.cli_run import DAY, configlet
from tests.lab.cli_bench import make_ios, shell
from tests.laws.made.rules import HERE, NET, packets, policy, product
from tests.planted import switch_hits
from tests.product_site import product_site

IOS = platform("ios")
WORD = "acl"


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
    assert counted.typed == len(lines) - 3 + artifact.text.count("\nobject-group") + artifact.text.startswith(
        "object-group"
    )
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
