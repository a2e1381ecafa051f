"""Law: a table is read as line by line also where chains that only decide, and rules that lead to them, stand many times over."""

from __future__ import annotations

import random
import re

import pytest

from configlet.model.lines import Lines
from configlet.model.problem import Refused
from configlet.readers.filter_table import FilterTableReader
from configlet.readers.thin import MARK
from tests.laws.test_reading_at_once import GRAMMAR, by_lines, read_by, said, spoilt, written

TABLE = """\
table inet configlet {
	map to {
		type ipv4_addr : verdict
		flags interval
		elements = {
			10.1.0.1 : jump of_a,
		}
	}
	map peers {
		type ipv4_addr : verdict
		flags interval
		elements = {
			10.2.0.0/24 comment "peers" : accept,
PEERS
		}
	}
CHAINS
	chain of_a {
		ct original ip saddr vmap @peers
	}
	chain stray {
		ip saddr 10.1.0.1 ip daddr 10.1.0.1 icmp type 3 counter accept comment "self"
RULES
		icmp type 11 counter accept comment "late"
	}
	chain input {
		type filter hook input priority -10; policy drop;
		ip frag-off & 0x1fff != 0 counter drop comment "fragments"
		frag frag-off != 0 counter drop comment "fragments"
		meta l4proto { 1, 58 } ct state invalid,untracked jump stray
		ct original ip daddr vmap @to
		counter drop comment "default"
	}
}
"""
DENIED = '\tchain NAME {\n\t\tlog prefix "cfglt NAME: " group 5\n\t\tcounter drop comment "NAME"\n\t}'
PASSED = '\tchain NAME {\n\t\tcounter accept comment "NAME"\n\t}'
ENDS = ("10.1.0.1", "10.9.0.0/16", "10.9.3.0/24", "0.0.0.0/0", "224.0.0.0/4", "10.3.0.1-10.3.0.9")
OTHERS = ("tcp dport 7", "ip saddr 10.9.0.0/24", "meta l4proto 1", "ct state new", "icmp type 8", "icmp type 3;", "x")
STRAY = "icmp type != { 8, 13, 15, 17 }"


def chained(names: list[str], dice: random.Random) -> str:
    return "\n".join(dice.choice((DENIED, DENIED, PASSED)).replace("NAME", name) for name in names)


def rule(name: str, dice: random.Random, asked: str = STRAY) -> str:
    return f"\t\tip saddr {dice.choice(ENDS)} ip daddr {dice.choice(ENDS)} {asked} {dice.choice(('goto', 'goto', 'jump'))} {name}"


def filled(dice: random.Random, rules: int) -> str:
    """The table with so many chains, and rules that lead to them."""
    names = [f"n{dice.randrange(1000)}_{number}" for number in range(rules)]
    asked = dice.choice((STRAY, STRAY, "icmp type 3-5", "icmp type { 3, 11 } icmp code 1", "meta l4proto { 1, 58 }", ""))
    found = TABLE.replace("CHAINS", chained(names, dice)).replace("RULES", "\n".join(rule(name, dice, asked) for name in names))
    led = dice.sample(names, min(2, rules))
    return found.replace("PEERS", "\n".join(f"\t\t\t10.4.{at}.0/24 : goto {name}," for at, name in enumerate(led)))


def odd(dice: random.Random, text: str) -> str:
    """The text with one of its lines elsewhere, twice, or otherwise."""
    lines = text.split("\n")
    some = [at for at, line in enumerate(lines) if re.search("chain n|goto|jump|counter|log prefix|^\t}", line)]
    at, to = dice.choice(some), dice.choice(some)
    how = dice.randrange(6)
    if how == 0:
        lines.insert(to, lines[at])
    elif how == 1:
        lines[at], lines[to] = lines[to], lines[at]
    elif how == 2:
        del lines[at]
    elif how == 3:
        lines[at] = re.sub(r"(goto|jump|chain) \w+", rf"\1 {dice.choice(('stray', 'input', 'of_a', 'x', MARK + '0'))}", lines[at])
    elif how == 4:
        lines[at] = lines[at].replace(" ", dice.choice(("  ", "; ", " # ", "")), 1)
    else:
        lines[at] = lines[at].replace(STRAY, dice.choice(OTHERS))
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(6))
def test_a_table_is_read_as_line_by_line_however_many_rules_lead_to_chains_that_decide(seed: int) -> None:
    dice, used, told, refused = random.Random(seed), FilterTableReader(GRAMMAR), 0, 0
    for _ in range(40):
        text = filled(dice, dice.randrange(6))
        assert read_by(used, text) == by_lines(text), text
        told += all(isinstance(lines, Lines) for lines in used.read(text, "text").lists.values())
        for _ in range(4):
            other = (spoilt if dice.random() < 0.3 else odd)(dice, text)
            answer = by_lines(other)
            assert read_by(used, other) == answer, other
            refused += not isinstance(answer[0], list)
    assert told > 20
    assert refused > 20


