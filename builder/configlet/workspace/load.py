"""Reading one site: files, schema, inventory, and everything that must hold between its parts."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from configlet.model.frozen import dataclass
from configlet.model.inventory import Inventory
from configlet.model.problem import Place, Problem, Refused, refuse
from configlet.workspace import build, forms, lines, names, numbers, wiring
from configlet.workspace.cache import NOTHING, Cache, FileCache
from configlet.workspace.document import keep
from configlet.workspace.files import read_site
from configlet.workspace.schema import INVENTORY
from configlet.workspace.validate import judge

_MANY = 2_000
"""Rules and hosts from which on the collector is told not to look through them any more."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A site that was understood, and what is worth knowing about it."""

    inventory: Inventory
    warnings: tuple[Problem, ...]


def load(
    root: Path,
    site: str,
    today: date,
    nic_models: frozenset[str] | None = None,
    *,
    paranoid: bool = False,
    cache: Cache | None = None,
    digested: bool = True,
    given: Mapping[str, bytes] | None = None,
) -> Loaded:
    """Read ``root/inventory/site/**/*.yaml`` as one Inventory.

    ``today`` decides what has expired. ``nic_models`` are the names that a NIC may have as model; None leaves them
    unchecked. ``paranoid`` takes no short way: every file is read strictly, and Cerberus judges everything. ``cache``
    keeps big files that were judged (none: below ``.configlet/cache/files``). Not ``digested``: nobody will ask for the
    digest of the inventory. ``given``: plain files that were read just now, by their names. Raises Refused with every
    complaint at once, in the order of their places.
    """
    kept = cache or cache_of(root)
    with _uncollected():
        loaded = _load(root, site, today, nic_models, paranoid, NOTHING if paranoid else kept, digested, given)
        if len(loaded.inventory.policy) + len(loaded.inventory.hosts) >= _MANY:
            gc.freeze()  # a big inventory lives as long as its command, and has no cycles
        return loaded


def cache_of(root: Path) -> Cache:
    """The files of a workspace that were read and judged before."""
    return FileCache(root / ".configlet" / "cache" / "files")


def every_way(root: Path, site: str, today: date) -> None:
    """Read a site strictly with Cerberus judging everything, by shapes, and from the cache. Raises Refused with what is
    wrong with it, or when the three do not understand the same: then a short way is at fault, and nothing can go on."""
    strictly = load(root, site, today, paranoid=True)
    for how, read in (
        ("by shapes", load(root, site, today, cache=NOTHING)),
        ("from the cache", load(root, site, today)),
    ):
        if read != strictly:
            detail = f"Read {how}, the site is not what it is when it is read strictly. This is a fault of ours: report it."
            raise refuse("Two readings differ", f"{detail} Until then remove `.configlet/cache`.", Place(f"inventory/{site}"))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: what is made here is kept, and to look through it again and again costs a third."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        forms.quick_prefix.cache_clear()
        forms.quick_six.cache_clear()
        if enabled:
            gc.enable()


def _load(
    root: Path, site: str, today: date, nic_models: frozenset[str] | None, paranoid: bool, cache: Cache, digested: bool,
    given: Mapping[str, bytes] | None,
) -> Loaded:
    document, problems, warnings = read_site(root, site, quick=not paranoid, cache=cache, given=given)
    if document is None or problems:
        raise Refused(_ordered(problems))
    wrong, paths = judge(document, paranoid=paranoid)
    if any(len(path) < 2 and path[0] in INVENTORY for path in paths):
        raise Refused(_ordered(wrong))
    if not wrong:
        keep(document.files, cache)
    sound = document.without(paths)
    inventory = build.inventory(sound, site, digested=digested)
    known, collisions = names.written(document, inventory if sound is document else None)
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
