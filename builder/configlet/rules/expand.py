"""Names resolved and order fixed: failsafe, infrastructure, policy, intra, deny (DESIGN 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice, repeat
from typing import TypeVar

from configlet.model.inventory import Inventory, RuleLine, Segment, Selector, Service, Term
from configlet.model.net import Addresses, Family, addresses, overlap
from configlet.model.policy import Origin, Policy, Rule
from configlet.model.problem import Problem, Refused
from configlet.packets.entries import WHOLE, box_of
from configlet.rules.infrastructure import closed, derived
from configlet.rules.select import meaning, names_of, of_networks, realms

L = TypeVar("L")
M = TypeVar("M")

OBSERVED = "observed: "


def expand(inventory: Inventory) -> Policy:
    """The whole policy as ordered rules. Raises Refused with every rule that can never mean what it says."""
    meaning = _Meaning(inventory)
    failsafe = meaning.rules(inventory.failsafe, "failsafe")
    infrastructure = meaning.rules(inventory.infrastructure, "infrastructure")
    written = meaning.rules(inventory.policy, "policy")
    intra = [_intra(segment) for segment in inventory.segments if segment.intra == "open"]
    ahead = (*failsafe, *infrastructure, *derived(inventory), *closed(inventory))
    policy = Policy((*ahead, *written, *intra, *observed(inventory)), realms(inventory))
    problems = [
        *_empty(policy, [*failsafe, *infrastructure, *_doubtful(policy, written, len(ahead))]),
        *_against_failsafe(policy, failsafe, written),
    ]
    if problems:
        raise Refused(problems)
    return policy


class _Meaning:
    """What selectors and services of a site mean; each is looked up once, and equal address sets are one object.

    What was looked up is known by the identity of selectors and of their lists, which the inventory holds for as long.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._names = names_of(inventory)
        self._sources: dict[int, Addresses] = {}
        self._destinations: dict[int, Addresses] = {}
        self._unions: dict[tuple[int, ...], Addresses] = {}
        self._terms: dict[int, tuple[Term, ...]] = {}
        self._same: dict[object, Addresses] = {}

    def rules(self, lines: tuple[RuleLine, ...], origin: Origin) -> list[Rule]:
        """Lines with their names resolved, worked out as the columns of a table: most have the lists of others."""
        if not lines:
            return []
        names, sources, destinations, services, actions, reasons, places, logs, *_ = zip(*lines, strict=True)
        return [*map(
            Rule, names, repeat(origin), actions, self._each(sources, self._sources, partial(self._union, source=True)),
            self._each(destinations, self._destinations, partial(self._union, source=False)),
            self._each(services, self._terms, self._terms_of), logs, places, reasons,
        )]  # fmt: skip

    @staticmethod
    def _each(lists: Sequence[L], known: dict[int, M], make: Callable[[L], M]) -> list[M]:
        """What each list means: made for those that are new, and found by the list itself."""
        numbers = [*map(id, lists)]
        for number, one in dict(zip(numbers, lists, strict=True)).items():
            if number not in known:
                known[number] = make(one)
        return [*map(known.__getitem__, numbers)]

    def _union(self, selectors: tuple[Selector, ...], *, source: bool) -> Addresses:
        if len(selectors) == 1:
            return self._only(meaning(self._names, selectors[0], source=source))
        ends = [self._end(selector, source) for selector in selectors]
        key = tuple(map(id, ends))
        union = self._unions.get(key)
        if union is None:
            items = ((r, f, span) for end in ends for r, f, spans in end.parts for span in spans)
            union = self._unions[key] = self._only(addresses(items))
        return union

    def _end(self, selector: Selector, source: bool) -> Addresses:
        known = self._sources if source else self._destinations
        found = known.get(id(selector))
        if found is None:
            found = known[id(selector)] = self._only(meaning(self._names, selector, source=source))
        return found

    def _only(self, found: Addresses) -> Addresses:
        return self._same.setdefault(found.parts, found)

    def _terms_of(self, services: tuple[Service, ...]) -> tuple[Term, ...]:
        if len(services) == len(services[0].terms) == 1:
            return services[0].terms
        return tuple(dict.fromkeys([t for service in services for t in service.terms]))


