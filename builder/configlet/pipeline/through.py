"""A policy seen with the addresses and realms of another site, so that a site and its replica can be compared.

A map says what the first site's prefixes and realms are called in the second. It is completed to an exchange of names:
what nothing maps to goes back to where the chain of maps began, so that every address has exactly one name on either
side, and rules that speak of all addresses stay what they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import ip_network
from pathlib import Path

from configlet.model.net import FAMILIES, Family, IPNetwork, Span, family_of, merge, span_of
from configlet.model.policy import DST, SRC, Box, Entry
from configlet.model.problem import Place, Problem, Refused, refuse
from configlet.packets.boxes import change
from configlet.pipeline.policies import Policies
from configlet.workspace.strict import BYTES, Node, read

Move = tuple[Span, int]
"""Addresses that move together, and by how much."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """Where each prefix goes, and each realm."""

    moves: Mapping[Family, tuple[Move, ...]]
    realms: Mapping[str, str]

    def span(self, family: Family, span: Span) -> tuple[Span, ...]:
        """The addresses under their other names, sorted and disjoint."""
        rest, low, out = span[1], span[0], []
        for (lo, hi), by in self.moves[family]:
            if hi < low or lo > rest:
                continue
            if low < lo:
                out.append((low, lo - 1))
            out.append((max(low, lo) + by, min(rest, hi) + by))
            low = hi + 1
        if low <= rest:
            out.append((low, rest))
        return merge(out)


def renamed(policies: Policies, by: Renaming) -> Policies:
    """The policy in the other site's names. Raises Refused for a realm of the map that the site does not have."""
    unknown = sorted(set(by.realms) - set(policies.policy.realms))
    if unknown:
        raise refuse("Unknown realm", f'{policies.name} has no realm "{unknown[0]}", so the map cannot be meant for it.')
    names = {realm: by.realms.get(realm, realm) for realm in policies.policy.realms}
    if len(set(names.values())) < len(names):
        raise refuse("Realms that become one", f"Two realms of {policies.name} would have one name through this map.")
    back = {new: old for old, new in names.items()}
    other = cache(lambda realm, family: _entries(policies.entries(back[realm], family), family, by) if realm in back else ())
    return replace(policies, policy=replace(policies.policy, realms=tuple(sorted(back))), entries=other)


def _entries(entries: Sequence[Entry], family: Family, by: Renaming) -> tuple[Entry, ...]:
    moved = cache(lambda span: by.span(family, span))
    return tuple(entry.over(box) for entry in entries for box in _boxes(entry.box, moved(entry.box[DST]), moved(entry.box[SRC])))


def _boxes(box: Box, targets: Sequence[Span], sources: Sequence[Span]) -> list[Box]:
    return [change(change(box, DST, target), SRC, source) for target in targets for source in sources]


def read_map(file: Path) -> Renaming:
    """A map from its file: ``prefixes: {10.1.0.0/16: 10.2.0.0/16}`` and ``realms: {trading: trading-b}``.

    Raises Refused with every complaint at its place.
    """
    if file.stat().st_size > BYTES:
        raise refuse("File too large", f"A map of more than {BYTES} bytes is not read.", Place(str(file)))
    root, unread = read(file.read_bytes(), str(file))
    if root is None:
        raise Refused(unread)
    problems: list[Problem] = []
    members = _map(root, problems)
    for key in set(members) - {"prefixes", "realms"}:
        detail = f"`{key}` means nothing in a map. Known: prefixes, realms."
        problems.append(Problem("Unknown key", detail, members[key].place))
    pairs = [_pair(key, node, problems) for key, node in _map(members.get("prefixes"), problems).items()]
    realms = {key: node for key, node in _map(members.get("realms"), problems).items() if _word(node, problems)}
    found = [pair for pair in pairs if pair is not None]
    if not problems:
        problems += _overlapping(found)
    if problems:
        raise Refused(sorted(problems, key=lambda p: p.place or Place("")))
    moves = {f: _moves([(a, b) for a, b, _ in found if family_of(a) == f]) for f in FAMILIES}
    return Renaming(moves, {key: node.value for key, node in realms.items()})


_Pair = tuple[IPNetwork, IPNetwork, Node]


def _map(node: Node | None, problems: list[Problem]) -> dict[str, Node]:
    if node is None:
        return {}
    if isinstance(node.members, dict):
        return node.members
    problems.append(Problem("Wrong type", "A map of old to new belongs here.", node.value_place))
    return {}


def _word(node: Node, problems: list[Problem]) -> bool:
    if isinstance(node.value, str) and node.value:
        return True
    problems.append(Problem("Wrong type", "The name of a realm belongs here.", node.value_place))
    return False


def _pair(key: str, node: Node, problems: list[Problem]) -> _Pair | None:
    try:
        old, new = ip_network(key), ip_network(str(node.value))
    except ValueError as error:
        problems.append(Problem("Not a prefix", f"{error}. Prefixes belong on both sides.", node.place))
        return None
    if old.version != new.version or old.prefixlen != new.prefixlen:
        detail = f"{old} and {new} differ in family or length, so their addresses are no pairs. Map prefixes of one size."
        problems.append(Problem("Prefixes of different size", detail, node.place))
        return None
    return old, new, node


def _overlapping(pairs: Sequence[_Pair]) -> list[Problem]:
    """Two old prefixes, or two new ones, that share addresses; and an old one that shares a part of a new one."""
    out: list[Problem] = []
    for at, (old, new, node) in enumerate(pairs):
        for other_old, other_new, other in pairs[:at]:
            both = ((old, other_old), (new, other_new))
            crossed = ((old, other_new), (new, other_old))
            if any(a.overlaps(b) for a, b in both) or any(a.overlaps(b) and a != b for a, b in crossed):
                detail = f"{old} to {new} and {other_old} to {other_new} share addresses, so a name would mean two. Split them."
                out.append(Problem("Prefixes that overlap", detail, node.place, (other.place,)))
        if old != new and old.overlaps(new):
            out.append(Problem("Prefixes that overlap", f"{old} and {new} share addresses.", node.place))
    return out


def _moves(pairs: Sequence[tuple[IPNetwork, IPNetwork]]) -> tuple[Move, ...]:
    """The map and its way back: where no map leads on, the end of a chain becomes its beginning."""
    to = {span_of(old): span_of(new) for old, new in pairs}
    ends = set(to.values()) - set(to)
    start = {new: old for old, new in to.items()}
    for end in ends:
        first = end
        while first in start:
            first = start[first]
        to[end] = first
    return tuple(sorted((old, new[0] - old[0]) for old, new in to.items() if old != new))
