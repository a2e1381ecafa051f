"""Small random policies whose every packet can be tried, and what brute force says of their rules.

The universe has two realms, both families, and a grid of ends and services; every interval of a rule begins and ends on
it, so that one packet stands for a whole cell. Brute force takes rules as they are written and looks at each cell.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product

from configlet.model.inventory import Action, Term
from configlet.model.net import TOP, Addresses, Family, addresses
from configlet.model.policy import Origin, Packet, Policy, Rule
from configlet.model.problem import Place

REALMS = ("blue", "red")
EDGES = (0, 10, 20, 21, 30)
PORTS, SPORTS = (0, 22, 80, 443), (0, 1024)
ANY_PORT = (0, 65535)
Cells = dict[tuple[str, Family], int]


def _edges(family: Family) -> tuple[int, ...]:
    return (*EDGES, TOP[family] + 1)


def services(family: Family) -> tuple[tuple[int, int, int], ...]:
    """Protocol, destination port and source port of one packet of each cell."""
    icmp = 1 if family == 4 else 58
    found = [(p, d, s) for p in (6, 17) for d in PORTS for s in SPORTS]
    return (*found, *((icmp, kind << 8, 0) for kind in (0, 8, 128, 129)), (89, 0, 0))


def packets(realm: str, family: Family) -> Iterator[Packet]:
    """One packet of each cell: destinations, in each all sources, in each all services."""
    for dst, src in product(EDGES, EDGES):
        for proto, dport, sport in services(family):
            yield Packet(realm, family, proto, src, dst, sport, dport)


def cells_of(rule: Rule) -> int:
    """The packets that a rule has, as bits of a number: each end and each service tried by itself."""
    found, at = 0, 0
    for realm in REALMS:
        for family in (4, 6):
            named = [Packet(realm, family, p, 0, 0, sport, dport) for p, dport, sport in services(family)]
            row = sum(1 << i for i, packet in enumerate(named) if any(_term_has(t, packet) for t in rule.terms))
            for dst, src in product(EDGES, EDGES):
                if _has(rule.destination, realm, family, dst) and _has(rule.source, realm, family, src):
                    found |= row << at
                at += len(named)
    return found


def matches(rule: Rule, packet: Packet) -> bool:
    """A rule as it is written: both ends in the packet's realm, and a term."""
    return (
        _has(rule.source, packet.realm, packet.family, packet.src)
        and _has(rule.destination, packet.realm, packet.family, packet.dst)
        and any(_term_has(term, packet) for term in rule.terms)
    )


def _has(ends: Addresses, realm: str, family: Family, value: int) -> bool:
    return any(lo <= value <= hi for lo, hi in ends.of(realm, family))


def _term_has(term: Term, packet: Packet) -> bool:
    return (
        term.family in (None, packet.family)
        and (term.proto is None or (term.proto == packet.proto and term.dport[0] <= packet.dport <= term.dport[1]))
        and term.sport[0] <= packet.sport <= term.sport[1]
    )


@dataclass
class Truth:
    """What brute force says, by places of rules; cells are bits of numbers, realm by realm and family by family."""

    policy: Policy
    cells: list[int] = field(default_factory=list)
    decided: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        rest = -1
        for rule in self.policy.rules:
            mine = cells_of(rule)
            self.cells.append(mine)
            self.decided.append(mine & rest)
            rest &= ~mine
        self.closed = 0
        for rule, mine in zip(self.policy.rules, self.cells, strict=True):
            if not rule.place and rule.action == "deny":
                self.closed |= mine

    def permitted(self, without: frozenset[int] = frozenset()) -> int:
        """The cells that the policy permits when some rules are gone."""
        seen = passed = 0
        for number, (rule, mine) in enumerate(zip(self.policy.rules, self.cells, strict=True)):
            if number not in without:
                passed |= mine & ~seen if rule.action == "allow" else 0
                seen |= mine
        return passed

    def union(self, numbers: object) -> int:
        """The cells of some rules together."""
        found = 0
        for number in numbers:  # type: ignore[attr-defined]
            found |= self.cells[number]
        return found

    def dead(self) -> set[int]:
        """Written rules that have packets and never decide one."""
        return {
            n for n, rule in enumerate(self.policy.rules) if rule.place and self.cells[n] and not self.decided[n]
        }

    def taken(self, number: int) -> set[int]:
        """Written rules of the other action that decide packets of a rule of the policy."""
        rules = self.policy.rules
        return {
            n
            for n in range(number)
            if rules[number].origin == "policy"
            and rules[n].place
            and rules[n].action != rules[number].action
            and self.decided[n] & self.cells[number] & ~self.closed
        }

    def crossing(self, number: int, taken: set[int]) -> set[int]:
        """Those of them with packets outside the rule, where infrastructure addresses count for nobody."""
        return {n for n in taken if self.cells[n] & ~self.closed & ~self.cells[number]}

    def spare(self) -> tuple[set[int], set[int]]:
        """Redundant rules, from the last up, each of them and the dead gone for those above; and the guards."""
        rules, gone, guards = self.policy.rules, set(self.dead()), set[int]()
        redundant: set[int] = set()
        for number in reversed(range(len(rules))):
            if rules[number].origin != "policy" or not self.decided[number]:
                continue
            rest, left = self.decided[number], True
            for later in range(number + 1, len(rules)):
                if later in gone:
                    continue
                if rules[later].action != rules[number].action and self.cells[later] & rest:
                    left = False
                    break
                rest &= ~self.cells[later]
            if not left or (rest and rules[number].action == "allow"):
                continue
            if rest:
                guards.add(number)
            else:
                redundant.add(number)
                gone.add(number)
        return redundant, guards


