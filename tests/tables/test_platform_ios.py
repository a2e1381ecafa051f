"""What the reader of IOS-XE's access lists understands, each row of its semantics sheet, and everything that it refuses."""

from __future__ import annotations

import pytest

from configlet.model.gate import Line, Reading
from configlet.model.problem import Refused
from configlet.readers import read
from configlet.readers.sections import owned
from tests.builders import platform, span

IOS = platform("ios")
BOUND4 = "interface Vlan120\n ip access-group cfglt-x-v4 in\n"
BOUND6 = "interface Vlan120\n ipv6 traffic-filter cfglt-x-v6 in\n"
PORTS, BIT, FIRST, LATER = (0, 65535), (0, 1), (0, 0), (1, 1)
ANY4, ANY6 = span("any", 4), span("any", 6)


def text_of(*entries: str, six: bool = False, before: str = "") -> str:
    body = "".join(f" {entry}\n" for entry in entries)
    head = "ipv6 access-list cfglt-x-v6" if six else "ip access-list extended cfglt-x-v4"
    return f"{before}{head}\n{body}{BOUND6 if six else BOUND4}"


def read_text(text: str) -> Reading:
    return read(IOS, "acl", text, "running")


def lines_of(*entries: str, before: str = "") -> tuple[Line, ...]:
    return read_text(text_of(*entries, before=before)).lists["Vlan120", "in", 4]


def whole(*entries: str, before: str = "") -> list[tuple[tuple[int, int], ...]]:
    """The boxes of entries as whole packets see them."""
    lines = lines_of("1 deny ip any any fragments", *entries, before=before)[1:]
    return [line.box for line in lines if line.box[6][0] == 0]


def six(*entries: str) -> tuple[Line, ...]:
    text = text_of("deny ipv6 any any fragments", *entries, "deny ipv6 any any", six=True)
    return read_text(text).lists["Vlan120", "in", 6][1:-1]


def why(text: str) -> str:
    with pytest.raises(Refused) as refused:
        read_text(text)
    (problem,) = refused.value.problems
    assert problem.place and problem.place.file == "running"
    return str(problem)


ADDRESSES = {
    "any": [ANY4],
    "host 10.1.2.3": [span("10.1.2.3", 4)],
    "10.0.0.0 0.255.255.255": [span("10.0.0.0/8", 4)],
    "10.1.2.6 0.0.0.1": [span("10.1.2.6/31", 4)],
    "10.1.2.3 0.0.0.0": [span("10.1.2.3", 4)],
    "10.1.2.99 0.0.0.255": [span("10.1.2.0/24", 4)],
    "10.1.0.0 0.0.2.255": [span("10.1.0.0/24", 4), span("10.1.2.0/24", 4)],
    "0.0.0.0 255.255.255.255": [ANY4],
    "10.0.0.0 255.0.0.0": [(n << 24, n << 24) for n in range(256)],
}


@pytest.mark.parametrize("text", ADDRESSES)
def test_an_address_is_read_in_bits(text: str) -> None:
    assert [box[2] for box in whole(f"permit ip {text} any")] == ADDRESSES[text]
    assert [box[1] for box in whole(f"permit ip any {text}")] == ADDRESSES[text]


PORT_WORDS = {
    "tcp eq 22": [(22, 22)],
    "tcp eq www": [(80, 80)],
    "tcp eq www 443 bgp": [(80, 80), (179, 179), (443, 443)],
    "udp eq domain ntp": [(53, 53), (123, 123)],
    "tcp gt 1023": [(1024, 65535)],
    "tcp lt telnet": [(0, 22)],
    "tcp range ftp-data telnet": [(20, 23)],
    "tcp neq 22": [(0, 21), (23, 65535)],
    "udp neq 0 65535": [(1, 65534)],
}


@pytest.mark.parametrize("text", PORT_WORDS)
def test_ports_are_read_with_every_operator_and_with_the_devices_names(text: str) -> None:
    proto, ports = text.split(" ", 1)
    assert [box[3] for box in whole(f"permit {proto} any any {ports}")] == PORT_WORDS[text]
    assert [box[4] for box in whole(f"permit {proto} any {ports} any")] == PORT_WORDS[text]


