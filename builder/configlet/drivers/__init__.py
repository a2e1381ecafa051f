"""Connections to devices. Drivers are found through the entry-point group ``configlet.drivers``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from typing import cast

from configlet.drivers.base import Canonical, Driver, Factory, Target
from configlet.model.problem import refuse

GROUP = "configlet.drivers"


@cache
def find(name: str) -> Factory:
    """The driver of that name, ours or anybody's; ``Refused`` with the known names when there is none."""
    found = entry_points(group=GROUP)
    if name not in found.names:
        known = ", ".join(sorted(found.names)) or "none; is the package installed?"
        raise refuse("no such driver", f'No installed package offers a driver "{name}". Known are: {known}.')
    return cast(Factory, found[name].load())


def opener(canonical: Canonical) -> Callable[[Target], Driver]:
    """A function that connects to a target with its platform's driver."""

    def connect(target: Target) -> Driver:
        return find(target.driver or target.platform)(target, canonical)

    return connect
