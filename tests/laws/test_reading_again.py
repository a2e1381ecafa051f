"""Law: a table that says what another one said, of other names, addresses and long lists, is read as if it were the first."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import pytest

from configlet.model.lines import Lines, Run
from configlet.readers.again import All, Few, Held, Steps
from configlet.readers.filter_table import FilterTableReader
from configlet.readers.nested import nesting
from configlet.readers.patterns import _listed
from configlet.readers.spans import Span
from tests.laws.made.tables import table
from tests.laws.test_reading_at_once import GRAMMAR, by_lines, read, read_by, reader, said, spoilt, written

Stood = tuple[object, Sequence[Span]]
ADDRESS = re.compile(r"(?<![\w.:-])(?:\d+\.\d+\.\d+\.\d+|[0-9a-f]*::?[0-9a-f:]+)(?:/\d+|-[0-9a-f.:]+)?(?![\w.:-])")
NAME = re.compile(r"(?<=map )\w+|(?<=chain )\w+|(?<=@)\w+|(?<=jump )\w+|(?<=goto )\w+")
QUOTED = re.compile(r'"[^"\n]*"')
LABELS = (
    '"b"',
    '"a { b"',
    '"x, y"',
    '"ü"',
    '" ip saddr 10.1.2.3 "',
    '"\x07"',
    '""',
    '"= {"',
    '"a jump b"',
    '"a " drop comment "b"',
)
OTHERS = (
    "10.0.0.0/8",
    "10.1.2.3",
    "10.1.2.0/24",
    "10.1.2.3/32",
    "0.0.0.0/0",
    "224.0.0.0/3",
    "224.0.0.5",
    "10.1.0.0-10.1.2.3",
    "10.1.2.3-10.3.0.0",
    "239.255.255.255-240.0.0.0",
    "223.0.0.0-225.0.0.0",
    "10.1.2.300",
    "10.9.0.0-10.1.0.0",
    "::1",
    "::/0",
    "ff00::/8",
    "fe80::-ff02::1",
    "2001:db8:1::/64",
)


def moved(dice: random.Random, text: str) -> str:
    """The text with its addresses of 10.0.0.0/8 elsewhere, where they lie to one another as before."""
    to = dice.randrange(1, 100)
    return re.sub(
        r"\b10\.(\d+)\.",
        lambda found: f"{10 + to}.{(int(found[1]) + to) % 256}." if found[1] != "0" else found[0],
        text,
    )


def other(dice: random.Random, text: str) -> str:
    """The text with another word in one place, or in all where it stands."""
    pattern, pool = dice.choice(
        ((ADDRESS, OTHERS), (NAME, ("b", "m1", "input", "here", "end1", "x_1")), (QUOTED, LABELS))
    )
    found = [*pattern.finditer(text)]
    if not found:
        return text
    one, new = dice.choice(found), dice.choice((dice.choice(pool), dice.choice(found)[0]))
    if dice.random() < 0.6:
        return pattern.sub(lambda each: new if each[0] == one[0] else each[0], text)
    return text[: one.start()] + new + text[one.end() :]


def listed(dice: random.Random, text: str) -> str:
    """The text with other lines in one of its long lists."""
    lines = text.split("\n")
    inside = [n for n, line in enumerate(lines) if line.startswith("\t\t\t")]
    for at in dice.sample(inside, min(len(inside), 3)):
        how = dice.randrange(4)
        if how == 0:
            lines[at] = lines[at].replace(": accept", ": drop")
        elif how == 1:
            lines[at] = re.sub(
                r": (?:accept|drop|goto \w+|jump \w+)",
                f": goto {dice.choice(('end0', 'end1', 'more', 'input'))}",
                lines[at],
            )
        elif how == 2:
            lines[at] = "\n".join((lines[at], re.sub(r"\d+(?=[ ,.])", str(dice.randrange(200)), lines[at])))
        else:
            lines[at] = lines[dice.choice(inside)]
    return "\n".join(lines)


def varied(dice: random.Random, text: str) -> str:
    """Another text, mostly of the same pattern."""
    for how in dice.choices((moved, other, other, listed), k=dice.randrange(1, 4)):
        text = how(dice, text)
    return text


def known(text: str) -> bool:
    """Whether the text is of a pattern that was read before, and is read so."""
    before = [one._held for one in reader().again]
    found = reader().at_once(text, "text")
    if found is None or [one._held for one in reader().again] != before:
        return False
    return any(isinstance(lines, Lines) for lines in found.lists.values())


@pytest.mark.parametrize("seed", range(12))
def test_a_text_of_a_pattern_that_was_read_before_is_read_as_if_it_were_the_first(seed: int) -> None:
    dice, again, refused = random.Random(200 + seed), 0, 0
    for text in [FIRST, *written(), *(table(dice) for _ in range(10))]:
        read(text)
        for _ in range(12):
            odd = varied(dice, text)
            answer = by_lines(odd)
            assert read(odd) == answer, odd
            again += known(odd)
            refused += not isinstance(answer[0], list)  # what a reading says begins with its lists
            if dice.random() < 0.2:
                odd = spoilt(dice, odd)
                assert read(odd) == by_lines(odd), odd
    assert again > 25
    assert refused > 10


FIRST = """\
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
		counter
		elements = {
			10.2.0.0/24 comment "peers" : accept,
			10.3.0.0/24 : goto logged,
		}
	}
	chain logged {
		log prefix "x: " group 5
		counter drop comment "logged"
	}
	chain of_a {
		ct original ip saddr vmap @peers
	}
	chain stray {
		ip saddr 10.1.0.1 ip daddr 10.1.0.1 icmp type 3 counter accept comment "self"
		ip saddr 10.9.0.0/16 ip daddr 10.1.0.1 icmp type 11 counter accept comment "routers"
	}
	chain input {
		type filter hook input priority -10; policy drop;
		ip frag-off & 0x1fff != 0 counter drop comment "fragments"
		frag frag-off != 0 counter drop comment "fragments"
		ct state invalid,untracked jump stray
		ct original ip daddr vmap @to
		counter drop comment "default"
	}
}
"""
SAME = [
    {"10.1.0.1": "192.0.2.7"},
    {"10.1.0.1": "10.9.0.1"},
    {"10.1.0.1": "224.0.0.1"},
    {"10.9.0.0/16": "0.0.0.0/0"},
    {"10.9.0.0/16": "200.0.0.0-230.0.0.0"},
    {"10.9.0.0/16": "10.1.0.1"},
    {"10.9.0.0/16": "10.1.0.1/32"},
    {"saddr 10.1.0.1": "saddr 10.1.0.2"},
    {"of_a": "logged"},
    {"of_a": "b"},
    {"jump of_a": "jump input"},
    {"jump of_a": "jump nowhere"},
    {"goto logged": "goto input"},
    {"goto logged": "goto of_a"},
    {"goto logged": "goto nowhere"},
    {"@peers": "@to"},
    {"map peers": "map to"},
    {"peers": "hosts"},
    {"ip saddr 10.9.0.0/16": "ip saddr != 10.9.0.0/16"},
    {"ip saddr 10.9.0.0/16": "ip saddr { 10.9.0.0/16 }"},
    {"ip saddr 10.9.0.0/16": "ip saddr 10.9.0.1/16"},
    {"ip saddr 10.9.0.0/16": "ip saddr ::1"},
    {"ip saddr 10.9.0.0/16": "ip saddr  10.9.0.0/16"},
    {"10.2.0.0/24 comment": "10.3.0.0/24 comment"},
    {"10.2.0.0/24 comment": "10.2.0.300 comment"},
    {"\t\tcounter\n": ""},
    {'"peers"': '"peers, of some"'},
    {'"routers"': '"a\x07b"'},
    {'"routers"': '"a " drop comment "b"'},
    {'"routers"': '"routers'},
    {'"fragments"\n\t\tfrag': '"fragments\n\t\tfrag'},
    {"policy drop": "policy accept"},
    {"icmp type 11": "icmp type 12"},
]


@pytest.mark.parametrize("change", SAME, ids=str)
def test_a_change_of_one_word_is_read_after_the_text_without_it_as_alone(change: dict[str, str]) -> None:
    ((old, new),) = change.items()
    assert old in FIRST
    one_after_the_other(FIRST, FIRST.replace(old, new))
    one_after_the_other(FIRST, FIRST.replace(old, new, 1))


def one_after_the_other(*texts: str) -> None:
    """Each text is read after the others as it is alone."""
    for first, second in (texts, texts[::-1]):
        used = FilterTableReader(GRAMMAR)
        for text in (first, second, first):
            assert read_by(used, text) == by_lines(text), text


HOOK = """\
	chain input {
		type filter hook input priority -10; policy drop;
		ip frag-off & 0x1fff != 0 counter drop comment "fragments"
		frag frag-off != 0 counter drop comment "fragments"
RULES	}
"""
BARE = f"table inet configlet {{\n{HOOK}}}\n"
PAIRS = [
    # later packets pass where two halves are a whole
    (
        "ct state new ip saddr 10.0.0.0/9 accept,ct state new ip saddr 10.128.0.0/9 accept,"
        "ct state established ip saddr 10.0.0.0/8 accept",
        {"10.128.0.0/9": "10.128.0.0/10"},
    ),
    # nobody answers from a group
    ("ip saddr 224.0.0.5 counter accept", {"224.0.0.5": "10.0.0.5"}),
    # one of two is no word
    (
        "ip saddr { 10.9.0.0/16 } counter accept,ip saddr 10.9.0.0/16 counter accept",
        {"addr 10.9.0.0/16": "addr 10.8.0.0/16"},
    ),
    (
        "ip saddr != 10.9.0.0/16 counter drop,ip saddr 10.9.0.0/16 counter accept",
        {"addr 10.9.0.0/16": "addr 10.8.0.0/16"},
    ),
    ("ip saddr 10.9.0.0/16 jump b,jump  b,drop", {"/16 jump b": "/16 jump c"}),
    ('ct original ip saddr 10.9.0.0/16 jump b comment "x",drop', {"jump b": "jump 10.7.0.0/16"}),
    ('ct original ip saddr 10.9.0.0/16 log prefix "x" group 5 drop', {'"x"': '"10.7.0.0/16'}),
    ('ip saddr 10.9.0.0/16 counter drop comment "x"', {'"x"': '"x'}),
    ('ip saddr 10.9.0.0/16 counter drop comment "x"', {"10.9.0.0/16": '"x"'}),
    ('log prefix "x" group 5 counter drop comment "x"', {'"x" group': '"10.9.0.0 group'}),
]
ASIDE = """\
	chain b {
		counter accept comment "b"
	}
	chain c {
		counter drop comment "c"
	}