@pytest.mark.parametrize(
    ("word", "interval"),
    [
        ("8", (2048, 2303)),
        ("echo", (2048, 2303)),
        ("3 4", (772, 772)),
        ("packet-too-big", (772, 772)),
        ("unreachable", (768, 1023)),
        ("administratively-prohibited", (781, 781)),
        ("ttl-exceeded", (2816, 2816)),
        ("time-exceeded", (2816, 3071)),
    ],
)
def test_icmp_is_read_by_number_and_by_name(word: str, interval: tuple[int, int]) -> None:
    assert whole(f"permit icmp any any {word}")[0][3] == interval


def test_icmp_of_ipv6_is_called_icmp_and_has_its_own_names() -> None:
    (line,) = six("sequence 20 permit icmp any any nd-na")
    assert (line.box[0], line.box[3]) == ((58, 58), (136 * 256, 136 * 256 + 255))
    assert [entry.box[3][0] // 256 for entry in six("permit icmp any any echo-request", "permit icmp any any 1 4")] == [
        128,
        1,
    ]


FRAGMENTS = {
    # Cisco document 8014: what a line says of whole packets (False, True) and of non-first fragments.
    "permit ip host 10.0.0.1 any": [(True, BIT)],
    "deny ip host 10.0.0.1 any": [(False, BIT)],
    "permit tcp host 10.0.0.1 any fragments": [(True, LATER)],
    "deny tcp host 10.0.0.1 any fragments": [(False, LATER)],
    "permit tcp host 10.0.0.1 any eq 22": [(True, FIRST), (True, LATER)],
    "deny tcp host 10.0.0.1 any eq 22": [(False, FIRST)],
}


@pytest.mark.parametrize("entry", FRAGMENTS)
def test_fragments_are_read_by_the_sheet(entry: str) -> None:
    lines = lines_of(entry)
    assert [(line.permit, line.box[6]) for line in lines] == FRAGMENTS[entry]
    assert all(line.box[3:6] == (PORTS, PORTS, BIT) for line in lines if line.box[6] == LATER)


@pytest.mark.parametrize(
    "entry", ["permit icmp any any echo", "permit tcp any any established", "deny tcp any eq 1 any established"]
)
def test_a_line_whose_fragments_the_sheet_does_not_know_needs_them_decided_before(entry: str) -> None:
    assert "fragments is not known" in why(text_of(entry, "deny ip any any"))
    assert len(lines_of("deny ip any any fragments", entry)) == 2


def test_ports_of_ipv6_need_their_fragments_decided_before() -> None:
    entries = "permit tcp any any eq 22", "deny ipv6 any any"
    assert "fragments is not known" in why(text_of(*entries, six=True))
    read_text(text_of("deny ipv6 any any fragments", *entries, six=True))


@pytest.mark.parametrize("words", ["fragments", "log", "log-input", "fragments log", "log fragments"])
def test_log_changes_nothing_and_stands_before_or_behind(words: str) -> None:
    (line,) = lines_of(f"deny ip any any {words}")
    assert line.box[6] == (LATER if "fragments" in words else BIT)


@pytest.mark.parametrize("end", ["permit ipv6 host 2001:db8::1 any", "permit icmp any any nd-ns", "deny tcp any any"])
def test_an_ipv6_list_must_decide_neighbour_discovery_itself(end: str) -> None:
    assert "adds at the end" in why(text_of("deny ipv6 any any fragments", end, six=True))
    for decided in (["deny ipv6 any any"], ["permit icmp any any nd-ns", "permit icmp any any nd-na"]):
        read_text(text_of("deny ipv6 any any fragments", end, *decided, six=True))


GROUPS = """\
object-group network cfglt-Clients
 description 10.9.0.0 0.0.255.255
 host 10.1.10.7
 10.1.20.0 255.255.255.0
 range 10.1.30.3 10.1.30.9
!
object-group network cfglt-all
 group-object cfglt-Clients
 any
!
object-group service cfglt-svc
 tcp eq www
 udp range 9001 9016
 tcp-udp source eq 53 gt 1023
 icmp echo
 ospf
!
"""


def test_groups_of_networks_have_netmasks_and_entries_wildcards() -> None:
    found = [box[2] for box in whole("permit tcp object-group cfglt-Clients any eq 22", before=GROUPS)]
    assert found == [span("10.1.10.7", 4), span("10.1.20.0/24", 4), span("10.1.30.3-10.1.30.9", 4)]
    assert len(whole("permit ip object-group cfglt-Clients object-group cfglt-all", before=GROUPS)) == 3 * 4


