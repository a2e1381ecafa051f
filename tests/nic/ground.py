"""Tables of a NIC made by hand: a policy around local addresses, its law in both directions, and what a gate makes of it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from configlet.model.block import listed
from configlet.model.gate import Artifact, Capability, Gate, Law, Table
from configlet.model.net import FAMILIES, TOP, Addresses, Family, Span, merge
from configlet.model.platform import Platform
from configlet.model.policy import ANY_PORT, ANY_PROTO, DST, SRC, Entry, Packet, Rule
from configlet.model.problem import Place
from configlet.packets.blind import accelerable, blind, permitted
from configlet.packets.blocks import cut, replies
from configlet.prove import prove
from configlet.readers import read
from configlet.render import render
from tests.builders import platform

LOCALS: dict[Family, int] = {4: 0xC000020B, 6: 0x20010DB8000100200000000000000011}
PEERS: dict[Family, tuple[str, ...]] = {4: ("10", "172.16"), 6: ("2001:db8",)}
WAYS = ("in", "out")


@dataclass(frozen=True)
class Local:
    """A policy around some local addresses of one family."""

    family: Family
    spans: tuple[Span, ...]
    entries: tuple[Entry, ...]

    def law(self, direction: str) -> Law:
        """The stateless law in one direction, without blindness."""
        near, far = (DST, SRC) if direction == "in" else (SRC, DST)
        starts = [piece for e in self.entries for piece in cut(e, near, self.spans)]
        answered = [piece for e in self.entries for piece in cut(e, far, self.spans)]
        return Law(self.family, (listed(starts), listed(replies(answered, self.family))))


def gate(of: Platform, direction: str, locals_: Sequence[tuple[Family, Span]], binding: str = "ens1",
         capability: Capability | None = None) -> Gate:  # fmt: skip
    record = capability or of.kinds["filter-table"].capability
    return Gate(f"me1/{binding}/{direction}", "me1", of.name, "filter-table", binding, direction, FAMILIES, "", (), record,
                locals=tuple(locals_))  # type: ignore[arg-type]  # fmt: skip


def tables(of: Platform, policies: Sequence[Local], binding: str = "ens1", ways: Sequence[str] = WAYS) -> list[Table]:
    """The tables of one NIC for some policies, as the product fits them."""
    ends = [(p.family, span) for p in policies for span in p.spans]
    out = []
    for direction, nic in itertools.product(ways, binding.split()):
        there = gate(of, direction, ends, nic)
        for policy in policies:
            if policy.family not in there.capability.families:
                continue
            law = blind(policy.law(direction), there.capability.blind_to)
            law = law if there.capability.drops else accelerable(law)
            out.append(Table(there, "trading", policy.family, law, permitted(law)))
    return out


def verdicts(of: Platform, found: Sequence[Table], text: str = "") -> set[str]:
    """Every verdict over a text (the rendered one when none is given). Raises Refused."""
    artifact = render("me1", of, "filter-table", found)
    made = Artifact("me1", of.name, "filter-table", text or artifact.text, tuple(found), "me1.nic")
    return {proof.verdict for proof in prove(made, read(of, "filter-table", made.text, made.file))}


def rule(name: str, action: str = "allow", line: int = 1) -> Rule:
    nobody = Addresses()
    said = "allow" if action == "allow" else "deny"
    return Rule(name, "policy", said, nobody, nobody, (), False, Place("policy.yaml", line, 3))  # type: ignore[arg-type]


_SERVICES: tuple[tuple[Span, Span], ...] = (
    ((6, 6), (22, 22)), ((6, 6), (443, 443)), ((6, 6), (9001, 9016)), ((17, 17), (53, 53)), ((17, 17), (33000, 33999)),
    ((6, 6), ANY_PORT), ((17, 17), ANY_PORT), ((89, 89), ANY_PORT),
)  # fmt: skip


def services(dice: random.Random, family: Family) -> tuple[Span, Span]:
    echo = 1 if family == 4 else 58
    kind = dice.choice((8, 13, 3)) if family == 4 else dice.choice((128, 1))
    return dice.choice((*_SERVICES, ((echo, echo), (kind << 8, kind << 8 | 255))))


def peers(dice: random.Random, family: Family) -> Span:
    """A peer: mostly single addresses and short prefixes of a few networks, so that they overlap."""
    if family == 4:
        length = dice.choice((32, 32, 32, 24, 24, 28, 16, 8))
        low = 0x0A000000 | dice.randrange(4) << 16 | dice.randrange(4) << 8 | dice.randrange(256)
        size = 1 << (32 - length)
    else:
        length = dice.choice((128, 128, 64, 64, 48, 120))
        low = 0x20010DB8 << 96 | dice.randrange(3) << 80 | dice.randrange(3) << 64 | dice.randrange(256)
        size = 1 << (128 - length)
    return low & ~(size - 1), low | (size - 1)


def local(dice: random.Random, family: Family, rules: int = 8, addresses: int = 3) -> Local:
    """A random policy: both ways, denies among the permits, source ports now and then."""
    mine = [(LOCALS[family] + n, LOCALS[family] + n) for n in range(addresses)]
    out = []
    for number in range(1, rules + 1):
        of = rule(f"rule {number}", dice.choice(("allow", "allow", "allow", "deny")), number)
        proto, ports = services(dice, family)
        sport = (1024, 65535) if proto in ((6, 6), (17, 17)) and dice.random() < 0.2 else ANY_PORT
        here, there = dice.choice(mine), peers(dice, family)
        dst, src = (here, there) if dice.random() < 0.7 else (there, here)
        if dice.random() < 0.03:
            proto, ports, sport = ANY_PROTO, ANY_PORT, ANY_PORT
        out.append(Entry(of.action == "allow", (proto, dst, src, ports, sport, (0, 1), (0, 0)), of))
    return Local(family, merge(mine), tuple(out))


def packets(dice: random.Random, policies: Sequence[Local]) -> Iterator[Packet]:
    """Packets at the corners of what the policies speak of, both ways, without end."""
    while True:
        policy = dice.choice(policies)
        family = policy.family
        box = dice.choice(policy.entries).box
        src, dst = (dice.choice(box[level]) + dice.choice((0, 0, 0, 1, -1)) for level in (SRC, DST))
        proto = dice.choice((box[0][0], box[0][0], 6, 17, 1 if family == 4 else 58, 89))
        dport, sport = (max(0, min(65535, dice.choice(span) + dice.choice((0, 0, 1, -1)))) for span in box[3:5])
        if proto not in (6, 17):
            sport, dport = 0, dport if proto == (1 if family == 4 else 58) else 0
        if dice.random() < 0.5:
            src, dst = dst, src
            if proto in (6, 17):
                sport, dport = dport, sport
        flag = proto == 6 and dice.random() < 0.5
        yield Packet("trading", family, proto, abs(src) & TOP[family], abs(dst) & TOP[family], sport, dport, flag, False)


SERVERLOCK = platform("serverlock")
