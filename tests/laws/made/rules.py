"""Rules that dice make, packets at their edges, and one rule that is a product of many ends and ports."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache

from configlet.model.inventory import Term
from configlet.model.net import Span, addresses
from configlet.model.policy import Entry, Packet, Policy, Rule
from configlet.model.problem import Place
from configlet.packets.verdict import first

NET = 0x0A000000
HERE = (NET, NET + 255)


def policy(dice: random.Random, rules: int) -> Policy:
    """Rules between scattered addresses of a small space, with services that touch and services that do not."""
    return Policy(tuple(_rule(dice, number) for number in range(rules)), ("r",))


def _rule(dice: random.Random, number: int) -> Rule:
    def ends() -> list[tuple[str, int, Span]]:
        starts = [NET + dice.randrange(0, 600) for _ in range(dice.randint(1, 6))]
        return [("r", 4, (low, low + dice.choice([0, 0, 1, 3, 15]))) for low in starts]

    def term() -> Term:
        proto = dice.choice([6, 6, 6, 17, 1, 47, None])
        low = dice.choice([20, 21, 22, 53, 80, 81])
        if proto == 1:
            return Term(1, dport=(2048, 2303)) if dice.random() < 0.5 else Term(1)
        if proto in (6, 17):
            sport = (1024, 65535) if dice.random() < 0.2 else (0, 65535)
            return Term(proto, sport, (low, low + dice.choice([0, 0, 2])))
        return Term(proto)

    terms = tuple(dict.fromkeys(term() for _ in range(dice.randint(1, 4))))
    action = "allow" if dice.random() < 0.7 else "deny"
    source, destination = addresses(ends()), addresses(ends())  # type: ignore[arg-type]
    place = Place("policy.yaml", number + 1, 3)
    return Rule(f"r{number}", "policy", action, source, destination, terms, False, place)  # type: ignore[arg-type]


def packets(dice: random.Random, rules: Policy, count: int) -> Iterator[Packet]:
    """Packets at the edges of what the rules name."""
    ends = sorted(
        {
            edge
            for rule in rules.rules
            for side in (rule.source, rule.destination)
            for low, high in side.of("r", 4)
            for edge in (low - 1, low, high, high + 1)
        }
        | {HERE[0], HERE[1], HERE[1] + 1}
    )
    ports = [19, 20, 21, 22, 23, 24, 53, 54, 80, 81, 82, 83, 1023, 1024]
    for _ in range(count):
        proto, fragment = dice.choice([6, 6, 6, 17, 1, 47, 200]), dice.random() < 0.1
        ported = proto in (6, 17) and not fragment
        dport = (
            dice.choice(ports)
            if ported
            else dice.choice([0, 2048, 2050, 13 * 256])
            if proto == 1 and not fragment
            else 0
        )
        sport = dice.choice(ports) if ported else 0
        flag = proto == 6 and not fragment and dice.random() < 0.5
        yield Packet("r", 4, proto, dice.choice(ends), dice.choice(ends), sport, dport, flag, fragment)


def permits(rows: Sequence[Entry], packet: Packet) -> bool:
    hit = first(rows, packet)
    return hit is not None and hit.permit


@cache
def product(sources: int = 9, services: int = 4, destinations: int = 9, shift: int = 0) -> Policy:
    """One rule of so many ends and ports, none of which join."""
    far = addresses(("r", 4, (0x0B000000 + 32 * n, 0x0B000000 + 32 * n + 15)) for n in range(shift, shift + sources))
    near = addresses(("r", 4, (NET + 0x10001 + 2 * n,) * 2) for n in range(destinations))
    terms = tuple(Term(6, dport=(1000 + 3 * n,) * 2) for n in range(services))
    return Policy((Rule("many", "policy", "allow", far, near, terms, False, Place("policy.yaml", 7, 3)),), ("r",))