def test_a_group_of_services_stands_for_protocol_and_ports() -> None:
    found = [(b[0][0], b[3], b[4]) for b in whole("permit object-group cfglt-svc any host 10.0.0.1", before=GROUPS)]
    both = [(n, (1024, 65535), (53, 53)) for n in (6, 17)]
    assert found == [
        (6, (80, 80), PORTS),
        (17, (9001, 9016), PORTS),
        *both,
        (1, (2048, 2303), PORTS),
        (89, PORTS, PORTS),
    ]


def test_groups_belong_to_the_normal_form_and_are_ours_by_name() -> None:
    text = text_of("10 deny ip any any fragments", "20 permit tcp object-group cfglt-Clients any eq www", before=GROUPS)
    canonical = read_text(text).canonical
    assert "object-group network cfglt-Clients\n host 10.1.10.7\n" in canonical and "description" not in canonical
    assert "permit tcp object-group cfglt-Clients any eq 80" in canonical
    assert read_text(canonical).canonical == canonical
    assert read_text(owned(IOS, "acl", "object-group network foreign\n any\n" + text)).canonical == canonical


@pytest.mark.parametrize(
    ("group", "word"),
    [
        ("object-group network g\n", "is empty"),
        ("object-group network other\n any\n", "does not stand before this line"),
        ("object-group network g\n group-object g\n", "does not stand before this line"),
        ("object-group network g\n 10.1.20.0 0.0.0.255\n", "no netmask"),
        ("object-group network g\n 10.1.20.1 255.255.255.0\n", "host bits"),
        ("object-group network g\n 10.1.20.0/24\n", "no member"),
        ("object-group network g\n host 2001:db8::1\n", "no member"),
        ("object-group network g\n range 10.0.0.9 10.0.0.1\n", "reversed"),
        ("object-group network g\n any\nobject-group network g\n any\n", "stands twice"),
        ("object-group security g\n security-group tag 7\n", "neither an access list"),
        ("object-group service g\n tcp eq 22\n", "does not stand before this line"),
    ],
)
def test_a_group_that_is_not_understood_whole_is_refused(group: str, word: str) -> None:
    assert word in why(text_of("deny ip any any fragments", "permit tcp object-group g any", before=group))


@pytest.mark.parametrize(
    "member",
    [
        "icmp eq 5",
        "tcp eq 99999",
        "tcp echo",
        "tcp range 5 4",
        "udp eq bgp",
        "foo",
        "ip eq 1",
        "tcp ack",
        "object-group x",
    ],
)
def test_a_service_that_is_not_understood_is_refused(member: str) -> None:
    why(text_of("permit object-group g any any", before=f"object-group service g\n {member}\n"))


def test_a_group_of_services_takes_no_word_beside_it() -> None:
    entries = "deny ip any any fragments", "permit object-group cfglt-svc any any eq 22"
    assert "beside a group of services" in why(text_of(*entries, before=GROUPS))


def test_numbers_are_read_where_they_stand_and_given_where_they_do_not() -> None:
    numbered = text_of("10 remark a", "10 remark b", "10 deny ip any any fragments", "15 permit ip any any")
    plain = text_of("remark a", "remark b", "deny ip any any fragments", "permit ip any any")
    assert read_text(numbered).canonical == read_text(plain).canonical
    assert " 10 remark b\n 10 deny ip any any fragments\n 15 permit" in read_text(numbered).numbered
    assert " 10 remark b\n 10 deny ip any any fragments\n 20 permit" in read_text(plain).numbered
    assert lines_of("remark a", "deny ip any any")[0].label == "a"


@pytest.mark.parametrize(
    ("entries", "word"),
    [
        (["10 permit ip any any", "10 deny ip any any"], "stands twice"),
        (["20 permit ip any any", "10 deny ip any any"], "lower than"),
        (["10 permit ip any any", "10 remark late"], "stands twice"),
        (["20 remark a", "10 permit ip any any"], "lower than"),
        (["0 permit ip any any"], "go from 1"),
        (["2147483648 permit ip any any"], "go from 1"),
        (["sequence 10 permit ip any any"], "does not fit"),
    ],
)
def test_numbers_that_no_device_shows_are_refused(entries: list[str], word: str) -> None:
    assert word in why(text_of(*entries))


def test_a_number_without_its_word_is_no_ipv6_entry() -> None:
    assert "does not fit" in why(text_of("10 deny ipv6 any any", six=True))


