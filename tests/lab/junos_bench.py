"""One simulated Junos switch behind NETCONF, plans for it by the platform's own reader and recipe."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from configlet.lab.switch_junos import JunosSwitch
from tests.lab.cli_bench import Served
from tests.lab.eos_bench import LEAF, PASSWORD, SITE, USER, Planes

JUNOS_LEAF = replace(LEAF, platform="junos", model="QFX5120-48Y")


def make_junos(speed: float = 1.0, planes: Any = None) -> JunosSwitch:
    """The switch of the small site as a Junos switch."""
    return JunosSwitch(JUNOS_LEAF, replace(SITE, devices=(JUNOS_LEAF,)), planes or Planes(), speed)


def napalm_junos(at: Served, password: str = PASSWORD, **more: Any) -> Any:
    """An unmodified NAPALM junos driver, not opened yet."""
    from napalm.junos import JunOSDriver

    return JunOSDriver("127.0.0.1", USER, password, timeout=20, optional_args={"port": at[0]} | more)
