"""``configlet why SITE FROM TO SERVICE``."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from configlet.cli import options, say, sites, statuses


@click.command("why")
@options.site()
@click.argument("source", metavar="FROM")
@click.argument("destination", metavar="TO")
@click.argument("service")
@options.workspace
def command(
    site: str,
    source: str,
    destination: str,
    service: str,
    workspace: Path | None,
    at: date | None,
    as_json: bool,
) -> int:
    """Every gate on the way from FROM to TO, what it says, and the rule; or the sentence why it is blind.

    FROM and TO are workloads, hosts, segments, externals or addresses. SERVICE is a service of the site, or a literal
    such as tcp/22. Exit status 3 when a gate on the way is not proven.
    """
    from configlet import pipeline

    root = sites.root_of(workspace)
    answer = pipeline.why(root, sites.named(root, site), sites.day(at), source, destination, service)
    hops = [hop for leg in answer.legs for _, way in leg.ways for hop in way]
    status = statuses.RED if any(hop.verdict == "unproven" for hop in hops) else statuses.OK
    if as_json:
        say.data(status, {"command": "why", **answer.to_json()})
    else:
        for line in pipeline.why_lines(answer):
            say.out(line)
    return status
