"""Law: a long list that has most of its lines in common with one that was read before is read as if it were the first."""

from __future__ import annotations

import random

import pytest

from configlet.readers.elements import _shared
from configlet.readers.filter_table import FilterTableReader
from tests.laws.test_reading_at_once import GRAMMAR, by_lines, read_by

TABLE = """\
table inet configlet {
	map peers {
		type TYPE : verdict
		flags interval
		counter
		elements = {
LINES
		}
	}
	chain end {
		counter drop comment "end"
	}
	chain input {
		type filter hook input priority -10; policy drop;
		meta l4proto { 1, 6 } ct protocol 6 RULE vmap @peers
	}
}
"""
KINDS = {
    "ipv4_addr": "ct original ip saddr",
    "ipv4_addr . inet_service": "ct original ip saddr . ct original proto-dst",
    "inet_service . ipv4_addr": "ct original proto-dst . ct original ip saddr",
}
ODD = ("", "\t\t\t", '\t\t\t10.9.0.1 comment "', "\t\t\t10.9.0.1 : accept, 10.9.0.2 : drop,")
PORTS = ("0", "7", "22", "00022", "100-200", "65535", "65536", "70000", "9-7", "-", "5-", "ssh", "²", "+5", "1_0", "7 . 9")


def line(dice: random.Random, kind: str, odd: float = 0.05) -> str:
    at = dice.randrange(256)
    address = dice.choice((f"10.1.{at}.0/24", f"10.2.0.{at}", f"10.3.{at}.0-10.3.{at}.9"))
    port = dice.choice(PORTS) if dice.random() < odd else f"{dice.randrange(65536)}"
    parts = [address if part == "ipv4_addr" else port for part in kind.split(" . ")]
    does = dice.choice((' comment "a rule" : accept', " : drop", ' comment "ü" : drop', " : goto end"))
    return f"\t\t\t{' . '.join(parts)}{does},"


def changed(dice: random.Random, lines: list[str], kind: str) -> list[str]:
    """The lines with some more, fewer or others."""
    out = [*lines]
    for _ in range(dice.randrange(1, 3)):
        at, how = dice.randrange(len(out) + 1), dice.randrange(5)
        if how == 0:
            out.insert(at, line(dice, kind))
        elif how == 1:
            del out[at : at + dice.randrange(3)]
        elif how == 2:
            out[at : at + 1] = [line(dice, kind)]
        elif how == 3:
            out.insert(at, dice.choice((*ODD, *out)))
        else:
            out.reverse()
    return out or [line(dice, kind)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_a_list_is_read_after_others_that_are_nearly_the_same_as_alone(kind: str, seed: int) -> None:
    dice, used, whole = random.Random(seed), FilterTableReader(GRAMMAR), 0
    table = TABLE.replace("TYPE", kind).replace("RULE", KINDS[kind])
    lines = [line(dice, kind, odd=0) for _ in range(12)]
    for _ in range(60):
        some = changed(dice, lines, kind)
        text = table.replace("LINES", "\n".join(some))
        answer = by_lines(text)
        assert read_by(used, text) == answer, text
        if isinstance(answer[0], list) and used.at_once(text, "text"):
            whole += 1
            lines = some if dice.random() < 0.5 else lines
    assert whole > 10


def test_what_texts_have_in_common_are_whole_lines_and_no_line_twice() -> None:
    dice, front, back = random.Random(1), 0, 0
    for _ in range(4000):
        one, two = (["".join(dice.choices("ab", k=dice.randrange(3))) for _ in range(dice.randrange(1, 6))] for _ in range(2))
        if dice.random() < 0.5:
            two = [*one[: dice.randrange(len(one) + 1)], *two, *one[dice.randrange(len(one)) :]]
        text, other = "\n".join(one), "\n".join(two)
        ahead, start, behind, end = _shared(text, other)
        assert ahead + behind < len(one)
        assert ahead + behind <= len(two)
        assert one[:ahead] == two[:ahead]
        assert one[len(one) - behind :] == two[len(two) - behind :]
        assert text[start : end - 1] == "\n".join(one[ahead : len(one) - behind])
        front, back = front + ahead, back + behind
    assert front > 1000
    assert back > 1000
