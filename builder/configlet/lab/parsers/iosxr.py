"""How IOS-XR writes access lists: Cisco ASR 9000 and 8000 command references, Access List Commands."""

from __future__ import annotations

from configlet.lab.parsers import dialect, ios_names
from configlet.lab.parsers.dialect import ANYWHERE, Dialect
from configlet.lab.parsers.eos import Filters
from configlet.lab.parsers.eos_entry import Ace
from configlet.lab.parsers.nxos import VOCABULARY as NEAR
from configlet.lab.parsers.vocabulary import Vocabulary

VOCABULARY = Vocabulary(
    {4: "ipv4", 6: "ipv6"},
    {
        4: {**NEAR.protocols[4], "igrp": 9, "ipinip": 4, "sctp": 132},
        6: {{"icmp": "icmpv6"}.get(name, name): number for name, number in ios_names.PROTOCOLS[6].items()},
    },
    NEAR.ports,
    NEAR.icmp_types,
    most_ports=1,
)
IOSXR = Dialect(
    VOCABULARY,
    head={4: "ipv4 access-list", 6: "ipv6 access-list"},
    bind={4: "ipv4 access-group", 6: "ipv6 access-group"},
    ways={"ingress": "in", "egress": "out"},
    vrf="vrf ",
    indent=" ",
    last_sequence=2147483644,
    host={4: "host {}", 6: "host {}"},
    wildcard=True,
    empty_permits=False,
    unwritten={6: tuple(Ace(True, 6, 58, ANYWHERE, ANYWHERE, icmp=(kind, None)) for kind in (133, 134, 135, 136))},
    overwrites=True,
    port=("BVI", "Vlan"),
    plain=("alias ", "vrf ", "ssh ", "xml "),
)


def read(text: str) -> Filters:
    """The filters of a running configuration. Raises Unreadable with the line."""
    return dialect.read(IOSXR, text)
