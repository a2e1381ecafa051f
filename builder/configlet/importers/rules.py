"""Statements to rules with names, and what of a list a policy does not say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from configlet.importers import words
from configlet.importers.statements import Statement, statements
from configlet.model.net import Family, Spans
from configlet.model.running import Found

FEW = 6
"""Names at one end of a rule, above which they are one set."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A rule as it will stand in ``policy.yaml``; ``lines`` are those of the text."""

    name: str
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    services: tuple[str, ...]
    permit: bool
    reason: str
    lines: tuple[int, ...]
    log: bool = False


@dataclass(slots=True)
class Draft:
    """A site in the making. ``answers`` are statements that pass answers only: in a policy those go with what they answer."""

    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    rules: list[Drafted] = field(default_factory=list)
    answers: list[Statement] = field(default_factory=list)
    given: Mapping[tuple[Family, Spans], str] = field(default_factory=dict)
    sets: dict[tuple[Family, Spans], str] = field(default_factory=dict)


def draft(lists: Sequence[Found], groups: Mapping[tuple[Family, Spans], str]) -> Draft:
    """The lists, one behind the other, as rules; two lists must be of different families, so that none meets the other."""
    made = Draft(given=groups)
    for found in lists:
        label = ""
        for statement in statements(found.lines):
            if statement.answers:
                made.answers.append(statement)
            else:
                _rule(made, found, statement, "" if statement.label in (label, "default") else statement.label)
            label = statement.label
    return made


def _rule(made: Draft, found: Found, said: Statement, label: str) -> None:
    """One rule. It is called by its remark, if it is the first below it; else by what it says."""
    sources = _ends(made, found.family, said.sources, said.label, "sources")
    targets = _ends(made, found.family, said.destinations, said.label, "targets")
    services: list[str] = []
    for service in said.services:
        services += [_service(made, name, term) for name, term in words.of_service(service)]
    services = ["any"] if "any" in services else list(dict.fromkeys(services))
    wanted = words.title(label) or _plain_name(sources, targets, services)
    name = _free(wanted or f"line {said.numbers[0]}", {rule.name for rule in made.rules})
    log = " log" in f" {said.text} "
    made.rules.append(Drafted(name, sources, targets, tuple(services), said.permit, _reason(said), said.numbers, log))


def _service(made: Draft, name: str, term: str) -> str:
    """The name of a service, which is known from now on; a literal needs none."""
    known = made.services.setdefault(name, term) if term else ""
    if known == term:
        return name
    other = words.slug(f"{name}-{term}")
    made.services[other] = term
    return other


def _plain_name(sources: Sequence[str], targets: Sequence[str], services: Sequence[str]) -> str:
    """Who may reach what, in words."""
    def few(names: Sequence[str]) -> str:
        short = [name.replace("any-ipv4", "any").replace("any-ipv6", "any") for name in names]
        return short[0] + (f" and {len(short) - 1} more" if len(short) > 1 else "")

    service = "anything" if list(services) == ["any"] else few(services)
    return words.title(f"{few(sources)} to {few(targets)}: {service}")


def _reason(said: Statement) -> str:
    lines = f"line {said.numbers[0]}" if len(said.numbers) == 1 else f"lines {said.numbers[0]} to {said.numbers[-1]}"
    text = "".join(c if c.isprintable() else " " for c in f"imported, {lines}: {said.text}")
    return text if len(text) <= 300 else f"{text[:296]} ..."


def _ends(made: Draft, family: Family, ends: Iterable[Spans], label: str, what: str) -> tuple[str, ...]:
    """The names of sets of addresses; many of them become one set under the remark's name."""
    sets = tuple(dict.fromkeys(ends))
    if len(sets) > FEW:
        joined = tuple(sorted(span for spans in sets for span in spans))
        name = _free_name(words.slug(f"{label} {what}" if label else f"{what}-{len(made.rules) + 1}"), made)
        made.addresses[name] = words.prefixes_of(family, joined)
        return (name,)
    return tuple(_named(made, family, spans, label, what) for spans in sets)


def _named(made: Draft, family: Family, spans: Spans, label: str, what: str) -> str:
    key = family, spans
    if key not in made.sets:
        given = made.given.get(key)
        said = words.prefixes_of(family, spans)
        if given:
            name = words.slug(given, "group")
        elif len(said) > 3 and label not in ("", "default"):
            name = words.slug(f"{label} {what}")
        else:
            name = words.of_addresses(family, spans)
        made.sets[key] = _free_name(name, made)
        made.addresses[made.sets[key]] = said
    return made.sets[key]


RESERVED = {"any", "outside", "controller", "controllers", "management", "infrastructure", "failsafe", "true", "false", "null"}
"""Words of the policy, the segment that a drafted site has already, and what YAML takes for no text."""


def _free_name(name: str, made: Draft) -> str:
    return words.free(f"{name}-set" if name in RESERVED else name, {*made.addresses, *made.services})


def _free(name: str, taken: set[str]) -> str:
    tried, number = name, 1
    while tried in taken:
        number += 1
        tried = f"{name} ({number})"
    return tried
