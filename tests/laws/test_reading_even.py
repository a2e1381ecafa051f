"""Law: lines of a list that differ in keys and comments alone say what they say one by one, and others are not taken for such."""

from __future__ import annotations

import contextlib
import random

import pytest

from configlet.model.problem import Refused
from configlet.readers.again import All, Few
from configlet.readers.columns import Unfit
from configlet.readers.elements import Elements
from configlet.readers.grammar import load
from configlet.readers.patterns import _listed
from tests.builders import platform

GRAMMAR = load(platform("nftables").kinds["filter-table"].reader)
SPOILT = (
    *('"', " ", "\n", "\t", ",", "-", "0", "/", ":", "a", "\x7f", "é", " . ", " counter", " : drop", " : accept", ": goto x"),
    *(' comment "x"', '" : accept,\n\t10.0.9.9 comment "', "\t\t10.0.9.9 : drop,\n", '", "'),
)
FORMS = (
    *(' comment "{}" : accept,', ' comment "{}" : drop,', ' comment "{}" : jump far,'),
    *(" : goto far,", " counter : accept,", " : drop,"),
)
Told = tuple[list[object], list[bool | str]] | None


def listed(dice: random.Random, *, ports: bool, count: int) -> str:
    form = dice.choice(FORMS)
    lines = []
    for at in range(count):
        key = dice.choice(("10.0.{}.0/24", "10.0.{}.7", "10.0.{}.0-10.0.{}.9")).replace("{}", str(at + dice.randrange(2)))
        port = dice.choice((" . 22", " . 1024", " . 80-89", " . 0", " . 65535")) if ports else ""
        other = dice.random() < (0.6 if at < 2 else 0.05)
        end = (' comment "it is another" : drop,' if other else form).format(dice.choice(("a", "a rule", "", "a, b : c")))
        lines.append(f"{'  ' if dice.random() < 0.02 else '    '}{key}{port}{end}")
    return "\n".join(lines)


def told(elements: Elements, kinds: tuple[str, ...], text: str, *, counting: bool, even: bool) -> Told:
    elements.even = even
    try:
        axes, does = elements._told(kinds, text, counting=counting)
    except (Unfit, Refused):
        return None
    return [tuple(axis) for axis in axes], [*does]


@pytest.mark.parametrize("seed", [71, 72])
def test_even_lines_say_what_they_say_one_by_one(seed: int) -> None:
    dice, elements, seen, refused = random.Random(seed), Elements(GRAMMAR), 0, 0
    for _ in range(3000):
        ports = dice.random() < 0.5
        text = listed(dice, ports=ports, count=dice.randrange(1, 9))
        for _ in range(dice.choice((0, 0, 0, 1, 2))):
            at, odd = dice.randrange(len(text) + 1), dice.choice(SPOILT)
            text = text[:at] + odd + text[at + dice.choice((0, 0, 1, len(odd))) :]
        kinds = ("ipv4_addr", "inet_service") if ports is (dice.random() < 0.97) else ("ipv4_addr",)
        counting = dice.random() < 0.8
        expected = told(elements, kinds, text, counting=counting, even=False)
        assert told(elements, kinds, text, counting=counting, even=True) == expected, text
        refused += expected is None
        with contextlib.suppress(Unfit, Refused):
            seen += elements._even(kinds, text, counting=counting) is not None
    assert seen > 800, seen
    assert refused > 500, refused


def test_a_grammar_that_says_lines_otherwise_is_not_taken_for_even() -> None:
    said = GRAMMAR["map"]["element"]
    assert Elements(GRAMMAR).even
    for old, new in ((r"\S+(?: \. \S+)*", r"\S+(?: \. \S+)*?"), ('[^"]*', '[^"x]*'), (" : ", ' : (?:"")?')):
        other = said.replace(old, new, 1)
        assert other != said
        assert not Elements({**GRAMMAR, "map": {**GRAMMAR["map"], "element": other}}).even


def test_lines_of_long_lists_are_not_remembered_by_addresses_alone() -> None:
    few, long = Few([], []), All(0, [], (2,))
    assert _listed(4, [few]).known == {}
    for steps in ([long], [few, long], [long, few]):
        assert _listed(4, steps).known is None
