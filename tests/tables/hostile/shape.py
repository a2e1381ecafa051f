"""Documents of the wrong shape: keys, types and forms."""

from __future__ import annotations

from tests.tables.hostile.case import Case

CASES = (
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
