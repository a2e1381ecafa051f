"""``configlet only SITE --to T --allow A,B [--from S]``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configlet.cli import options, packets, say, sites, statuses

if TYPE_CHECKING:
    from configlet.model.inventory import Service
    from configlet.model.policy import Origin
    from configlet.pipeline.only import Only
    from configlet.pipeline.policies import Policies


@click.command("only")
@options.site()
@click.option("--to", "target", required=True, metavar="T", help="Whom they reach.")
@click.option("--allow", required=True, multiple=True, metavar="A,B", help="What may pass; may be given again.")
@click.option("--from", "source", default="any", show_default=True, metavar="S", help="Who begins.")
@options.workspace
def command(
    site: str,
    target: str,
    allow: Sequence[str],
    source: str,
    workspace: Path | None,
    at: date | None,
    as_json: bool,
) -> int:
    """These services and nothing else from S to T: yes, or the packets that say no, with the rules that let them pass.

    What may pass are services of the site, literals such as tcp/22, and the words `infrastructure` and `failsafe` for
    all that rules of these kinds let pass. Exact over all packets that begin something; answers go with what they answer.
    Exit status 3 when something else passes or it is not known, 8 when S and T share no realm and address family.
    """
    from configlet.pipeline.only import only
    from configlet.pipeline.policies import policies

    root, today = sites.root_of(workspace), sites.day(at)
    asked = policies(root, sites.named(root, site), today)
    words = [word.strip() for text in allow for word in text.split(",") if word.strip()]
    if not words:
        raise click.BadParameter("it names no service. `configlet query` says what passes at all.", param_hint="--allow")
    found = only(asked, source, target, [_allowed(asked, word) for word in dict.fromkeys(words)])
    status = statuses.OK if found.yes else statuses.RED if found.met else statuses.NOTHING
    if as_json:
        say.data(status, {"command": "only", "site": site, **to_data(found)})
    else:
        for line in lines(found, several=len(asked.policy.realms) > 1):
            say.out(line)
    return status


def _allowed(asked: Policies, word: str) -> Service | Origin:
    from configlet.pipeline.only import NETWORK
    from configlet.pipeline.why import service_of

    named = {service.name for service in asked.inventory.services}
    origin = next((o for o in NETWORK if o == word and word not in named), None)
    return origin or service_of(asked, word)


def to_data(found: Only) -> dict[str, object]:
    """The answer for machines."""
    return {
        "from": found.source,
        "to": found.target,
        "allowed": list(found.allowed),
        "only": found.yes,
        "beyond": [
            {
                "rule": packets.rule_data(each.rule),
                "services": list(each.services),
                "sets": [packets.set_data(one) for one in each.sets],
            }
            for each in found.beyond
        ],
        "silent": list(found.silent),
        "unknown": [{"realm": realm, "family": family} for realm, family in found.unknown],
    }


def lines(found: Only, several: bool) -> Iterator[str]:
    """The answer for people: yes or no first, then what says no."""
    asked = f"{found.source} -> {found.target}  only {', '.join(found.allowed)}"
    if not found.met:
        yield f"{asked}: no packet can be asked about, as the two share no realm and address family"
        return
    known = "NO" if found.beyond else "UNKNOWN" if found.unknown else "YES, nothing else may begin"
    yield f"{asked}: {known}"
    for each in found.beyond:
        yield ""
        yield f"  {', '.join(each.services)} may begin too, such as {each.sets[0].example}"
        yield f"    by {packets.rule_text(each.rule)}"
        for text in packets.set_lines(each.sets, several):
            yield f"    {text}"
    if found.unknown:
        yield ""
        yield f"  {packets.unknown_text(found.unknown)}"
    if found.silent:
        yield ""
        yield f"  note: nobody can use {', '.join(found.silent)} here"
