"""Reading one site: files, schema, inventory, and everything that must hold between its parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from configlet.model.inventory import Inventory
from configlet.model.problem import Place, Problem, Refused
from configlet.workspace import build, lines, names, numbers, wiring
from configlet.workspace.files import read_site
from configlet.workspace.schema import INVENTORY
from configlet.workspace.strict import Node
from configlet.workspace.validate import Path as Steps
from configlet.workspace.validate import judge


@dataclass(frozen=True, slots=True)
class Loaded:
    """A site that was understood, and what is worth knowing about it."""

    inventory: Inventory
    warnings: tuple[Problem, ...]


def load(root: Path, site: str, today: date, nic_models: frozenset[str] | None = None) -> Loaded:
    """Read ``root/inventory/site/**/*.yaml`` as one Inventory.

    ``today`` decides what has expired. ``nic_models`` are the names that a NIC may have as model; None leaves them
    unchecked. Raises Refused with every complaint at once, in the order of their places.
    """
    document, problems, warnings = read_site(root, site)
    if document is None or problems:
        raise Refused(_ordered(problems))
    wrong, paths = judge(document)
    if any(len(path) < 2 and path[0] in INVENTORY for path in paths):
        raise Refused(_ordered(wrong))
    sound = _without(document, paths)
    inventory = build.inventory(sound, site)
    known, collisions = names.written(document)
    found = (*wrong, *collisions, *_between(names.Site(inventory, sound, known), today, nic_models))
    if any(problem.severity == "error" for problem in found):
        raise Refused(_ordered(problem for problem in found if problem.severity == "error"))
    return Loaded(inventory, _ordered((*warnings, *found)))


def _between(site: names.Site, today: date, nic_models: frozenset[str] | None) -> Iterator[Problem]:
    yield from names.check(site, nic_models)
    yield from numbers.check(site)
    yield from wiring.check(site)
    yield from lines.check(site, today)


def _ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.place or Place(""), p.summary, p.detail)))


def _without(root: Node, paths: tuple[Steps, ...]) -> Node:
    """The document without the items that are wrong, so that the rest can still be looked at."""
    if not paths:
        return root
    assert isinstance(root.members, dict)
    members: dict[str, Node] = {}
    for key, node in root.members.items():
        bad = {path[1] for path in paths if path[0] == key and len(path) > 1}
        if key not in INVENTORY or (key == "site" and bad):
            continue
        members[key] = _pruned(node, bad)
    return root._replace(value={key: node.value for key, node in members.items()}, members=members)


def _pruned(node: Node, bad: set[str | int]) -> Node:
    if isinstance(node.members, dict):
        kept = {key: each for key, each in node.members.items() if key not in bad}
        return node._replace(value={key: each.value for key, each in kept.items()}, members=kept)
    items = [each for i, each in enumerate(node.members or []) if i not in bad]
    return node._replace(value=[each.value for each in items], members=items)