WRONG = {
    "permit ip 10.1.2.0/24 any": "does not fit",
    "permit ip 10.1.2.0 any": "does not fit",
    "permit ip 10.1.2.256 0.0.0.255 any": "no IPv4 address",
    "permit ip host 2001:db8::1 any": "does not fit",
    "permit ip any": "does not fit",
    "permit ip any any eq 22": "protocol that has none",
    "permit tcp any any eq ntp": "name is not known",
    "permit udp any any eq www": "name is not known",
    "permit tcp any any eq 65536": "no number from 0 to 65535",
    "permit tcp any any range 500 400": "reversed",
    "permit tcp any any gt 65535": "No port is left",
    "permit udp any any established": "Only TCP",
    "permit icmp any any 256": "no number from 0 to 255",
    "permit icmp any any echo 1 2": "does not fit",
    "permit icmp any any packet-too-big 1": "has a code already",
    "permit icmp any any nd-ns": "name is not known",
    "permit tcp any any 8": "beside another protocol",
    "permit 256 any any": "no number from 0 to 255",
    "permit icmpv6 any any": "name is not known",
    "permit tcp any any eq 22 fragments": "A fragment has no ports",
    "permit tcp any any syn": "does not fit",
    "permit tcp any any match-all +syn -ack": "does not fit",
    "permit tcp any any eq 22 time-range night": "does not fit",
    "permit ip any any ttl eq 255": "does not fit",
    "permit ip any any dscp ef": "does not fit",
    "permit ip any any precedence critical": "does not fit",
    "permit ip any any option any-options": "does not fit",
    "permit tcp any any reflect back": "does not fit",
    "evaluate back": "does not fit",
    "dynamic x permit ip any any": "does not fit",
    "permit ip any any log log": "does not fit",
    "Permit ip any any": "does not fit",
    "% Invalid input detected at '^' marker.": "does not fit",
    "permit ip any any extra": "does not fit",
    "no 10": "does not fit",
}


@pytest.mark.parametrize("entry", WRONG)
def test_an_entry_that_is_not_understood_whole_is_refused(entry: str) -> None:
    assert WRONG[entry] in why(text_of("5 deny ip any any fragments", entry))


@pytest.mark.parametrize("entry", ["permit ipv6 2001:db8::1/64 any", "permit ip any any", "permit ipv6 10.0.0.0 0.0.0.255 any",
                                   "permit icmp any any echo", "permit ipv6 object-group g any", "permit hbh any any",
                                   "permit tcp any any eq 22 routing", "permit ipv6 any any undetermined-transport"])  # fmt: skip
def test_an_ipv6_entry_that_is_not_understood_whole_is_refused(entry: str) -> None:
    why(text_of("deny ipv6 any any fragments", entry, "deny ipv6 any any", six=True))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ip access-list standard cfglt-x-v4\n 10 permit 10.0.0.0 0.255.255.255\n", "neither"),
        ("ip access-list cfglt-x-v4\n 10 permit ip any any\n", "neither"),
        ("ipv6 access-list extended cfglt-x-v6\n permit ipv6 any any\n", "neither"),
        ("access-list 10 permit 10.0.0.0 0.255.255.255\n", "neither"),
        ("% Invalid input detected at '^' marker.\n", "neither"),
        ("interface Vlan120\n ip access-group cfglt-a in\n ip access-group cfglt-b in\n", "already"),
        ("interface Vlan120\n ip access-group cfglt-a\n", "no access group"),
        ("interface Vlan120\n ipv6 access-group cfglt-a in\n", "no access group"),
        ("interface Vlan120\n ip traffic-filter cfglt-a in\n", "no access group"),
        ("interface Vlan120\n ip access-group cfglt-a in common cfglt-b in\n", "no access group"),
        ("interface Vlan120\n mac access-group x in\n", "no access group"),
        (BOUND4, "not in the text"),
        ("ip access-list extended cfglt-x-v4\n" + BOUND4, "is empty"),
        ("ip access-list extended cfglt-x-v4\n remark only\n" + BOUND4, "is empty"),
        ("ip access-list extended cfglt-x-v4\n permit ip any any\n" * 2, "stands twice"),
        (BOUND4 + BOUND4, "stands twice"),
        (" permit ip any any\n", "under no header"),
        ("access-list 101 permit ip any any\n deny ip any any\n", "under no header"),
    ],
)
def test_a_text_that_is_not_understood_whole_is_refused(text: str, word: str) -> None:
    assert word in why(text)


