"""All findings of one site, each with the level that the site gives it, its rules and places, and confirmed packets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from configlet.analyse.confirm import Ask, firsts
from configlet.analyse.cover import Meter
from configlet.analyse.drafts import Draft, Example, drafts
from configlet.analyse.judge import judge
from configlet.analyse.names import unused
from configlet.analyse.verdicts import Verdicts
from configlet.model.finding import KINDS, Analysis, Finding, Kind, Party, Shown
from configlet.model.inventory import Inventory, Level
from configlet.model.policy import Policy
from configlet.model.problem import Place
from configlet.packets.boxes import packet_text

_LEVELS: tuple[Level, ...] = ("error", "warning", "ignore")


def analyse(
    inventory: Inventory, policy: Policy, today: date | None, meter: Meter | None = None, *, ignored: bool = True
) -> Analysis:
    """Every finding of a site; exact, or "undecided" where the budget (``meter``) ended first.

    Without ``today`` nothing is said of what expires, without ``ignored`` nothing of what the site ignores.
    Each packet that is shown was confirmed by a linear first match over the rules as they are written.
    """
    verdicts = judge(policy, meter or Meter(), guards=ignored)  # a site cannot but ignore denies that stand guard
    found = [d for d in drafts(inventory, policy, verdicts, today) if ignored or _level(inventory, verdicts, d) != "ignore"]
    examples = [example for draft in found for example in draft.examples]
    known = firsts(policy, [ask for e in examples for ask in (e.ask, e.otherwise) if ask])
    findings = [_finding(inventory, policy, verdicts, draft, known) for draft in found]
    findings += [finding for finding in _unused(inventory) if ignored or finding.level != "ignore"]
    findings.sort(key=_order)
    written = len(inventory.failsafe) + len(inventory.infrastructure) + len(inventory.policy)
    return Analysis(inventory.site, len(policy.rules), written, tuple(findings))


def _order(finding: Finding) -> tuple[int, int, Place, str]:
    place = finding.place or Place("")
    return _LEVELS.index(finding.level), KINDS.index(finding.kind), place, finding.name


def _finding(
    inventory: Inventory, policy: Policy, verdicts: Verdicts, draft: Draft, known: Mapping[Ask, int | None]
) -> Finding:
    rule = policy.rules[draft.number]
    shown = [_shown(policy, draft, example, known) for example in draft.examples]
    if not all(shown):
        says = f"Internal error: it was found to be {draft.kind}, and a linear first match does not confirm it. Report it."
        return Finding("undecided", "error", rule.name, rule.place, says, rule.action)
    return Finding(
        draft.kind,
        _level(inventory, verdicts, draft),
        rule.name,
        rule.place,
        draft.says,
        rule.action,
        tuple(_party(policy, other) for other in draft.others),
        tuple(each for each in shown if each),
    )


def _level(inventory: Inventory, verdicts: Verdicts, draft: Draft) -> Level:
    """What the site says of the kind; what is undecided is as severe as the worst that it may hide."""
    if draft.kind == "guard":
        return "ignore"
    kinds: list[Kind] = verdicts.undecided[draft.number] if draft.kind == "undecided" else [draft.kind]
    return min((inventory.level(kind) for kind in kinds), key=_LEVELS.index)


def _shown(policy: Policy, draft: Draft, example: Example, known: Mapping[Ask, int | None]) -> Shown | None:
    """The packet in words, when first match says of it what the analysis said."""
    by = known[example.ask]
    if by is None or (by >= draft.number if example.by is None else by != example.by):
        return None
    otherwise = known[example.otherwise] if example.otherwise else None
    if example.otherwise and (otherwise is None or policy.rules[otherwise].action != policy.rules[draft.number].action):
        return None
    then = _party(policy, otherwise) if otherwise is not None else None
    return Shown(packet_text(example.ask.packet), _party(policy, by), then)


def _party(policy: Policy, number: int) -> Party:
    rule = policy.rules[number]
    return Party(rule.name, rule.action, rule.place)


def _unused(inventory: Inventory) -> Iterator[Finding]:
    level = inventory.level("unused-name")
    for name, place, says in unused(inventory):
        yield Finding("unused-name", level, name, place, says)