def _intra(segment: Segment) -> Rule:
    inside = addresses(of_networks(segment.realm, segment.prefixes))
    name = f"intra of {segment.name}"
    return Rule(name, "intra", "allow", inside, inside, (Term(None),), False, segment.place, "intra: open")


def observed(inventory: Inventory) -> Iterator[Rule]:
    """What the default deny would drop between segments that both observe: it passes, by service, so that it is counted."""
    seen = [segment for segment in inventory.segments if segment.observed]
    kinds = [(service.name, service.terms) for service in inventory.services] + [("anything else", (Term(None),))]
    for one, other in ((a, b) for a in seen for b in seen if a.realm == b.realm):
        ends = (addresses(of_networks(s.realm, s.prefixes)) for s in (one, other))
        source, target = ends
        for kind, terms in kinds:
            name = f"{OBSERVED}{one.name} to {other.name}, {kind}"
            yield Rule(name, "observe", "allow", source, target, terms, True, one.place, "enforcement: observe")


def _empty(policy: Policy, rules: list[Rule]) -> Iterator[Problem]:
    """A rule that no packet can match is a mistake, most often a realm or a family in which the ends never meet."""
    for rule in rules:
        if _possible(rule, policy.realms):
            continue
        yield Problem(
            "Rule that no packet can match",
            f'The rule "{rule.name}" has no packet: its two ends share no realm and address family for its service, '
            "or one of them is empty. Nothing would be filtered by it. Name ends in one realm, or remove the rule.",
            rule.place,
        )


def _doubtful(policy: Policy, rules: list[Rule], at: int) -> list[Rule]:
    """The rules of the policy from a place on that perhaps no packet matches: none that have a service of both families,
    where the ends of each of them share a realm and family."""
    sources, destinations, ends = policy.numbered()
    same: dict[frozenset[tuple[str, Family]], frozenset[tuple[str, Family]]] = {}
    spaces: dict[int, frozenset[tuple[str, Family]]] = {}
    for number, end in ends.items():
        space = frozenset([(realm, family) for realm, family, spans in end.parts if spans and realm in policy.realms])
        spaces[number] = same.setdefault(space, space)
    pairs = {*zip(*(map(spaces.__getitem__, islice(of, at, at + len(rules))) for of in (sources, destinations)), strict=True)}
    if any(one.isdisjoint(other) for one, other in pairs):
        return rules
    return [rule for rule in rules if len(rule.terms) != 1 or rule.terms[0].family]


def _possible(rule: Rule, known: tuple[str, ...]) -> bool:
    for realm, family, _ in rule.source.parts:
        if rule.destination.of(realm, family) and realm in known:
            for term in rule.terms:
                if term.family is None or term.family == family:
                    return True
    return False


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


def _shared(one: Rule, other: Rule, policy: Policy) -> Iterator[tuple[str, Family]]:
    """Realms and families in which both rules have sources, destinations and terms."""
    for realm, family, _ in one.source.parts:
        ends = (one.destination, other.source, other.destination)
        if realm in policy.realms and all(end.of(realm, family) for end in ends):
            if all(any(term.family in (None, family) for term in rule.terms) for rule in (one, other)):
                yield realm, family


def _meet(policy: Policy, one: Rule, other: Rule) -> bool:
    return any(
        overlap(one.source.of(realm, family), other.source.of(realm, family))
        and overlap(one.destination.of(realm, family), other.destination.of(realm, family))
        and any(_alike(mine, theirs, family) for mine in one.terms for theirs in other.terms)
        for realm, family in _shared(one, other, policy)
    )


def _alike(one: Term, other: Term, family: Family) -> bool:
    if one.family not in (None, family) or other.family not in (None, family):
        return False
    boxes = zip(box_of(one, WHOLE, WHOLE), box_of(other, WHOLE, WHOLE), strict=True)
    return all(a[0] <= b[1] and b[0] <= a[1] for a, b in boxes)


def selector(name: str) -> Selector:
    """A selector by bare name, for questions that have no place in a file."""
    from configlet.model.problem import Place

    return Selector(name, (), Place("<question>"))
