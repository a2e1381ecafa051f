"""Law: what the reader says of a host's table is what the kernel does with each packet, rule by rule, jumps and all."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence

import pytest

from configlet.model.gate import Line
from configlet.model.problem import Refused
from configlet.readers.filter_table import FilterTableReader
from tests.laws import test_reading_thin as thin
from tests.laws.kernel_judge import Kernel, Packet, packets
from tests.laws.made.tables import STATEMENTS
from tests.laws.test_reading_at_once import GRAMMAR, columns

ENDS = ('counter accept comment "s"', "drop", "accept", "counter", 'counter drop comment "q"')
ASKED = (*[thin.STRAY] * 3, "icmp type 3", "meta l4proto 6", "ct state invalid", "")
CALLS = ("jump n0", "ip saddr 10.9.0.0/16 jump n0", "goto n0", "ct state new jump n0")
_RULE = re.compile(r"\t\t(?!type|log|flags|elements|\}|counter (?:drop|accept))[a-z]")
_INVALID = "\t\tmeta l4proto { 1, 58 } ct state invalid"


def rule(dice: random.Random, chains: Sequence[str]) -> str:
    """Some conditions, and an end or a way to a chain."""
    to = [f"{how} {chain}" for how in ("jump", "goto") for chain in dice.sample(chains, min(1, len(chains)))]
    return "\t\t" + " ".join([*dice.choices(STATEMENTS, k=dice.randrange(3)), dice.choice((*ENDS, *to))])


def called(dice: random.Random) -> str:
    """A table of ``test_reading_thin`` with chains of rules that are called and call each other, and rules here and there."""
    text = thin.filled(dice, dice.randrange(6))
    names = [f"n{number}" for number in range(3)] + re.findall(r"chain (n\w+|of_a) \{", text)
    for number in range(3):
        body = "".join(f"{rule(dice, names[number + 1 :])}\n" for _ in range(dice.randrange(4)))
        text = text.replace("\tchain stray {", f"\tchain n{number} {{\n{body}\t}}\n\tchain stray {{", 1)
    if dice.random() < 0.7:
        before = "".join(f"{rule(dice, names)}\n" for _ in range(dice.randrange(3)))
        text = text.replace(_INVALID, f"\t\t{dice.choice(CALLS)}\n{before}{_INVALID}")
    lines = text.split("\n")
    for _ in range(dice.randrange(4)):
        at = [n for n, line in enumerate(lines) if _RULE.match(line)]
        more = (rule(dice, names), thin.rule(dice.choice(names), dice, dice.choice(ASKED)))
        lines.insert(dice.choice(at) + 1, dice.choice(more))
    return "\n".join(lines)


def permitted(lines: Sequence[Line], packet: Packet) -> bool:
    """What a first-match list says of a packet; what it does not name is denied."""
    return next((permit for permit, box in zip(*columns(lines), strict=True) if packet.inside(box)), False)  # type: ignore[arg-type]


def judged(reader: FilterTableReader, text: str, dice: random.Random, count: int) -> str:
    """How a table fares: refused, unknown to the judge, or read, and then so many packets are asked of both."""
    try:
        found = reader.read(text, "text")
    except Refused:
        return "refused"
    try:
        kernel = Kernel(text)
        for packet in packets(dice, count):
            said = permitted(found.lists["input", "both", packet.family], packet)
            assert said == kernel.passes("input", packet), f"read {said}: {packet}\n{text}"
    except (KeyError, ValueError):
        return "unknown"
    return "read"


@pytest.mark.parametrize("seed", range(6))
def test_a_table_means_what_the_kernel_does_with_each_packet(seed: int) -> None:
    dice, reader = random.Random(seed), FilterTableReader(GRAMMAR)
    fared = Counter(judged(reader, called(dice), dice, 25) for _ in range(60))
    assert fared["read"] > 25, fared
    assert fared["unknown"] < 5, fared