def random_policy(dice: random.Random) -> Policy:
    """A few rules of every origin, in the order of DESIGN 5.1, with the two denies that close infrastructure."""
    rules = [_rule(dice, "failsafe", n) for n in range(dice.choice([0, 0, 1]))]
    rules += [_rule(dice, "infrastructure", 10 + n) for n in range(dice.choice([0, 0, 1]))]
    if dice.random() < 0.6:
        own, whole = _ends(dice, 0.3), addresses((r, f, (0, TOP[f])) for r in REALMS for f in (4, 6))
        for source, target in ((whole, own), (own, whole)):
            rules.append(Rule("own", "infrastructure", "deny", source, target, (Term(None),), False, None))
    for n in range(dice.randint(2, 9)):
        rule = _rule(dice, "policy", 20 + n)
        rules.append(_like(dice, rule, rules) if rules and dice.random() < 0.7 else rule)
    rules += [_rule(dice, "intra", 90 + n, "allow") for n in range(dice.choice([0, 0, 1]))]
    return Policy(tuple(rules), REALMS)


def _like(dice: random.Random, rule: Rule, others: list[Rule]) -> Rule:
    """A rule with ends or services of an earlier one, as policies have them."""
    model = dice.choice(others)
    changed = {part: getattr(model, part) for part in ("source", "destination", "terms") if dice.random() < 0.65}
    return replace(rule, **changed)


def _rule(dice: random.Random, origin: Origin, line: int, action: Action | None = None) -> Rule:
    verdict: Action = action or ("allow" if origin == "failsafe" or dice.random() < 0.6 else "deny")
    terms = tuple(dict.fromkeys(_term(dice) for _ in range(dice.choice([1, 1, 2, 3]))))
    if origin == "intra":
        terms = (Term(None),)
    return Rule(f"rule {line}", origin, verdict, _ends(dice, 0.5), _ends(dice, 0.5), terms, False, Place("p", line))


def _term(dice: random.Random) -> Term:
    kind = dice.random()
    if kind < 0.25:
        return Term(None)
    if kind < 0.35:
        family: Family = dice.choice([4, 6])
        number = dice.choice([0, 8] if family == 4 else [128, 129])
        return Term(1 if family == 4 else 58, dport=(number << 8, number << 8 | 255), family=family)
    if kind < 0.4:
        return Term(89)
    edges = (*PORTS, 65536)
    low, high = sorted(dice.sample(range(len(edges)), 2))
    sport = ANY_PORT if dice.random() < 0.85 else (1024, 65535)
    return Term(dice.choice([6, 17]), sport, (edges[low], edges[high] - 1))


def _ends(dice: random.Random, broad: float) -> Addresses:
    """Some cells, in one realm or both (often the same ones, as address sets are), one family or both."""
    realms = dice.choice([REALMS, REALMS, REALMS[:1], REALMS[1:]])
    families: tuple[Family, ...] = dice.choice([(4, 6), (4, 6), (4,), (6,)])
    places = [(realm, family, at) for realm in realms for family in families for at in range(len(EDGES))]
    drawn = [place for place in places if dice.random() < broad]
    if dice.random() < 0.6:
        drawn = [(realm, family, at) for first, family, at in drawn if first == realms[0] for realm in realms]
    return addresses((realm, family, (edges[at], edges[at + 1] - 1)) for realm, family, at in drawn for edges in [_edges(family)])
