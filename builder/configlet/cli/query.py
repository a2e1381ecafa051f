"""``configlet query SITE --from S --to T [--service X]``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import options, packets, say, sites, statuses

if TYPE_CHECKING:
    from configlet.pipeline.query import Answer, Passing


@click.command("query")
@options.site()
@click.option("--from", "source", required=True, metavar="S", help="Who begins.")
@click.option("--to", "target", required=True, metavar="T", help="Whom they reach.")
@click.option("--service", metavar="SERVICE", help="Only this service of the site, or a literal such as tcp/22.")
@options.workspace
def command(
    site: str, source: str, target: str, service: str | None, workspace: Path | None, at: date | None, as_json: bool
) -> int:
    """Which services may begin from S to T: whole or in part, for whom, and by which rules. It is the policy that speaks.

    S and T are names of the site, labels as key=value, addresses or prefixes. The answer covers IPv4 and IPv6 and every
    realm that both are in. Exit status 8 when they share none, 3 when the answer is not known.
    """
    from configlet.pipeline.policies import policies
    from configlet.pipeline.query import query
    from configlet.pipeline.question import ANYTHING
    from configlet.pipeline.why import service_of

    root, today = sites.root_of(workspace), sites.day(at)
    asked = policies(root, sites.named(root, site), today)
    found = query(asked, source, target, ANYTHING if service is None else service_of(asked, service))
    status = {"never": statuses.NOTHING, "unknown": statuses.RED}.get(found.says, statuses.OK)
    if as_json:
        say.data(status, {"command": "query", "site": site, **to_data(found)})
    else:
        for line in lines(found, several=len(asked.policy.realms) > 1):
            say.out(line)
    return status


def to_data(found: Answer) -> dict[str, object]:
    """The answer for machines."""
    return {
        "from": found.source,
        "to": found.target,
        "service": found.service,
        "says": found.says,
        "passing": [
            {
                "service": p.service,
                "whole": p.whole,
                "rules": [packets.rule_data(rule) for rule in p.rules],
                "sets": [packets.set_data(each) for each in p.sets],
            }
            for p in found.passing
        ],
        "denied": found.denied or None,
        "unknown": [{"realm": realm, "family": family} for realm, family in found.unknown],
    }


def lines(found: Answer, several: bool) -> Iterator[str]:
    """The answer for people: the verdict, then each service."""
    verdicts = {
        "all": "every packet may begin",
        "some": f"{say.count(len(found.passing), 'service')} may begin",
        "none": "nothing may begin",
        "never": "the two share no realm and address family",
        "unknown": packets.unknown_text(found.unknown),
    }
    yield f"{found.source} -> {found.target}  {found.service}: {verdicts[found.says]}"
    for passing in found.passing:
        yield from _passing(passing, several)
    if found.denied:
        yield ""
        yield f"  all else is denied, such as {found.denied}"


def _passing(passing: Passing, several: bool) -> Iterator[str]:
    yield ""
    yield f"  {passing.service}: {'from each address to each' if passing.whole else 'in part'}"
    for text in () if passing.whole else packets.set_lines(passing.sets, several):
        yield f"    {text}"
    for rule in passing.rules:
        yield f"    by {packets.rule_text(rule)}"
