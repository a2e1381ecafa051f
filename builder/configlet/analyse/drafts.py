"""Findings of rules before their packets are confirmed: what is said, of whom, and which packets show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import compress, count
from operator import or_

from configlet.analyse.blocks import packet_in
from configlet.analyse.confirm import Ask
from configlet.analyse.verdicts import Verdicts, Where
from configlet.model.finding import Kind
from configlet.model.frozen import dataclass
from configlet.model.inventory import Inventory, Term, Wide
from configlet.model.net import Addresses, Family, Span, Spans, merge
from configlet.model.policy import Packet, Policy, Rule

WEEK = timedelta(days=7)
_WITH_PORTS = {6: "tcp", 17: "udp", 132: "sctp"}


@dataclass(frozen=True, slots=True)
class Example:
    """A packet, and who must turn out to decide it: a rule, or any rule before the one of the finding (None)."""

    ask: Ask
    by: int | None
    otherwise: Ask | None = None
    """Asked without the rule of the finding: a rule of the same action must decide."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A finding of the rule at a place of the policy."""

    kind: Kind
    number: int
    says: str
    others: tuple[int, ...] = ()
    examples: tuple[Example, ...] = ()


def drafts(inventory: Inventory, policy: Policy, verdicts: Verdicts, today: date | None) -> Iterator[Draft]:
    """What there is to say of the rules, in their order."""
    expiring = {line.name: line.expires for line in inventory.policy if today and line.expires}
    named = enumerate(policy.rules) if expiring else ()
    ends = {number: expiring[rule.name] for number, rule in named if rule.origin == "policy" and rule.name in expiring}
    gone = frozenset({*verdicts.dead, *(n for n, spare in verdicts.spare.items() if spare.kind == "redundant")})
    wide = _wide_ones(inventory, policy, verdicts.wider)
    found = {*verdicts.undecided, *verdicts.dead, *verdicts.taken, *verdicts.spare, *wide, *ends}
    for number in sorted(found):
        rule = policy.rules[number]
        if not rule.place:
            continue
        if number in verdicts.undecided:
            yield _undecided(verdicts, number)
        if number in verdicts.dead:
            yield _dead(policy, verdicts, number)
            continue
        if number in verdicts.taken:
            yield from _taken(verdicts, number)
        if number in verdicts.spare:
            yield _spare(policy, verdicts, number, gone)
        if number in wide:
            yield Draft("too-wide", number, wide[number], (), _own(verdicts, number))
        if today and number in ends and ends[number] - today <= WEEK:
            left = f"It is good until {ends[number]}, and today is {today}. Renew it, or remove it."
            yield Draft("expiring", number, left, (), _own(verdicts, number))


def _undecided(verdicts: Verdicts, number: int) -> Draft:
    asked = ", ".join(dict.fromkeys(verdicts.undecided[number]))
    return Draft(
        "undecided",
        number,
        f"UNKNOWN whether it is {asked}: the budget of steps ended first, as too many rules overlap here. "
        "Nothing is claimed of it. Split the policy, or name ends and services more narrowly.",
    )


def _dead(policy: Policy, verdicts: Verdicts, number: int) -> Draft:
    dead, taken = verdicts.dead[number], verdicts.taken.get(number, {})
    action, inside = policy.rules[number].action, policy.rules[number].origin == "intra"
    says, example = "Every packet of it is decided by rules before it", Example(Ask(_packet(dead.sample)), None)
    if taken:
        owner, where = next(iter(taken.items()))
        example = Example(Ask(_packet(where)), owner)
    if taken or (dead.decide and any(policy.rules[other].action != action for other in dead.by)):
        says += f", and some are {'denied' if action == 'allow' else 'allowed'} there: what it says does not happen. "
        says += "Say `intra: policy` or narrow the others." if inside else "Move it up, narrow the others, or remove it."
    else:
        says += ". The segment can say `intra: policy`." if inside else ". Remove it."
    if not dead.least:
        says += " (Of the rules that are named, some may not be needed.)"
    return Draft("fully-shadowed", number, says, dead.by, (example,))


