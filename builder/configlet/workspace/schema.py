"""The only schema of an inventory, as plain Cerberus data.

``check_with`` names a form of ``forms.py`` or ``validate.py``; ``meta.help`` says what a field means, in the words of the
reference pages and the builder's questions.
"""

from __future__ import annotations

from typing import Any, get_args

from configlet.model.inventory import Stack

Schema = dict[str, Any]


def _said(form: Schema, help_: str, **more: Any) -> Schema:
    return {**form, **more, "meta": {"help": help_}}


def _string(form: str) -> Schema:
    return {"type": "string", "check_with": form}


def _list(item: Schema, **more: Any) -> Schema:
    return {"type": "list", "empty": False, "check_with": "unique", "schema": item, **more}


def _map(fields: Schema, **more: Any) -> Schema:
    return {"type": "dict", "schema": fields, **more}


def _named(item: Schema, key: str = "name", **more: Any) -> Schema:
    return {"type": "dict", "keysrules": _string(key), "valuesrules": item, **more}


def _one_of(*words: str) -> Schema:
    return {"type": "string", "allowed": list(words)}


NAME, PORT, TEXT, DAY = _string("name"), _string("port"), _string("text"), _string("day")
FLAG: Schema = {"type": "boolean"}
LEVEL = _one_of("error", "warning", "ignore")
VLAN: Schema = {"type": "integer", "min": 1, "max": 4094}
STACKS: tuple[str, ...] = get_args(Stack)
SELECTOR: Schema = {"type": ["string", "dict"], "check_with": "selector"}
SELECTORS = _list(SELECTOR)
SERVICES = _list(_string("service"))
LABELS = _named(_string("label"), empty=False)

MANAGEMENT = _map(
    {
        "address": _said(_string("address"), "the address at which it is managed", required=True),
        "credentials": _said(_string("credentials"), "where the credentials are, such as env/DC1", required=True),
    }
)

SEVERITY = _map(
    {
        "fully-shadowed": _said(LEVEL, "a rule that never matches, as rules before it take every packet of it"),
        "partly-shadowed": _said(LEVEL, "a rule of which rules before it take some packets"),
        "redundant": _said(LEVEL, "a rule without which every packet would have the same verdict"),
        "contradicting": _said(LEVEL, "an allow and a deny that speak of the same packets"),
        "too-wide": _said(LEVEL, "an allow above the site's `wide`"),
        "unused-name": _said(LEVEL, "a name that no rule uses"),
        "expiring": _said(LEVEL, "a rule or acceptance that ends within a week"),
    }
)

WIDE = _map(
    {
        "addresses": _said({"type": "integer", "min": 1, "max": 2**32}, "IPv4 addresses or IPv6 /64s at one end"),
        "ports": _said({"type": "integer", "min": 1, "max": 65536}, "destination ports of one protocol"),
    }
)

SITE = _map(
    {
        "name": _said(NAME, "the site's name, equal to its folder", required=True),
        "controller": _said(
            _list(_string("address")), "addresses from which configlet manages the site", required=True
        ),
        "controller_realm": _said(NAME, "the controller's realm; otherwise that of the segment that contains it"),
        "ephemeral": _said(_string("ports"), "source ports that clients use, 1024-65535 unless said"),
        "icmp_errors_from": _said(SELECTORS, "who may send ICMP errors through stateless gates"),
        "severity": _said(SEVERITY, "how severe each kind of finding of the analysis is"),
        "wide": _said(WIDE, "from where on an allow is a `too-wide` finding"),
        "lab": _said(_one_of("only"), "`only`: no command touches the management addresses without --lab"),
        "depth": _said(_list(_one_of("gateway", "workload")), "how deep the defence is, unless a segment says"),
    },
    required=True,
)

EXTERNAL = _map(
    {
        "prefixes": _said(_list(_string("prefix")), "the prefixes of the network", required=True),
        "realm": _said(NAME, "the realm that it enters", required=True),
        "enters": _said(_list(PORT), "the device ports at which it enters", required=True),
        "addresses": _said(_list(_string("socket")), "our own addresses at that port, with length"),
    }
)

