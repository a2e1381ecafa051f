"""What of what a device shows is ours, and what is not: the same for every driver."""

from __future__ import annotations

import re
from collections.abc import Iterable

from configlet.drivers.base import Canonical, Rejected
from configlet.model.plan import Change
from configlet.model.problem import Refused

_NAME = re.compile(r"cfglt-[A-Za-z0-9._-]+")


def named(token: str) -> str:
    """The token. Raises Rejected when no change of ours can have that name."""
    if not _NAME.fullmatch(token):
        raise Rejected(f'"{token}" is not the name of a change of ours')
    return token


def shown(canonical: Canonical, change: Change | None, text: str) -> str:
    """The canonical text of our sections in what a device shows. Raises Rejected when they cannot be understood."""
    assert change is not None, "a change was loaded"
    try:
        return canonical(change.platform, change.kind, text)
    except Refused as refused:
        raise Rejected(f"what it shows in our sections cannot be understood: {refused}") from refused


def others(lines: Iterable[str], ours: re.Pattern[str], bound: re.Pattern[str]) -> list[str]:
    """The lines of a configuration but for our lists, which begin with a line like ``ours`` in the first column, and their
    bindings, indented lines like ``bound``."""
    kept: list[str] = []
    inside = False
    for line in map(str.rstrip, lines):
        inside = bool(ours.fullmatch(line)) or (inside and line[0] == " ")
        if not inside and not (line[0] == " " and bound.fullmatch(line.strip())):
            kept.append(line)
    return kept
