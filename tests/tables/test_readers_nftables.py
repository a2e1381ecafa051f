"""What the reader of nftables understands of a host's table, and everything that it refuses."""

from __future__ import annotations

import pytest

from configlet.model.gate import Line, Reading
from configlet.model.problem import Refused
from configlet.readers import read
from configlet.readers.sections import owned
from tests.builders import platform, span

NFT = platform("nftables")
ANY4, PORTS, BIT, WHOLE = span("any", 4), (0, 65535), (0, 1), (0, 0)
FRAGMENTS = ((0, 255), ANY4, ANY4, PORTS, PORTS, BIT, (1, 1))

TABLE = """\
table inet configlet {
	map in4 {
		type ipv4_addr : verdict
		flags interval
		elements = { 10.1.20.11 : jump here }
	}
	map here_tcp {
		type ipv4_addr . inet_service : verdict
		flags interval
		elements = { 10.1.10.0/24 . 9001-9016 : goto orders,
			0.0.0.0/0 . 22 : goto orders }
	}
	chain orders {
		counter packets 17 bytes 4711 accept comment "clients place orders"
	}
	chain here {
		meta l4proto { 1, 6 } ct protocol 6 ct original ip saddr . ct original proto-dst vmap @here_tcp
	}
	chain judge {
		ip frag-off & 8191 != 0 counter packets 0 bytes 0 drop comment "fragments"
		frag frag-off != 0 counter packets 0 bytes 0 drop comment "fragments"
		EXTRA
		ct original ip daddr vmap @in4
	}
	chain input {
		type filter hook input priority filter - 10; policy drop;
		jump judge
	}
}
"""


def text_of(extra: str = "", **replaced: str) -> str:
    text = TABLE.replace("\t\tEXTRA\n", f"\t\t{extra}\n" if extra else "")
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    return text


def changed(old: str, new: str) -> str:
    assert old in TABLE
    return text_of().replace(old, new)


def read_text(text: str) -> Reading:
    return read(NFT, "filter-table", text, "listed")


def lines(text: str, family: int = 4, phase: str = "both") -> tuple[Line, ...]:
    return read_text(text).lists["input", phase, family]


def test_a_lookup_of_the_connections_first_packet_gives_its_boxes() -> None:
    found = lines(text_of())
    local = span("10.1.20.11", 4)
    assert [(line.permit, line.box) for line in found] == [
        (False, FRAGMENTS),
        (True, ((6, 6), local, span("10.1.10.0/24", 4), (9001, 9016), PORTS, BIT, WHOLE)),
        (True, ((6, 6), local, ANY4, (22, 22), PORTS, BIT, WHOLE)),
    ]


def test_a_line_is_the_element_and_its_label_the_chains_comment() -> None:
    line = lines(text_of())[1]
    assert (line.number, line.text, line.label) == (
        10,
        "10.1.10.0/24 . 9001-9016 : goto orders",
        "clients place orders",
    )


def test_a_family_that_nothing_speaks_of_is_closed() -> None:
    assert [line.permit for line in lines(text_of(), 6)] == [False]
    open_ = changed("policy drop", "policy accept")
    assert [line.permit for line in lines(open_, 6)] == [False, True]


def test_a_text_about_first_packets_treats_later_ones_alike() -> None:
    assert {phase for _, phase, _ in read_text(text_of()).lists} == {"both"}


@pytest.mark.parametrize(
    ("extra", "phases"),
    [
        ("ct state established accept", {"established", "reply"}),
        ("ct state established,related accept", {"established", "reply", "error"}),
        ("ct state related accept", {"error"}),
        ("ct state new accept", {"established", "reply"}),
        ("ip saddr 10.1.10.0/24 accept", {"reply"}),
        ("ip saddr 127.0.0.0/8 ip daddr 127.0.0.0/8 accept", set()),
        ("meta l4proto 6 accept", set()),
    ],
)
def test_what_follows_a_first_packet_has_lists_of_its_own_where_it_is_judged_otherwise(
    extra: str, phases: set[str]
) -> None:
    reading = read_text(text_of(extra))
    assert {phase for _, phase, family in reading.lists if family == 4} == {"both", *phases}


