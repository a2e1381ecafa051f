"""``configlet lab probe``: real packets between everybody, compared with what the policy says."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

from configlet.lab import daemon
from configlet.lab.probe_judge import Result, judge, lines, to_json
from configlet.lab.probe_plan import CAP, plan_probes
from configlet.lab.state import ready, state_of
from configlet.lab.traffic import send
from configlet.pipeline.site import open_site

__all__ = ["Result", "lines", "probe", "to_json"]


def probe(root: Path, site: str, today: date, cap: int = CAP) -> Result:
    """Probe the running lab of a site against the policy in its folder.

    Raises Refused when the input is invalid, no lab of the site is up, or the agent could not watch everything.
    ``Result.status`` is the exit status.
    """
    state = state_of(root, site)
    ready(state)
    daemon.settle(root, site)
    plan = plan_probes(open_site(root, site, today), cap)
    start = time.monotonic()
    heard = send(state.path, [p.shot for p in plan.probes])
    return judge(site, plan, heard, time.monotonic() - start)