"""


@pytest.mark.parametrize(("rules", "change"), PAIRS, ids=str)
def test_rules_of_one_pattern_are_read_one_after_the_other_as_alone(rules: str, change: dict[str, str]) -> None:
    first = BARE.replace("RULES", "".join(f"\t\t{rule}\n" for rule in rules.split(","))).replace(
        "\tchain input", f"{ASIDE}\tchain input"
    )
    ((old, new),) = change.items()
    assert old in first
    one_after_the_other(first, first.replace(old, new))


def test_an_element_leads_to_no_hook_however_short_that_is() -> None:
    short = '\tchain output {\n\t\ttype filter hook output priority -10; policy drop;\n\t\tcounter drop comment "out"\n\t}\n}\n'
    first = FIRST.removesuffix("}\n") + short
    one_after_the_other(first, first.replace("goto logged", "goto output"))


def test_an_element_that_counts_in_a_map_that_does_not_is_refused_though_its_list_is_known() -> None:
    first = FIRST.replace("10.2.0.0/24 comment", "10.2.0.0/24 counter comment")
    one_after_the_other(first, first.replace("\t\tcounter\n\t\telements", "\t\telements"))


def test_a_name_that_stands_otherwise_is_the_same_name() -> None:
    for old, new in (
        ("\tmap peers", "\tmap  peers"),
        ("\tchain of_a", "\tchain  of_a"),
        ("\tchain of_a", "    chain of_a"),
    ):
        first = FIRST.replace(old, new)
        for name in ("peers", "of_a"):
            one_after_the_other(first, first.replace(f"@{name}", "@b").replace(f"jump {name}", "jump b"))


def test_the_first_text_is_said_for_others_of_its_pattern() -> None:
    used = FilterTableReader(GRAMMAR)
    for text in (
        FIRST,
        FIRST.replace("10.1.0.1", "192.0.2.7").replace("of_a", "b"),
        FIRST.replace("10.2.0.0/24", "10.2.0.9"),
    ):
        assert all(isinstance(lines, Lines) for lines in used.read(text, "text").lists.values())
    assert [[len(one.said) for one in again._known.values()] for again in used.again] == [[], [1]]


def share(one: Sequence[Span], two: Sequence[Span]) -> bool:
    return all(low <= last and first <= high for (low, high), (first, last) in zip(one, two, strict=True))


def in_another_order(rows: Iterable[Stood], others: Iterable[Stood]) -> int:
    """How many of some rows stand ahead of one that is behind among others; none shares a packet with that one."""
    left, count = [*rows], 0
    for row in others:
        at = left.index(row)
        assert not any(share(row[1], other[1]) for other in left[:at])
        count += at > 0
        del left[at]
    assert not left
    return count


def stood(steps: Steps) -> Iterator[Stood]:
    """The rows of steps without their addresses, each list with two elements, which look through all bases in turn."""
    for step in steps:
        if isinstance(step, Few):
            yield from ((permit, (proto, *rest)) for permit, (proto, _, _, *rest) in zip(step.permits, step.boxes, strict=True))
        else:
            for element in range(2):
                yield from (((step.place, step.fields, element), (proto, *rest)) for proto, _, _, *rest in step.bases)


def test_lookups_of_one_list_stand_together_only_where_they_share_no_packet_with_what_is_between() -> None:
    dice, count, fewer = random.Random(9), 0, 0
    protos, ports = ((0, 255), (0, 0), (1, 1), (2, 255), (6, 6), (17, 17)), ((0, 65535), (0, 2047), (2048, 2303), (256, 511))

    def box() -> Held:
        return dice.choice(protos), 0, 0, dice.choice(ports), (0, 65535), (0, 1), dice.choice(((0, 0), (0, 0), (0, 1)))

    for _ in range(3000):
        steps = [
            Few([dice.random() < 0.5 for _ in boxes], boxes)
            if dice.random() < 0.3
            else All(dice.randrange(3), boxes, dice.choice(((1,), (1,), (2, 3))))
            for boxes in ([box() for _ in range(dice.randrange(1, 3))] for _ in range(dice.randrange(8)))
        ]
        made = _listed(4, steps)
        assert made.steps == steps
        count += in_another_order(stood(steps), stood(made.together))
        fewer += len(made.together) < len(steps)
    assert count > 500, count
    assert fewer > 500, fewer


def test_rows_of_a_text_stand_in_another_order_only_where_they_share_no_packet() -> None:
    dice, count = random.Random(9), 0
    for text in [FIRST, *written(), *(table(dice) for _ in range(150))]:
        found = reader().at_once(text, "text")
        for lines in found.lists.values() if found else ():
            if isinstance(lines, Lines):
                rows = [row for part in lines.parts for row in (part.rows() if isinstance(part, Run) else part)]
                count += in_another_order(zip(*lines.columns, strict=True), rows)
    assert count, count


def test_what_hangs_on_more_than_how_addresses_lie_is_said_for_no_other_text() -> None:
    rules = (
        "ip saddr != 10.9.0.0/16 ip daddr 10.1.0.1 icmp type 11",
        "ip saddr { 10.9.0.0/16, 10.10.0.0/16 } icmp type 11",
        "ip saddr { 10.9.0.0/16 } icmp type 11",
        "ip saddr 10.9.0.0/16 ip daddr 10.9.200.0-10.10.0.0 icmp type 11",
    )
    for rule in rules:
        used, text = (
            FilterTableReader(GRAMMAR),
            FIRST.replace("ip saddr 10.9.0.0/16 ip daddr 10.1.0.1 icmp type 11", rule),
        )
        assert text != FIRST
        assert said(used.read(text, "text")) == by_lines(text)
        assert not any(isinstance(lines, Lines) for lines in used.read(text, "text").lists.values())


def test_intervals_that_lie_alike_have_the_same_in_common() -> None:
    dice, alike, crossing = random.Random(4), 0, 0
    seen: dict[object, list[object]] = {}
    for _ in range(40_000):
        spans = [(low, low + dice.choice((0, 0, 1, 2, 5))) for low in dice.choices(range(7), k=dice.randrange(1, 5))]
        parts = [set(range(low, high + 1)) for low, high in spans]
        apart = all(not a & b or a <= b or b <= a for a, b in combinations(parts, 2))
        found = nesting(spans)
        assert (found is not None) == apart
        crossing += not apart
        if found is not None:
            common: list[object] = [[(not a & b, a <= b, b <= a) for a in parts] for b in parts]
            alike += found in seen
            assert seen.setdefault(found, common) == common
    assert alike > 10_000
    assert crossing > 5_000


def test_little_is_remembered_and_nothing_else_is_said_then(monkeypatch: pytest.MonkeyPatch) -> None:
    dice, used = random.Random(3), FilterTableReader(GRAMMAR)
    monkeypatch.setattr("configlet.readers.again.MOST", 6_000)
    monkeypatch.setattr("configlet.readers.filter_table._LINES", 30)
    for text in [varied(dice, text) for text in (FIRST, *written(), FIRST, *written())]:
        assert read_by(used, text) == by_lines(text)
        held = [one for again in used.again for one in again._known.items()]
        assert sum(len(known.said) * len(said_in[0]) for said_in, known in held) < 20_000  # type: ignore[index]
        assert sum(map(len, used.bodies.values())) == used.held <= 30
    monkeypatch.setattr("configlet.readers.frames.LONGEST", 100)
    assert not any(isinstance(lines, Lines) for lines in used.read(FIRST, "text").lists.values())