def test_replies_are_judged_with_their_own_ends() -> None:
    (line,) = [
        x for x in lines(text_of("ip saddr 10.9.0.0/16 ip daddr 10.8.0.1 accept"), 4, "reply") if "10.9" in x.text
    ][:1]
    assert (line.box[2], line.box[1]) == (span("10.8.0.1", 4), span("10.9.0.0/16", 4))


MATCHES = {
    "ip saddr 10.0.0.0/8 drop": [((0, 255), ANY4, span("10.0.0.0/8", 4), PORTS, PORTS, BIT, BIT)],
    "ip daddr 10.0.0.1-10.0.0.9 drop": [((0, 255), span("10.0.0.1-10.0.0.9", 4), ANY4, PORTS, PORTS, BIT, BIT)],
    "meta l4proto tcp drop": [((6, 6), ANY4, ANY4, PORTS, PORTS, BIT, BIT)],
    "meta l4proto { 6, udp } drop": [((p, p), ANY4, ANY4, PORTS, PORTS, BIT, BIT) for p in (6, 17)],
    "meta l4proto != 6 drop": [(p, ANY4, ANY4, PORTS, PORTS, BIT, BIT) for p in ((0, 5), (7, 255))],
    "tcp dport 80 drop": [((6, 6), ANY4, ANY4, (80, 80), PORTS, BIT, WHOLE)],
    "udp sport 5-7 drop": [((17, 17), ANY4, ANY4, PORTS, (5, 7), BIT, WHOLE)],
    "meta l4proto 17 th dport { 53, 123 } drop": [((17, 17), ANY4, ANY4, (p, p), PORTS, BIT, WHOLE) for p in (53, 123)],
    "icmp type echo-request drop": [((1, 1), ANY4, ANY4, (2048, 2303), PORTS, BIT, WHOLE)],
    "icmp type 3 icmp code 4 drop": [((1, 1), ANY4, ANY4, (772, 772), PORTS, BIT, WHOLE)],
    "ip saddr 10.0.0.1 icmp type != { 8, 13 } drop": [
        ((1, 1), ANY4, span("10.0.0.1", 4), types, PORTS, BIT, WHOLE)
        for types in ((0, 2047), (2304, 3327), (3584, 65535))
    ],
}


@pytest.mark.parametrize("extra", MATCHES)
def test_a_match_is_a_box(extra: str) -> None:
    found = [line for line in lines(text_of(extra)) if line.text == extra]
    assert [line.box for line in found] == MATCHES[extra]


def test_a_connection_begins_only_with_an_icmp_request() -> None:
    found = [line.box[3] for line in lines(text_of("ct protocol 1 drop")) if line.text == "ct protocol 1 drop"]
    assert found == [(n * 256, n * 256 + 255) for n in (8, 13, 15, 17)]


def test_invalid_is_icmp_that_is_no_request_and_nothing_else() -> None:
    found = [line.box for line in lines(text_of("ct state invalid drop")) if "invalid" in line.text]
    assert {box[0] for box in found} == {(1, 1)}
    assert not any(low <= 8 * 256 <= high for low, high in (box[3] for box in found))


