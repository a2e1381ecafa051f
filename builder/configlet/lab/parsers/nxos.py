"""How NX-OS writes access lists: Cisco Nexus 9000 Security Command Reference, ``permit (IPv4)`` and ``permit (IPv6)``."""

from __future__ import annotations

from configlet.lab.parsers import dialect, ios_names
from configlet.lab.parsers.dialect import ANYWHERE, Dialect
from configlet.lab.parsers.eos import Filters
from configlet.lab.parsers.eos_entry import Ace
from configlet.lab.parsers.vocabulary import Vocabulary

_NOT_TCP = ("msrpc", "onep-plain", "onep-tls", "syslog")
_NOT_UDP = ("ripv6",)
_NOT_IPV4 = ("ipinip", "nos", "sctp")
VOCABULARY = Vocabulary(
    {4: "ip", 6: "ipv6"},
    {
        4: {name: number for name, number in ios_names.PROTOCOLS[4].items() if name not in _NOT_IPV4},
        6: ios_names.PROTOCOLS[6],
    },
    {
        ios_names.TCP: {
            **{name: number for name, number in ios_names.PORTS[ios_names.TCP].items() if name not in _NOT_TCP},
            "drip": 3949,
        },
        ios_names.UDP: {n: number for n, number in ios_names.PORTS[ios_names.UDP].items() if n not in _NOT_UDP},
    },
    {
        4: ios_names.ICMP_TYPES[4],
        6: {name: found for name, found in ios_names.ICMP_TYPES[6].items() if name != "destination-unreachable"},
    },
    most_ports=1,
)
NXOS = Dialect(
    VOCABULARY,
    head={4: "ip access-list", 6: "ipv6 access-list"},
    bind={4: "ip access-group", 6: "ipv6 traffic-filter"},
    ways={"in": "in", "out": "out"},
    vrf="vrf member ",
    indent="  ",
    last_sequence=4294967295,
    host={4: "{}/32", 6: "{}/128"},
    wildcard=False,
    empty_permits=True,
    unwritten={6: tuple(Ace(True, 6, 58, ANYWHERE, ANYWHERE, icmp=(kind, None)) for kind in (133, 134, 135, 136))},
    plain=("scheduler ", "vlan ", "vrf ", "line ", "feature ", "alias "),
)


def read(text: str) -> Filters:
    """The filters of a running configuration. Raises Unreadable with the line."""
    return dialect.read(NXOS, text)
