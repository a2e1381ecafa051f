"""Devices that two sites of a workspace manage: each would write its own lists there and take the other's away.

Locks, journals and plans are a site's own, so that nothing else would tell. The files of the other sites are not
understood here, only searched for management addresses: a copy that is not valid yet is told as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from configlet.model.inventory import Inventory
from configlet.workspace import sites

_ADDRESS = re.compile(rb"""\baddress:[ \t]*["']?([0-9A-Fa-f:.]+)""")
Address = tuple[int, int]
"""IP version and value."""


def managed_twice(root: Path, inventory: Inventory) -> Iterator[str]:
    """A sentence for each other site that has management addresses of this one, with the first place there."""
    known = [(d.name, d.management) for d in inventory.devices if d.managed]
    known += [(h.name, h.management) for h in inventory.hosts if h.managed]
    own: dict[Address, str] = {(way.address.version, int(way.address)): owner for owner, way in known if way}
    for name in sites(root) if own else ():
        found = [] if name == inventory.site else [*_places(root, name, own)]
        if found:
            owners = list(dict.fromkeys(owner for owner, _ in found))
            more = f" and {len(owners) - 1:,} more" if len(owners) > 1 else ""
            yield (
                f"{owners[0]}{more}: the site {name} has the same management address ({found[0][1]}), so it writes the same "
                "device, and what the one pushed the other takes for its own; give the copy other addresses, or `managed: false`"
            )


def _places(root: Path, site: str, own: dict[Address, str]) -> Iterator[tuple[str, str]]:
    """Whose address stands where in the files of a site."""
    for path in sorted((root / "inventory" / site).rglob("*.yaml")):
        raw = path.read_bytes() if path.is_file() else b""
        for hit in _ADDRESS.finditer(raw):
            owner = own.get(_value(hit[1].decode()) or (0, 0))
            if owner is not None:
                line = raw.count(b"\n", 0, hit.start()) + 1
                yield owner, f"{path.relative_to(root).as_posix()}:{line}"


def _value(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.version, int(address)