def test_tables_that_differ_in_how_many_such_rules_they_have_are_of_one_pattern() -> None:
    dice, used = random.Random(1), FilterTableReader(GRAMMAR)
    for many in range(1, 7):
        chains, led = [f"n{number}" for number in range(many)], "\t\t\t10.4.0.0/24 : goto n0,"
        rules_of = (f"\t\tip saddr 10.{3 + n}.0.0/16 ip daddr 10.1.0.1 {STRAY} goto {name}" for n, name in enumerate(chains))
        stray = "\n".join(rules_of)
        denied = "\n".join(DENIED.replace("NAME", name) for name in chains)
        text = TABLE.replace("CHAINS", denied).replace("RULES", stray).replace("PEERS", led)
        assert said(used.read(text, "text")) == by_lines(text)
    assert [len(again._known) for again in used.again] == [0, 1]
    other = filled(dice, 3)
    assert all(isinstance(lines, Lines) for lines in used.read(other, "text").lists.values())


@pytest.mark.parametrize("gap", ["\t\t", "\t\t\t", " \t\t"])
def test_a_rule_begins_where_its_line_does(gap: str) -> None:
    """What stands ahead of two tabs within a line is asked for in that line alone."""
    used, dice = FilterTableReader(GRAMMAR), random.Random(2)
    chains = "\n".join(PASSED.replace("NAME", f"n{number}") for number in range(3))
    for asked in ("icmp type 3", "icmp type 3-5", "meta l4proto 1"):
        rules = [f"\t\tip saddr {one} ip daddr 10.1.0.1 {STRAY} goto n{at}" for at, one in enumerate(ENDS[1:4])]
        rules[dice.randrange(2)] = rules[0].replace("\t\t", f"\t\t{asked}{gap}")
        text = TABLE.replace("CHAINS", chains).replace("RULES", "\n".join(rules)).replace("PEERS", "\t\t\t10.4.0.0/24 : goto n0,")
        assert isinstance(by_lines(text)[0], list)
        assert read_by(used, text) == by_lines(text), text


def test_our_own_texts_leave_no_such_rule_in_their_frames() -> None:
    used = FilterTableReader(GRAMMAR)
    left = [found.frame for text in written() if (found := used.thinner.of(text))]
    assert left
    assert not any("goto" in line for frame in left for line in frame.split("\n") if "saddr" in line)


ODD = {
    "a name that stands twice": ("CHAINS", f"CHAINS\n{PASSED.replace('NAME', 'n0')}"),
    "a name of another chain": ("CHAINS", f"CHAINS\n{PASSED.replace('NAME', 'stray')}"),
    "a chain in a chain": ("RULES", f"RULES\n{PASSED.replace('NAME', 'y')}"),
    "a chain in a map": ("PEERS", f"PEERS\n{PASSED.replace('NAME', 'y')}"),
    "a chain outside": ("table inet configlet {\n", f"{PASSED.replace('NAME', 'y')}\ntable inet configlet {{\n"),
    "a chain behind all": ("policy drop", "policy drop"),
    "a quote over lines": ('comment "late"', 'comment "late\n\t\t"'),
    "what is not printed": ('comment "n0"', 'comment "n\x070"'),
    "a lookup of ours": ("RULES", f"\t\t{STRAY} ip saddr . ip daddr vmap @{MARK}0"),
    "a chain of ours": ("CHAINS", PASSED.replace("NAME", f"{MARK}0")),
    "a host bit": ("saddr 10.3.0.0/16", "saddr 10.3.0.1/16"),
    "the other family": ("saddr 10.3.0.0/16", "saddr ::1"),
    "rules of established connections": (" ct state invalid,untracked jump stray", " ct state established jump stray"),
    "rules of all packets": ("meta l4proto { 1, 58 } ct state invalid,untracked jump stray", "jump stray"),
    "rules of some packets": (" ct state invalid,untracked jump", " ip saddr 10.3.0.0/17 ct state invalid,untracked jump"),
    "requests": (STRAY, "icmp type { 3, 8 }"),
    "ports": (STRAY, "tcp dport 7"),
    "a rule that leads to a chain of rules": ("goto n1", "jump of_a"),
    "rules of a hook": ("\t\tct original ip daddr", "RULES\n\t\tct original ip daddr"),
    "rules that lead to a chain that is not there": ("goto n1", "goto n7"),
}


