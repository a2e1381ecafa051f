"""What a simulated Junos switch says of itself, in the elements of the Junos XML API."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from configlet.lab.switch_junos_baseline import VERSION
from configlet.lab.switch_junos_state import BOOTED, State


@dataclass(frozen=True, slots=True)
class Here:
    """Who asks, and of what."""

    state: State
    session: int
    user: str
    name: str
    model: str
    refuses: Callable[[str], bool]


def stamp(when: float) -> str:
    """A moment as the device writes it."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(when))


def date(when: float) -> str:
    """A moment as an element."""
    return f'<date-time junos:seconds="{int(when)}">{stamp(when)}</date-time>'


def uptime(here: Here) -> str:
    """``show system uptime``."""
    now, up = here.state.now(), BOOTED + here.state.now() - here.state.began[0]
    return (
        f"<system-uptime-information><current-time>{date(now)}</current-time><system-booted-time>{date(now - up)}"
        f'<time-length junos:seconds="{int(up)}">{int(up // 86400)}d</time-length></system-booted-time>'
        f'<uptime-information><up-time junos:seconds="{int(up)}">{int(up // 86400)} days</up-time></uptime-information>'
        "</system-uptime-information>"
    )


def software(here: Here) -> str:
    """``show version``."""
    product = escape(here.model.lower())
    return (
        f"<software-information><host-name>{here.name}</host-name><product-model>{product}</product-model>"
        f"<product-name>{product}</product-name><junos-version>{VERSION}</junos-version></software-information>"
    )


def inventory(here: Here) -> str:
    """``show chassis hardware``. There is no hardware, and the serial number says so."""
    return (
        '<chassis-inventory><chassis junos:style="inventory"><name>Chassis</name><serial-number>SIMULATED</serial-number>'
        f"<description>{escape(here.model)}</description></chassis></chassis-inventory>"
    )


def interfaces(here: Here) -> str:
    """``show interfaces``: those that are configured, which are up, with their units."""
    found = []
    configured = here.state.running.at("interfaces")
    for port, node in configured.children.items() if configured else ():
        units = (key.removeprefix("unit ") for key in node.children if key.startswith("unit "))
        logical = "".join(f"<logical-interface><name>{port}.{unit}</name></logical-interface>" for unit in units)
        said = next((key.partition(" ")[2].strip('"') for key in node.children if key.startswith("description ")), "")
        told = f"<description>{escape(said)}</description>" if said else ""
        found.append(
            f"<physical-interface><name>{port}</name><admin-status>up</admin-status><oper-status>up</oper-status>{told}"
            f"<speed>10Gbps</speed><mtu>1514</mtu>{logical}</physical-interface>"
        )
    return f"<interface-information>{''.join(found)}</interface-information>"
