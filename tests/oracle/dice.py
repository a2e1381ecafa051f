"""Random packets at the edges of everything that an inventory names, and random small inventories."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Literal

from configlet.model.inventory import (
    External,
    Gateways,
    Host,
    Inventory,
    Link,
    Multicast,
    RuleLine,
    Segment,
    Selector,
    Service,
    Term,
    Workload,
)
from configlet.model.net import Family, IPNetwork, family_of, span_of
from configlet.model.policy import Packet
from configlet.model.problem import Place
from tests.oracle.brute import GROUPS, SPECIAL, UNICAST, Oracle, Where, address

HERE = Place("policy.yaml")
TOP = {4: 2**32 - 1, 6: 2**128 - 1}


class Pool:
    """Where packets of an inventory are worth trying."""

    def __init__(self, oracle: Oracle, dice: random.Random) -> None:
        self.dice, self.oracle = dice, oracle
        inventory = oracle.inventory
        realms = {s.realm for s in inventory.segments} | {e.realm for e in inventory.externals}
        self.realms = sorted(realms | {inventory.controller_realm})
        named = [w for step in oracle.order for w in (*step.sources, *step.destinations)]
        self.places = list(dict.fromkeys([*named, *((None, net) for net in (*SPECIAL, *UNICAST, *GROUPS))]))
        self.alike = {family: [place for place in self.places if place[1].version == family] for family in TOP}
        often = [step for step in oracle.order if step.level in ("failsafe", "policy", "intra")] * 3
        self.terms = [(step, term) for step in (*oracle.order, *often) for term in step.terms]

    def packet(self) -> Packet:
        """Most packets are near something that a rule says, either way round; the others are anything."""
        dice = self.dice
        step, term = dice.choice(self.terms)
        fitting = self.fitting(step.sources, step.destinations, term.family) if dice.random() < 0.85 else []
        (realm, src), (other, dst) = dice.choice(fitting) if fitting else self.strangers()
        if dice.random() < 0.25:
            src, dst = dst, src
        family: Family = 4 if src.version == 4 else 6
        packet = Packet(realm or other or dice.choice(self.realms), family, 0, self.end(src), self.end(dst))
        return self.upper(packet, term)

    def near(self, nets: Sequence[IPNetwork]) -> Packet:
        """A packet that most likely has an end inside one of the prefixes."""
        packet = self.packet()
        for _ in range(12):
            ends = [address(packet.family, value) for value in (packet.src, packet.dst)]
            if any(end.version == net.version and end in net for end in ends for net in nets):
                break
            packet = self.packet()
        if self.dice.random() < 0.3:
            return replace(packet, sport=0, dport=0, established=False, fragment=True)
        return packet

    def fitting(
        self, sources: Sequence[Where], targets: Sequence[Where], family: int | None
    ) -> list[tuple[Where, Where]]:
        """Pairs of places in one realm and family."""
        dice = self.dice
        tries = [(dice.choice(sources), dice.choice(targets)) for _ in range(6 if sources and targets else 0)]
        return [
            (a, b)
            for a, b in tries
            if a[1].version == b[1].version
            and family in (None, a[1].version)
            and (not a[0] or not b[0] or a[0] == b[0])
        ]

    def strangers(self) -> tuple[Where, Where]:
        """Two places that need not have to do with one another."""
        source = self.dice.choice(self.places)
        return source, self.dice.choice(self.alike[source[1].version])

    def end(self, net: IPNetwork) -> int:
        """An address inside a prefix, or at or next to its border."""
        first, last = int(net.network_address), int(net.broadcast_address)
        inside = self.dice.randint(first, last)
        choices = [inside, inside, min(first + 11, last), first, first + 1, last, first - 1, last + 1]
        return min(max(self.dice.choice(choices), 0), TOP[net.version])

    def upper(self, packet: Packet, term: Term) -> Packet:
        """Protocol, ports and flags at or next to what the term says."""
        dice = self.dice
        icmp = 1 if packet.family == 4 else 58
        proto = term.proto if term.proto is not None else dice.choice([1, 2, 6, 17, 58, 89, 103, 112])
        if dice.random() < 0.15:
            proto = dice.choice([icmp, 6, 17, 47])
        fragment = dice.random() < 0.05
        if fragment or proto not in (6, 17, 132, icmp):
            return replace(packet, proto=proto, fragment=fragment)
        dport = self.port((term.dport[0], term.dport[1]))
        sport = 0 if proto == icmp else dice.choice([49152, self.port((term.sport[0], term.sport[1]))])
        if proto != icmp and dice.random() < 0.3:
            sport, dport = dport, sport
        if proto == icmp and dice.random() < 0.3:
            dport = dice.choice([0, 3, 8, 11, 13, 14, 128, 129, 130, 133, 134, 135, 136, 143]) * 256
        established = proto == 6 and dice.random() < 0.5
        return replace(packet, proto=proto, sport=sport, dport=dport, established=established)

    def port(self, span: tuple[int, int]) -> int:
        low, high = span
        return min(max(self.dice.choice([low, high, low - 1, high + 1, self.dice.randint(low, high)]), 0), 65535)


SERVICES = [
    (Term(None),),
    (Term(6, dport=(22, 22)),),
    (Term(6, dport=(9001, 9016)),),
    (Term(17, (1024, 65535), (53, 53)), Term(6, dport=(53, 53))),
    (Term(1, dport=(2048, 2303), family=4), Term(58, dport=(128 << 8, (128 << 8) + 255), family=6)),
    (Term(1, family=4), Term(58, family=6)),
    (Term(89),),
    (Term(6),),
]
NAMES = ["any", "outside", "red", "blue", "green", "world", "prices", "some", "r1", "b1", "link"]


def selector(dice: random.Random, *, source: bool) -> Selector:
    if dice.random() < 0.15:
        return Selector(None, (("tier", dice.choice("ab")),), HERE)
    return Selector(dice.choice([n for n in NAMES if n != "prices" or not source]), (), HERE)


def rule(dice: random.Random, number: int, level: str) -> RuleLine:
    ends = [tuple(selector(dice, source=s) for _ in range(dice.choice([1, 1, 2]))) for s in (True, False)]
    services = tuple(
        Service(f"s{i}", terms, None) for i, terms in enumerate(dice.sample(SERVICES, dice.choice([1, 2])))
    )
    allow = level != "policy" or dice.random() < 0.6
    return RuleLine(f"{level} {number}", ends[0], ends[1], services, "allow" if allow else "deny", "because", HERE)


def segment(dice: random.Random, name: str, realm: str, *texts: str) -> Segment:
    nets = tuple(ip_network(text) for text in texts)
    ways = Gateways(("x",), dice.choice(["anycast", "vrrp"]), "symmetric", ("in", "out"),
                    tuple(net[1] for net in nets), HERE)  # fmt: skip
    intra: Literal["open", "policy"] = dice.choice(["open", "policy"])
    fragments: Literal["drop", "match"] = dice.choice(["drop", "match"])
    return Segment(name, realm, 10, nets, intra, fragments, "none", ways, (("tier", dice.choice("ab")),), (), HERE)


def host(name: str, where: str, *texts: str) -> Host:
    addresses = tuple(map(ip_address, texts))
    workload = Workload(name, name, addresses, (), where, "kernel", (), (("tier", "b"),), HERE)
    return Host(name, "nftables", (), (), (workload,), None, True, HERE)


def inventory(dice: random.Random) -> Inventory:
    """Two realms with overlapping addresses, three segments, one external, a link, a multicast set, random rules."""
    red = segment(dice, "red", "one", "10.0.0.0/24", "fd00:0:0:1::/64")
    blue = segment(dice, "blue", "one", "10.0.1.0/25", "fd00:0:0:2::/64")
    green = segment(dice, "green", "two", "10.0.0.0/25")
    world = External("world", "one", (ip_network("198.51.100.0/24"),), (("x", "p"),), HERE,
                     (ip_address("198.51.100.1"),))  # fmt: skip
    ends = ("10.9.0.0", "10.9.0.1", "fd00:9::", "fd00:9::1")
    link = Link("x", "e", "y", "e", "one", "link", tuple(map(ip_address, ends)), (), HERE)
    hosts = (host("r1", "red", "10.0.0.11", "fd00:0:0:1::11"), host("b1", "blue", "10.0.1.11"))
    prices = Multicast("prices", "one", (ip_network("239.1.1.0/24"),), ("world",), ("blue",), HERE)
    sets = (ip_network("10.0.0.64/26"), ip_network("fd00:0:0:2::/96"))
    some = ("some", tuple((family_of(net), span_of(net)) for net in sets), HERE)
    rules = {level: tuple(rule(dice, i, level) for i in range(dice.randint(0, most)))
             for level, most in (("failsafe", 1), ("infrastructure", 1), ("policy", 5))}  # fmt: skip
    return Inventory(
        "tiny", True, (ip_address("10.0.0.5"),), "one", (1024, 65535), (Selector("link", (), HERE),),
        rules["failsafe"], rules["infrastructure"], (world,), (), (link,), (blue, green, red), (prices,), hosts,
        (some,), (), rules["policy"], (), (), "",
    )  # fmt: skip
