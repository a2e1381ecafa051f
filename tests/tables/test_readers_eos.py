"""What the reader of EOS access lists understands, and everything that it refuses."""

from __future__ import annotations

import re

import pytest

from configlet.model.gate import Line, Reading
from configlet.model.problem import Refused
from configlet.readers import read
from configlet.readers.sections import owned
from tests.builders import platform, span

EOS = platform("eos")
BOUND4 = "interface Vlan120\n   ip access-group cfglt-x in\n"
BOUND6 = "interface Vlan120\n   ipv6 access-group cfglt-x in\n"
PORTS, BIT = (0, 65535), (0, 1)


def text_of(*entries: str, six: bool = False) -> str:
    head = "ipv6" if six else "ip"
    body = "".join(f"   {entry}\n" for entry in entries)
    return f"{head} access-list cfglt-x\n{body}{BOUND6 if six else BOUND4}"


def read_text(text: str) -> Reading:
    return read(EOS, "acl", text, "running")


def lines_of(*entries: str, six: bool = False) -> tuple[Line, ...]:
    every = "ipv6" if six else "ip"
    numbered = [f"1 deny {every} any any fragments", *(f"{10 * n} {entry}" for n, entry in enumerate(entries, 1))]
    return read_text(text_of(*numbered, six=six)).lists["Vlan120", "in", 6 if six else 4][1:]


def boxes(*entries: str, six: bool = False) -> list[tuple[tuple[int, int], ...]]:
    return [line.box for line in lines_of(*entries, six=six)]


SOURCES = {
    "any": [span("any", 4)],
    "host 10.1.2.3": [span("10.1.2.3", 4)],
    "10.1.2.3/32": [span("10.1.2.3", 4)],
    "10.0.0.0/8": [span("10.0.0.0/8", 4)],
    "10.1.64.0/19": [span("10.1.64.0/19", 4)],
    "10.1.2.6/31": [span("10.1.2.6/31", 4)],
    "0.0.0.0/0": [span("any", 4)],
    "10.0.0.0 0.255.255.255": [span("10.0.0.0/8", 4)],
    "10.1.2.3 0.0.0.0": [span("10.1.2.3", 4)],
    "10.1.2.99 0.0.0.255": [span("10.1.2.0/24", 4)],
    "10.1.0.0 0.0.2.255": [span("10.1.0.0/24", 4), span("10.1.2.0/24", 4)],
    "0.0.0.0 255.255.255.255": [span("any", 4)],
    "255.0.0.0 0.0.0.255": [span("255.0.0.0/24", 4)],
}


@pytest.mark.parametrize("text", SOURCES)
def test_an_address_is_read_in_bits(text: str) -> None:
    assert [box[2] for box in boxes(f"permit ip {text} any")] == SOURCES[text]
    assert [box[1] for box in boxes(f"permit ip any {text}")] == SOURCES[text]


def test_a_netmask_is_not_mistaken_for_a_wildcard() -> None:
    assert [box[2] for box in boxes("permit ip 10.0.0.0 0.255.255.255 any")] == [span("10.0.0.0/8", 4)]
    with pytest.raises(Refused, match="too many holes"):
        boxes("permit ip 10.0.0.1 255.255.254.1 any")
    (netmask, *_) = boxes("permit ip 10.0.0.0 255.0.0.0 any")
    assert netmask[2] == (0, 0)


PORT_WORDS = {
    "eq 22": [(22, 22)],
    "eq ssh": [(22, 22)],
    "eq www https bgp": [(80, 80), (179, 179), (443, 443)],
    "eq 0": [(0, 0)],
    "eq 65535": [(65535, 65535)],
    "gt 1023": [(1024, 65535)],
    "lt 1024": [(0, 1023)],
    "range 9001 9016": [(9001, 9016)],
    "range ssh telnet": [(22, 23)],
    "neq 22": [(0, 21), (23, 65535)],
    "neq 0 65535": [(1, 65534)],
}


@pytest.mark.parametrize("text", PORT_WORDS)
def test_ports_are_read_with_every_operator_and_with_the_devices_names(text: str) -> None:
    assert [box[3] for box in boxes(f"permit tcp any any {text}")] == PORT_WORDS[text]
    assert [box[4] for box in boxes(f"permit udp any {text} any")] == PORT_WORDS[text]


