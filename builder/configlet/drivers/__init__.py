"""Connections to devices. Drivers are found through the entry-point group ``configlet.drivers``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from threading import Lock
from typing import cast

from configlet.drivers.base import Canonical, Driver, Factory, Target
from configlet.model.plan import Change
from configlet.model.problem import refuse

GROUP = "configlet.drivers"


@cache
def names() -> frozenset[str]:
    """The drivers that the installed packages offer."""
    return frozenset(entry_points(group=GROUP).names)


@cache
def find(name: str) -> Factory:
    """The driver of that name, ours or anybody's; ``Refused`` with the known names when there is none."""
    found = entry_points(group=GROUP)
    if name not in found.names:
        known = ", ".join(sorted(found.names)) or "none; is the package installed?"
        raise refuse("no such driver", f'No installed package offers a driver "{name}". Known are: {known}.')
    return cast(Factory, found[name].load())


def knows(name: str) -> str:
    """How far what this driver reads back is to be trusted; "" where the device shows all that it runs."""
    return str(getattr(find(name), "knows", "")) if name in names() else ""


def takes(name: str, change: Change) -> float:
    """Seconds that this driver may need to load a change, or to take it back; 0 where the device takes it as one."""
    return float(getattr(find(name), "takes", _at_once)(change)) if name in names() else 0.0


def _at_once(_: Change) -> float:
    return 0.0


def opener(canonical: Canonical) -> Callable[[Target], Driver]:
    """A function that connects to a target with its platform's driver."""

    def connect(target: Target) -> Driver:
        made = find(target.driver or target.platform)
        _load(getattr(made, "libraries", ()))
        return made(target, canonical)

    return connect


_loading = Lock()


def _load(libraries: Iterable[str]) -> None:
    """Import a driver's libraries, one thread after the other: they import each other in circles, and two threads that
    begin at different ends of a circle wait for each other (``_DeadlockError``). What is missing the driver says itself."""
    with _loading:
        for library in libraries:
            with suppress(ImportError):
                import_module(library)
