"""How full each gate is: used of how many, what costs most, and what one more rule would cost. Nothing is rendered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

from configlet import encoders
from configlet.fit import Laws, alike, cost, counted
from configlet.model.gate import Gate, Table
from configlet.model.policy import Policy, Rule
from configlet.model.problem import refuse
from configlet.pipeline.cores import each_group
from configlet.pipeline.ends import as_written
from configlet.pipeline.known import Tell
from configlet.pipeline.site import Site, open_site
from configlet.pipeline.why import service_of

MOST = 3


@dataclass(frozen=True, slots=True)
class Dear:
    """A rule and what it takes at one gate."""

    name: str
    place: str
    count: int


@dataclass(frozen=True, slots=True)
class Use:
    """One gate, or one NIC with all its addresses. ``units`` are used and limit (0: nobody states one) by unit."""

    gate: str
    platform: str
    units: dict[str, tuple[int, int]]
    rules: int
    """Rules that cost anything here."""
    dearest: tuple[Dear, ...]
    more: dict[str, int] | None
    """What the rule that was asked about would add; None when none was asked about."""
    like: tuple[str, ...]
    """Gates of other owners of which the same is true."""

    @property
    def unit(self) -> str:
        """The unit in which rules are counted."""
        return next(iter(self.units))

    @property
    def mean(self) -> float:
        """What a rule costs here on average."""
        return self.units[self.unit][0] / self.rules if self.rules else 0.0

    @property
    def full(self) -> bool:
        """Whether it needs more than it holds, perhaps with the rule that was asked about."""
        added = self.more or {}
        return any(used + added.get(unit, 0) > most > 0 for unit, (used, most) in self.units.items())


@dataclass(frozen=True, slots=True)
class Asked:
    """A rule that is not in the policy: who, to whom, with what."""

    source: str
    target: str
    service: str


def capacity(
    root: Path, site: str, today: date, asked: Asked | None = None, tell: Tell | None = None, jobs: int | None = None
) -> tuple[Use, ...]:
    """Every gate of a site by name, those that are alike together, counted in ``jobs`` processes (None: as many as are
    worth it). Raises Refused."""
    opened = open_site(root, site, today)
    after = Laws(opened.inventory, _with(opened, asked)) if asked else None
    groups = alike(after or opened.laws, opened.placement.owners)
    said = each_group(partial(_of_group, opened, after), groups, len(opened.inventory.policy), tell, jobs)
    return tuple(sorted((use for uses in said for use in uses), key=lambda use: use.gate))


def _of_group(site: Site, after: Laws | None, group: tuple[str, ...]) -> tuple[Use, ...]:
    found = tuple(_uses(site, group, after))
    for laws in filter(None, (site.laws, after)):
        laws.forget()
    return found


def _with(site: Site, asked: Asked) -> Policy:
    """The policy with one more rule, behind those that are written."""
    source = as_written(site.inventory, asked.source, source=True)
    target = as_written(site.inventory, asked.target, source=False)
    terms = service_of(site, asked.service).terms
    if not source.parts or not target.parts:
        raise refuse("Rule without ends", f"{asked.source} -> {asked.target}: one of them has no address here.")
    if not any(target.of(r, f) for r, f, _ in source.parts for term in terms if term.family in (None, f)):
        detail = f"{asked.source} and {asked.target} share no realm and address family for {asked.service}, so no packet "
        raise refuse("Rule that no packet can match", f"{detail}matches such a rule, and a policy with it is refused.")
    more = Rule("the rule that is asked about", "policy", "allow", source, target, terms, False, None)
    rules = site.policy.rules
    at = next((n for n, rule in enumerate(rules) if rule.origin in ("intra", "observe", "default")), len(rules))
    return replace(site.policy, rules=(*rules[:at], more, *rules[at:]))


def _uses(site: Site, group: Sequence[str], after: Laws | None) -> Iterator[Use]:
    first, *others = group
    gates = site.placement.of_owner(first)
    now, then = _counted(site, site.laws, gates), _counted(site, after, gates) if after else {}
    theirs = [list(_counted_names(site, site.placement.of_owner(other))) for other in others]
    for at, (name, (platform, units, costs)) in enumerate(now.items()):
        more = None
        if after:
            grown = then[name][1]
            more = {unit: grown[unit][0] - used for unit, (used, _) in units.items()}
        dear = tuple(Dear(rule, str(place or ""), count) for (rule, place), count in costs.most_common(MOST))
        yield Use(name, platform, units, len(costs), dear, more, tuple(names[at] for names in theirs))


_Counts = dict[str, tuple[str, dict[str, tuple[int, int]], Counter[tuple[str, object]]]]


def _counted(site: Site, laws: Laws, gates: Iterable[Gate]) -> _Counts:
    """By gate, or by NIC: platform, units, and what each rule takes."""
    out: _Counts = {}
    shares: dict[str, list[Table]] = {}
    for table in counted(laws, gates):
        shares.setdefault(_name(site, table.gate), []).append(table)
    for name, tables in shares.items():
        gate = tables[0].gate
        out[name] = (gate.platform, *_spent(site, tables))
    return out


def _counted_names(site: Site, gates: Iterable[Gate]) -> dict[str, None]:
    return {_name(site, gate): None for gate in gates if gate.families}


def _name(site: Site, gate: Gate) -> str:
    """What is counted together: all that is encoded for one binding, else a gate."""
    if _counter(site, gate) is None:
        return gate.name
    return f"{gate.owner}/{gate.binding.replace(' ', '+')}"


def _counter(site: Site, gate: Gate) -> encoders.Count | None:
    said = site.platforms[gate.platform].kinds[gate.kind]
    return encoders.counter(said.encoder) if said.encoder else None


def _spent(site: Site, tables: Sequence[Table]) -> tuple[dict[str, tuple[int, int]], Counter[tuple[str, object]]]:
    gate = tables[0].gate
    count = _counter(site, gate)
    if count is not None:
        spent = count(site.platforms[gate.platform].kinds[gate.kind].operands, tables)
        return spent.units, spent.rules
    typed = held = 0
    rules: Counter[tuple[str, object]] = Counter()
    for table in tables:
        one = cost(table)
        typed, held = typed + one.typed, held + one.held
        for key, number in one.rules.items():
            rules[one.known[key].name, one.known[key].place] += number
    room = gate.capability.holds(site.laws.models.get(gate.owner, ""))
    units = {"entries": (held, room)}
    if (typed, gate.capability.capacity) != (held, room):
        units["lines"] = (typed, gate.capability.capacity)
    return units, rules
