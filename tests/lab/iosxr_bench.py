"""A simulated IOS-XR router, and unmodified clients for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from configlet.lab.switch_iosxr import XrSwitch
from tests.lab.cli_bench import Served, options
from tests.lab.eos_bench import LEAF, PASSWORD, SITE, USER, Planes

XR_LEAF = replace(LEAF, platform="iosxr", model="8201")


def make_iosxr(speed: float = 1.0, planes: Planes | None = None) -> XrSwitch:
    """The switch of the small site as an IOS-XR router."""
    return XrSwitch(XR_LEAF, replace(SITE, devices=(XR_LEAF,)), planes or Planes(), speed)


def napalm_iosxr(at: Served, password: str = PASSWORD, **more: Any) -> Any:
    """An unmodified NAPALM iosxr driver, not opened yet."""
    from napalm.iosxr import IOSXRDriver

    return IOSXRDriver("127.0.0.1", USER, password, timeout=20, optional_args=options(at) | more)
