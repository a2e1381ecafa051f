"""A change for the NICs of a host, and where they are."""

from __future__ import annotations

from pathlib import Path

from configlet.drivers.base import Target
from configlet.model.plan import Change
from configlet.readers import read
from tests.builders import platform


def target() -> Target:
    return Target("me1", "serverlock", "192.0.2.1", 22, "env/LAB", Path(), run="r1")


def change(before: str, after: str, name: str = "serverlock") -> Change:
    of = platform(name)
    old, new = (read(of, "filter-table", text, "text").canonical for text in (before, after))
    return Change("me1", name, "filter-table", old, new, after, before, "diff")
