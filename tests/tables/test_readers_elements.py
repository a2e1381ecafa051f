"""What the reader of nftables understands of an element that says itself what is done, and everything that it refuses."""

from __future__ import annotations

import pytest

from configlet.model.gate import Line
from configlet.model.problem import Refused
from configlet.readers import read
from configlet.readers.counts import counts
from tests.builders import platform

NFT = platform("nftables")
WRITTEN = """\
table inet configlet
delete table inet configlet
table inet configlet {
	map here_tcp {
		type ipv4_addr . inet_service : verdict
		flags interval
		counter
		elements = {
			10.1.10.0/24 . 9001-9016 comment "orders, of desks { 4; 7 } : all" : accept,
			10.1.10.9 . 80 comment "no web" : drop,
			10.1.10.0/24 . 22 : goto deny_ssh,
			10.1.11.0/24 . 22 : accept
		}
	}
	chain deny_ssh {
		log prefix "ssh: " group 5
		counter drop comment "no ssh"
	}
	chain here {
		meta l4proto { 1, 6 } ct protocol 6 ct original ip saddr . ct original proto-dst vmap @here_tcp
	}
	chain input {
		type filter hook input priority -10; policy drop;
		ct original ip daddr 10.1.20.11 jump here
		counter drop comment "default deny"
	}
}
"""
# As nft 1.0.6 shows it, with what it counted: several elements stand in one line.
ELEMENTS = (
    '10.1.10.9 . 80 counter packets 3 bytes 180 comment "no web" : drop, '
    "10.1.10.0/24 . 22 counter packets 7 bytes 9 : goto deny_ssh",
    '10.1.10.0/24 . 9001-9016 counter packets 17 bytes 4711 comment "orders, of desks { 4; 7 } : all" : accept',
    "10.1.11.0/24 . 22 counter packets 2 bytes 2 : accept",
)
SHOWN = """\
table inet configlet {
	map here_tcp {
		type ipv4_addr . inet_service : verdict
		flags interval
		counter
		elements = { LIST }
	}

	chain deny_ssh {
		log prefix "ssh: " group 5
		counter packets 7 bytes 9 drop comment "no ssh"
	}

	chain here {
		meta l4proto { 1, 6 } ct protocol 6 ct original ip saddr . ct original proto-dst vmap @here_tcp
	}

	chain input {
		type filter hook input priority filter - 10; policy drop;
		ct original ip daddr 10.1.20.11 jump here
		counter packets 4 bytes 5 drop comment "default deny"
	}
}
""".replace("LIST", f",\n\t\t\t{5 * ' '}".join(ELEMENTS))


def lines(text: str) -> tuple[Line, ...]:
    return read(NFT, "filter-table", text, "text").lists["input", "both", 4]


def test_an_element_decides_for_its_rule_and_counts_where_its_map_says_so() -> None:
    found = {(line.number, line.permit, line.label, line.counted) for line in lines(WRITTEN)}
    assert found == {
        (9, True, "orders, of desks { 4; 7 } : all", True),
        (10, False, "no web", True),
        (11, False, "no ssh", True),
        (12, True, "", True),
        (25, False, "default deny", True),
    }
    silent = {(line.number, line.counted) for line in lines(WRITTEN.replace("\t\tcounter\n", ""))}
    assert silent == {(8, False), (9, False), (10, True), (11, False), (24, True)}


def test_what_is_shown_with_counts_and_in_columns_is_what_was_written() -> None:
    reading = read(NFT, "filter-table", SHOWN, "shown")
    assert reading.canonical == read(NFT, "filter-table", WRITTEN, "written").canonical
    assert reading.canonical == read(NFT, "filter-table", reading.canonical, "canonical").canonical
    boxes = [sorted((line.permit, line.box, line.label) for line in lines(text)) for text in (WRITTEN, SHOWN)]
    assert boxes[0] == boxes[1]


def test_the_place_of_an_element_is_its_own_in_a_line_of_several() -> None:
    with pytest.raises(Refused) as refused:
        lines(SHOWN.replace("10.1.10.0/24 . 22 counter", "10.1.10.1/24 . 22 counter"))
    place = refused.value.problems[0].place
    assert place is not None
    assert (place.line, place.column) == (6, SHOWN.splitlines()[5].index("10.1.10.0/24") + 1)


