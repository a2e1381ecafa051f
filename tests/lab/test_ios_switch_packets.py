"""What a simulated IOS-XE switch enforces, on real packets in a network namespace, and what its parser refuses."""

from __future__ import annotations

import pytest

from configlet.lab.enforce import Enforcer
from configlet.lab.parsers import ios
from configlet.lab.parsers.eos import Unreadable
from tests.lab.cli_bench import make_ios, shell
from tests.lab.eos_bench import Planes
from tests.lab.test_enforce import A6, ACK, B6, ECHO, ECHO6, GATE, SYN, A, B, P, Round, wrong

GROUPS = """object-group network CLIENTS
 host 10.1.10.5
 10.1.11.0 255.255.255.0
object-group network RANGED
 range 10.1.20.6 10.1.20.9
 group-object CLIENTS
object-group service WEB
 tcp eq 443
 tcp-udp eq domain
 icmp echo
"""


def running(v4: str = "", v6: str = "", way: str = "in", interface: str = "Vlan110") -> str:
    """A running configuration with the two lists bound to one interface; an empty text leaves a list out."""
    text = ["hostname leaf1", "!", GROUPS.rstrip(), f"interface {interface}", " vrf forwarding trading"]
    text += [f" ip access-group x4 {way}"] * bool(v4) + [f" ipv6 traffic-filter x6 {way}"] * bool(v6)
    numbered = [f" {n * 10} {e.strip()}" for n, e in enumerate(v4.split(";"), 1)]
    text += ["!", "ip access-list extended x4", *numbered] * bool(v4)
    numbered = [f" sequence {n * 10} {e.strip()}" for n, e in enumerate(v6.split(";"), 1)]
    text += ["!", "ipv6 access-list x6", *numbered] * bool(v6)
    return "\n".join([*text, "end", ""])


def rulesets(*texts: str) -> list[str]:
    given: list[str] = []
    enforcer = Enforcer("leaf1", ["trading"], lambda _, text: given.append(text), ios.read)
    for text in texts:
        enforcer.program(text)
    return given


