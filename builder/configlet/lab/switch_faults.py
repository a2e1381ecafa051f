"""Faults on demand of a simulated switch: which there are, and what their arguments must be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from configlet.lab.switch_config import Baseline
from configlet.model.problem import refuse

KINDS: dict[str, str] = {
    "drop-after-commit": "seconds",
    "reject-line": "regex",
    "refuse-commit": "text",
    "stall": "seconds",
    "hold-lock": "nothing",
    "ignore-acl": "nothing",
    "unbind": "interface",
    "reboot": "optional seconds",
    "clear": "kind",
}
MOST_SECONDS = 3600.0


@dataclass(slots=True)
class Faults:
    """The faults that last, with their arguments."""

    active: dict[str, str] = field(default_factory=dict)

    def seconds(self, kind: str) -> float:
        """The duration of a fault; 0 when it is not active."""
        return float(self.active.get(kind, "0"))

    @property
    def forbidden(self) -> re.Pattern[str] | None:
        """Configuration lines that are refused although they are right."""
        return re.compile(self.active["reject-line"]) if "reject-line" in self.active else None


def check(kind: str, arg: str, baseline: Baseline) -> None:
    """Refuse a fault that does not exist and an argument that does not fit it."""
    wanted = KINDS.get(kind)
    if wanted is None:
        raise refuse("no such fault", f"A switch has no fault '{kind}'. There are: {', '.join(sorted(KINDS))}.")
    if wanted.endswith("seconds"):
        _check_seconds(kind, arg, optional=wanted.startswith("optional"))
    if wanted == "regex":
        try:
            re.compile(arg or "(")
        except re.error as why:
            raise refuse("not a pattern", f"The lines that '{kind}' refuses: '{arg}' ({why}).") from None
    if wanted == "interface":
        port, _, way = arg.partition(" ")
        if port not in baseline.routed or way not in ("", "in", "out"):
            known = ", ".join(sorted(baseline.routed))
            raise refuse("no such binding", f"'{kind}' takes INTERFACE [in|out]; the interfaces are {known}.")
    if wanted == "nothing" and arg:
        raise refuse("superfluous argument", f"'{kind}' takes no argument, not '{arg}'.")
    if wanted == "kind" and arg and arg not in KINDS:
        raise refuse("no such fault", f"There is no fault '{arg}' to clear.")


def _check_seconds(kind: str, arg: str, optional: bool) -> None:
    if optional and not arg:
        return
    try:
        fits = 0 < float(arg) <= MOST_SECONDS
    except ValueError:
        fits = False
    if not fits:
        raise refuse("not a duration", f"'{kind}' takes seconds from 0 to {MOST_SECONDS:.0f}, not '{arg}'.")
