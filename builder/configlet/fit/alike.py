"""Owners whose tables are equal, up to their own addresses, so that one of them speaks for all.

Two devices are alike when the same gates stand on the same bindings of theirs, as on the two of a pair. Two hosts are
alike when no rule tells their addresses apart: each address of the one lies in exactly the spans of the policy in which
its counterpart lies, and at the edge of none. Exchanging the two addresses then maps every rule, and so the one
host's law, onto the other's. A rule that names one of them is such a span, and parts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from functools import cache

from configlet.fit.law import MULTICAST, Laws
from configlet.model.gate import Capability, Gate
from configlet.model.net import Family
from configlet.packets.index import Cells

Groups = tuple[tuple[str, ...], ...]


def alike(laws: Laws, owners: Mapping[str, tuple[Gate, ...]]) -> Groups:
    """The owners in groups of which one is as good as another; groups and members in the order that was given."""
    said = laws.policy.ends().values()
    cells = cache(lambda realm, family: Cells({span for end in said for span in end.of(realm, family)}))
    number = _Numbers()
    kinds: dict[Hashable, int] = {}
    places = {
        owner: kinds.setdefault((laws.models.get(owner), tuple([_place(gate, number) for gate in gates])), len(kinds))
        for owner, gates in owners.items()
    }
    many = Counter(places.values())
    found: dict[Hashable, list[str]] = {}
    for owner, gates in owners.items():
        place = places[owner]
        ends = tuple([_locals(laws, cells, gate) for gate in gates]) if many[place] > 1 else ()
        found.setdefault((place, ends), []).append(owner)
    return tuple(map(tuple, found.values()))


class _Numbers(dict[int, int]):
    """A number for each capability, the same for equal ones; by identity, as many gates have one and few are distinct."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[Capability, int] = {}

    def of(self, one: Capability) -> int:
        """The number of one that lives as long as these numbers do."""
        found = self.get(id(one))
        if found is None:
            found = self[id(one)] = self._known.setdefault(one, len(self._known))
        return found


def _place(gate: Gate, number: _Numbers) -> Hashable:
    """All of a gate but whose it is."""
    at = gate.platform, gate.kind, gate.binding, gate.direction, gate.families, gate.realm
    return *at, gate.segments, number.of(gate.capability)


def _locals(laws: Laws, cells: Callable[[str, Family], Cells], gate: Gate) -> Hashable:
    """A host's own ends in order, each as what the rules say of it; groups and ranges as themselves."""
    if not gate.locals:
        return ()
    found: list[Hashable] = []
    realms = laws.realms_at(gate)
    last: tuple[Family, int] | None = None
    for end in sorted({*gate.locals}):
        family, (low, high) = end
        inside = realms.get(end, [])
        if len(inside) > 1:
            inside = sorted({*inside})
        if low != high or low >= MULTICAST[family]:
            found.append((family, *inside, end[1]))
        else:
            found.append((family, last == (family, low - 1), *inside, *[cells(realm, family).of(low) for realm in inside]))
        last = family, high
    return tuple(found)