def test_what_a_rule_counted_is_the_sum_of_its_elements_and_of_its_chain_once() -> None:
    twice = SHOWN.replace("packets 2 bytes 2 :", 'packets 2 bytes 2 comment "no web" :')
    assert counts(NFT, "filter-table", twice) == {
        "orders, of desks { 4; 7 } : all": (17, 4711),
        "no web": (5, 182),
        "no ssh": (7, 9),
        "default deny": (4, 5),
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (': all" : accept', ': all" : drop'),
        ('comment "no web" : drop', 'comment "no web" : accept'),
        ('comment "no web"', 'comment "no webs"'),
        ('comment "no web" ', ""),
        ("10.1.11.0/24 . 22 : accept", '10.1.11.0/24 . 22 comment "no ssh" : accept'),
        (": goto deny_ssh", ": jump deny_ssh"),
        (": goto deny_ssh", ": drop"),
        ("\t\tcounter\n", ""),
    ],
)
def test_a_change_of_verdict_name_or_counting_is_another_text(old: str, new: str) -> None:
    assert old in WRITTEN
    changed = read(NFT, "filter-table", WRITTEN.replace(old, new), "text").canonical
    assert changed != read(NFT, "filter-table", WRITTEN, "text").canonical


REFUSED = {
    "a timeout": ('comment "no web" : drop', 'timeout 5s comment "no web" : drop'),
    "expires": ('comment "no web" : drop', 'comment "no web" expires 5s : drop'),
    "two comments": ('comment "no web"', 'comment "no web" comment "web"'),
    "a comment before the counter": ('comment "no web"', 'comment "no web" counter packets 1 bytes 1'),
    "a comment without quotes": ('comment "no web"', "comment web"),
    "a comment that does not end": ('comment "no web"', 'comment "no web'),
    "a comment after the verdict": ('comment "no web" : drop', ': drop comment "no web"'),
    "a comment where another chain decides": (": goto deny_ssh", 'comment "no ssh" : goto deny_ssh'),
    "another statement": ('comment "no web"', 'limit rate 1/second comment "no web"'),
    "a quota": ('comment "no web"', 'quota 5 mbytes comment "no web"'),
    "half a counter": ('comment "no web"', 'counter packets 5 comment "no web"'),
    "two verdicts": ('comment "no web" : drop', 'comment "no web" : drop : accept'),
    "queue": ('comment "no web" : drop', 'comment "no web" : queue'),
    "return": ('comment "no web" : drop', 'comment "no web" : return'),
    "continue": ('comment "no web" : drop', 'comment "no web" : continue'),
    "a verdict with a chain": ('comment "no web" : drop', "drop deny_ssh"),
    "a jump without a chain": (": goto deny_ssh", ": goto"),
    "a chain called like a verdict": (": goto deny_ssh", ": goto accept"),
    "the map counts twice": ("\t\tcounter\n", "\t\tcounter\n\t\tcounter\n"),
    "the map limits": ("\t\tcounter\n", "\t\tlimit rate 1/second\n"),
    "the map counts what it had": ("\t\tcounter\n", "\t\tcounter packets 1 bytes 1\n"),
    "an element counts by itself": ("\t\tcounter\n", ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_known_of_an_element_is_refused(name: str) -> None:
    old, new = REFUSED[name]
    text = SHOWN if name == "an element counts by itself" else WRITTEN
    assert old in text
    with pytest.raises(Refused):
        lines(text.replace(old, new))


TWICE = """\
table inet configlet {
	map twice {
		type ipv4_addr . ipv4_addr : verdict
		flags interval
		elements = {
			10.0.0.0/8 . 10.1.0.0/16 : accept,
			10.0.0.0/16 . 10.4.0.0/16 : drop,
		}
	}
	chain input {
		type filter hook input priority -10; policy drop;
		ct original ip saddr . ct original ip saddr vmap @twice
	}
}
"""


def test_a_key_that_asks_twice_for_one_field_takes_what_both_of_its_parts_hold() -> None:
    assert {(line.number, line.box[2]) for line in lines(TWICE)} == {(6, (0x0A010000, 0x0A01FFFF))}