DEVICE = _map(
    {
        "platform": _said(NAME, "what its configuration is written for, such as eos", required=True),
        "model": _said(_string("model"), "the hardware model", required=True),
        "role": _said(_one_of("leaf", "border", "spine"), "its place in the fabric", required=True),
        "pair": _said(NAME, "the other device of its pair"),
        "managed": _said(FLAG, "false: configlet never writes to it"),
        "addresses": _said(_list(_string("address")), "its own addresses, such as loopbacks"),
        "management": _said(MANAGEMENT, "how it is reached"),
    }
)

LINK = _map(
    {
        "to": _said(PORT, "the port at the other end", required=True),
        "addresses": _said(
            _list(_string("socket")), "pairs of /31 or /127 addresses, this end first; none: a peer link"
        ),
        "realm": _said(NAME, "the realm of the addresses"),
        "name": _said(NAME, "a name that several links may share"),
    }
)

GATEWAYS = _map(
    {
        "on": _said(_list(NAME), "the devices that route the segment", required=True),
        "mode": _said(_one_of("anycast", "vrrp", "single"), "how they share the gateway address", required=True),
        "irb": _said(_one_of("symmetric", "asymmetric"), "where bridged traffic is routed", required=True),
        "filter": _said(_list(_one_of("in", "out")), "the directions that are filtered, both unless said"),
        "addresses": _said(_list(_string("address")), "gateway addresses, the first host of each prefix unless said"),
    }
)

SEGMENT = _map(
    {
        "realm": _said(NAME, "the address space (VRF)", required=True),
        "vlan": _said(VLAN, "the VLAN"),
        "prefixes": _said(_list(_string("prefix")), "its prefixes, IPv4 and IPv6", required=True),
        "intra": _said(
            _one_of("open", "policy"), "do its members talk freely, or does the policy decide", required=True
        ),
        "fragments": _said(_one_of("drop", "match"), "what happens to non-first fragments"),
        "encap": _said(_string("encap"), "the overlay; only `none` is built"),
        "enforcement": _said(
            _one_of("full", "observe"), "drop what no rule allows, or count it and let it pass where both ends observe"
        ),
        "gateways": _said(GATEWAYS, "the gateways that route and filter it"),
        "labels": _said(LABELS, "labels that its workloads inherit"),
        "depth": _said(_list(_one_of("gateway", "workload")), "how deep the defence is"),
    }
)

MULTICAST = _map(
    {
        "groups": _said(_list(_string("prefix")), "the group addresses", required=True),
        "sources": _said(_list(NAME), "who sends to them", required=True),
        "receivers": _said(_list(NAME), "the segments that receive them", required=True),
    }
)

NIC = _map(
    {
        "model": _said(NAME, "the NIC model", required=True),
        "attached": _said(_list(PORT), "the device port that it is cabled to", required=True),
        "filter_table": _said(NAME, "the platform of the filter table in the NIC; none unless said"),
    }
)

INTERFACE = _map(
    {
        "members": _said(_list(_string("interface")), "the NICs it is made of", required=True),
        "mode": _said(_one_of("lacp", "active-backup"), "how the members share the traffic"),
        "vlan": _said(VLAN, "the VLAN of its segment"),
    }
)

WORKLOAD = _map(
    {
        "addresses": _said(_list(_string("address")), "its addresses", required=True),
        "on": _said(_list(_string("interface")), "the NICs or interfaces that carry them", required=True),
        "segment": _said(NAME, "its segment", required=True),
        "stack": _said(
            _one_of(*STACKS),
            "the network stack that serves its packets; `container` is behind a veth that the host routes",
            required=True,
        ),
        "also": _said(_named(_one_of(*STACKS), "service", empty=False), "services that another stack serves"),
        "labels": _said(LABELS, "labels of its own"),
    }
)