@pytest.mark.parametrize("change", ODD)
def test_what_is_not_surely_the_same_without_such_rules_is_read_as_line_by_line(change: str) -> None:
    old, new = ODD[change]

    def put(text: str) -> str:
        rules = "\n".join(f"\t\tip saddr 10.{3 + n}.0.0/16 ip daddr 10.1.0.1 {STRAY} goto n{n}" for n in range(3))
        chains = "\n".join(DENIED.replace("NAME", f"n{n}") for n in range(3))
        return text.replace("CHAINS", chains).replace("RULES", rules).replace("PEERS", "\t\t\t10.4.0.0/24 : goto n0,")

    plain = put(TABLE)
    changed = put(TABLE.replace(old, new)) if old in TABLE else plain.replace(old, new)
    if change == "a chain behind all":
        changed = plain + PASSED.replace("NAME", "y") + "\n"
    assert changed != plain
    for texts in ((plain, changed), (changed, plain)):
        used = FilterTableReader(GRAMMAR)
        for text in (*texts, texts[0]):
            assert read_by(used, text) == by_lines(text), text


def test_requests_that_rules_let_begin_are_not_taken_for_what_begins_nothing() -> None:
    used = FilterTableReader(GRAMMAR)
    for state in ("new", "new,established", "invalid,new"):
        rules = "\t\tip saddr 10.3.0.0/16 ip daddr 10.1.0.1 icmp type 8 goto n\n" * 2
        text = TABLE.replace("CHAINS", PASSED.replace("NAME", "n")).replace("RULES", rules).replace("PEERS\n", "")
        text = text.replace("ct state invalid,untracked jump", f"ct state {state} jump")
        assert read_by(used, text) == by_lines(text)


def test_two_hooks_with_such_rules_of_their_own_judge_differently() -> None:
    hooked = "\n".join(
        f"\tchain {hook} {{\n\t\ttype filter hook {hook} priority -10; policy accept;\n"
        f"\t\tip frag-off & 0x1fff != 0 drop\n\t\tip saddr 10.{at}.0.0/16 ip daddr 10.1.0.1 icmp type 3 goto n\n\t}}"
        for at, hook in enumerate(("input", "output"))
    )
    text = f"table inet configlet {{\n{DENIED.replace('NAME', 'n')}\n{hooked}\n}}\n"
    found = said(FilterTableReader(GRAMMAR).read(text, "text"))
    assert found == by_lines(text)


def test_a_text_that_is_refused_is_so_at_the_same_place_after_one_of_its_pattern() -> None:
    used, dice = FilterTableReader(GRAMMAR), random.Random(3)
    text = filled(dice, 4)
    used.read(text, "text")
    with pytest.raises(Refused):
        used.read(text.replace('\t\tcounter drop comment "default"', "\t\tcounter drops"), "text")


def _list(name: str) -> str:
    return f"\tchain {name} {{\n" + '\t\tlog prefix "x" group 5\n' * 3 + f'\t\tcounter accept comment "{name}"\n\t}}'


def _with(rules: str, chains: str, more: str = "") -> str:
    text = TABLE.replace("CHAINS", chains).replace("RULES", rules).replace("PEERS\n", "")
    return text.replace("\tchain input {", f"{more}\tchain input {{")


def test_a_lookup_of_a_map_that_is_not_there_is_none_of_ours() -> None:
    asks = [f"\t\tip saddr 10.{3 + n}.0.0/16 ip daddr 10.1.0.1 {{}} goto n{n}" for n in range(3)]
    short = "\n".join(DENIED.replace("NAME", f"n{n}") for n in range(3))
    long = "\n".join(_list(f"n{n}") for n in range(3))
    one, other, third = asks[0].format(STRAY), asks[1].format("icmp type 3"), asks[2].format(STRAY)
    pairs = (
        (f"{one}\n{other}", f"{one}\n\t\ticmp type 3 LOOKUP", short, ""),
        (one, f"\t\t{STRAY} LOOKUP", long, f"\tchain dead {{\n{third}\n\t\tcounter drop\n\t}}\n"),
    )
    for first, second, chains, more in pairs:
        reader = FilterTableReader(GRAMMAR)
        before = _with(first, chains, more)
        assert read_by(reader, before) == by_lines(before)
        with pytest.raises(Refused, match="not in the text"):
            reader.read(_with(second.replace("LOOKUP", "ip saddr . ip daddr vmap @foo"), chains, more), "text")
