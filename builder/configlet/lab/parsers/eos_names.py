"""Names that EOS knows in access lists, and which of them it prints (Arista EOS User Manual, Access Control Lists)."""

from __future__ import annotations

from configlet.lab.parsers.vocabulary import Vocabulary
from configlet.model.net import Family

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58

PROTOCOLS: dict[Family, dict[str, int]] = {
    4: {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "ahp": 51, "ospf": 89, "pim": 103, "vrrp": 112},
    6: {"tcp": 6, "udp": 17, "icmpv6": 58, "ospf": 89},
}
ANY_PROTOCOL: dict[Family, str] = {4: "ip", 6: "ipv6"}

PORTS: dict[int, dict[str, int]] = {
    TCP: {
        "ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "tacacs": 49, "domain": 53, "www": 80,
        "pop3": 110, "nntp": 119, "bgp": 179, "ldap": 389, "https": 443, "exec": 512, "login": 513, "cmd": 514,
    },
    UDP: {
        "domain": 53, "bootps": 67, "bootpc": 68, "tftp": 69, "ntp": 123, "snmp": 161, "snmptrap": 162,
        "syslog": 514, "rip": 520,
    },
}  # fmt: skip

ICMP_TYPES: dict[Family, dict[str, tuple[int, int | None]]] = {
    4: {
        "echo-reply": (0, None), "unreachable": (3, None), "net-unreachable": (3, 0), "host-unreachable": (3, 1),
        "port-unreachable": (3, 3), "packet-too-big": (3, 4), "source-quench": (4, None), "redirect": (5, None),
        "echo": (8, None), "time-exceeded": (11, None), "ttl-exceeded": (11, 0), "parameter-problem": (12, None),
        "timestamp-request": (13, None), "timestamp-reply": (14, None),
    },
    6: {
        "unreachable": (1, None), "packet-too-big": (2, None), "time-exceeded": (3, None),
        "parameter-problem": (4, None), "echo-request": (128, None), "echo-reply": (129, None),
        "router-solicitation": (133, None), "router-advertisement": (134, None),
        "neighbor-solicitation": (135, None), "neighbor-advertisement": (136, None), "redirect": (137, None),
    },
}  # fmt: skip

PRINTED_ICMP: dict[Family, dict[int, str]] = {
    4: {0: "echo-reply", 3: "unreachable", 8: "echo"},
    6: {128: "echo-request", 129: "echo-reply"},
}
"""Types without a code that are shown by name; all others are shown as the numbers that were entered."""

EOS = Vocabulary(ANY_PROTOCOL, PROTOCOLS, PORTS, ICMP_TYPES)
