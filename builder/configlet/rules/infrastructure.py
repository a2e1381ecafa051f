"""Infrastructure: what the network itself needs, derived, named and shown; and the addresses that are its own."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from configlet.model.inventory import Inventory, Term
from configlet.model.net import Addresses, Family, Span, addresses, span_of
from configlet.model.policy import Origin, Rule
from configlet.rules.select import Item, everything, of_hosts, of_networks, realms, select

ICMP, IGMP, TCP, UDP, ICMPV6, PIM, VRRP = 1, 2, 6, 17, 58, 103, 112

_SPECIAL: dict[Family, tuple[str, ...]] = {
    4: ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/24", "240.0.0.0/4"),
    6: ("::/127", "fe80::/10", "ff00::/16", "ff01::/16", "ff02::/16"),
}
"""Never a segment's: this network, loopback, link-local, local multicast, reserved (RFC 6890, RFC 5771, RFC 4291)."""


def icmp_type(number: int) -> Span:
    """All codes of one ICMP type, in the numbering type*256+code."""
    return number * 256, number * 256 + 255


def derived(inventory: Inventory) -> Iterator[Rule]:
    """The allowing rules that follow from the inventory, each with a name that `why` and `matrix` show."""
    for realm in realms(inventory):
        yield _assignment(realm)
    yield _rule("icmp errors of routers", _errors_from(inventory), _segments(inventory), ICMP_ERRORS)
    yield from _vrrp(inventory)
    yield from _multicast(inventory)


ICMP_ERRORS = tuple(Term(ICMP, dport=icmp_type(n), family=4) for n in (3, 11, 12)) + tuple(
    Term(ICMPV6, dport=icmp_type(n), family=6) for n in (1, 2, 3, 4)
)
"""Unreachable, exceeded, parameter problem; for IPv6 also packet too big (RFC 792, RFC 4443)."""


def own_addresses(inventory: Inventory) -> Addresses:
    """Every device's own addresses, gateways' virtual ones, and the special ranges: only infrastructure rules match."""
    return addresses(_own(inventory))


def closed(inventory: Inventory) -> tuple[Rule, Rule]:
    """The two denies that keep every rule below them away from infrastructure addresses."""
    own = own_addresses(inventory)
    whole = addresses(item for realm in realms(inventory) for item in everything(realm))
    return (
        _rule("infrastructure addresses", whole, own, (Term(None),), allow=False),
        _rule("infrastructure addresses", own, whole, (Term(None),), allow=False),
    )


def _own(inventory: Inventory) -> Iterator[Item]:
    for realm in realms(inventory):
        for family, texts in _SPECIAL.items():
            yield from ((realm, family, span_of(ip_network(text))) for text in texts)
        for device in inventory.devices:
            yield from of_hosts(realm, device.addresses)
    for device in inventory.devices:
        if device.management:
            yield from of_hosts(inventory.controller_realm, [device.management.address])
    for link in inventory.links:
        yield from of_hosts(link.realm, link.addresses)
    for external in inventory.externals:
        yield from of_hosts(external.realm, external.addresses)
    for segment in inventory.segments:
        if segment.gateways:
            yield from of_hosts(segment.realm, segment.gateways.virtual)


def _rule(name: str, source: Addresses, destination: Addresses, terms: tuple[Term, ...], *, allow: bool = True) -> Rule:
    origin: Origin = "infrastructure"
    return Rule(name, origin, "allow" if allow else "deny", source, destination, terms, False, None)


def _networks(realm: str, *texts: str) -> Iterator[Item]:
    return of_networks(realm, map(ip_network, texts))


def _assignment(realm: str) -> Rule:
    """Address assignment by broadcast (RFC 2131, RFC 8415)."""
    clients = addresses(_networks(realm, "0.0.0.0/32", "fe80::/10"))
    servers = addresses(_networks(realm, "255.255.255.255/32", "ff02::1:2/128"))
    terms = (Term(UDP, (68, 68), (67, 67), 4), Term(UDP, (546, 546), (547, 547), 6))
    return _rule("address assignment", clients, servers, terms)


def _errors_from(inventory: Inventory) -> Addresses:
    found = [select(inventory, selector, source=True) for selector in inventory.icmp_errors_from]
    return addresses((r, f, span) for part in found for r, f, spans in part.parts for span in spans)


def _segments(inventory: Inventory) -> Addresses:
    return addresses(item for s in inventory.segments for item in of_networks(s.realm, s.prefixes))


def _vrrp(inventory: Inventory) -> Iterator[Rule]:
    for segment in inventory.segments:
        if segment.gateways and segment.gateways.mode == "vrrp":
            source = addresses([*of_networks(segment.realm, segment.prefixes), *_networks(segment.realm, "fe80::/10")])
            target = addresses(_networks(segment.realm, "224.0.0.18/32", "ff02::12/128"))
            yield _rule(f"vrrp of {segment.name}", source, target, (Term(VRRP),))


def _multicast(inventory: Inventory) -> Iterator[Rule]:
    """Group membership of receivers (RFC 3376; IPv6 reports stay on their link), and PIM with senders outside (RFC 7761)."""
    segments = {s.name: s for s in inventory.segments}
    externals = {e.name: e for e in inventory.externals}
    for group in inventory.multicast:
        target = addresses([*of_networks(group.realm, group.groups), *_networks(group.realm, "224.0.0.0/24")])
        for name in group.receivers:
            source = addresses(of_networks(group.realm, segments[name].prefixes))
            yield _rule(f"group membership of {name}", source, target, (Term(IGMP, family=4),))
        for name in group.sources:
            if name in externals:
                source = addresses(of_networks(group.realm, externals[name].prefixes))
                routers = addresses(_networks(group.realm, "224.0.0.13/32", "ff02::d/128"))
                yield _rule(f"pim with {name}", source, routers, (Term(PIM),))
