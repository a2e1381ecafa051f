"""Names in firewall filters (Junos OS, Routing Policies, Firewall Filters and Traffic Policers: match conditions)."""

from __future__ import annotations

from configlet.model.net import Family

TCP, UDP, ICMP, ICMPV6, FRAGMENT = 6, 17, 1, 58, 44

PROTOCOLS: dict[str, int] = {
    "icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "egp": 8, "udp": 17, "ipv6": 41, "rsvp": 46, "gre": 47, "esp": 50,
    "ah": 51, "ospf": 89, "pim": 103, "vrrp": 112, "sctp": 132,
}  # fmt: skip
HEADERS: dict[str, int] = PROTOCOLS | {
    "icmp6": 58, "icmpv6": 58, "routing": 43, "fragment": 44, "no-next-header": 59, "dstopts": 60,
}  # fmt: skip
PORTS: dict[str, int] = {
    "ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "tacacs": 49, "domain": 53, "dhcp": 67, "bootps": 67,
    "bootpc": 68, "tftp": 69, "http": 80, "pop3": 110, "sunrpc": 111, "ntp": 123, "imap": 143, "snmp": 161,
    "snmptrap": 162, "bgp": 179, "ldap": 389, "https": 443, "exec": 512, "login": 513, "cmd": 514, "syslog": 514,
    "rip": 520, "ldp": 646, "radius": 1812, "radacct": 1813, "nfsd": 2049,
}  # fmt: skip
ICMP_TYPES: dict[Family, dict[str, int]] = {
    4: {
        "echo-reply": 0, "unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
        "router-advertisement": 9, "router-solicit": 10, "time-exceeded": 11, "parameter-problem": 12,
        "timestamp": 13, "timestamp-reply": 14,
    },
    6: {
        "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4,
        "echo-request": 128, "echo-reply": 129, "router-solicit": 133, "router-advertisement": 134,
        "neighbor-solicit": 135, "neighbor-advertisement": 136, "redirect": 137,
    },
}  # fmt: skip
