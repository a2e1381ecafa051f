"""Devices that two sites of a workspace manage: each would write its own lists there and take the other's for its own.

Locks, journals and plans are a site's own, so that nothing else would tell. Files are searched for management addresses
first, and only sites that have one in common are understood; of a copy that is not valid yet the address alone is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from ipaddress import ip_address
from pathlib import Path

from configlet.model.inventory import Inventory
from configlet.model.problem import Refused
from configlet.workspace import cache_of, load, sites

_ADDRESS = re.compile(rb"""\baddress["']?[ \t]*:\s*(?:[&!]\S+\s+)*["']?([0-9A-Fa-f:.]+)""")
_Address = tuple[int, int]
"""IP version and value."""


def managed_twice(root: Path, site: str, today: date) -> Iterator[str]:
    """A sentence for each other site that has management addresses of this one, with the first place there."""
    others = [name for name in sites(root) if name != site]
    written = {address for address, _ in _written(root, site)} if others else set()
    for other in others:
        try:
            common = [(address, place) for address, place in _written(root, other) if address in written]
        except OSError as error:
            yield f"the site {other} cannot be read ({error}), so nobody knows whether it manages the same devices"
            continue
        mine = _managed(root, site, today) if common else None
        if mine is None:
            continue
        theirs = _managed(root, other, today)
        found = [(mine[a], place) for a, place in common if a in mine and (theirs is None or a in theirs)]
        if found:
            owners = list(dict.fromkeys(owner for owner, _ in found))
            more = f" and {len(owners) - 1:,} more" if len(owners) > 1 else ""
            yield (
                f"{owners[0]}{more}: the site {other} has the same management address ({found[0][1]}), so it writes the same "
                "device, and what the one pushed the other takes for its own; give the copy other addresses, or `managed: false`"
            )


def _written(root: Path, site: str) -> Iterator[tuple[_Address, str]]:
    """What stands in the files of a site as an address, and where."""
    for path in sorted((root / "inventory" / site).rglob("*.yaml")):
        raw = path.read_bytes() if path.is_file() else b""
        for hit in _ADDRESS.finditer(raw):
            address = _value(hit[1].decode())
            if address is not None:
                line = raw.count(b"\n", 0, hit.start()) + 1
                yield address, f"{path.relative_to(root).as_posix()}:{line}"


def _value(text: str) -> _Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.version, int(address)


def _managed(root: Path, site: str, today: date) -> dict[_Address, str] | None:
    """Whom a site manages, by address; None where it is not valid. A manager of NICs may well serve hosts of two sites."""
    try:
        inventory: Inventory = load(root, site, today, cache=cache_of(root)).inventory
    except Refused:
        return None
    known = [(d.name, d.management) for d in inventory.devices if d.managed]
    known += [(h.name, h.management) for h in inventory.hosts if h.managed]
    return {(way.address.version, int(way.address)): owner for owner, way in known if way is not None}