CASES: list[tuple[str, P, bool]] = [
    ("permit tcp any any eq 22", P(6, A, B, 5000, 22), True),
    ("permit tcp any any eq 22", P(17, A, B, 5000, 22), False),
    ("permit tcp any eq www any", P(6, A, B, 80, 22), True),
    ("permit tcp any any established", P(6, A, B, 1, 2, SYN), False),
    ("permit tcp any any established", P(6, A, B, 1, 2, SYN | ACK), True),
    ("permit udp any any range 100 200", P(17, A, B, 1, 201), False),
    ("permit udp any any neq 100", P(17, A, B, 1, 0), True),
    ("permit ip 10.1.10.0 0.0.0.255 any", P(17, A, B), True),
    ("permit ip 10.1.10.0 255.255.255.0 any", P(17, A, B), False),
    ("permit ip 10.0.10.5 0.255.0.0 any", P(17, A, B), True),
    ("permit ip 10.1.10.4 0.0.0.254 any", P(17, A, B), False),
    ("permit ip object-group CLIENTS any", P(17, A, B), True),
    ("permit ip object-group CLIENTS any", P(17, "10.1.10.6", B), False),
    ("permit ip any object-group RANGED", P(17, A, B), True),
    ("permit ip any object-group RANGED", P(17, A, "10.1.20.5"), False),
    ("permit tcp object-group CLIENTS any established", P(6, A, B, 1, 2, SYN), False),
    ("permit object-group WEB object-group CLIENTS any", P(6, A, B, 1, 443), True),
    ("permit object-group WEB object-group CLIENTS any", P(17, A, B, 1, 443), False),
    ("permit object-group WEB object-group CLIENTS any", P(17, A, B, 1, 53), True),
    ("permit object-group WEB object-group CLIENTS any", P(1, A, B, dport=ECHO), True),
    ("permit object-group WEB object-group CLIENTS any", P(1, A, B, dport=13 << 8), False),
    ("permit icmp any any echo", P(1, A, B, dport=ECHO), True),
    ("permit icmp any any packet-too-big", P(1, A, B, dport=3 << 8 | 4), True),
    ("permit icmp any any packet-too-big", P(1, A, B, dport=3 << 8 | 3), False),
    # What is written about fragments in Cisco's document 8014, line by line.
    ("permit udp any any eq 22", P(17, A, B, 22, 22, offset=4), True),
    ("permit udp host 10.1.10.6 any eq 22", P(17, A, B, 22, 22, offset=4), False),
    ("permit udp any any eq 22", P(6, A, B, 22, 22, offset=4), False),
    ("deny udp any any eq 22; permit ip any any", P(17, A, B, 22, 22, offset=4), True),
    ("deny udp any any; permit ip any any", P(17, A, B, 22, 22, offset=4), False),
    ("permit ip any any fragments", P(17, A, B, 22, 22, offset=4), True),
    ("permit ip any any fragments", P(17, A, B, 22, 22), False),
    ("deny ip any any fragments; permit udp any any eq 22", P(17, A, B, 22, 22, offset=4), False),
    ("permit tcp any any eq 22", P(6, A6, B6, 5000, 22), True),
    ("permit tcp any any eq 22", P(6, A6, B6, 5000, 23), False),
    ("permit ipv6 host 2001:DB8:1:10::5 2001:DB8:1:20::/64", P(17, A6, B6), True),
    ("permit icmp any any echo-request", P(58, A6, B6, dport=ECHO6), True),
    ("permit icmp any any 129", P(58, A6, B6, dport=ECHO6), False),
    ("permit udp any any eq 22", P(17, A6, B6, 22, 22, offset=4), True),
    # Neighbour discovery is permitted before the implicit deny, and not before one that is written.
    ("permit tcp any any eq 22", P(58, A6, B6, dport=136 << 8), True),
    ("permit tcp any any eq 22; deny ipv6 any any", P(58, A6, B6, dport=136 << 8), False),
]  # fmt: skip


@pytest.mark.parametrize(("way", "interface"), [("in", "Vlan110"), ("out", "Vlan120")])
def test_entries_decide_as_the_vendor_documents_them(way: str, interface: str) -> None:
    lists: dict[tuple[str, int], list[tuple[P, list[str]]]] = {}
    for lines, packet, passes in CASES:
        lists.setdefault((lines, packet.family), []).append((packet, ["Vlan120"] if passes else []))
    texts = [running(lines if f == 4 else "", lines if f == 6 else "", way, interface) for lines, f in lists]
    found = wrong([(rulesets(text), packets) for text, packets in zip(texts, lists.values(), strict=True)])
    assert [(list(lists)[n], packet, out) for n, packet, out in found] == []


def test_a_missing_and_an_empty_list_permit_everything_until_the_first_entry() -> None:
    udp, udp6, gate = P(17, A, B, 1, 2), P(17, A6, B6, 1, 2), P(1, A, GATE, dport=ECHO)
    shut = running("deny ip any any", "deny ipv6 any any")
    missing = shut.replace("extended x4", "extended other").replace("access-list x6", "access-list other")
    empty = "\n".join(line for line in shut.splitlines() if "deny" not in line)
    remarked = shut.replace("10 deny ip any any", "10 remark nothing yet").replace(
        "sequence 10 deny ipv6 any any", "remark x"
    )
    first = running("permit tcp any any eq 22", "permit tcp any any eq 22")
    passed = [(udp, ["Vlan120"]), (udp6, ["Vlan120"]), (gate, ["Vlan110"])]
    stopped = [(packet, []) for packet, _ in passed]
    rounds: list[Round] = [
        (rulesets(shut), stopped), (rulesets(shut, missing), passed), (rulesets(shut, empty), passed),
        (rulesets(shut, remarked), passed), (rulesets(first), stopped),
    ]  # fmt: skip
    assert wrong(rounds) == []


