"""Hostile inputs as data: a small change to a copy of dc1, the exact place of the first complaint, and its words.

``§`` in the new text marks the place that the complaint must name; it is taken out before the file is written. A case
without it names its place by ``at``, a file and a text in it. An empty ``old`` replaces the whole file (or makes one).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MARK = "§"
STOCK = Path(__file__).resolve().parents[3] / "inventory" / "dc1"
NICS = frozenset(("solarflare-x2-serverlock", "solarflare-x2", "mellanox-connectx6", "intel-e810", "virtio"))


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile input."""

    name: str
    file: str
    old: str
    new: str
    summary: str
    word: str = ""
    nature: Literal["invalid", "red"] = "invalid"
    at: tuple[str, str] = ("", "")


def plant(case: Case, root: Path) -> str:
    """Copy dc1 below ``root`` with the case in it; the place that the first complaint must name."""
    site = root / "inventory" / "dc1"
    shutil.copytree(STOCK, site)
    path = site / case.file
    new = case.new
    if case.old:
        before = path.read_text()
        assert before.count(case.old) >= 1, f"{case.file} no longer holds {case.old!r}"
        new = before.replace(case.old, case.new, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(new.replace(MARK, "").encode("utf-8", "surrogateescape"))
    if MARK in new:
        return _place(case.file, new, new.index(MARK))
    file, text = case.at
    content = (site / file).read_text()
    return _place(file, content, content.index(text))


def _place(file: str, text: str, at: int) -> str:
    head = text[:at]
    return f"inventory/dc1/{file}:{head.count(chr(10)) + 1}:{len(head) - head.rfind(chr(10))}"


_TEXT = (
    Case("an empty file", "extra.yaml", "", "", "Empty file", at=("extra.yaml", "")),
    Case("a file of comments", "extra.yaml", "", "# later\n", "Empty file", at=("extra.yaml", "")),
    Case("a list at the top", "extra.yaml", "", "§- a\n- b\n", "Not a map"),
    Case("a word at the top", "extra.yaml", "", "§hello\n", "Not a map"),
    Case("a second document", "devices.yaml", "  border1:", "§---\n  border1:", "Second document"),
    Case("another document behind", "extra.yaml", "", "addresses: {a: [192.0.2.1]}\n§---\nb: 1\n", "Second document"),
    Case("a NUL", "services.yaml", "ssh: [", "ssh: §\x00[", "cannot be seen"),
    Case("an escape character", "policy.yaml", "reason: the order path", "reason: the §\x1b[2Jpath", "cannot be seen"),
    Case("a tab as indentation", "services.yaml", "  ssh:", "§\tssh:", "Tab"),
    Case("a tab in a name", "policy.yaml", "name: engines replicate", "name: engines§\treplicate", "Tab"),
    Case("a byte order mark", "extra.yaml", "", "§\ufeffaddresses: {a: [192.0.2.1]}\n", "cannot be seen", "FEFF"),
    Case(
        "text that runs backwards", "policy.yaml", "owner: trading", "owner: §\u202egnidart", "cannot be seen", "202E"
    ),
    Case("a zero width space in a name", "segments.yaml", "  risk:", "  ri§\u200bsk:", "cannot be seen", "200B"),
    Case(
        "an escaped control character",
        "policy.yaml",
        "reason: the order path",
        'reason: §"a\\u0007b"',
        "cannot be seen",
    ),
    Case("bytes that are not UTF-8", "services.yaml", "ssh:", "§\udcff:", "Not UTF-8", "0xff"),
    Case("an anchor", "services.yaml", "ssh: [", "ssh: §&all [", "Anchor"),
    Case("an alias", "services.yaml", "ssh: [tcp/22]", "ssh: §*all", "Alias"),
    Case("a tag", "services.yaml", "ssh: [", "ssh: §!!python/tuple [", "Tag"),
    Case("a tag that runs code", "extra.yaml", "", "x: §!!python/object/apply:os.system [id]\n", "Tag"),
    Case("a merge key", "devices.yaml", "    model: 7500R", "    §<<: {model: 7500R}", "Merge key"),
    Case("a bomb", "extra.yaml", "", "a: §&a [x, x]\nb: [*a, *a]\n", "Anchor"),
    Case("brackets without end", "extra.yaml", "", "a: " + "[" * 31 + "§[" + "[" * 68, "Nested too deeply", "32"),
    Case("twenty thousand brackets", "extra.yaml", "", "[" * 1000 + "§" + "[" * 19000, "Not YAML"),
    Case("a bracket left open", "services.yaml", "ssh: [tcp/22]\n  eapi", "ssh: [tcp/22\n  eapi§", "Not YAML"),
    Case("a directive", "extra.yaml", "", "§%YAML 1.1\n---\na: b\n", "YAML directive"),
    Case("a list as key", "extra.yaml", "", "? §[a]\n: b\n", "Key is not text"),
    Case(
        "a folded reason",
        "policy.yaml",
        "reason: the order path",
        "reason: §>\n      the order\n      path",
        "Line break",
    ),
    Case("a newline in a name", "policy.yaml", "name: engines replicate", 'name: §"engines\\nno ip"', "Line break"),
    Case(
        "a duplicate key",
        "devices.yaml",
        "    role: border",
        "    role: border\n    §role: leaf",
        "Duplicate key",
        "role",
    ),
    Case("a duplicate host", "rack2.yaml", "", "hosts:\n  §mon1: {}\n", "Duplicate key", "two files"),
    Case("a second policy without tier", "policy2.yaml", "", "policy: []\n", "No tier", at=("policy.yaml", "policy:")),
    Case("a tier that is a word", "rack2.yaml", "", "tier: §first\ninfrastructure: []\n", "Wrong tier"),
    Case("a file with the other suffix", "rack2.yml", "", "hosts: {}\n", "Wrong suffix", at=("rack2.yml", "")),
)

_SHAPE = (
    Case("a misspelt key", "segments.yaml", "    intra: policy", "    §inta: policy", "Unknown key", "`intra`"),
    Case("a misspelt section", "extra.yaml", "", "§segmnts: {}\n", "Unknown key", "`segments`"),
    Case(
        "a misspelt key of a rule",
        "policy.yaml",
        "    ticket: CHG0988",
        "    §tiket: CHG0988",
        "Unknown key",
        "`ticket`",
    ),
    Case(
        "a missing reason",
        "policy.yaml",
        "    reason: the order path\n",
        "",
        "Missing key",
        "reason",
        at=("policy.yaml", "name: orders reach the engine"),
    ),
    Case(
        "intra not said",
        "segments.yaml",
        "    intra: open\n",
        "",
        "Missing key",
        "intra",
        at=("segments.yaml", "databases:"),
    ),
    Case("a wrong type", "segments.yaml", "vlan: 110", "vlan: §x110", "Wrong type", "whole number"),
    Case("true as a number", "segments.yaml", "vlan: 110", "vlan: §true", "Wrong type", "true or false"),
    Case("yes is not true", "policy.yaml", "log: true", "log: §yes", "Wrong type", "true or false"),
    Case("a number for text", "devices.yaml", "model: 7500R", "model: §7500", "Wrong type", "quotes"),
    Case("nothing after the colon", "devices.yaml", "platform: eos", "platform:§", "No value"),
    Case("a map for a list", "policy.yaml", "from: [clients]", "from: §{clients: yes}", "Wrong type", "list"),
    Case("an empty list of sources", "policy.yaml", "from: [clients]", "from: §[]", "Empty"),
    Case("empty labels", "policy.yaml", "to: [{app: matching}]", "to: [§{}]", "Wrong value", "everything"),
    Case("a VLAN of 4095", "segments.yaml", "vlan: 110", "vlan: §4095", "out of range", "4094"),
    Case("a role of its own", "devices.yaml", "role: border", "role: §bordr", "not allowed", "`border`"),
    Case("a stack of its own", "hosts.yaml", "stack: dpdk", "stack: §dpkd", "not allowed", "`dpdk`"),
    Case("an action in capitals", "policy.yaml", "action: deny", "action: §DENY", "not allowed"),
    Case(
        "a failsafe that denies",
        "site.yaml",
        "service: [ssh, eapi]",
        "service: [ssh]\n    action: §deny",
        "not allowed",
    ),
    Case(
        "enforcement to be built",
        "segments.yaml",
        "intra: open",
        "enforcement: §observe\n    intra: open",
        "Wrong value",
        "not built",
    ),
    Case("an overlay to be built", "segments.yaml", "encap: none", "encap: §vxlan", "Wrong value", "not built"),
    Case("a set in capitals", "addresses.yaml", "  partners:", "  §Members: [203.0.113.0/26]\n  partners:", "Bad name"),
    Case("a path as a site's file name", "site.yaml", "name: dc1", "name: §../dc1", "Wrong value"),
    Case(
        "an exclamation mark in a name",
        "policy.yaml",
        "name: engines replicate",
        'name: §"engines! replicate"',
        "Wrong value",
        "!",
    ),
    Case(
        "a semicolon in a name", "policy.yaml", "name: engines replicate", "name: §engines; reload", "Wrong value", ";"
    ),
    Case("a quote in a name", "policy.yaml", "name: engines replicate", "name: §'engines \"x'", "Wrong value", '"'),
    Case(
        "a brace in a name", "policy.yaml", "name: engines replicate", "name: §engines } replicate", "Wrong value", "}"
    ),
    Case(
        "a name of 81 characters", "policy.yaml", "name: engines replicate", "name: §" + "n" * 81, "Wrong value", "81"
    ),
    Case("a name of ours", "policy.yaml", "name: engines replicate", "name: §intra of risk", "Wrong value"),
    Case(
        "a secret for credentials",
        "devices.yaml",
        "credentials: env/DC1",
        "credentials: §hunter2!",
        "Wrong value",
        "secret",
    ),
    Case(
        "a reason of 301 characters",
        "policy.yaml",
        "reason: the order path",
        "reason: §" + "r" * 301,
        "Wrong value",
        "301",
    ),
    Case(
        "an acceptance of everything",
        "accept.yaml",
        "",
        "accept:\n  - §{what: blindness, reason: r, until: 2027-01-31}\n",
        "Acceptance of",
    ),
)

_NUMBERS = (
    Case("host bits", "segments.yaml", "10.1.10.0/24", "§10.1.10.1/24", "Wrong value", "10.1.10.0/24"),
    Case("a netmask", "segments.yaml", "10.1.10.0/24", "§10.1.10.0/255.255.255.0", "Wrong value", "mask"),
    Case("a prefix of 33 bits", "segments.yaml", "10.1.10.0/24", "§10.1.10.0/33", "Wrong value"),
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
    Case("a management address twice", "hosts.yaml", "192.0.2.102", "§192.0.2.101", "Duplicate address"),
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

_BETWEEN = (
    Case("an unknown segment", "hosts.yaml", "segment: clients", "segment: §client", "Unknown segment", "`clients`"),
    Case("an unknown name", "policy.yaml", "from: [virtual]", "from: [§virtal]", "Unknown name", "`virtual`"),
    Case("an unknown label", "policy.yaml", "{app: matching}", "§{app: matchng}", "Unknown label", "app: matching"),
    Case(
        "an unknown service",
        "policy.yaml",
        "service: [postgres]",
        "service: [§postgre]",
        "Unknown service",
        "`postgres`",
    ),
    Case("an unknown service in a test", "tests.yaml", "service: fix,", "service: §fixx,", "Unknown service", "`fix`"),
    Case("an unknown device", "hosts.yaml", "[leaf1/Ethernet1]", "[§leaf9/Ethernet1]", "Unknown device"),
    Case(
        "an unknown device of a link",
        "links.yaml",
        "to: border1/Ethernet11",
        "to: §border2/Ethernet11",
        "Unknown device",
    ),
    Case(
        "an unknown gateway", "segments.yaml", "on: [leaf1, leaf2]", "on: [leaf1, §leaf22]", "Unknown device", "`leaf2`"
    ),
    Case("an unknown NIC model", "hosts.yaml", "model: virtio", "model: §virtlo", "Unknown NIC model", "`virtio`"),
    Case("an unknown NIC of a bond", "hosts.yaml", "[ens1, ens2]", "[ens1, §ens3]", "Unknown NIC"),
    Case("an unknown interface", "hosts.yaml", "on: [bond0]", "on: [§bond1]", "Unknown interface", "`bond0`"),
    Case(
        "an unknown source of groups",
        "segments.yaml",
        "sources: [exchange-a]",
        "sources: [§exchange-b]",
        "Unknown source",
    ),
    Case("an unknown pair", "devices.yaml", "pair: leaf2", "pair: §leaf7", "Unknown device"),
    Case("a pair that is not mutual", "devices.yaml", "pair: leaf2", "pair: §leaf3", "Pair is not mutual"),
    Case("a leg beside its bond", "hosts.yaml", "on: [bond0]", "on: [§ens1]", "Member of a bond"),
    Case(
        "a bond on another VLAN",
        "hosts.yaml",
        "mode: lacp, vlan: 120",
        "mode: lacp, vlan: 130",
        "Interface on another VLAN",
        at=("hosts.yaml", "bond0]"),
    ),
    Case("a port used twice", "hosts.yaml", "[leaf2/Ethernet1]", "[§leaf1/Ethernet1]", "Port used twice"),
    Case(
        "a NIC attached twice",
        "hosts.yaml",
        "[leaf1/Ethernet1]",
        "[leaf1/Ethernet1, §leaf2/Ethernet2]",
        "NIC attached twice",
    ),
    Case("a VLAN used twice", "segments.yaml", "vlan: 170", "vlan: §160", "VLAN used twice", "databases"),
    Case(
        "a rule's name twice",
        "policy.yaml",
        "name: engines replicate",
        "name: §orders reach the engine",
        "Duplicate rule name",
    ),
    Case(
        "a name for two things",
        "addresses.yaml",
        "  partners:",
        "  risk: [203.0.113.0/26]\n  partners:",
        "Name used twice",
        at=("segments.yaml", "risk:"),
    ),
    Case(
        "a name with a meaning",
        "addresses.yaml",
        "  partners:",
        "  §any: [203.0.113.0/26]\n  partners:",
        "Reserved name",
    ),
    Case("a switch in the policy", "policy.yaml", "to: [risk]", "to: [§leaf1]", "Infrastructure in the policy"),
    Case("a rule of another site", "policy.yaml", "to: [risk]", "to: [§dc2:risk]", "Another site"),
    Case("a folder of another name", "site.yaml", "name: dc1", "name: §dc9", "Site and folder disagree"),
    Case("an expired rule", "policy.yaml", "2027-06-30", "§2026-11-23", "Rule expired", "today", "red"),
    Case("a deny that expires", "policy.yaml", "    ticket: CHG0988", "    expires: §2027-01-01", "A deny expires"),
    Case(
        "an acceptance that is over",
        "accept.yaml",
        "",
        "accept:\n  - {what: unguarded, workload: me1, reason: r, until: §2026-11-01}\n",
        "Acceptance expired",
        "Renew",
        "red",
    ),
    Case(
        "an acceptance of nobody",
        "accept.yaml",
        "",
        "accept:\n  - {what: unguarded, workload: §me9, reason: r, until: 2027-01-31}\n",
        "Unknown workload",
        "Did you mean",
    ),
)

CASES = (*_TEXT, *_SHAPE, *_NUMBERS, *_BETWEEN)
