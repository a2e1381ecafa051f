"""What a link needs whatever the policy says: a host's own kernel, and neighbour discovery at a gateway.

These packets never leave their link, so they are no part of the policy's verdict; each is a named rule all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from configlet.model.net import TOP, Addresses, Family, Span, Spans, span_of
from configlet.model.policy import ANY_BIT, ANY_PORT, ANY_PROTO, Entry, Rule

NOBODY = Addresses()
LOOPBACK: dict[Family, Span] = {4: span_of(ip_network("127.0.0.0/8")), 6: span_of(ip_network("::1/128"))}
GROUPS: dict[Family, Span] = {4: span_of(ip_network("224.0.0.0/4")), 6: span_of(ip_network("ff00::/8"))}
IGMP, ICMPV6 = 2, 58


def needs(name: str) -> Rule:
    """A rule of the kernel's own, by name."""
    return Rule(name, "infrastructure", "allow", NOBODY, NOBODY, (), False, None)


LOOP = needs("loopback")
DISCOVERY = needs("neighbour discovery")
LISTENERS = needs("multicast listeners")
MEMBERS = needs("group membership")
KERNEL = (LOOP, DISCOVERY, LISTENERS, MEMBERS)


def kernel_entries(family: Family, *, receives: bool) -> Iterator[Entry]:
    """Loopback, neighbour discovery (RFC 4861), listener reports (RFC 3810), group membership (RFC 3376)."""
    whole, groups = (0, TOP[family]), GROUPS[family]
    loop = LOOPBACK[family]
    yield Entry(True, (ANY_PROTO, loop, loop, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), LOOP)
    if family == 6:
        yield _icmpv6(133, 136, whole, DISCOVERY)
        yield _icmpv6(130, 132, groups, LISTENERS)
        yield _icmpv6(143, 143, groups, LISTENERS)
    elif receives:
        yield Entry(True, ((IGMP, IGMP), groups, whole, ANY_PORT, ANY_PORT, ANY_BIT, (0, 0)), MEMBERS)


LINK_LOCAL: Span = span_of(ip_network("fe80::/10"))
ON_LINK: Span = span_of(ip_network("ff02::/16"))
UNSPECIFIED: Span = (0, 0)


def link_entries(direction: str, inside: Spans, gateways: Spans, *, receives: bool) -> Iterator[Entry]:
    """Neighbour discovery at an IPv6 gateway (RFC 4861 4.1 to 4.4): what hosts send it, and what it sends them."""
    around = (*inside, LINK_LOCAL, ON_LINK)
    if direction == "in":
        yield from (_discovery(133, source, ON_LINK) for source in (LINK_LOCAL, UNSPECIFIED))
        yield from (_discovery(135, source, target) for source in (*inside, LINK_LOCAL) for target in around)
        yield _discovery(135, UNSPECIFIED, ON_LINK)
        yield from (_discovery(136, source, target) for source in (*inside, LINK_LOCAL) for target in around)
        if receives:
            yield from (_icmpv6(kind, kind, ON_LINK, LISTENERS, LINK_LOCAL) for kind in (131, 132, 143))
        return
    yield from (_discovery(134, LINK_LOCAL, target) for target in around)
    for kind in (135, 136):
        yield from (_discovery(kind, source, target) for source in (*gateways, LINK_LOCAL) for target in around)


def _discovery(kind: int, source: Span, target: Span) -> Entry:
    types = (kind * 256, kind * 256 + 255)
    return Entry(True, ((ICMPV6, ICMPV6), target, source, types, ANY_PORT, ANY_BIT, (0, 0)), DISCOVERY)


def _icmpv6(first: int, last: int, target: Span, rule: Rule, source: Span = (0, TOP[6])) -> Entry:
    types = (first * 256, last * 256 + 255)
    return Entry(True, ((ICMPV6, ICMPV6), target, source, types, ANY_PORT, ANY_BIT, (0, 0)), rule)