REFUSED = {
    "limit": "limit rate 10/second accept",
    "mark": "meta mark 1 accept",
    "ct mark": "ct mark 1 accept",
    "interface": 'iifname "lo" accept',
    "flags": "tcp flags syn accept",
    "ttl": "ip ttl 5 accept",
    "next header": "ip6 nexthdr tcp accept",
    "reject": "ip saddr 10.0.0.1 reject",
    "queue": "queue num 1",
    "return": "return",
    "dnat": "dnat to 10.0.0.1",
    "unknown protocol": "meta l4proto tpc accept",
    "protocol 256": "meta l4proto 256 accept",
    "host bits": "ip saddr 10.0.0.1/8 accept",
    "reversed addresses": "ip saddr 10.0.0.9-10.0.0.1 accept",
    "reversed ports": "tcp dport 9-5 accept",
    "port 65536": "tcp dport 65536 accept",
    "other family": "ip saddr 2001:db8::1 accept",
    "named set": "ip saddr @allowed accept",
    "unknown map": "ct original ip daddr vmap @nowhere",
    "map of another type": "ct original ip daddr vmap @here_tcp",
    "unknown chain": "jump nowhere",
    "a hook's chain": "jump input",
    "code without type": "icmp code 4 accept",
    "port without protocol": "th dport 80 accept",
    "port of a connection without protocol": "ct original ip saddr . ct original proto-dst vmap @here_tcp",
    "two verdicts": "accept drop",
    "verdict and match": "accept ip saddr 10.0.0.1",
    "unknown state": "ct state snat accept",
    "another mask": "ip frag-off & 0x2000 != 0 drop",
}


@pytest.mark.parametrize("extra", REFUSED.values(), ids=REFUSED)
def test_a_statement_outside_the_model_is_refused_at_its_place(extra: str) -> None:
    with pytest.raises(Refused) as refused:
        lines(text_of(extra))
    (problem,) = refused.value.problems
    assert problem.place is not None
    assert (problem.place.file, problem.place.line) == ("listed", 22)
    assert 3 <= problem.place.column <= 3 + len(extra)