def _taken(verdicts: Verdicts, number: int) -> Iterator[Draft]:
    taken, crossing = verdicts.taken.get(number, {}), verdicts.crossing.get(number, set())
    for kind, owners in (
        ("contradicting", [owner for owner in taken if owner in crossing]),
        ("partly-shadowed", [owner for owner in taken if owner not in crossing]),
    ):
        if not owners:
            continue
        says = (
            "It and earlier rules of the other action speak of the same packets, and each of other packets too: only the "
            "order of the policy decides. Narrow one of them, so that the order does not matter."
            if kind == "contradicting"
            else "Earlier rules inside it have the other action and take some of its packets. Well, if they are meant as "
            "its exceptions."
        )
        example = Example(Ask(_packet(taken[owners[0]])), owners[0])
        yield Draft(kind, number, says, tuple(owners), (example, *_own(verdicts, number)))  # type: ignore[arg-type]


def _spare(policy: Policy, verdicts: Verdicts, number: int, gone: frozenset[int]) -> Draft:
    spare = verdicts.spare[number]
    rule, own = policy.rules[number], _own(verdicts, number)
    if spare.kind == "guard":
        says = "The default denies all of it too. It stands guard: no later allow opens it, and exposure that meets it is red."
        return Draft("guard", number, says, (), own)
    says = "Without it every packet would have the same verdict, from rules behind it. Remove it."
    silent = [policy.rules[other].name for other in spare.by if rule.log and not policy.rules[other].log]
    if silent:
        says += f' It logs, and "{silent[0]}" does not.'
    example = Example(own[0].ask, number, Ask(own[0].ask.packet, gone))
    return Draft("redundant", number, says, spare.by, (example,))


def _own(verdicts: Verdicts, number: int) -> tuple[Example, ...]:
    """A packet that the rule itself decides, where one is known."""
    where = verdicts.decided(number)
    return (Example(Ask(_packet(where)), number),) if where else ()


def _packet(where: Where) -> Packet:
    space, block = where
    return packet_in(block, space.realm, space.family)


def _wide_ones(inventory: Inventory, policy: Policy, wider: Callable[[int], Iterable[int]]) -> dict[int, str]:
    """The allows that are too wide, and why. Many have the same ends, and few are."""
    limits, (sources, destinations, ends) = inventory.wide, policy.numbered()
    large = {number for number, end in ends.items() if _count(end) > limits.addresses}.__contains__
    numbers = {*wider(limits.ports), *compress(count(), map(or_, map(large, sources), map(large, destinations)))}
    suspects = [(number, policy.rules[number]) for number in numbers]
    found = {n: _wide(limits, rule) for n, rule in suspects if rule.origin == "policy" and rule.action == "allow"}
    return {number: wide for number, wide in found.items() if wide}


def _broad(terms: tuple[Term, ...], ports: int) -> bool:
    """Whether terms perhaps open more ports of a protocol."""
    return sum([65536 if t.proto is None else t.dport[1] - t.dport[0] + 1 for t in terms]) > ports


def _wide(limits: Wide, rule: Rule) -> str:
    """Why an allow is too wide; nothing when it is not."""
    reasons = []
    for word, end in (("source", rule.source), ("destination", rule.destination)):
        count = _count(end)
        if count > limits.addresses:
            reasons.append(f"its {word} has {count:,} addresses and the limit is {limits.addresses:,}")
    for name, ports in sorted(ports_of(rule.terms).items()) if _broad(rule.terms, limits.ports) else ():
        if ports > limits.ports:
            reasons.append(f"it opens {ports:,} ports of {name} and the limit is {limits.ports:,}")
    if not reasons:
        return ""
    said = "; ".join(reasons) + " (IPv6 counts in /64). Name its ends and services, or raise `wide` of the site."
    return said[0].upper() + said[1:]


def _count(end: Addresses) -> int:
    return max([addresses_in(family, spans) for _, family, spans in end.parts], default=0)


def addresses_in(family: Family, spans: Spans) -> int:
    """Addresses of IPv4, or /64 networks of IPv6."""
    shift = 0 if family == 4 else 64
    return sum([(high >> shift) - (low >> shift) + 1 for low, high in spans])


def ports_of(terms: tuple[Term, ...]) -> dict[str, int]:
    """Destination ports that terms open, by protocol; a term of all protocols opens all ports of each."""
    spans: dict[str, list[Span]] = {}
    for term in terms:
        if term.proto is None:
            return {"every protocol": 65536}
        if term.proto in _WITH_PORTS:
            spans.setdefault(_WITH_PORTS[term.proto], []).append(term.dport)
    return {name: sum(high - low + 1 for low, high in merge(found)) for name, found in spans.items()}
