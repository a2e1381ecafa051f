"""What might be meant, and must not be guessed."""

from __future__ import annotations

from tests.tables.hostile.case import Case

CASES = (
    Case("a realm of nobody", "site.yaml", "realm: trading", "realm: §tradng", "Unknown realm", "`trading`"),
    Case(
        "a link in a realm of nobody", "links.yaml", "realm: trading", "realm: §traiding", "Unknown realm", "`trading`"
    ),
    Case(
        "receivers in two realms", "segments.yaml", "[feed-handlers]", "[feed-handlers, §management]", "several realms"
    ),
    Case(
        "a sender in another realm", "segments.yaml", "sources: [exchange-a]", "sources: [exchange-a, §management]",
        "Sender in another realm", "trading",
    ),
    Case(
        "labels that nothing has together",
        "policy.yaml",
        "{app: matching}",
        "§{app: oms, role: primary}",
        "Unknown label",
    ),
    Case("a source twice", "policy.yaml", "from: [clients]", "from: §[clients, clients]", "Wrong value", "twice"),
    Case(
        "the same labels twice",
        "policy.yaml",
        "[{app: matching}]",
        "§[{app: matching}, {app: matching}]",
        "Wrong value",
        "twice",
    ),
    Case("an address twice", "hosts.yaml", "[10.1.10.11,", "§[10.1.10.11, 10.1.10.11,", "Wrong value", "twice"),
    Case(
        "an unknown gate of an acceptance",
        "accept.yaml",
        "",
        "accept:\n  - {what: blindness, gate: §me9/ens1, reason: r, until: 2027-01-31}\n",
        "Unknown device or host",
    ),
    Case("a host in capitals", "rack2.yaml", "", "hosts:\n  §DB3: {}\n", "Bad name", "`DB3`"),
    Case("a number as a key", "rack2.yaml", "", "hosts:\n  §7: {}\n", "Bad name", "`7`"),
    Case(
        "a link without a realm",
        "links.yaml",
        "    realm: trading\n",
        "",
        "Link without realm",
        at=("links.yaml", "leaf1/Ethernet49"),
    ),
    Case(
        "a peer link without a pair",
        "links.yaml",
        "to: leaf4/Ethernet55",
        "to: leaf2/Ethernet56",
        "Peer link",
        at=("links.yaml", "leaf3/Ethernet55"),
    ),
    Case(
        "a link to itself",
        "links.yaml",
        "to: leaf4/Ethernet55",
        "to: leaf3/Ethernet56",
        "Link to itself",
        at=("links.yaml", "leaf3/Ethernet55"),
    ),
    Case(
        "gateways without a VLAN",
        "segments.yaml",
        "    vlan: 170\n",
        "",
        "Gateways without VLAN",
        at=(
            "segments.yaml",
            "gateways: {on: [leaf1, leaf2], mode: anycast, irb: symmetric, filter: [in, out]}\n\n  matching",
        ),
    ),
    Case("a single gateway on two", "segments.yaml", "mode: anycast", "mode: §single", "Gateways and mode"),
    Case("a bond without a mode", "hosts.yaml", "[ens1, ens2], mode: lacp,", "§[ens1, ens2],", "Members and mode"),
    Case(
        "an unknown receiver",
        "segments.yaml",
        "receivers: [feed-handlers]",
        "receivers: [§feed-handler]",
        "Unknown segment",
    ),
    Case(
        "a service for another stack",
        "hosts.yaml",
        "also: {ssh: kernel}",
        "also: {§shh: kernel}",
        "Unknown service",
        "`ssh`",
    ),
    Case("a service called any", "services.yaml", "  ssh: [", "  §any: [tcp/1]\n  ssh: [", "Reserved name"),
    Case(
        "a controller of nowhere",
        "site.yaml",
        "controller: [192.0.2.10]",
        "controller: §[203.0.113.1]",
        "Controller without realm",
    ),
    Case(
        "a realm of the controller", "site.yaml", "  lab: only", "  controller_realm: §mgnt", "Unknown realm", "`mgmt`"
    ),
    Case(
        "a question mark in a name",
        "policy.yaml",
        "name: engines replicate",
        "name: §engines? replicate",
        "Wrong value",
        "?",
    ),
    Case(
        "two spaces in a name",
        "policy.yaml",
        "name: engines replicate",
        "name: §engines  replicate",
        "Wrong value",
        "single",
    ),
    Case("an umlaut in a name", "policy.yaml", "name: engines replicate", "name: §Börse", "Wrong value", "ö"),
    Case("wide digits", "services.yaml", "tcp/9100", "§tcp/\uff19100", "Wrong value"),
    Case("a prefix of everything", "site.yaml", "198.51.100.0/24", "§0.0.0.0/0", "Not unicast"),
    Case("an IPv4 address in IPv6", "hosts.yaml", '"2001:db8:1:10::11"', '§"::ffff:10.1.10.11"', "Wrong value", "as IPv4"),
)
