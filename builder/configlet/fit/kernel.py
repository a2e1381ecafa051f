"""What a host's own kernel needs of its table, whatever the policy says: rows that have no local address."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from configlet.model.net import TOP, Addresses, Family, Span, span_of
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


def _icmpv6(first: int, last: int, target: Span, rule: Rule) -> Entry:
    types = (first * 256, last * 256 + 255)
    return Entry(True, ((ICMPV6, ICMPV6), target, (0, TOP[6]), types, ANY_PORT, ANY_BIT, (0, 0)), rule)
