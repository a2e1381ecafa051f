"""Laws of every platform that is found: a random policy is proved on it or truly refused, and no faulty text passes."""

from __future__ import annotations

import os
import random
import re
from dataclasses import replace
from functools import cache
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from configlet.model.gate import Artifact
from configlet.model.platform import Platform
from configlet.model.policy import ANY_PORT, Box
from configlet.model.problem import Refused
from tests.policies import ALL, ICMP, IDS, KINDS, Case, asks, cases, differs, entries_of, text_of, verdicts

POLICIES = int(os.environ.get("CONFIGLET_POLICIES", "3"))
SEED = int(os.environ.get("CONFIGLET_SEED", "20261124"))
"""Of the policies that are drawn: another number shows others."""
MUTANTS = int(os.environ.get("CONFIGLET_MUTANTS", "3"))
PORTED = ((6, 6), (17, 17))
COMMON = {1, 6, 17, 58}


def true(refused: Refused, case: Case, known: Platform, kind: str) -> bool:
    """Whether the policy, and in it the rule that the refusal names, asks for what the platform is said to lack."""
    said = str(refused)
    if "longer than its numbers" in said:
        return longer(case, known, kind)
    if "looked up first" in said:
        return kind == "filter-table" and crossed(case)
    named = re.search(r'The rule "rule (\d+)" gives a row', said)
    assert named, said
    number = int(named[1])
    rule = replace(case, lines={f: lines[number - 1 : number] for f, lines in case.lines.items()})
    names = [key for key, sentence in known.refusals.items() if sentence.rstrip(".") in said]
    # A rule of every protocol has rows for those that other rules name.
    others = {p[0] for lines in case.lines.values() for line in lines for p, _, _ in line.services if p[0] == p[1]} - COMMON
    wants = {
        "log": asks(rule, lambda line, _: line.log),
        "icmp": asks(rule, lambda line, f: any(p[0] <= ICMP[f] <= p[1] for p, _, _ in line.services)),
        "icmp-code": asks(case, lambda line, f: any(p == (ICMP[f],) * 2 and d[0] == d[1] for p, d, _ in line.services))
        and asks(rule, lambda line, f: any(p[0] <= ICMP[f] <= p[1] for p, _, _ in line.services)),
        "protocol": asks(rule, lambda line, _: any(p[0] <= other <= p[1] for p, _, _ in line.services for other in others)),
        "fragments": case.fragments
        or asks(rule, lambda line, _: line.permit and any(p not in PORTED and d == s == ANY_PORT for p, d, s in line.services)),
        "port-zero": asks(rule, lambda line, _: any(d[0] == 0 or s[0] == 0 for _, d, s in line.services)),
    }
    return bool(names) and all(wants.get(key, False) for key in names)


def crossed(case: Case) -> bool:
    """Whether a permit and a deny of one family have packets in common, so that their order decides."""
    return any(
        one.permit and not two.permit and meets(one.box, two.box)
        for family, lines in case.lines.items()
        for one, two in permutations(entries_of(lines, family), 2)
    )


def meets(one: Box, two: Box) -> bool:
    return all(low <= top and bottom <= high for (low, high), (bottom, top) in zip(one, two, strict=True))


def longer(case: Case, known: Platform, kind: str) -> bool:
    """Whether a list has more entries than the platform's numbers from the first one on: written with more, it is read."""
    said = known.kinds[kind]
    sequence = said.operands["sequence"]
    endless = {**sequence, "lowest": -(1 << 40), "highest": 1 << 40, "first": 1_500_000_000}
    made = replace(known, kinds={kind: replace(said, operands={**said.operands, "sequence": endless})})
    numbers = abs((sequence["highest"] if sequence["step"] > 0 else sequence["lowest"]) - sequence["first"]) + 1
    text = text_of(case, made, kind).text
    return len(set(re.findall(r"1[45]\d{8}", text))) > numbers