HOST = _map(
    {
        "nics": _said(_named(NIC, "interface", empty=False), "its network cards' ports", required=True),
        "interfaces": _said(_named(INTERFACE, "interface", empty=False), "bonds and VLANs"),
        "workloads": _said(_named(WORKLOAD, empty=False), "what runs on it", required=True),
        "management": _said(MANAGEMENT, "how it is reached"),
        "manager": _said(MANAGEMENT, "how the manager of its NICs is reached, where they take rules from nobody else"),
        "platform": _said(NAME, "the filter platform of its kernel, nftables unless said"),
        "managed": _said(FLAG, "false: configlet never writes to it"),
    }
)

_RULE: Schema = {
    "name": _said(_string("title"), "a name, unique in the site", required=True),
    "from": _said(SELECTORS, "who initiates", required=True),
    "to": _said(SELECTORS, "towards whom", required=True),
    "service": _said(SERVICES, "services, or literals such as tcp/22", required=True),
    "log": _said(FLAG, "whether hits are logged"),
    "owner": _said(TEXT, "who answers for the rule"),
    "ticket": _said(TEXT, "where it was agreed"),
}

OWN_RULE = _map(
    {
        **_RULE,
        "action": _said(_one_of("allow"), "these rules only allow"),
        "reason": _said(TEXT, "why"),
    }
)

RULE = _map(
    {
        **_RULE,
        "action": _said(_one_of("allow", "deny"), "what happens", required=True),
        "reason": _said(TEXT, "why; required of every rule", required=True),
        "expires": _said(DAY, "the last day on which an allow is good"),
    }
)

ACCEPTANCE = _map(
    {
        "what": _said(_one_of("unguarded", "reply-exposure", "blindness", "observed"), "the kind of gap", required=True),
        "gate": _said(_string("gate"), "the gate that leaves it"),
        "workload": _said(NAME, "the workload that it concerns"),
        "from": _said(SELECTOR, "the initiating end"),
        "to": _said(SELECTOR, "the other end"),
        "reason": _said(TEXT, "why it may stay", required=True),
        "until": _said(DAY, "the last day of the acceptance", required=True),
    }
)

TEST = _map(
    {
        "from": _said(SELECTOR, "who initiates", required=True),
        "to": _said(SELECTOR, "towards whom", required=True),
        "service": _said(_string("service"), "a service, or a literal such as tcp/22", required=True),
        "expect": _said(_one_of("allow", "deny"), "allow: every packet passes; deny: none does", required=True),
    }
)

MAPS: Schema = {
    "externals": _said(_named(EXTERNAL), "networks of others"),
    "devices": _said(_named(DEVICE), "switches and routers"),
    "links": _said(_named(LINK, "port"), "cables between devices"),
    "addresses": _said(_named(_list(_string("prefix"))), "named sets of prefixes"),
    "segments": _said(_named(SEGMENT), "addresses that belong together"),
    "multicast": _said(_named(MULTICAST), "sets of groups with senders and receivers"),
    "hosts": _said(_named(HOST), "servers and their workloads"),
    "services": _said(_named(_list({"type": ["string", "dict"], "check_with": "term"})), "named protocols and ports"),
}

LISTS: Schema = {
    "failsafe": _said({"type": "list", "schema": OWN_RULE}, "rules that keep the way in, before all others"),
    "infrastructure": _said({"type": "list", "schema": OWN_RULE}, "rules between infrastructure and segments"),
    "policy": _said({"type": "list", "schema": RULE}, "the policy, in order"),
    "accept": _said({"type": "list", "schema": ACCEPTANCE}, "gaps that somebody accepts until a day"),
    "tests": _said({"type": "list", "schema": TEST}, "what is expected of the policy"),
}

INVENTORY: Schema = {"site": _said(SITE, "the site itself"), **MAPS, **LISTS}


def _words(rules: Schema) -> set[str]:
    fields = rules["schema"] if rules.get("type") == "dict" and "schema" in rules else {}
    inner = [*fields.values(), *(rules[key] for key in ("schema", "valuesrules") if key in rules and not fields)]
    return set(fields).union(*map(_words, inner))


WORDS = frozenset(_words({"type": "dict", "schema": INVENTORY}))
"""Every key that the schema itself names."""
