"""From a site to the lab's wire: ``wiring`` is a pure function of the inventory."""

from __future__ import annotations

from configlet.lab.topology_host import lay_host
from configlet.lab.topology_management import lay_management
from configlet.lab.topology_multicast import lay_multicast
from configlet.lab.topology_routes import lay_routes
from configlet.lab.topology_switch import lay_external, lay_link, lay_segment
from configlet.lab.topology_values import Draft, Wiring
from configlet.model.inventory import Inventory


def wiring(inventory: Inventory) -> Wiring:
    """The wire of a site. Raises Refused when the site cannot be built (names, prefixes, missing ports).

    One namespace for each realm of a device, each host, each external and the controller. A VLAN is a bridge named
    as the switch's configuration names it, with the gateway's address and, on every member of a pair, its MAC.
    """
    draft = Draft()
    lay_management(draft, inventory)
    edges = [edge for link in inventory.links for edge in lay_link(draft, link)]
    attachments = [way for host in inventory.hosts for way in lay_host(draft, inventory, host)]
    held = {a.segment for a in attachments}
    for segment in inventory.segments:
        if segment.gateways or segment.name in held:
            lay_segment(draft, inventory, segment, attachments)
    for external in inventory.externals:
        lay_external(draft, external)
    _loopbacks(draft, inventory)
    lay_routes(draft, inventory, edges)
    lay_multicast(draft, inventory, edges, attachments)
    return draft.finish()


def _loopbacks(draft: Draft, inventory: Inventory) -> None:
    """A device's own addresses, in each of its realms."""
    own = {d.name: d.addresses for d in inventory.devices}
    for namespace in tuple(draft.namespaces.values()):
        if namespace.role == "switch":
            for address in own.get(namespace.owner, ()):
                draft.address(namespace.name, "lo", address, address.max_prefixlen)
