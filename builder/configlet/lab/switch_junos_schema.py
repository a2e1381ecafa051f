"""The statements that a simulated Junos switch knows, each with what may stand in it. It refuses every other."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_interface
from typing import Literal

from configlet.lab.parsers.junos_names import HEADERS, ICMP_TYPES, PORTS, PROTOCOLS
from configlet.model.net import Family

Kind = Literal["box", "flag", "one", "many"]
Fits = Callable[[str], str | None]
"""A value as it is kept, or None when it is refused."""


@dataclass(frozen=True, slots=True)
class Known:
    """A statement: its words, then a value when ``fits`` says so.

    box: has statements in braces; flag: stands alone; one: has one value, a new one replaces it; many: a list of
    values. Of those with the same ``choice`` one stands. An empty box that ``stays`` is shown, another is gone.
    """

    words: tuple[str, ...]
    kind: Kind = "flag"
    fits: Fits | None = None
    inner: tuple[Known, ...] = ()
    choice: str = ""
    stays: bool = False
    fixed: bool = False


def resolve(inner: tuple[Known, ...], words: tuple[str, ...]) -> tuple[Known, str, int] | None:
    """The statement that the words begin: what is known of it, its key, and how many words it took."""
    for known in inner:
        count = len(known.words)
        if words[:count] != known.words:
            continue
        if known.fits is None:
            return known, " ".join(known.words), count
        value = known.fits(words[count]) if len(words) > count else None
        if value is not None:
            return known, " ".join((*known.words, value)), count + 1
    return None


def _name(value: str) -> str | None:
    return value if re.fullmatch(r'"[^"]+"|[A-Za-z0-9_.:/-]{1,64}', value) else None


def _text(value: str) -> str | None:
    return value


def _prefix(family: Family) -> Fits:
    def fits(value: str) -> str | None:
        try:
            found = ip_interface(value)
        except ValueError:
            return None
        return str(found) if found.version == family and found.ip == found.network.network_address else None

    return fits


def _number(names: dict[str, int], most: int) -> Fits:
    def fits(value: str) -> str | None:
        good = value in names or (value.isascii() and value.isdigit() and int(value) <= most)
        return value if good else None

    return fits


def _ports(value: str) -> str | None:
    one = _number(PORTS, 65535)
    low, dash, high = value.partition("-")
    if one(value) or (dash and low.isdigit() and high.isdigit() and one(low) and one(high) and int(low) <= int(high)):
        return value
    return None


def _flags(value: str) -> str | None:
    return value if re.fullmatch(r'"\((?:ack ?\| ?rst)\)"', value) else None


def _from(family: Family) -> Known:
    address = (Known((), "flag", _prefix(family)),)
    proto = ("protocol", PROTOCOLS) if family == 4 else ("next-header", HEADERS)
    inner = [
        Known(("source-address",), "box", inner=address),
        Known(("destination-address",), "box", inner=address),
        Known((proto[0],), "many", _number(proto[1], 255)),
        Known(("source-port",), "many", _ports),
        Known(("destination-port",), "many", _ports),
        Known(("icmp-type",), "many", _number(ICMP_TYPES[family], 255)),
        Known(("icmp-code",), "many", _number({}, 255)),
        Known(("tcp-established",)),
        Known(("tcp-flags",), "one", _flags),
    ]
    return Known(("from",), "box", inner=(*inner, *([Known(("is-fragment",))] * (family == 4))))


_THEN = Known(
    ("then",),
    "box",
    inner=(
        Known(("count",), "one", _name),
        Known(("log",)),
        Known(("syslog",)),
        Known(("accept",), choice="action"),
        Known(("discard",), choice="action"),
        Known(("reject",), choice="action"),
    ),
)


def _firewall_of(family: Family) -> Known:
    word = "inet" if family == 4 else "inet6"
    term = Known(("term",), "box", _name, (_from(family), _THEN), stays=True)
    filter_ = Known(("filter",), "box", _name, (Known(("interface-specific",)), term), stays=True)
    return Known(("family", word), "box", inner=(filter_,))


FIREWALL = Known(("firewall",), "box", inner=(_firewall_of(4), _firewall_of(6)))
HOST_NAME = Known(("host-name",), "one", _name)
_FILTER = Known(("filter",), "box", inner=(Known(("input",), "one", _name), Known(("output",), "one", _name)))
FAMILIES = tuple(Known(("family", word), "box", inner=(_FILTER,), stays=True) for word in ("inet", "inet6"))


def with_filter(family: Known) -> Known:
    """The family of a routed unit as the wiring fixes it, to which filters can be bound."""
    return replace(family, inner=(_FILTER, *family.inner))