@pytest.mark.parametrize(
    "text",
    [
        running("permit ip any any").replace(" 10 permit", " permit"),
        running("permit bogus any any"),
        running("permit ip 10.0.0.0/8 any"),
        running("permit tcp any any eq 22 time-range T"),
        running("permit ip object-group NOWHERE any"),
        running("", "permit ipv6 object-group CLIENTS any"),
        running("", "permit ipv6 any any").replace(" sequence 10", " 10"),
        running("permit ip any any").replace("ip access-group x4 in", "ip access-group x4 both"),
        running("permit ip any any").replace("ip access-group x4 in", "ip access-group"),
        "access-list 100 permit ip any any\n",
        "ip access-list standard x\n 10 permit any\n",
    ],
)
def test_a_filtering_line_that_is_not_known_is_never_passed_over(text: str) -> None:
    with pytest.raises(Unreadable):
        ios.read(text)


def test_each_line_takes_effect_at_once_and_the_order_of_the_naive_way_leaks() -> None:
    """What the packets of ``reference`` measurements showed: removing a bound list opens, entering it again shuts."""
    planes = Planes()
    switch = make_ios(planes=planes)
    udp, tcp = P(17, A, B, 1, 2), P(6, A, B, 1, 443)
    states: list[int] = []
    terminal = switch.terminal("admin")
    for line in (
        "configure terminal", "ip access-list extended web", "10 deny udp any any", "20 permit ip any any",
        "interface Vlan110", "ip access-group web in", "no ip access-list extended web",
        "ip access-list extended web", "10 permit udp any any", "20 permit tcp any any", "no 10",
    ):  # fmt: skip
        assert "%" not in terminal.line(line, False)
        states.append(len(planes.given))
    given = [text for _, text in planes.given]
    bound, gone, entered, second, removed = states[5], states[6], states[8], states[9], states[10]
    assert (bound, gone, entered, second, removed) == (1, 2, 3, 4, 5)
    expected = [((udp, []), (tcp, ["Vlan120"])), ((udp, ["Vlan120"]), (tcp, ["Vlan120"])), ((udp, ["Vlan120"]), (tcp, [])),
                ((udp, ["Vlan120"]), (tcp, ["Vlan120"])), ((udp, []), (tcp, ["Vlan120"]))]  # fmt: skip
    assert wrong([([text], list(packets)) for text, packets in zip(given, expected, strict=True)]) == []


def test_lines_that_wait_are_programmed_in_small_batches_and_a_removed_list_never_waits() -> None:
    planes = Planes()
    switch = make_ios(planes=planes)
    shell(switch, "configure terminal", "ip access-list extended web", "10 permit ip any any", "interface Vlan110",
          "ip access-group web in")  # fmt: skip
    terminal = switch.terminal("admin")
    for line in ("configure terminal", "ip access-list extended web"):
        terminal.line(line, True)
    before = len(planes.given)
    for n in range(100, 164):
        terminal.line(f"{n} permit udp any any eq {n}", True)
    assert 4 <= len(planes.given) - before <= 5
    terminal.line("164 permit udp any any eq 164", False)
    assert "udp dport 164" in planes.given[-1][1]
    terminal.line("no ip access-list extended web", True)
    assert "udp dport" not in planes.given[-1][1]


def test_a_list_of_five_hundred_entries_is_programmed_when_it_is_bound_and_not_while_it_is_built() -> None:
    planes = Planes()
    switch = make_ios(planes=planes)
    terminal = switch.terminal("admin")
    entries = [f"{n} permit tcp host 10.1.1.{n % 250} any eq {n}" for n in range(1, 501)]
    terminal.line("configure terminal", False)
    for line in ("ip access-list extended web", *entries):
        assert terminal.line(line, False) == ""
    assert planes.given == []
    terminal.line("interface Vlan110", False)
    terminal.line("ip access-group web in", False)
    assert "tcp dport 500" in "".join(text for _, text in planes.given)
