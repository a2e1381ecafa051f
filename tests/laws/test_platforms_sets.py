"""Laws of sets of addresses in a Linux router's rules: products become sets, are proved, and the kernel shows the same."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from configlet.fit.acl import acl_rows
from configlet.fit.budget import cost
from configlet.fit.law import Scope
from configlet.fit.tables import fitted
from configlet.model.block import listed
from configlet.model.gate import Artifact, Gate, Law, Table
from configlet.model.inventory import Term
from configlet.model.net import FAMILIES, Family, Span, addresses
from configlet.model.policy import Policy, Rule
from configlet.model.problem import Place, Refused
from configlet.packets.blocks import blocks
from configlet.readers import read, running
from configlet.render import render
from tests.builders import platform, routed_lists
from tests.laws.test_import import same_chains
from tests.laws.test_platforms_all import mutants
from tests.laws.test_platforms_kernel import SCRIPTS, TOOLS, meant
from tests.policies import differs, verdicts

IPT = platform("iptables")
POLICIES, MUTANTS = (int(os.environ.get(f"CONFIGLET_{name}", least)) for name, least in (("POLICIES", "4"), ("MUTANTS", "10")))
NET: dict[Family, int] = {4: 0x0A000000, 6: 0x20010DB8 << 96}
ANY_PORT = (0, 65535)


def policy(dice: random.Random, family: Family) -> Policy:
    """Rules between sets of scattered addresses, hosts, prefixes and spans that are none, that partly meet."""

    def ends(base: int) -> list[tuple[str, Family, Span]]:
        lows = [NET[family] + base + dice.randrange(900) for _ in range(dice.randint(1, 7))]
        return [("r", family, (low, low + dice.choice((0, 0, 1, 3, 15)))) for low in lows]

    def term() -> Term:
        proto = dice.choice((6, 6, 17, {4: 1, 6: 58}[family], 47))
        low = dice.choice((22, 53, 80))
        if proto in (6, 17):
            return Term(proto, dice.choice((ANY_PORT, ANY_PORT, (1024, 65535))), (low, low + dice.choice((0, 2))))
        return Term(proto)

    def rule(number: int) -> Rule:
        terms = tuple(dict.fromkeys(term() for _ in range(dice.randint(1, 3))))
        far, near = addresses(ends(0)), addresses(ends(0x10000))
        source, destination = (far, near) if dice.random() < 0.5 else (near, far)
        action = "allow" if dice.random() < 0.7 else "deny"
        place = Place("policy.yaml", number + 1, 3)
        return Rule(f"r{number}", "policy", action, source, destination, terms, dice.random() < 0.2, place)  # type: ignore[arg-type]

    return Policy(tuple(rule(number) for number in range(dice.randint(1, 4))), ("r",))


def table(dice: random.Random, family: Family) -> Table:
    direction = dice.choice(("in", "out"))
    scope = Scope(((NET[family] + 0x10000, NET[family] + 0x1FFFF),), (), False)
    law = Law(family, routed_lists(listed(blocks(policy(dice, family), "r", family)), scope, direction, family))
    capability = replace(IPT.kinds["acl"].capability, groups_from=1)
    gate = Gate(f"r1/Vlan120/v{family}", "r1", "iptables", "acl", "Vlan120", direction, (family,), "r", ("s",), capability)
    return Table(gate, "r", family, law, fitted(acl_rows(law), gate, family))


def artifact(seed: int) -> Artifact:
    dice = random.Random(seed)
    return render("r1", IPT, "acl", [table(dice, family) for family in FAMILIES])



def test_a_random_policy_with_sets_is_proved() -> None:
    seen: Counter[str] = Counter()
    for seed in range(POLICIES):
        made = artifact(seed)
        reading, found = verdicts(made, IPT)
        assert found == {"PROVED"}, made.text
        assert (reading.read, reading.total) == (made.text.count("\n"),) * 2
        assert not differs(made, reading, random.Random(seed), 200)
        seen.update(re.findall(r"family inet6?|--match-set \S+ (?:src|dst)$|src|dst|Vlan", made.text))
        same_chains(running(IPT, "acl", made.text, "running"), reading)
    assert min(seen[word] for word in ("family inet", "family inet6", "src", "dst")) > 0, seen


def test_a_text_with_sets_that_went_wrong_is_refuted_or_refused() -> None:
    dice, caught = random.Random(11), 0
    sound = [artifact(seed) for seed in range(2)]
    for _ in range(MUTANTS * 20):
        if caught >= MUTANTS:
            break
        made = dice.choice(sound)
        text = mutants(made.text, dice)
        try:
            reading, found = verdicts(replace(made, text=text), IPT)
        except Refused as refused:
            assert refused.problems[0].place is not None
            caught += 1
            continue
        if found == {"PROVED"}:
            assert not differs(replace(made, text=text), reading, dice, 300), text
        caught += found != {"PROVED"}
    assert caught >= MUTANTS


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (" src", " dst"),
        (r"(--match-set \S+) src (.*--match-set \S+) dst", r"\1 dst \2 src"),
        (r" -m set --match-set \S+ src", ""),
        (r"flush (.*)\nadd .*\n", r"flush \1\n"),
        (r"/32\b", "/31"),
        (r"swap .*\n", ""),
        ("inet6 ", "inet "),
        ("hash:net", "hash:ip"),
        (r"--match-set \S+", "--match-set cfglt-0"),
        ("maxelem 65536", "maxelem 1"),
        (r"(-m set --match-set \S+ src)", r"! \1"),
    ],
)
def test_a_planted_fault_of_sets_is_caught(right: str, wrong: str) -> None:
    made = artifact(1)
    text = re.sub(right, wrong, made.text)
    assert text != made.text
    try:
        assert verdicts(replace(made, text=text), IPT)[1] & {"REFUTED", "UNKNOWN"}
    except Refused as refused:
        assert refused.problems[0].place is not None


def test_sets_are_written_where_they_are_shorter_and_counted() -> None:
    for seed in range(3):
        for family in FAMILIES:
            made = table(random.Random(seed), family)
            text = render("r1", IPT, "acl", [made]).text
            single = render("r1", IPT, "acl", [replace(made, rows=tuple(made.rows))]).text
            sets = set(re.findall(r"^swap \S+ (\S+)", text, re.MULTILINE))
            named = set(re.findall(r"--match-set (\S+)", text))
            assert sets == named
            rules = [line for line in text.splitlines() if line.startswith("-A cfglt") and " -j LOG" not in line]
            ours = [line for line in rules if not re.search(r'-g |--comment "(?:fragments|default deny)"', line)]
            assert len(ours) + text.count("\nadd ") + len(sets) <= cost(made).typed
            assert not sets or text.count("\n") - 5 * len(sets) < single.count("\n")


def test_the_kernel_takes_sets_twice_and_shows_the_same_lists(tmp_path: Path) -> None:
    if any(shutil.which(tool) is None for tool in TOOLS["iptables"]):
        pytest.skip(f"{' '.join(TOOLS['iptables'])} are not all here")
    made = next(one for one in map(artifact, range(9)) if "inet " in one.text and "inet6 " in one.text)
    command = ["unshare", "-rn", "sh", "-c", SCRIPTS["iptables"]]
    ended = subprocess.run(command, input=made.text, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr + made.text
    shown = read(IPT, "acl", ended.stdout, "shown")
    assert shown.read == shown.total
    assert meant(shown) == meant(read(IPT, "acl", made.text, "text"))
    assert verdicts(replace(made, text=ended.stdout), IPT)[1] == {"PROVED"}