ICMP_WORDS = {
    "8": (2048, 2303),
    "echo": (2048, 2303),
    "3 4": (772, 772),
    "3 0": (768, 768),
    "port-unreachable": (771, 771),
}


@pytest.mark.parametrize("text", ICMP_WORDS)
def test_icmp_types_and_codes_are_one_number(text: str) -> None:
    assert boxes(f"permit icmp any any {text}")[0][3] == ICMP_WORDS[text]


def test_every_icmp_type_is_read_with_and_without_a_code() -> None:
    for kind in range(256):
        assert boxes(f"permit icmp any any {kind}")[0][3] == (kind * 256, kind * 256 + 255)
        assert boxes(f"permit icmp any any {kind} 255")[0][3] == (kind * 256 + 255,) * 2


def test_icmp_names_belong_to_their_family() -> None:
    assert boxes("permit icmpv6 any any nd-ns", six=True)[0][3] == (135 * 256, 135 * 256 + 255)
    with pytest.raises(Refused, match="name is not known"):
        boxes("permit icmp any any nd-ns")


@pytest.mark.parametrize(
    ("entry", "box"),
    [
        ("permit ip any any", ((0, 255), span("any", 4), span("any", 4), PORTS, PORTS, BIT, BIT)),
        ("permit tcp any any", ((6, 6), span("any", 4), span("any", 4), PORTS, PORTS, BIT, BIT)),
        ("permit ospf any any", ((89, 89), span("any", 4), span("any", 4), PORTS, PORTS, BIT, BIT)),
        ("permit 89 any any", ((89, 89), span("any", 4), span("any", 4), PORTS, PORTS, BIT, BIT)),
        ("permit tcp any any established", ((6, 6), span("any", 4), span("any", 4), PORTS, PORTS, (1, 1), (0, 0))),
        (
            "permit tcp any any eq 22 established log",
            ((6, 6), span("any", 4), span("any", 4), (22, 22), PORTS, (1, 1), (0, 0)),
        ),
        ("permit udp any any fragments", ((17, 17), span("any", 4), span("any", 4), PORTS, PORTS, BIT, (1, 1))),
    ],
)
def test_an_entry_is_a_box(entry: str, box: tuple[tuple[int, int], ...]) -> None:
    assert boxes(entry) == [box]


REFUSED = {
    "vlan": "permit vlan 10 0xfff ip any any",
    "ttl": "permit ip any any ttl eq 255",
    "tracked": "permit ip any any tracked",
    "nexthop-group": "permit ip any any nexthop-group G",
    "dscp": "permit ip any any dscp 46",
    "syn": "permit tcp any any syn",
    "urg": "permit tcp any any eq 22 urg",
    "response traffic": "permit response traffic nat",
    "time-range": "permit ip any any time-range night",
    "log-input": "permit ip any any log-input",
    "unknown action": "allow ip any any",
    "unknown protocol": "permit tpc any any",
    "protocol 256": "permit 256 any any",
    "reversed range": "permit tcp any any range 500 400",
    "port 65536": "permit tcp any any eq 65536",
    "unknown port": "permit tcp any any eq hhtp",
    "no port": "permit tcp any any eq",
    "gt 65535": "permit tcp any any gt 65535",
    "lt 0": "permit tcp any any lt 0",
    "host bits": "permit ip 10.0.0.5/24 any",
    "prefix 33": "permit ip 10.0.0.0/33 any",
    "bare address": "permit tcp 192.0.2.1 host 192.0.2.2 eq 80",
    "octet 256": "permit ip host 10.0.0.256 any",
    "leading zero": "permit ip host 10.0.0.010 any",
    "other family": "permit ip 2001:db8::/32 any",
    "no destination": "permit ip any",
    "one word more": "permit ip any any any",
    "port without protocol": "permit ip any any eq 80",
    "port of icmp": "permit icmp any any eq 80",
    "port of ospf": "permit ospf any any eq 80",
    "type of tcp": "permit tcp any any 8",
    "type 256": "permit icmp any any 256",
    "code 256": "permit icmp any any 3 256",
    "name with code": "permit icmp any any port-unreachable 4",
    "established udp": "permit udp any any established",
    "established ip": "permit ip any any established",
    "fragment with port": "permit tcp any any eq 22 fragments",
    "fragment with type": "permit icmp any any 8 fragments",
    "words in another order": "permit tcp any any log established",
    "object group": "permit tcp object-group A any",
    "six in four": "permit ipv6 any any",
}


