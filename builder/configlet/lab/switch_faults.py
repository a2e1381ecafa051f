"""Faults on demand of a simulated switch: which there are, and what their arguments must be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from configlet.lab.switch_config import Baseline
from configlet.model.problem import refuse

KINDS: dict[str, str] = {
    "drop-after-commit": "seconds",
    "drop-session": "count",
    "reject-line": "regex",
    "slow-aaa": "seconds",
    "refuse-commit": "text",
    "stall": "seconds",
    "hold-lock": "nothing",
    "ignore-acl": "nothing",
    "unbind": "interface",
    "reboot": "optional seconds",
    "clear": "kind",
}
LOCKS = ("timer", "lock")
"""How somebody else holds the lock of a switch without sessions: by his revert timer, or by an exclusive lock."""
IOS_KINDS: dict[str, str] = KINDS | {"hold-lock": "lock", "ask-enable": "nothing", "log-line": "count"}
MOST_SECONDS = 3600.0
MOST_LINES = 1_000_000


@dataclass(slots=True)
class Faults:
    """The faults that last, with their arguments."""

    active: dict[str, str] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    """How many lines a fault with a count has seen since it was set."""

    def count(self, kind: str) -> bool:
        """Count a line for a fault; whether it is the one that the fault waits for, which is then spent."""
        if kind not in self.active:
            return False
        self.counted[kind] = self.counted.get(kind, 0) + 1
        if self.counted[kind] < int(self.active[kind]):
            return False
        del self.active[kind], self.counted[kind]
        return True

    def refuses(self, line: str) -> bool:
        """Whether a right configuration line is refused: the n-th from now on, or those that hold a pattern."""
        wanted = self.active.get("reject-line", "")
        if wanted.isdigit():
            return self.count("reject-line")
        return bool(wanted) and re.search(wanted, line) is not None

    def seconds(self, kind: str) -> float:
        """The duration of a fault; 0 when it is not active."""
        return float(self.active.get(kind, "0"))


def check(kind: str, arg: str, baseline: Baseline, kinds: Mapping[str, str] = MappingProxyType(KINDS)) -> None:
    """Refuse a fault that does not exist and an argument that does not fit it."""
    wanted = kinds.get(kind)
    if wanted is None:
        raise refuse("no such fault", f"This switch has no fault '{kind}'. There are: {', '.join(sorted(kinds))}.")
    if wanted == "count" and not (arg.isascii() and arg.isdigit() and 0 < int(arg) <= MOST_LINES):
        raise refuse("not a number of lines", f"'{kind}' takes a number of lines from 1 to {MOST_LINES}, not '{arg}'.")
    if wanted == "lock" and arg not in ("", *LOCKS):
        raise refuse("no such lock", f"'{kind}' takes {' or '.join(LOCKS)}, not '{arg}'.")
    if wanted == "severity" and arg not in ("", "warning", "error"):
        raise refuse("no such severity", f"'{kind}' takes warning or error, not '{arg}'.")
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
    if wanted == "kind" and arg and arg not in kinds:
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
