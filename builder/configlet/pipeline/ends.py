"""The ends of a question, as an operator types them: a name, labels, an address or a prefix."""

from __future__ import annotations

from ipaddress import ip_network

from configlet.model.inventory import Inventory, Selector
from configlet.model.net import Addresses, addresses
from configlet.model.problem import Place, refuse
from configlet.rules import select
from configlet.rules.select import names_of, of_networks, realms
from configlet.workspace.forms import prefix
from configlet.workspace.suggest import did_you_mean


def as_written(inventory: Inventory, text: str, *, source: bool) -> Addresses:
    """The addresses that a question means, in every realm that has them, the network's own among them.

    A name is a segment, workload, host, external, address set or multicast set, a device or link, ``any`` or
    ``outside``; ``key=value`` (several with commas) are labels. An address or prefix is taken in the realms where
    something of the site has it, or in all when nothing has. Raises Refused for anything else.
    """
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
    where = "--from" if source else "--to"
    if labels:
        known = sorted({f"{key}={value}" for key, value in names_of(inventory).labelled})
        detail = f"{where}: {inventory.site} has no segment and no workload with {text}.{did_you_mean(text, known)}"
        raise refuse("Unknown labels", f"{detail} The labels there are: {', '.join(known) or 'none'}.")
    known = known_names(inventory)
    if text in known:
        detail = f'{where}: "{text}" has no address of its own, so no packet comes from or to it.'
        raise refuse("End without an address", detail)
    raise refuse("Unknown name", f"{where}: {_unknown(inventory, text, known)}")


def _unknown(inventory: Inventory, text: str, known: list[str]) -> str:
    """Why nothing of the site is meant, and what to write instead."""
    wrong = prefix(text) if text[:1].isdigit() or ":" in text else None
    if wrong and all(letter in "0123456789abcdefABCDEF:./" for letter in text):
        return wrong
    name = text.removeprefix(f"{inventory.site}:")
    hint = did_you_mean(name, known) or " Write a name of the site, KEY=VALUE labels, one address or one prefix."
    return f'{inventory.site} has nothing of the name "{text}", and it is no address or prefix.{hint}'


def known_names(inventory: Inventory) -> list[str]:
    """Every name that an end may have, sorted."""
    things = (inventory.segments, inventory.workloads, inventory.hosts, inventory.externals, inventory.multicast)
    names = {thing.name for group in things for thing in group} | {name for name, _, _ in inventory.addresses}
    names |= {device.name for device in inventory.devices} | {link.name for link in inventory.links if link.name}
    return sorted(names | {"any", "outside", "controller"})
