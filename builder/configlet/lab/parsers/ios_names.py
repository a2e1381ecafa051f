"""Names that IOS-XE knows in access lists; the first name of a number is the one that it prints.

Source: Cisco IOS Security Command Reference, ``permit (IP)`` and ``permit (IPv6)``.
"""

from __future__ import annotations

from configlet.model.net import Family

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58

PROTOCOLS: dict[Family, dict[str, int]] = {
    4: {
        "icmp": 1, "igmp": 2, "ipinip": 4, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ahp": 51, "eigrp": 88,
        "ospf": 89, "nos": 94, "pim": 103, "pcp": 108, "sctp": 132,
    },
    6: {"tcp": 6, "udp": 17, "esp": 50, "ahp": 51, "icmp": 58, "pcp": 108, "sctp": 132},
}  # fmt: skip
ANY_PROTOCOL: dict[Family, str] = {4: "ip", 6: "ipv6"}

PORTS: dict[int, dict[str, int]] = {
    TCP: {
        "echo": 7, "discard": 9, "daytime": 13, "chargen": 19, "ftp-data": 20, "ftp": 21, "telnet": 23, "smtp": 25,
        "time": 37, "whois": 43, "tacacs": 49, "domain": 53, "gopher": 70, "finger": 79, "www": 80, "hostname": 101,
        "pop2": 109, "pop3": 110, "sunrpc": 111, "ident": 113, "nntp": 119, "msrpc": 135, "bgp": 179, "irc": 194,
        "pim-auto-rp": 496, "exec": 512, "login": 513, "cmd": 514, "syslog": 514, "lpd": 515, "talk": 517, "uucp": 540,
        "klogin": 543, "kshell": 544, "onep-plain": 15001, "onep-tls": 15002,
    },
    UDP: {
        "echo": 7, "discard": 9, "time": 37, "nameserver": 42, "tacacs": 49, "domain": 53, "bootps": 67, "bootpc": 68,
        "tftp": 69, "sunrpc": 111, "ntp": 123, "netbios-ns": 137, "netbios-dgm": 138, "netbios-ss": 139, "snmp": 161,
        "snmptrap": 162, "xdmcp": 177, "dnsix": 195, "mobile-ip": 434, "pim-auto-rp": 496, "isakmp": 500, "biff": 512,
        "who": 513, "syslog": 514, "talk": 517, "rip": 520, "ripv6": 521, "non500-isakmp": 4500,
    },
}  # fmt: skip

ICMP_TYPES: dict[Family, dict[str, tuple[int, int | None]]] = {
    4: {
        "echo-reply": (0, None), "unreachable": (3, None), "net-unreachable": (3, 0), "host-unreachable": (3, 1),
        "protocol-unreachable": (3, 2), "port-unreachable": (3, 3), "packet-too-big": (3, 4),
        "source-route-failed": (3, 5), "network-unknown": (3, 6), "host-unknown": (3, 7), "host-isolated": (3, 8),
        "dod-net-prohibited": (3, 9), "dod-host-prohibited": (3, 10), "net-tos-unreachable": (3, 11),
        "host-tos-unreachable": (3, 12), "administratively-prohibited": (3, 13),
        "host-precedence-unreachable": (3, 14), "precedence-unreachable": (3, 15), "source-quench": (4, None),
        "redirect": (5, None), "net-redirect": (5, 0), "host-redirect": (5, 1), "net-tos-redirect": (5, 2),
        "host-tos-redirect": (5, 3), "alternate-address": (6, None), "echo": (8, None),
        "router-advertisement": (9, None), "router-solicitation": (10, None), "time-exceeded": (11, None),
        "ttl-exceeded": (11, 0), "reassembly-timeout": (11, 1), "parameter-problem": (12, None),
        "general-parameter-problem": (12, 0), "option-missing": (12, 1), "no-room-for-option": (12, 2),
        "timestamp-request": (13, None), "timestamp-reply": (14, None), "information-request": (15, None),
        "information-reply": (16, None), "mask-request": (17, None), "mask-reply": (18, None),
        "traceroute": (30, None), "conversion-error": (31, None), "mobile-redirect": (32, None),
    },
    6: {
        "unreachable": (1, None), "destination-unreachable": (1, None), "no-route": (1, 0), "no-admin": (1, 1),
        "beyond-scope": (1, 2), "port-unreachable": (1, 4), "packet-too-big": (2, None), "time-exceeded": (3, None),
        "hop-limit": (3, 0), "reassembly-timeout": (3, 1), "parameter-problem": (4, None), "header": (4, 0),
        "next-header": (4, 1), "parameter-option": (4, 2), "echo-request": (128, None), "echo-reply": (129, None),
        "mld-query": (130, None), "mld-report": (131, None), "mld-reduction": (132, None),
        "router-solicitation": (133, None), "router-advertisement": (134, None), "nd-ns": (135, None),
        "nd-na": (136, None), "router-renumbering": (138, None),
    },
}  # fmt: skip
"""Type and code; a name without a code is every code of its type."""