@pytest.mark.parametrize(("name", "kind"), KINDS, ids=IDS)
def test_a_random_policy_is_proved_or_truly_refused(name: str, kind: str) -> None:
    known = ALL[name]
    counts = {"PROVED": 0, "refused": 0}
    for case in drawn(POLICIES):
        try:
            artifact = text_of(case, known, kind)
        except Refused as refused:
            assert true(refused, case, known, kind), (refused, case)
            counts["refused"] += 1
            continue
        reading, found = verdicts(artifact, known)
        lines = sum(1 for line in artifact.text.splitlines() if line.strip())
        assert (reading.read, reading.total) == (lines, lines)
        assert found == {"PROVED"}, (case, artifact.text)
        counts["PROVED"] += 1
    out = os.environ.get("CONFIGLET_COUNTS")
    if out:
        with Path(out).open("a", encoding="utf-8") as file:
            file.write(f"{name}/{kind} {counts['PROVED']} {counts['refused']}\n")
    assert counts["PROVED"] > 0


def mutants(text: str, dice: random.Random) -> str:
    """The text with one token, or one line, gone wrong."""
    lines = text.splitlines(keepends=True)
    at = dice.randrange(len(lines))
    line = lines[at]
    numbers = list(re.finditer(r"\d+", line))
    kind = dice.choice(("number", "number", "number", "drop", "word", "swap", "verdict"))
    if kind == "number" and numbers:
        found = dice.choice(numbers)
        value = int(found[0]) + dice.choice((-1, 1, 10, 100))
        lines[at] = line[: found.start()] + str(max(0, value)) + line[found.end() :]
    elif kind == "drop":
        del lines[at]
    elif kind == "swap":
        other = dice.randrange(len(lines))
        lines[at], lines[other] = lines[other], line
    elif kind == "word":
        words = line.split(" ")
        del words[dice.randrange(len(words))]
        lines[at] = " ".join(words)
    else:
        for one, two in (("permit", "deny"), ("deny", "permit"), ("accept", "drop"), ("drop", "accept"), ("ACCEPT", "DROP"),
                         ("FORWARD", "DROP"), ("DROP", "FORWARD"), ("discard", "accept"), ("accept", "discard"),
                         ("DROP", "ACCEPT"), ("tcp", "udp"), ("udp", "tcp")):  # fmt: skip
            if one in line:
                lines[at] = line.replace(one, two, 1)
                break
    return "".join(lines)


@pytest.mark.parametrize(("name", "kind"), KINDS, ids=IDS)
def test_a_text_that_went_wrong_is_refuted_or_refused(name: str, kind: str) -> None:
    """A mutant that is proved must mean the same: a linear first match finds no packet on which it differs."""
    known, dice = ALL[name], random.Random(7)
    caught = 0
    sound = [*_sound(known, kind, dice)]
    for _ in range(MUTANTS * 20):
        if caught >= MUTANTS:
            break
        artifact = dice.choice(sound)
        text = mutants(artifact.text, dice)
        if text == artifact.text:
            continue
        made = Artifact(artifact.owner, artifact.platform, kind, text, artifact.tables, artifact.file)
        try:
            reading, found = verdicts(made, known)
        except Refused as refused:
            assert refused.problems[0].place is not None
            caught += 1
            continue
        if found == {"PROVED"}:
            assert not differs(made, reading, dice, 400), text
        else:
            caught += "REFUTED" in found or "UNKNOWN" in found
    assert caught >= MUTANTS


@cache
def drawn(count: int) -> tuple[Case, ...]:
    """Random policies, the same for every platform."""
    out: list[Case] = []

    @settings(
        max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,)
    )
    @seed(SEED)
    @given(cases())
    def collect(case: Case) -> None:
        out.append(case)

    collect()
    return tuple(out)


def _sound(known: Platform, kind: str, dice: random.Random) -> list[Artifact]:
    out: list[Artifact] = []

    @settings(
        max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,)
    )
    @seed(dice.randrange(1 << 30))
    @given(cases())
    def collect(case: Case) -> None:
        if len(out) < 2:
            try:
                out.append(text_of(case, known, kind))
            except Refused:
                return

    collect()
    assert out
    return out