TEXTS = {
    "another table": ("table inet filter {\n}\n", "not our table"),
    "another family": ("table ip configlet {\n}\n", "not our table"),
    "flush": ("flush ruleset\n" + text_of(), "not our table"),
    "preamble after": (text_of() + "delete table inet configlet\n", "not our table"),
    "table twice": (text_of() + text_of(), "stands twice"),
    "brace left open": (text_of()[:-3], "never closed"),
    "brace too many": (text_of() + "}\n", "closes nothing"),
    "another hook": (changed("hook input", "hook prerouting"), "no statement"),
    "another priority": (changed("filter - 10", "filter"), "no statement"),
    "before conntrack": (changed("filter - 10", "-300"), "no statement"),
    "no policy": (changed(" policy drop;", ""), "not said"),
    "a timeout": (changed("flags interval", "flags interval,timeout"), "property of a map"),
    "another type": (changed("type ipv4_addr : verdict", "type ipv4_addr : mark"), "property of a map"),
    "an unknown key": (changed("type ipv4_addr : verdict", "type ether_addr : verdict"), "type of key"),
    "element of another arity": (changed("10.1.20.11 : jump", "10.1.20.11 . 6 : jump"), "no element"),
    "element with a timeout": (changed("10.1.20.11 : jump", "10.1.20.11 timeout 5s : jump"), "no element"),
    "element with another verdict": (changed("jump here }", "queue }"), "no element"),
    "element to an unknown chain": (changed("jump here }", "jump there }"), "not in the text"),
    "no elements": (changed("10.1.20.11 : jump here ", ""), "list of elements is empty"),
    "overlapping elements": (changed("0.0.0.0/0 . 22", "10.1.0.0/16 . 9016"), "shares keys"),
    "chain twice": (changed("chain here {", "chain orders {"), "stands twice"),
    "a flowtable": (changed("chain here {", "flowtable f {"), "neither a map nor a chain"),
    "an octal port": (changed("0.0.0.0/0 . 22 :", "0.0.0.0/0 . 022 :"), "begins with 0"),
    "an octal length": (text_of("ip saddr 10.0.0.0/010 drop"), "begins with 0"),
    "an octal protocol": (text_of("meta l4proto 021 drop"), "begins with 0"),
    "a number without end": (changed("0.0.0.0/0 . 22 :", f"0.0.0.0/0 . {'9' * 5000} :"), "no number"),
    "strays of TCP": (text_of("meta l4proto 6 ct state invalid accept"), "without a connection"),
    "strays of IGMP": (text_of("meta l4proto 2 ct state invalid,established accept"), "without a connection"),
    "what is not tracked": (text_of("ct state untracked accept"), "without a connection"),
    "what a helper expects": (text_of("meta l4proto 6 ct state related accept"), "a helper expects"),
    "strays in a chain": (text_of("ct state invalid jump orders"), "without a connection"),
    "strays in a map": (text_of("ct state invalid ct original ip daddr vmap @in4"), "without a connection"),
    "a loop": (changed('counter packets 17 bytes 4711 accept comment "clients place orders"', "jump here"), "deeper"),
    "a rule outside": (
        changed("table inet configlet {\n", "table inet configlet {\n\tcounter\n"),
        "no map and no chain",
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_the_kernel_refuses_or_that_leaves_doubt_is_refused(name: str) -> None:
    text, word = TEXTS[name]
    with pytest.raises(Refused, match=word):
        read_text(text)


def test_names_counters_spacing_and_order_make_no_difference_to_the_canonical_form() -> None:
    other = (
        text_of()
        .replace("{ 1, 6 } ct protocol 6", "{ tcp, icmp } ct original protocol tcp")
        .replace("packets 17 bytes 4711 ", "")
        .replace("packets 0 bytes 0 ", "")
        .replace("8191", "0x1fff")
        .replace("filter - 10", "-10")
        .replace("10.1.10.0/24 . 9001-9016 : goto orders,\n\t\t\t0.0.0.0/0 . 22 : goto orders",
                 "0.0.0.0-255.255.255.255 . 22 : goto orders, 10.1.10.0-10.1.10.255 . 9001-9016 : goto orders")
    )  # fmt: skip
    assert other != text_of()
    assert (
        read_text("table inet configlet\ndelete table inet configlet\n" + other).canonical
        == read_text(text_of()).canonical
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("10.1.10.0/24", "10.1.10.0/25"),
        ("9001-9016", "9001-9017"),
        ("ct original ip daddr vmap", "ip daddr vmap"),
        ("policy drop", "policy accept"),
        ("accept comment", "drop comment"),
        ('"clients place orders"', '"somebody else"'),
        ("{ 1, 6 }", "{ 6 }"),
    ],
)
def test_a_change_of_meaning_or_of_a_name_changes_the_canonical_form(old: str, new: str) -> None:
    assert read_text(changed(old, new)).canonical != read_text(text_of()).canonical


def test_an_absent_table_has_no_lists() -> None:
    assert read_text("").lists == {}
    assert read_text("table inet configlet\ndelete table inet configlet\n").lists == {}


def test_of_a_whole_ruleset_only_our_table_is_kept() -> None:
    whole = "table inet filter {\n\tchain input {\n\t\taccept\n\t}\n}\n" + text_of() + "table ip nat {\n}\n"
    assert owned(NFT, "filter-table", whole) == text_of()


def test_goto_does_not_come_back_and_jump_does() -> None:
    behind = "\t\taccept\n"
    gone, back = (lines(changed("\t\tjump judge\n", f"\t\t{verb} judge\n{behind}")) for verb in ("goto", "jump"))
    everything = lines(changed("\t\tjump judge\n", behind))[0].box
    assert [next(line.permit for line in found if line.box == everything) for found in (gone, back)] == [False, True]


def test_goto_from_a_chain_that_was_jumped_to_goes_on_behind_that_jump_and_is_refused() -> None:
    text = changed("counter packets 17 bytes 4711 accept comment", "ip saddr 10.1.10.9 accept comment")
    with pytest.raises(Refused, match="behind the last jump"):
        lines(text)
    assert lines(text.replace("goto orders", "jump orders"))
