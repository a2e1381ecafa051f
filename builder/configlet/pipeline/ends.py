"""The ends of a question, as an operator types them: a name, labels, an address or a prefix."""

from __future__ import annotations

from ipaddress import ip_network

from configlet.model.inventory import Inventory, Selector
from configlet.model.net import FAMILIES, Addresses, addresses, subtract
from configlet.model.problem import Place, refuse
from configlet.rules import own_addresses, select
from configlet.rules.select import of_networks, realms
from configlet.workspace.suggest import did_you_mean


def end_of(inventory: Inventory, text: str, *, source: bool) -> Addresses:
    """The addresses that a question means, in every realm that has them.

    A name is a segment, workload, host, external, address set or multicast set, a device or link, ``any`` or
    ``outside``; ``key=value`` (several with commas) are labels. An address or prefix is taken in the realms where
    something of the site has it, or in all when nothing has. The network's own addresses are left out, as no rule of the
    policy speaks of them, unless nothing else is meant.
    """
    found = as_written(inventory, text, source=source)
    own = own_addresses(inventory)
    rest = addresses(
        (realm, family, span)
        for realm in found.realms
        for family in FAMILIES
        for span in subtract(found.of(realm, family), own.of(realm, family))
    )
    return rest if rest.parts else found


def as_written(inventory: Inventory, text: str, *, source: bool) -> Addresses:
    """The same as a rule of the policy would have it: with the network's own addresses, which earlier denies keep shut."""
    return _literal(inventory, text) or _selected(inventory, text, source)


def _literal(inventory: Inventory, text: str) -> Addresses | None:
    try:
        network = ip_network(text)
    except ValueError:
        return None
    things = [(s.realm, s.prefixes) for s in inventory.segments]
    things += [(e.realm, e.prefixes) for e in inventory.externals]
    things += [(m.realm, m.groups) for m in inventory.multicast]
    homes = {realm for realm, nets in things if any(n.version == network.version and n.overlaps(network) for n in nets)}
    where = sorted(homes) or realms(inventory)
    return addresses(item for realm in where for item in of_networks(realm, [network]))


def _selected(inventory: Inventory, text: str, source: bool) -> Addresses:
    pairs = [part.partition("=") for part in text.split(",")] if "=" in text else []
    labels = tuple((key.strip(), value.strip()) for key, _, value in pairs)
    found = select(inventory, Selector(None if labels else text, labels, Place("<question>")), source=source)
    if found.parts:
        return found
    if labels:
        raise refuse("Unknown labels", f"{inventory.site} has no segment and no workload with {text}.")
    known = _known(inventory)
    if text in known:
        raise refuse("End without an address", f'"{text}" has no address of its own, so no packet comes from or to it.')
    detail = f'{inventory.site} has nothing of the name "{text}", and it is no address or prefix.'
    raise refuse("Unknown name", f"{detail}{did_you_mean(text, known)}")


def _known(inventory: Inventory) -> list[str]:
    things = (inventory.segments, inventory.workloads, inventory.hosts, inventory.externals, inventory.multicast)
    names = {thing.name for group in things for thing in group} | {name for name, _, _ in inventory.addresses}
    return sorted(names | {device.name for device in inventory.devices} | {"any", "outside", "controller"})
