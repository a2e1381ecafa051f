"""Owners whose tables are equal, up to their own addresses, so that one of them speaks for all.

Two devices are alike when the same gates stand on the same bindings of theirs, as on the two of a pair. Two hosts are
alike when no rule tells their addresses apart: each address of the one lies in exactly the spans of the policy in which
its counterpart lies, and at the edge of none. Exchanging the two addresses then maps every rule, and so the one
host's law, onto the other's. A rule that names one of them is such a span, and parts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import cache

from configlet.fit.law import MULTICAST, Laws
from configlet.model.gate import Gate
from configlet.model.net import FAMILIES, Family, Span
from configlet.model.policy import Policy
from configlet.packets.index import Cells

Groups = tuple[tuple[str, ...], ...]


def alike(laws: Laws, owners: Mapping[str, tuple[Gate, ...]]) -> Groups:
    """The owners in groups of which one is as good as another; groups and members in the order that was given."""
    cells = cache(lambda realm, family: Cells(_spans(laws.policy, realm, family)))
    places = {owner: (laws.models.get(owner), tuple(map(_place, gates))) for owner, gates in owners.items()}
    many = Counter(places.values())
    found: dict[Hashable, list[str]] = {}
    for owner, gates in owners.items():
        place = places[owner]
        ends = tuple(tuple(_locals(laws, cells, gate)) for gate in gates) if many[place] > 1 else ()
        found.setdefault((place, ends), []).append(owner)
    return tuple(map(tuple, found.values()))


def _place(gate: Gate) -> Hashable:
    """All of a gate but whose it is."""
    at = gate.platform, gate.kind, gate.binding, gate.direction, gate.families, gate.realm
    return *at, gate.segments, gate.capability


def _spans(policy: Policy, realm: str, family: Family) -> set[Span]:
    """Every span that a rule speaks of in one realm and family."""
    ends = {id(end): end for rule in policy.rules for end in (rule.source, rule.destination)}
    return {span for end in ends.values() for span in end.of(realm, family)}


def _locals(laws: Laws, cells: Callable[[str, Family], Cells], gate: Gate) -> Iterator[Hashable]:
    """A host's own ends in order, each as what the rules say of it; groups and ranges as themselves."""
    for family in FAMILIES if gate.locals else ():
        realms = laws.realms_of(gate, family)
        mine = sorted({span for f, span in gate.locals if f == family})
        before = -1
        for span in mine:
            inside = tuple(sorted(realm for realm, spans in realms.items() if span in spans))
            if span[0] != span[1] or span[0] >= MULTICAST[family]:
                yield family, inside, span
            else:
                at = tuple(cells(realm, family).of(span[0]) for realm in inside)
                yield family, inside, at, span[0] == before + 1
            before = span[1]