@pytest.mark.parametrize("entry", REFUSED.values(), ids=REFUSED)
def test_a_line_that_is_not_understood_whole_is_refused_at_its_place(entry: str) -> None:
    with pytest.raises(Refused) as refused:
        boxes("permit ip any any", entry)
    (problem,) = refused.value.problems
    assert problem.place is not None
    assert (problem.place.file, problem.place.line) == ("running", 4)
    assert 4 < problem.place.column <= len(f"   20 {entry}") + 1


def test_the_place_is_the_column_of_the_word() -> None:
    with pytest.raises(Refused, match=r"running:3:42: [\s\S]*at \"ttl\""):
        boxes("permit tcp any host 10.0.0.1 eq 22 ttl eq 5")


TEXTS = {
    "duplicate number": (text_of("10 permit ip any any", "10 deny ip any any"), "stands twice"),
    "descending number": (text_of("20 permit ip any any", "10 deny ip any any"), "lower"),
    "no number": (text_of("permit ip any any"), "does not fit"),
    "number 0": (text_of("0 permit ip any any"), "go from 1"),
    "number too high": (text_of("4294967296 permit ip any any"), "go from 1"),
    "empty list": (text_of(), "is empty"),
    "only a remark": (text_of("10 remark nothing"), "is empty"),
    "undefined list": (BOUND4, "is not in the text"),
    "list of the other family": (
        text_of("10 permit ip any any") + "interface Vlan2\n   ipv6 access-group cfglt-x in\n", "not in"),
    "list twice": (text_of("10 permit ip any any") + text_of("10 permit ip any any"), "stands twice"),
    "bound twice": (text_of("10 permit ip any any") + "   ip access-group cfglt-x in\n", "already"),
    "interface twice": (text_of("10 permit ip any any") + "interface Vlan120\n", "stands twice"),
    "standard list": ("ip access-list standard cfglt-x\n   10 permit any\n", "neither"),
    "mac list": ("mac access-list cfglt-x\n   10 permit any any\n", "neither"),
    "another section": ("router bgp 65000\n", "neither"),
    "another interface line": ("interface Vlan120\n   ip address 10.0.0.1/24\n", "no access group"),
    "line without a header": ("   10 permit ip any any\n", "under no header"),
    "control character": (text_of("10 remark a\x07b"), "control character"),
    "fragments left open": (text_of("10 permit tcp any any eq 22", "20 deny ip any any"), "fragments"),
    "fragments decided of another protocol": (
        text_of("10 deny udp any any fragments", "20 permit tcp any any eq 22"), "fragments"),
    "fragments decided of fewer addresses": (
        text_of("10 deny ip 10.0.0.0/8 any fragments", "20 permit tcp any any eq 22"), "fragments"),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_a_device_would_refuse_or_that_leaves_doubt_is_refused(name: str) -> None:
    text, word = TEXTS[name]
    with pytest.raises(Refused, match=word) as refused:
        read_text(text)
    assert refused.value.problems[0].place is not None


def test_fragments_may_be_decided_by_a_line_without_ports() -> None:
    reading = read_text(text_of("10 permit tcp any any fragments", "20 permit tcp any any eq 22", "30 deny ip any any"))
    assert len(reading.lists["Vlan120", "in", 4]) == 3


SHOWN = """\
! Command: show running-config
ip access-list cfglt-x\r
   counters per-entry
   10 remark deny ip any any
   20 deny ip any any fragments
   30 PERMIT TCP 10.0.0.0 0.255.255.255 host 192.0.2.11 eq ssh established log
\t40 permit tcp 10.0.0.0/8  host 192.0.2.11 range www https
   50 permit icmp any any echo
   60 permit tcp any gt 1023 any eq bgp
   70 deny ip any any
   exit
!
interface Vlan120
   ip access-group cfglt-x in
"""
WRITTEN = """\
ip access-list cfglt-x
   10 remark deny ip any any
   20 deny ip any any fragments
   30 permit tcp 10.0.0.0/8 host 192.0.2.11 eq 22 established log
   40 permit tcp 10.0.0.0/8 host 192.0.2.11 range 80 443
   50 permit icmp any any 8
   60 permit tcp any range 1024 65535 any eq 179
   70 deny ip any any
!
interface Vlan120
   ip access-group cfglt-x in
!
"""


def test_what_the_device_shows_and_what_we_wrote_have_one_canonical_form() -> None:
    assert read_text(SHOWN).canonical == read_text(WRITTEN).canonical == WRITTEN


def test_what_the_device_shows_and_what_we_wrote_mean_the_same() -> None:
    shown, written = (read_text(text).lists["Vlan120", "in", 4] for text in (SHOWN, WRITTEN))
    assert [(line.permit, line.box) for line in shown] == [(line.permit, line.box) for line in written]


def test_every_line_is_counted_and_an_entry_knows_its_line_and_remark() -> None:
    reading = read_text(WRITTEN)
    assert (reading.read, reading.total) == (12, 12)
    line = reading.lists["Vlan120", "in", 4][1]
    assert (line.number, line.label) == (4, "deny ip any any")


def test_a_remark_that_looks_like_an_entry_is_none() -> None:
    assert len(lines_of("permit tcp any any eq 22")) == 1
    reading = read_text(text_of("10 remark permit ip any any", "20 deny ip any any"))
    assert [line.permit for line in reading.lists["Vlan120", "in", 4]] == [False]


def test_a_foreign_list_on_an_interface_is_noted_and_an_unbound_one_too() -> None:
    text = text_of("10 permit ip any any").replace("ip access-group cfglt-x in", "ip access-group OTHER in")
    reading = read_text(text)
    assert reading.lists == {}
    assert [note.split(":")[0] for note in reading.notes] == ["foreign access group", "not bound"]
    assert "OTHER" in reading.notes[0]


def test_an_empty_text_binds_nothing() -> None:
    assert read_text("").lists == {}
    assert read_text("").canonical == ""


RUNNING = f"""\
! device: leaf1 (DCS-7280SR, EOS-4.33.1F)
hostname leaf1
!
ip access-list FOREIGN
   10 permit ip any any
!
{WRITTEN.split("interface")[0]}interface Ethernet1
   description to the exchange
   no switchport
   ip access-group FOREIGN in
!
interface Ethernet2
   mtu 9214
!
interface Vlan120
   vrf trading
   ip address virtual 10.1.20.1/24
   ip access-group cfglt-x in
!
management ssh
   ip access-group FOREIGN in
!
end
"""


def test_of_a_running_configuration_only_our_lists_and_all_bindings_are_kept() -> None:
    kept = owned(EOS, "acl", RUNNING)
    assert "hostname" not in kept and "access-list FOREIGN" not in kept and "Ethernet2" not in kept
    assert "management" not in kept
    reading = read_text(kept)
    assert set(reading.lists) == {("Vlan120", "in", 4)}
    assert [note for note in reading.notes if "FOREIGN" in note] == [
        "foreign access group: running:10 Ethernet1 in IPv4 FOREIGN"
    ]


def test_a_running_configuration_without_anything_of_ours_is_empty() -> None:
    assert owned(EOS, "acl", "hostname leaf1\n!\ninterface Ethernet1\n   mtu 9214\n!\nend\n") == ""


def test_no_word_can_be_lost_doubled_or_replaced_without_notice() -> None:
    """The token law of readers: a mutant is refused, or means something else; only words known to mean nothing may go."""
    said = "30 permit tcp 10.0.0.0/8 range 1024 65535 host 192.0.2.11 eq 22 established log"
    words = said.split()
    meaning = boxes(" ".join(words[1:]))
    for at, word in enumerate(words[1:], 1):
        before, after = words[:at], words[at + 1 :]
        for mutant in ([*before, *after], [*before, word, word, *after], [*before, "any", *after]):
            entry = " ".join(mutant[1:])
            try:
                found = boxes(entry)
            except Refused:
                continue
            if found == meaning:
                assert re.sub(r" log$", "", entry) == " ".join(words[1:-1]) or entry.count("22") == 2, entry
