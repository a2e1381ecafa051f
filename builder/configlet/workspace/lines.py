"""The lines of the policy: names, days, and what a site must say of itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from configlet.model.problem import Problem
from configlet.workspace.document import Path
from configlet.workspace.names import Site
from configlet.workspace.suggest import did_you_mean

WEEK = timedelta(days=7)


def check(site: Site, today: date) -> Iterator[Problem]:
    """Everything that is wrong with rules, acceptances and the site itself; a day that comes near is a warning, unless
    the site says otherwise of ``expiring``. A day that is past is always an error."""
    yield from _site(site)
    yield from _names(site)
    for i, rule in enumerate(site.inventory.policy):
        if rule.expires is None:
            continue
        path = ("policy", i, "expires")
        if rule.action == "deny":
            detail = "A deny that ends would open what it closed, on a day when nobody looks. Remove `expires`."
            yield Problem("A deny expires", detail, site.place(*path))
        else:
            yield from _day(site, f'The rule "{rule.name}"', rule.expires, today, path, "Rule")
    for i, accepted in enumerate(site.inventory.accept):
        if not (accepted.gate or accepted.workload or accepted.source):
            detail = "Nothing says which gap is meant. Name a `gate`, a `workload`, or `from`."
            yield Problem("Acceptance of everything", detail, accepted.place)
        yield from _day(site, "The acceptance", accepted.until, today, ("accept", i, "until"), "Acceptance")


def _day(site: Site, what: str, end: date, today: date, path: Path, kind: str) -> Iterator[Problem]:
    soon = site.inventory.level("expiring")
    if end < today:
        detail = f"{what} was good until {end}, and today is {today}. Renew it with a new date, or remove it."
        yield Problem(f"{kind} expired", detail, site.place(*path), nature="red")
    elif end - today <= WEEK and soon != "ignore":
        detail = f"{what} is good until {end}, and today is {today}. After that day nothing can be pushed."
        yield Problem(f"{kind} expires soon", detail, site.place(*path), severity=soon, nature="red")


def _names(site: Site) -> Iterator[Problem]:
    lists = site.inventory.failsafe, site.inventory.infrastructure, site.inventory.policy
    names = [rule.name for rules in lists for rule in rules]
    if len({*names}) == len(names):
        return
    seen: dict[str, tuple[str, int]] = {}
    for key in ("failsafe", "infrastructure", "policy"):
        for i, rule in enumerate(getattr(site.inventory, key)):
            first = seen.setdefault(rule.name, (key, i))
            if first != (key, i):
                places = sorted(site.place(*each, "name") for each in (first, (key, i)))
                detail = f'Two rules are called "{rule.name}", and a device\'s remark could mean either. Rename one.'
                yield Problem("Duplicate rule name", detail, places[1], (places[0],))


def _site(site: Site) -> Iterator[Problem]:
    inventory, head = site.inventory, site.document.get("site")
    if head is None:
        return
    if head["name"] != inventory.site:
        detail = f"The folder is inventory/{inventory.site}, and the site calls itself {head['name']}. Make them equal."
        yield Problem("Site and folder disagree", detail, site.place("site", "name"))
    realms = sorted({segment.realm for segment in inventory.segments})
    if not inventory.controller_realm:
        detail = (
            "No segment contains the controller, so its realm is not known. Add `controller_realm`, or the segment."
        )
        yield Problem("Controller without realm", detail, site.place("site", "controller"))
    elif inventory.controller_realm not in realms:
        guess = did_you_mean(inventory.controller_realm, realms)
        detail = f"No segment is in realm {inventory.controller_realm}.{guess}"
        yield Problem("Unknown realm", detail, site.place("site", "controller_realm"))
