"""Names resolved and order fixed: failsafe, infrastructure, policy, intra, deny (DESIGN 5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from configlet.model.inventory import Inventory, RuleLine, Segment, Selector, Term
from configlet.model.net import Addresses, addresses
from configlet.model.policy import Origin, Policy, Rule
from configlet.model.problem import Problem, Refused
from configlet.packets.entries import rule_entries
from configlet.rules.infrastructure import closed, derived
from configlet.rules.select import of_networks, realms, select


def expand(inventory: Inventory) -> Policy:
    """The whole policy as ordered rules. Raises Refused with every rule that can never mean what it says."""
    failsafe = [_written(inventory, line, "failsafe") for line in inventory.failsafe]
    infrastructure = [_written(inventory, line, "infrastructure") for line in inventory.infrastructure]
    written = [_written(inventory, line, "policy") for line in inventory.policy]
    intra = [_intra(segment) for segment in inventory.segments if segment.intra == "open"]
    policy = Policy(
        (*failsafe, *infrastructure, *derived(inventory), *closed(inventory), *written, *intra), realms(inventory)
    )
    problems = [
        *_empty(inventory, [*failsafe, *infrastructure, *written]),
        *_against_failsafe(policy, failsafe, written),
    ]
    if problems:
        raise Refused(problems)
    return policy


def _written(inventory: Inventory, line: RuleLine, origin: Origin) -> Rule:
    source = _union(select(inventory, s, source=True) for s in line.sources)
    destination = _union(select(inventory, s, source=False) for s in line.destinations)
    terms = tuple(dict.fromkeys(term for service in line.services for term in service.terms))
    return Rule(line.name, origin, line.action, source, destination, terms, line.log, line.place, line.reason)


def _union(parts: Iterable[Addresses]) -> Addresses:
    return addresses((r, f, span) for part in parts for r, f, spans in part.parts for span in spans)


def _intra(segment: Segment) -> Rule:
    inside = addresses(of_networks(segment.realm, segment.prefixes))
    name = f"intra of {segment.name}"
    return Rule(name, "intra", "allow", inside, inside, (Term(None),), False, segment.place, "intra: open")


def _empty(inventory: Inventory, rules: list[Rule]) -> Iterator[Problem]:
    """A rule that no packet can match is a mistake, most often a realm or a family in which the ends never meet."""
    for rule in rules:
        if any(rule_entries(rule, realm, family) for realm in realms(inventory) for family in (4, 6)):
            continue
        yield Problem(
            "Rule that no packet can match",
            f'The rule "{rule.name}" has no packet: its two ends share no realm and address family for its service, '
            "or one of them is empty. Nothing would be filtered by it. Name ends in one realm, or remove the rule.",
            rule.place,
        )


def _against_failsafe(policy: Policy, failsafe: list[Rule], written: list[Rule]) -> Iterator[Problem]:
    for deny in (rule for rule in written if rule.action == "deny"):
        for safe in failsafe:
            if _meet(policy, deny, safe):
                yield Problem(
                    "Deny that meets a failsafe flow",
                    f'The rule "{deny.name}" denies packets of the failsafe rule "{safe.name}". Failsafe rules keep the '
                    "way in and always pass, so this deny would not do what it says. Narrow the deny.",
                    deny.place,
                    (safe.place,) if safe.place else (),
                    nature="red",
                )


def _meet(policy: Policy, one: Rule, other: Rule) -> bool:
    return any(
        all(a[0] <= b[1] and b[0] <= a[1] for a, b in zip(mine.box, theirs.box, strict=True))
        for realm in policy.realms
        for family in (4, 6)
        for mine in rule_entries(one, realm, family)
        for theirs in rule_entries(other, realm, family)
    )


def selector(name: str) -> Selector:
    """A selector by bare name, for questions that have no place in a file."""
    from configlet.model.problem import Place

    return Selector(name, (), Place("<question>"))
