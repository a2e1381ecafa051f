"""Names that a person would have given to addresses and services."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator, Mapping
from hashlib import sha256

from configlet.importers.statements import Service
from configlet.model.net import BITS, TOP, Family, Spans, address_text, prefixes

ANY = (0, 65535)
LONGEST = 41
RANGES: Mapping[str, tuple[str, ...]] = {
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"), "private-10": ("10.0.0.0/8",),
    "private-172": ("172.16.0.0/12",), "private-192": ("192.168.0.0/16",), "loopback": ("127.0.0.0/8",),
    "link-local": ("169.254.0.0/16",), "multicast": ("224.0.0.0/4",), "this-network": ("0.0.0.0/8",),
    "reserved": ("240.0.0.0/4",),
    "shared-space": ("100.64.0.0/10",), "broadcast": ("255.255.255.255/32",),
}  # fmt: skip
"""RFC 1918, 1122, 3927, 5771, 6598."""
PROTOCOLS = {2: "igmp", 4: "ip-in-ip", 41: "ipv6-in-ip", 46: "rsvp", 47: "gre", 50: "esp", 51: "ah", 88: "eigrp", 89: "ospf",
             94: "ipip", 103: "pim", 108: "ipcomp", 112: "vrrp", 115: "l2tp"}  # fmt: skip
TCP = {20: "ftp-data", 21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 49: "tacacs", 53: "dns-tcp", 80: "http",
       88: "kerberos-tcp", 110: "pop3", 111: "rpcbind-tcp", 113: "ident", 119: "nntp",
       135: "msrpc", 139: "netbios", 143: "imap", 179: "bgp",
       389: "ldap", 443: "https", 445: "smb", 465: "smtps", 514: "syslog-tcp", 515: "lpd", 587: "submission", 636: "ldaps",
       646: "ldp-tcp", 873: "rsync", 993: "imaps", 995: "pop3s", 1433: "sql-server", 1521: "oracle", 1723: "pptp",
       2049: "nfs", 3306: "mysql", 3389: "rdp", 5432: "postgres", 8080: "http-8080", 8443: "https-8443"}  # fmt: skip
UDP = {53: "dns", 67: "dhcp-server", 68: "dhcp-client", 69: "tftp", 88: "kerberos", 111: "rpcbind", 123: "ntp",
       137: "netbios-names", 138: "netbios-datagrams", 161: "snmp", 162: "snmp-traps", 443: "quic", 500: "isakmp",
       514: "syslog", 520: "rip", 546: "dhcpv6-client", 547: "dhcpv6-server", 646: "ldp", 1194: "openvpn", 1645: "radius-old",
       1646: "radius-old-accounting", 1701: "l2tp-udp", 1812: "radius", 1813: "radius-accounting", 1985: "hsrp",
       3784: "bfd", 3785: "bfd-echo", 4500: "ipsec-nat", 4789: "vxlan", 5353: "mdns"}  # fmt: skip
TYPES: Mapping[int, Mapping[int, str]] = {
    1: {0: "echo-reply", 3: "destination-unreachable", 4: "source-quench", 5: "redirect", 8: "echo-request",
        9: "router-advertisement", 10: "router-solicitation", 11: "time-exceeded", 12: "parameter-problem",
        13: "timestamp-request", 14: "timestamp-reply"},
    58: {1: "destination-unreachable", 2: "packet-too-big", 3: "time-exceeded", 4: "parameter-problem", 128: "echo-request",
         129: "echo-reply", 133: "router-solicitation", 134: "router-advertisement", 135: "neighbor-solicitation",
         136: "neighbor-advertisement", 137: "redirect"},
}  # fmt: skip
"""As our services write them (IANA, 2026)."""


def plain(text: str) -> str:
    """Letters without their accents, as names are ASCII: `Müller` is called `Muller`, and not `M ller`."""
    if text.isascii():
        return text
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def slug(text: str, otherwise: str = "imported") -> str:
    """A name of our inventories out of any words."""
    found = re.sub(r"[^a-z0-9]+", "-", plain(text).lower()).strip("-")
    found = found if found[:1].isalpha() else f"{otherwise}-{found}".strip("-")
    return found if len(found) <= LONGEST else f"{found[: LONGEST - 7].rstrip('-')}-{sha256(text.encode()).hexdigest()[:6]}"


def free(name: str, taken: Container[str]) -> str:
    """The name, with a number behind it where it is taken."""
    tried, number = name, 1
    while tried in taken:
        number += 1
        tried = f"{name[: LONGEST - 4]}-{number}"
    return tried


def of_addresses(family: Family, spans: Spans) -> str:
    """What a set of addresses is called, that nobody has named."""
    if spans == ((0, TOP[family]),):
        return f"any-ipv{family}"
    parts = [part for span in spans for part in prefixes(family, span)]
    said = tuple(f"{address_text(family, first)}/{length}" for first, length in parts)
    known = next((name for name, prefixes_ in RANGES.items() if prefixes_ == said), "") if family == 4 else ""
    if known:
        return known
    (first, length), more = parts[0], len(parts) - 1
    kind = "host" if length == BITS[family] else "net"
    kind = f"{kind}s" if more and all((n == BITS[family]) == (kind == "host") for _, n in parts) else kind
    name = f"{kind}-{address_text(family, first)}" + (f"-{length}" if length != BITS[family] else "")
    return slug(f"{name}-and-{more}" if more else name)


def prefixes_of(family: Family, spans: Spans) -> tuple[str, ...]:
    """A set of addresses as our address sets write it."""
    parts = (part for span in spans for part in prefixes(family, span))
    return tuple(
        address_text(family, first) + (f"/{length}" if length != BITS[family] else "") for first, length in parts
    )


def of_service(service: Service) -> Iterator[tuple[str, str]]:
    """Name and term of each part of a service; a name alone is a literal that needs none."""
    (proto, last), dport, sport = service
    if (proto, last) == (0, 255):
        yield "any", ""
    elif proto != last:
        for one in range(proto, last + 1):
            yield from of_service(((one, one), dport, sport))
    elif proto in TYPES:
        yield from _of_icmp(proto, dport)
    elif proto in (6, 17, 132):
        yield _of_ports(proto, dport, sport)
    else:
        name = PROTOCOLS.get(proto)
        yield (name, f"ip/{proto}") if name else (f"ip/{proto}", "")


def _of_icmp(proto: int, span: tuple[int, int]) -> Iterator[tuple[str, str]]:
    word = "icmp" if proto == 1 else "icmpv6"
    if span == ANY:
        yield word, ""
        return
    low, high = span
    while low <= high:
        kind, code = divmod(low, 256)
        whole = code == 0 and low + 255 <= high
        name = TYPES[proto].get(kind, str(kind)) if whole else f"{kind}.{code}"
        yield f"{word}/{name}", ""
        low += 256 if whole else 1


def _of_ports(proto: int, dport: tuple[int, int], sport: tuple[int, int]) -> tuple[str, str]:
    word = {6: "tcp", 17: "udp", 132: "sctp"}[proto]
    said, source = _ports(dport), _ports(sport)
    known = {6: TCP, 17: UDP}.get(proto, {})
    target = known.get(dport[0], f"{word}-{said}") if dport[0] == dport[1] else f"{word}-{said}"
    if sport == ANY:
        if dport == ANY:
            return word, ""
        return (target, f"{word}/{said}") if dport[0] == dport[1] and dport[0] in known else (f"{word}/{said}", "")
    start = known.get(sport[0], source) if sport[0] == sport[1] else source
    name = f"{word}-from-{start}" if dport == ANY else f"{target}-both-ends" if dport == sport else f"{target}-from-{start}"
    return slug(name), f'{{{word}: "{said}", from: "{source}"}}'


def _ports(span: tuple[int, int]) -> str:
    return str(span[0]) if span[0] == span[1] else f"{span[0]}-{span[1]}"


def title(text: str) -> str:
    """Words as the name of a rule: what becomes a remark on devices. May be empty."""
    kept = " ".join(re.sub(r"[^A-Za-z0-9 ,.:()/+&'=@_-]", " ", plain(text)).split())[:70].strip()
    return f"rule {kept}" if re.match(r"(?:intra of|replies:|infrastructure addresses|default deny)", kept) else kept
