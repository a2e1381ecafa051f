"""``configlet doctor``."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import click

from configlet import __version__
from configlet.cli import say, statuses


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> int:
    """What this machine can do, each thing tried, and what to install. Exit status 1 when the lab cannot run here.

    Everything up to `render` and `prove` needs nothing but Python; the list below is what the lab needs, and what XDP
    tables need where they are loaded: no other gate asks for any of it.
    """
    from configlet.lab import features, features_xdp
    from configlet.platforms import content

    found, xdp = features.probe(), features_xdp.probe_xdp()
    missing = [feature for feature in found if not feature.ok]
    status = statuses.FAILED if missing else statuses.OK
    stock = content.stock()
    if as_json:
        known = {"configlet": __version__, "content": str(stock), "root": os.geteuid() == 0}
        say.data(status, {"command": "doctor", **known, "features": [asdict(feature) for feature in found],
                          "xdp": [asdict(feature) for feature in xdp]})  # fmt: skip
        return status
    who = "root" if os.geteuid() == 0 else "an ordinary user (that is enough)"
    say.out(f"configlet {__version__}, content from {_short(stock)}, run by {who}")
    for feature in (*found, *xdp):
        mark = say.tint("ok     ", "good") if feature.ok else say.tint("MISSING", "bad")
        say.out(f"  {mark} {feature.name:<20} {feature.detail}")
    for feature in (*missing, *(feature for feature in xdp if not feature.ok)):
        say.out(f"install: {feature.remedy}    (for {feature.name})")
    last = "the lab can run here" if not missing else f"the lab cannot run here, {len(missing)} things are missing"
    tables = "can" if all(feature.ok for feature in xdp) else "cannot"
    say.out(say.tint(f"doctor: {last}; XDP tables {tables} be loaded here", "bad" if missing else "good"))
    return status


def _short(path: Path) -> str:
    text = str(path)
    try:
        home = str(Path.home())
    except RuntimeError:  # a user without a home
        return text
    return "~" + text[len(home) :] if text.startswith(home + "/") else text
