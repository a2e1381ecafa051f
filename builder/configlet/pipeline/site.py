"""A site understood: files to inventory, policy and placement."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import date
from functools import cache
from pathlib import Path

from configlet import platforms, rules, workspace
from configlet.fit import Laws
from configlet.model.frozen import dataclass
from configlet.model.gate import Capability, Reading
from configlet.model.inventory import Inventory, Nic
from configlet.model.net import Addresses, Family
from configlet.model.platform import Platform
from configlet.model.policy import Entry, Policy, Rule
from configlet.model.problem import Problem
from configlet.packets.blocks import Item, rule_of
from configlet.packets.entries import rule_entries
from configlet.packets.index import Index
from configlet.place import Placement, place
from configlet.platforms import content
from configlet.platforms.nics import models, narrowed


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that is known before a table is made. ``index`` gives A(p) of a realm and family, found by address."""

    root: Path
    name: str
    inventory: Inventory
    policy: Policy
    placement: Placement
    platforms: Mapping[str, Platform]
    warnings: tuple[Problem, ...]
    index: Callable[[str, Family], Index[Entry]]
    laws: Laws

    own: Callable[[], Addresses]
    """The addresses of the network itself, which no rule of the policy matches."""

    readings: dict[tuple[str, str, int], tuple[str, Reading]] = field(default_factory=dict)
    """The texts that were read last and what they mean, by platform, kind and length: no text need be hashed."""

    def entries(self, realm: str, family: Family) -> Sequence[Entry]:
        """A(p) of a realm and family as one first-match list."""
        return self.index(realm, family).rows


def open_site(
    root: Path, site: str, today: date, files: Path | None = None, *, digested: bool = True,
    given: Mapping[str, bytes] | None = None,
) -> Site:
    """Read and understand one site. Raises Refused with all complaints of the stage that found any.

    ``files`` is the folder that holds ``inventory``, where that is not the workspace: a part of a site. What of it is as
    it is in the whole was read before. Not ``digested``: nobody will ask for the digest of its inventory.
    ``given`` are files of the site that were read just now, by their names.
    """
    search = content.search(root)
    names = frozenset(path.stem for path in content.files(search, "nics", ".yaml"))
    loaded = workspace.load(files or root, site, today, names, cache=workspace.cache_of(root), digested=digested, given=given)
    policy = rules.expand(loaded.inventory)
    named = {d.platform for d in loaded.inventory.devices if d.managed} | {
        h.platform for h in loaded.inventory.hosts if h.managed
    }
    named |= {n.filter_table for h in loaded.inventory.hosts if h.managed for n in h.nics if n.filter_table}
    known = platforms.load(search, named)
    capabilities = {(p.name, kind): record.capability for p in known.values() for kind, record in p.kinds.items()}
    placement = place(loaded.inventory, capabilities, _cards(search))
    laws = Laws(loaded.inventory, policy)
    of = cache(lambda realm, family: Index(entries_of(laws.whole(realm, family).items, realm, family)))
    return Site(
        root, site, loaded.inventory, policy, placement, known, loaded.warnings, of, laws,
        cache(lambda: rules.own_addresses(loaded.inventory)),
    )


def entries_of(items: Iterable[Item], realm: str, family: Family) -> tuple[Entry, ...]:
    """What ``entries`` says of the policy that these rows and blocks are made of: most are such an entry."""
    out: list[Entry] = []
    rule: Rule | None = None
    for item in items:
        if type(item) is Entry and len(item.rule.terms) == 1:
            out.append(item)
        elif rule_of(item) is not rule:
            rule = rule_of(item)
            out += rule_entries(rule, realm, family)
    return tuple(out)


def with_platforms(site: Site, names: Collection[str]) -> Site:
    """The same site, with platforms that its inventory names no more. Raises Refused for one that is not there."""
    more = set(names) - set(site.platforms)
    return replace(site, platforms={**site.platforms, **platforms.load(content.search(site.root), more)}) if more else site


def _cards(search: Sequence[Path]) -> Callable[[Nic, Capability], Capability]:
    """What a NIC holds of a table: as its model says, where the model is one of those that are known."""
    known = cache(lambda: models(search))

    def of_card(nic: Nic, record: Capability) -> Capability:
        model = known().get(nic.model)
        return narrowed(record, model, record.mechanism or nic.filter_table) if model else record

    return of_card