def test_lists_that_are_numbers_are_read_line_by_line() -> None:
    text = "access-list 101 remark a\naccess-list 101 permit tcp host 10.0.0.1 any eq www\naccess-list 101 deny ip any any\n"
    reading = read_text(text + "interface Vlan120\n ip access-group 101 in\n")
    assert [line.permit for line in reading.lists["Vlan120", "in", 4]] == [True, True, False]
    assert "ip access-list extended 101\n remark a\n permit tcp" in reading.canonical
    assert why("access-list 101 permit ip any any eq 1\n").startswith("running:1:35")


ONE, TWO = " 10 permit ip host 10.0.0.1 any\n", " 10 permit ip host 10.0.0.2 any\n"
FIRST_NAME, SECOND_NAME = (f"ip access-list extended cfglt-x-v4{end}\n" for end in ("", ".2"))
BOUND_SECOND = BOUND4.replace("-v4", "-v4.2")


def test_the_binding_decides_which_list_counts_by_its_name() -> None:
    wanted = read_text(FIRST_NAME + TWO + BOUND4)
    swapped = read_text(SECOND_NAME + TWO + BOUND_SECOND)
    assert swapped.canonical == wanted.canonical
    assert swapped.numbered != wanted.numbered and "cfglt-x-v4.2\n 10 permit" in swapped.numbered


def test_what_nothing_binds_is_not_compared_but_known() -> None:
    """While a list is built under its second name, and until the one that it replaced is removed."""
    wanted = read_text(FIRST_NAME + ONE + BOUND4)
    building = read_text(FIRST_NAME + ONE + SECOND_NAME + TWO + BOUND4)
    left = read_text(SECOND_NAME + ONE + FIRST_NAME + TWO + BOUND_SECOND)
    assert building.canonical == left.canonical == wanted.canonical
    assert [len(reading.notes) for reading in (building, left, wanted)] == [1, 1, 0]
    assert "cfglt-x-v4.2\n 10 permit ip host 10.0.0.2" in building.numbered
    assert [line.box[2] for line in left.lists["Vlan120", "in", 4]] == [span("10.0.0.1", 4)]


def test_two_lists_that_are_both_bound_keep_their_names() -> None:
    text = FIRST_NAME + ONE + SECOND_NAME + TWO + BOUND4 + BOUND_SECOND.replace("Vlan120", "Vlan121")
    assert "cfglt-x-v4.2 in" in read_text(text).canonical
    assert read_text(read_text(text).canonical).canonical == read_text(text).canonical


def test_a_list_that_is_not_bound_yet_may_be_half() -> None:
    reading = read_text(
        text_of("deny ipv6 any any", six=True)
        + "ipv6 access-list cfglt-x-v6.2\n deny ipv6 any any fragments\n permit icmp any any 135\n"
    )
    assert list(reading.lists) == [("Vlan120", "in", 6)]
    assert [note.split(":")[0] for note in reading.notes] == ["not bound"]


def test_of_a_whole_configuration_only_what_concerns_us_is_taken() -> None:
    running = (
        "Building configuration...\n\nversion 17.9\nhostname leaf3\narchive\n path flash:archive\n"
        + "ip access-list extended VTY\n 10 permit ip any any\n"
        + text_of("10 permit ip any any")
        + " ip address 10.1.20.2 255.255.255.0\n ip access-group VTY out\ninterface Vlan130\n no ip address\nend\n"
    )
    kept = owned(IOS, "acl", running)
    assert kept == text_of("10 permit ip any any") + " ip access-group VTY out\n"
    assert [note.split(":")[0] for note in read_text(kept).notes] == ["foreign access group"]


def test_an_error_in_place_of_the_configuration_is_not_taken_for_an_empty_one() -> None:
    with pytest.raises(Refused):
        read_text(owned(IOS, "acl", "show running-confg\n% Invalid input detected at '^' marker.\n"))


def test_every_line_is_counted_and_an_entry_knows_its_line_and_remark() -> None:
    reading = read_text(GROUPS + text_of("10 remark all", "10 permit ip any any"))
    assert reading.read == reading.total == len((GROUPS + text_of("", "")).splitlines())
    (line,) = reading.lists["Vlan120", "in", 4]
    assert (line.number, line.label) == (len(GROUPS.splitlines()) + 3, "all")
