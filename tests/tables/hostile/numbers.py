"""Addresses, prefixes, ports and days."""

from __future__ import annotations

from tests.tables.hostile.case import Case

CASES = (
    Case("host bits", "segments.yaml", "10.1.10.0/24", "§10.1.10.1/24", "Wrong value", "10.1.10.0/24"),
    Case("a netmask", "segments.yaml", "10.1.10.0/24", "§10.1.10.0/255.255.255.0", "Wrong value", "mask"),
    Case("a prefix of 33 bits", "segments.yaml", "10.1.10.0/24", "§10.1.10.0/33", "Wrong value"),
    Case("a length in octal", "addresses.yaml", "198.51.100.64/27", "§198.51.100.64/027", "Wrong value", "length"),
    Case("IPv4 in the form of IPv6", "addresses.yaml", "198.51.100.64/27", '§"::ffff:198.51.100.64/123"', "Wrong value", "IPv4"),
    Case("an IPv4 address in hex", "addresses.yaml", "198.51.100.64/27", '§"::ffff:c633:6440"', "Wrong value", "198.51.100.64"),
    Case("octal digits", "hosts.yaml", "10.1.10.11", "§10.1.10.011", "Wrong value", "zero"),
    Case("a zone", "hosts.yaml", '"2001:db8:1:10::11"', '§"2001:db8:1:10::11%eth0"', "Wrong value"),
    Case("a DNS name for an address", "hosts.yaml", "10.1.10.11", "§desk4.example.com", "Wrong value", "DNS"),
    Case("a DNS name in a rule", "policy.yaml", "to: [partners]", "to: [§fix.example.com]", "Wrong value", "DNS"),
    Case("port 99999", "services.yaml", "tcp/9001-9016", "§tcp/99999", "Wrong value", "65535"),
    Case("a range that runs backwards", "services.yaml", "tcp/9001-9016", "§tcp/9016-9001", "Wrong value", "backwards"),
    Case("a protocol of its own", "services.yaml", "tcp/9100", "§tpc/9100", "Wrong value", "`tcp`"),
    Case(
        "an ICMP type of its own",
        "services.yaml",
        "icmp/echo-request",
        "§icmp/echo-reqest",
        "Wrong value",
        "`echo-request`",
    ),
    Case("protocol 256", "services.yaml", "tcp/9100", "§ip/256", "Wrong value", "255"),
    Case("a day that is none", "policy.yaml", "expires: 2027-06-30", "expires: §2027-06-31", "Wrong value", "calendar"),
    Case("an address outside its segment", "hosts.yaml", "10.1.10.11", "§10.1.20.99", "outside its segment", "clients"),
    Case("the network's own address", "hosts.yaml", "10.1.10.11", "§10.1.10.0", "Network address"),
    Case("the broadcast address", "hosts.yaml", "10.1.10.11", "§10.1.10.255", "Broadcast address"),
    Case("the gateway's address", "hosts.yaml", "10.1.10.11", "§10.1.10.1", "Duplicate address", "gateway of clients"),
    Case("an address of two workloads", "hosts.yaml", "10.1.10.12", "§10.1.10.11", "Duplicate address", "client1"),
    Case("a management address twice", "hosts.yaml", "192.0.2.102", "§192.0.2.101", "Duplicate address", "to the management of"),
    Case("the controller's address", "hosts.yaml", "192.0.2.102", "§192.0.2.10", "Duplicate address", "the controller and to"),
    Case("a loopback of two devices", "devices.yaml", "10.0.0.2", "§10.0.0.1", "Duplicate address", "to device leaf2"),
    Case("a loopback in any realm", "site.yaml", "198.51.100.1/24", "§10.0.0.1/24", "Duplicate address", "leaf1 and to external"),
    Case("an address of a link", "site.yaml", "198.51.100.1/24", "§10.0.1.4/24", "Duplicate address", "belongs to link "),
    Case("management outside", "hosts.yaml", "192.0.2.101", "§203.0.113.9", "Management outside"),
    Case(
        "segments that overlap",
        "segments.yaml",
        "10.1.20.0/24",
        "10.1.20.0/24, §10.1.10.128/25",
        "Overlapping prefixes",
        "clients",
    ),
    Case(
        "an external over a segment", "site.yaml", "198.51.100.0/24", "§10.1.0.0/16", "Overlapping prefixes", "clients"
    ),
    Case("a multicast segment", "segments.yaml", "192.0.2.0/24", "§239.2.0.0/24", "Not unicast"),
    Case("a group that is unicast", "segments.yaml", "239.1.1.0/24", "§10.9.9.0/24", "Not multicast"),
    Case("a group that is never routed", "segments.yaml", "239.1.1.0/24", "§224.0.0.0/24", "Link-local group"),
    Case(
        "a link of a /30",
        "links.yaml",
        "[10.0.1.0/31, 10.0.1.1/31,",
        "§[10.0.1.1/30, 10.0.1.2/30,",
        "Not point to point",
    ),
    Case(
        "one end of a link",
        "links.yaml",
        ', "2001:db8:0:1::11/127"',
        "",
        "Not point to point",
        at=("links.yaml", "[10.0.1.0/31"),
    ),
)
