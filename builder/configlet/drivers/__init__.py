"""Connections to devices. Drivers are found through the entry-point group ``configlet.drivers``; ours by a table of their
own, as to ask all installed packages takes longer than most commands need a driver for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, cast

from configlet.drivers.base import Canonical, Driver, Factory, Target
from configlet.model.plan import Change
from configlet.model.problem import refuse

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

GROUP = "configlet.drivers"
OURS: Mapping[str, str] = {
    "eos": "eos:EosDriver",
    "ios": "ios:IosDriver",
    "junos": "junos:JunosDriver",
    "iosxr": "iosxr:IosxrDriver",
    "nxos": "nxos:NxosDriver",
    "nftables": "nftables:NftablesDriver",
    "ntuple": "nic:NicDriver",
    "rteflow": "nic:RteflowDriver",
    "serverlock": "serverlock:ServerlockDriver",
    "tcflower": "nic:NicDriver",
    "xdp": "xdp:XdpDriver",
}
"""Module here and class of our own drivers, as our package offers them too; nobody else's has one of these names."""


@cache
def _offered() -> EntryPoints:
    """The drivers that the installed packages offer."""
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def names() -> frozenset[str]:
    """The drivers that there are."""
    return frozenset((*OURS, *_offered().names))


@cache
def find(name: str) -> Factory:
    """The driver of that name, ours or anybody's; ``Refused`` with the known names when there is none."""
    if name in OURS:
        module, kind = OURS[name].split(":")
        return cast(Factory, getattr(import_module(f"{__name__}.{module}"), kind))
    if name not in names():
        known = ", ".join(sorted(names()))
        raise refuse("no such driver", f'No installed package offers a driver "{name}". Known are: {known}.')
    return cast(Factory, _offered()[name].load())


def _there(name: str) -> bool:
    return name in OURS or name in names()


def knows(name: str) -> str:
    """How far what this driver reads back is to be trusted; "" where the device shows all that it runs."""
    return str(getattr(find(name), "knows", "")) if _there(name) else ""


def takes(name: str, change: Change) -> float:
    """Seconds that this driver may need to load a change, or to take it back; 0 where the device takes it as one."""
    return float(getattr(find(name), "takes", _at_once)(change)) if _there(name) else 0.0


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
