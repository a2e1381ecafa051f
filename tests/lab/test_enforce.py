"""What a simulated EOS switch enforces, on real packets in a network namespace."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from configlet.lab.enforce import MOST_WEIGHT, Enforcer, NotProgrammed
from configlet.lab.parsers import eos
from configlet.lab.parsers.eos_entry import InvalidInput, parse, show

SENDER = Path(__file__).with_name("eos_packets.py")
SYN, ACK, RST = 2, 16, 4


@dataclass(frozen=True)
class P:
    """A packet that enters by Vlan110. Words in the order of an access list entry."""

    proto: int
    src: str
    dst: str
    sport: int = 0
    dport: int = 0
    flags: int = SYN
    offset: int = 0
    more: bool = False

    @property
    def family(self) -> int:
        return ip_address(self.src).version

    def payload(self, mark: bytes) -> bytes:
        if self.offset:
            return b"\x00\x16" * 12 + mark
        if self.proto == 6:
            return struct.pack("!HHIIBBHHH", self.sport, self.dport, 1, 0, 0x50, self.flags, 64, 0, 0) + mark
        if self.proto == 17:
            return struct.pack("!HHHH", self.sport, self.dport, 16, 0) + mark
        if self.proto in (1, 58):
            head = struct.pack("!BBHHH", self.dport >> 8, self.dport & 255, 0, 7, 1)
            return head[:2] + struct.pack("!H", checksum(head + mark)) + head[4:] + mark
        return mark * 2

    def bytes(self, mark: bytes) -> bytes:
        body, fragment = self.payload(mark), self.offset or self.more
        src, dst = ip_address(self.src).packed, ip_address(self.dst).packed
        if self.family == 4:
            word = (0x2000 if self.more else 0) | self.offset
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, word, 9, self.proto, 0, src, dst)
            return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body
        if fragment:
            body = struct.pack("!BBHI", self.proto, 0, self.offset << 3 | self.more, 1) + body
        return struct.pack("!IHBB16s16s", 6 << 28, len(body), 44 if fragment else self.proto, 9, src, dst) + body


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def running(v4: str = "", v6: str = "", way: str = "in", interface: str = "Vlan110") -> str:
    """A running configuration with the two lists bound to one interface; an empty text leaves a list out."""
    text = ["hostname leaf1", "!"]
    for word, lines in (("ip", v4), ("ipv6", v6)):
        if lines:
            text += [
                f"{word} access-list {word}x",
                *(f"   {n * 10} {e.strip()}" for n, e in enumerate(lines.split(";"), 1)),
            ]
    text += ["!", f"interface {interface}", "   vrf trading"]
    text += [f"   {word} access-group {word}x {way}" for word, lines in (("ip", v4), ("ipv6", v6)) if lines]
    return "\n".join([*text, "!", "end", ""])


def rulesets(*texts: str) -> list[str]:
    """The transactions that a device gives to its namespace for one configuration after the other."""
    given: list[str] = []
    enforcer = Enforcer("leaf1", ["trading"], lambda _, text: given.append(text))
    for text in texts:
        enforcer.program(text)
    return given


Round = tuple[list[str], list[tuple[P, list[str]]]]
"""The transactions, and packets with the interfaces by which they (or an echo reply) should come out."""


def wrong(rounds: list[Round]) -> list[tuple[int, P, list[str]]]:
    """Send all packets; the round, packet and interfaces of each that came out elsewhere than expected."""
    orders = []
    for n, (given, packets) in enumerate(rounds):
        sent = [p.bytes(struct.pack("!HIH", 0xC0F1, n, k)).hex() for k, (p, _) in enumerate(packets)]
        orders.append({"rulesets": given, "packets": sent, "expected": sum(bool(out) for _, out in packets)})
    enter = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-Urn"]
    done = subprocess.run(
        [*enter, sys.executable, str(SENDER)], input=json.dumps(orders), capture_output=True, text=True, timeout=120,
        env=os.environ | {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"},
    )  # fmt: skip
    assert done.returncode == 0, f"the packets need a network namespace of their own: {done.stderr}"
    seen = [
        (n, *pair) for n, found in enumerate(json.loads(done.stdout)) for pair in zip(rounds[n][1], found, strict=True)
    ]
    return [(n, packet, out) for n, (packet, expected), out in seen if out != expected]


A, B, GATE = "10.1.10.5", "10.1.20.7", "10.1.10.1"
A6, B6, GATE6 = "2001:db8:1:10::5", "2001:db8:1:20::7", "2001:db8:1:10::1"
ECHO, ECHO6 = 8 << 8, 128 << 8

CASES: list[tuple[str, P, bool]] = [
    ("permit tcp any any eq ssh", P(6, A, B, 5000, 22), True),
    ("permit tcp any any eq ssh", P(6, A, B, 22, 5000), False),
    ("permit tcp any any eq ssh", P(17, A, B, 5000, 22), False),
    ("permit tcp any eq ssh any", P(6, A, B, 22, 5000), True),
    ("permit tcp any any eq 22 www 443", P(6, A, B, 5000, 80), True),
    ("permit tcp any any eq 22 www 443", P(6, A, B, 5000, 81), False),
    ("permit udp any any range 100 200", P(17, A, B, 1, 200), True),
    ("permit udp any any range 100 200", P(17, A, B, 1, 201), False),
    ("permit udp any any gt 100", P(17, A, B, 1, 100), False),
    ("permit udp any any gt 100", P(17, A, B, 1, 101), True),
    ("permit udp any any lt 100", P(17, A, B, 1, 99), True),
    ("permit udp any any lt 100", P(17, A, B, 1, 100), False),
    ("permit udp any any neq 100", P(17, A, B, 1, 100), False),
    ("permit udp any any neq 100", P(17, A, B, 1, 101), True),
    ("permit tcp any any established", P(6, A, B, 1, 2, SYN), False),
    ("permit tcp any any established", P(6, A, B, 1, 2, SYN | ACK), True),
    ("permit tcp any any established", P(6, A, B, 1, 2, RST), True),
    ("permit ip host 10.1.10.5 any", P(17, A, B), True),
    ("permit ip host 10.1.10.6 any", P(17, A, B), False),
    ("permit ip 10.1.10.0 0.0.0.255 any", P(17, A, B), True),
    ("permit ip 10.0.10.5 0.255.0.0 any", P(17, A, B), True),
    ("permit ip 10.0.10.4 0.255.0.0 any", P(17, A, B), False),
    ("permit ip any 10.1.20.0/29", P(17, A, B), True),
    ("permit ip any 10.1.20.8/29", P(17, A, B), False),
    ("deny udp any any; permit ip any any", P(17, A, B), False),
    ("deny udp any any; permit ip any any", P(6, A, B), True),
    ("permit 89 any any", P(89, A, B), True),
    ("permit 89 any any", P(88, A, B), False),
    ("permit icmp any any echo", P(1, A, B, dport=ECHO), True),
    ("permit icmp any any 8", P(1, A, B, dport=13 << 8), False),
    ("permit icmp any any 3 4", P(1, A, B, dport=3 << 8 | 4), True),
    ("permit icmp any any 3 4", P(1, A, B, dport=3 << 8 | 3), False),
    ("permit icmp any any unreachable", P(1, A, B, dport=3 << 8 | 3), True),
    ("deny ip any any fragments; permit ip any any", P(17, A, B, offset=4), False),
    ("deny ip any any fragments; permit ip any any", P(17, A, B, more=True), True),
    ("deny ip any any fragments; permit ip any any", P(17, A, B), True),
    ("permit udp any any eq 22", P(17, A, B, 22, 22, offset=4), False),
    ("permit udp any any eq 22", P(17, A, B, 22, 22, more=True), True),
    ("permit udp any any", P(17, A, B, offset=4), True),
    ("permit udp any any", P(6, A, B, offset=4), False),
    ("permit tcp any any established", P(6, A, B, flags=ACK, offset=4), False),
    ("permit tcp any any eq ssh", P(6, A6, B6, 5000, 22), True),
    ("deny tcp any any eq ssh; permit ipv6 any any", P(6, A6, B6, 5000, 22), False),
    ("permit ipv6 host 2001:db8:1:10::5 2001:db8:1:20::/64", P(17, A6, B6), True),
    ("permit ipv6 host 2001:db8:1:10::6 any", P(17, A6, B6), False),
    ("permit icmpv6 any any echo-request", P(58, A6, B6, dport=ECHO6), True),
    ("permit icmpv6 any any 129", P(58, A6, B6, dport=ECHO6), False),
    ("deny ipv6 any any fragments; permit ipv6 any any", P(17, A6, B6, offset=4), False),
    ("deny ipv6 any any fragments; permit ipv6 any any", P(17, A6, B6, more=True), True),
    ("permit tcp any any", P(6, A6, B6, offset=4), True),
    ("permit udp any any", P(6, A6, B6, offset=4), False),
    ("permit udp any any eq 22", P(17, A6, B6, 22, 22, offset=4), False),
]  # fmt: skip


def only(lines: str, family: int, **where: str) -> str:
    return running(lines if family == 4 else "", lines if family == 6 else "", **where)


@pytest.mark.parametrize(("way", "interface"), [("in", "Vlan110"), ("out", "Vlan120")])
def test_entries_decide_as_eos_documents_them(way: str, interface: str) -> None:
    lists: dict[tuple[str, int], list[tuple[P, list[str]]]] = {}
    for lines, packet, passes in CASES:
        lists.setdefault((lines, packet.family), []).append((packet, ["Vlan120"] if passes else []))
    texts = [only(lines, family, way=way, interface=interface) for lines, family in lists]
    found = wrong([(rulesets(text), packets) for text, packets in zip(texts, lists.values(), strict=True)])
    assert [(list(lists)[n], packet, out) for n, packet, out in found] == []


def test_interfaces_directions_and_undefined_lists_are_kept_apart() -> None:
    udp, udp6, to_gate, to_gate6 = (
        P(17, A, B, 1, 2),
        P(17, A6, B6, 1, 2),
        P(1, A, GATE, dport=ECHO),
        P(58, A6, GATE6, dport=ECHO6),
    )
    deny_all = running("deny ip any any", "deny ipv6 any any")
    undefined = deny_all.replace("access-group ipx", "access-group nowhere")
    empty = "ip access-list none\n!\ninterface Vlan110\n   vrf trading\n   ip access-group none in\n"
    elsewhere, outwards = deny_all.replace("vrf trading", "vrf other"), running("deny ip any any", way="out")
    rounds: list[Round] = [
        (rulesets(running()), [(udp, ["Vlan120"]), (udp6, ["Vlan120"]), (to_gate, ["Vlan110"])]),
        (rulesets(deny_all), [(udp, []), (udp6, []), (to_gate, []), (to_gate6, [])]),
        (rulesets(running("deny ip any any")), [(udp, []), (udp6, ["Vlan120"]), (to_gate, [])]),
        (rulesets(undefined), [(udp, []), (udp6, [])]),
        (rulesets(empty), [(udp, []), (udp6, ["Vlan120"])]),
        (rulesets(elsewhere), []),
        (rulesets(outwards), [(udp, ["Vlan120"]), (to_gate, ["Vlan110"])]),
        (rulesets(deny_all, running()), [(udp, ["Vlan120"]), (udp6, ["Vlan120"])]),
        (rulesets(running("deny ip any any", way="out", interface="Vlan120")), [(udp, []), (udp6, ["Vlan120"])]),
    ]  # fmt: skip
    assert rounds[5][0] == []
    assert wrong(rounds) == []


def entry(rng: random.Random, family: int) -> str:
    """One entry as an operator may write it, made so that small packets often meet it."""
    v4 = family == 4
    places = ["any", f"host {A if v4 else A6}", f"host {B if v4 else B6}"]
    places += ["10.1.10.0/30", "10.1.0.0/16", "10.1.20.4/30", "10.0.10.1 0.255.0.6"] if v4 else ["2001:db8:1::/48"]
    proto = rng.choice(["tcp", "udp", "icmp" if v4 else "icmpv6", "ip" if v4 else "ipv6", "89"])
    ends, rest = [rng.choice(places), rng.choice(places)], ""
    if proto in ("tcp", "udp"):
        ports = ["", "", "eq 2 4", "range 2 3", "gt 3", "lt 3", "neq 3"]
        ends = [f"{end} {rng.choice(ports)}".strip() for end in ends]
        rest = rng.choice(["", "established"]) if proto == "tcp" else ""
    elif proto.startswith("icmp"):
        rest = rng.choice(["", "8", "128 0", "13"])
    if not rest and not any(len(end.split()) > 2 - ("any" in end) for end in ends):
        rest = rng.choice(["", "fragments"])
    return " ".join([rng.choice(["permit", "deny"]), proto, *ends, rest]).strip()


def packet(rng: random.Random, family: int) -> P:
    proto = rng.choice([6, 6, 17, 17, 1 if family == 4 else 58, 89])
    ends = [rng.choice([A, "10.1.10.2"]), rng.choice([B, "10.1.20.4"])] if family == 4 else [A6, B6]
    kind = rng.choice([8 << 8, 128 << 8, 13 << 8 | 1])
    dport = kind if proto in (1, 58) else rng.randint(1, 5)
    offset = rng.choice([0, 0, 0, 3])
    return P(proto, *ends, rng.randint(1, 5), dport, rng.choice([SYN, ACK, RST]), offset)


def judge(lines: list[str], p: P) -> bool:
    """First match over the words of the entries, written apart from the parser and from nftables."""
    for line in lines:
        words = line.split()
        action, proto = words.pop(0), words.pop(0)
        protos = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "ip": p.proto, "ipv6": p.proto, "89": 89}
        fits = [protos[proto] == p.proto]
        for address, port in ((p.src, p.sport), (p.dst, p.dport)):
            fits.append(place_fits(words, address))
            fits.append(port_fits(words, port, bool(p.offset)))
        if words == ["established"]:
            fits.append(not p.offset and bool(p.flags & (ACK | RST)))
        elif words == ["fragments"]:
            fits.append(bool(p.offset))
        elif words:
            code = p.dport & 255 if len(words) == 1 else int(words[1])
            fits.append(not p.offset and p.dport == int(words[0]) << 8 | code)
        if all(fits):
            return action == "permit"
    return False


def place_fits(words: list[str], address: str) -> bool:
    word, value = words.pop(0), int(ip_address(address))
    if word == "any":
        return True
    if word == "host":
        return int(ip_address(words.pop(0))) == value
    if "/" in word:
        return ip_address(address) in ip_network(word)
    return (int(ip_address(word)) ^ value) & ~int(ip_address(words.pop(0))) == 0


def port_fits(words: list[str], port: int, later: bool) -> bool:
    if not words or words[0] not in ("eq", "range", "gt", "lt", "neq"):
        return True
    word, numbers = words.pop(0), []
    while words and words[0].isdigit() and len(numbers) < 2:
        numbers.append(int(words.pop(0)))
    low, high = numbers[0], numbers[-1]
    hit = {"eq": port in numbers, "range": low <= port <= high, "gt": port > low, "lt": port < low, "neq": port != low}
    return not later and hit[word]


def test_random_lists_decide_as_a_reading_of_their_words_does() -> None:
    rng = random.Random(7)
    rounds: list[Round] = []
    for n in range(60):
        family = 4 if n % 2 else 6
        lines = [entry(rng, family) for _ in range(rng.randint(1, 8))]
        sent = list(dict.fromkeys(packet(rng, family) for _ in range(30)))
        rounds.append(
            (rulesets(only(";".join(lines), family)), [(p, ["Vlan120"] if judge(lines, p) else []) for p in sent])
        )
    outcomes = {bool(out) for _, packets in rounds for _, out in packets}
    assert outcomes == {True, False}
    assert wrong(rounds) == []


def test_long_lists_are_loaded_in_steps_and_flipped_at_the_end() -> None:
    filler = ";".join(f"deny tcp host 10.9.{n // 200}.{n % 200} any range 1 {n + 2}" for n in range(600))
    first, second = running(f"{filler};permit ip any any"), running(f"{filler};deny ip any any")
    given = rulesets(first, second, running("permit ip any any"))
    udp = P(17, A, B, 1, 2)
    long = len(rulesets(first))
    assert long > 2
    rounds: list[Round] = [(given[:long], [(udp, ["Vlan120"])])]
    rounds += [([step], [(udp, ["Vlan120"])]) for step in given[long : 2 * long - 1]]
    rounds += [([given[2 * long - 1]], [(udp, [])]), (given[2 * long :], [(udp, ["Vlan120"])])]
    assert wrong(rounds) == []


def test_no_transaction_is_larger_than_netlink_takes_in_a_user_namespace() -> None:
    filler = ";".join(
        f"permit tcp 10.{n}.0.5 0.0.255.0 range 1 {n} 10.0.0.0/8 eq 1 3 5 7 established" for n in range(2, 250)
    )
    for weight in (plane_weight(step) for step in rulesets(running(filler))):
        assert weight <= MOST_WEIGHT


def plane_weight(step: str) -> int:
    """Rules of a step at the parts that such an entry has."""
    return 12 * sum("tcp flags" in line for line in step.splitlines())


def test_a_plane_that_cannot_be_loaded_leaves_the_others_as_they_were() -> None:
    given: list[tuple[str, str]] = []

    def apply(namespace: str, text: str) -> None:
        given.append((namespace, text))
        if namespace == "leaf1.second" and "accept" in text:
            raise OSError("no room")

    enforcer = Enforcer("leaf1", ["first", "second"], apply)
    text = "ip access-list a\n   10 permit ip any any\n"
    text += "".join(
        f"interface Vlan{n}\n   vrf {vrf}\n   ip access-group a in\n" for n, vrf in ((1, "first"), (2, "second"))
    )
    with pytest.raises(NotProgrammed, match="no room"):
        enforcer.program(text)
    assert [namespace for namespace, _ in given] == ["leaf1.first", "leaf1.second", "leaf1.first"]
    assert "jump" in given[0][1]
    assert "jump" not in given[2][1]


@pytest.mark.parametrize(
    "line",
    [
        "permit tcp any any eq 22 ttl eq 5", "permit vlan 5 0x000 tcp any any", "permit response traffic nat",
        "permit tcp any any dscp 5", "permit udp any any established", "permit icmp any any eq 5",
        "permit tcp any any range 5 4", "permit tcp any any gt 65535", "permit tcp any any lt 0",
        "permit ip 10.0.0.1/8 any", "permit ip 10.0.0.0/33 any", "permit ip 10.0.0.0 any", "permit ip any",
        "permit ipv6 any any", "permit ip 2001:db8::/32 any", "permit 256 any any", "permit tcp any any eq 65536",
        "permit tcp any any eq nosuch", "permit tcp any any eq ntp", "permit tcp any any eq ssh fragments",
        "allow ip any any", "permit ip any any log extra", "permit tcp any any eq", "permit", "remark",
    ],
)  # fmt: skip
def test_an_entry_that_is_not_fully_known_is_refused(line: str) -> None:
    with pytest.raises(InvalidInput, match=r"Invalid input|Incomplete command"):
        parse(4, line.split())
    with pytest.raises(eos.Unreadable):
        eos.read(running(line) if line != "remark" else "ip access-list a\n   10 strange\n")


@pytest.mark.parametrize(
    ("entered", "shown"),
    [
        ("permit 6 any any eq 22", "permit tcp any any eq ssh"),
        ("permit tcp any any eq 80 443 8080", "permit tcp any any eq www https 8080"),
        ("permit udp any eq 53 any range 1024 65535", "permit udp any eq domain any range 1024 65535"),
        ("permit ip 10.0.0.0 0.255.255.255 10.1.1.1/32", "permit ip 10.0.0.0/8 host 10.1.1.1"),
        ("permit ip 10.0.0.5 0.255.0.0 0.0.0.0/0", "permit ip 10.0.0.5 0.255.0.0 any"),
        ("deny icmp any any 8", "deny icmp any any echo"),
        ("deny icmp any any 8 0 log", "deny icmp any any 8 0 log"),
        ("deny 89 any any", "deny ospf any any"),
        ("deny ip any any fragments log", "deny ip any any fragments log"),
        ("permit tcp any any established log", "permit tcp any any established log"),
    ],
)
def test_entries_are_shown_with_the_names_of_eos_and_read_back_the_same(entered: str, shown: str) -> None:
    ace = parse(4, entered.split())
    assert show(ace) == shown
    assert parse(4, shown.split()) == ace


def test_an_access_group_of_a_form_that_is_not_known_is_an_error() -> None:
    with pytest.raises(eos.Unreadable):
        eos.read("interface Vlan110\n   vrf trading\n   mac access-group x in\n")
