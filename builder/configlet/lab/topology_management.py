"""The management network: one bridge, the controller, every device's and every host's management interface."""

from __future__ import annotations

from configlet.lab.topology_values import Draft, End, ifname, mac_of, prefix_length
from configlet.model.inventory import Inventory
from configlet.model.net import IPAddress
from configlet.model.problem import Place, refuse

FABRIC = "oob"
CONTROLLER = "controller"


def management_namespace(inventory: Inventory, device: str) -> str:
    """Where a device's management interface lives: a namespace of its own, apart from what it forwards."""
    taken = any(s.realm == inventory.controller_realm and s.gateways for s in inventory.segments)
    return f"{device}.{'oob' if taken else inventory.controller_realm}"


def _length(inventory: Inventory, address: IPAddress, place: Place | None) -> int:
    prefixes = tuple(p for s in inventory.segments if s.realm == inventory.controller_realm for p in s.prefixes)
    length = prefix_length(address, prefixes)
    if length is None:
        raise refuse(
            "management address outside every management segment",
            f"{address} is in no segment of realm {inventory.controller_realm}, so the lab cannot tell the prefix of "
            "its management network. Add a segment that holds it.",
            place,
        )
    return length


def _attach(
    draft: Draft,
    inventory: Inventory,
    inner: End,
    port: str,
    addresses: tuple[IPAddress, ...],
    place: Place | None,
) -> None:
    draft.wire(End(FABRIC, port, bridge="lan"), inner)
    for address in addresses:
        draft.address(inner.namespace, inner.name, address, _length(inventory, address, place))


def lay_management(draft: Draft, inventory: Inventory) -> None:
    """Wire the controller, the devices and the hosts to one bridge."""
    draft.namespace(FABRIC, "fabric", FABRIC)
    draft.bridge(FABRIC, "lan", mac_of(FABRIC, "lan"))
    draft.namespace(CONTROLLER, "controller", CONTROLLER, inventory.controller_realm)
    _attach(draft, inventory, End(CONTROLLER, "eth0"), "p0", inventory.controller, None)
    number = 0
    for device in inventory.devices:
        if device.management:
            number += 1
            where = draft.namespace(
                management_namespace(inventory, device.name), "management", device.name, inventory.controller_realm
            )
            inner = End(where, ifname("Management1", device.place))
            _attach(draft, inventory, inner, f"p{number}", (device.management.address,), device.management.place)
    for host in inventory.hosts:
        draft.namespace(host.name, "host", host.name)
        if host.management:
            number += 1
            inner = End(host.name, "mgmt0")
            _attach(draft, inventory, inner, f"p{number}", (host.management.address,), host.management.place)
