"""Documents that dice make from the schema: most fields right, some wrong in ways that people and attackers find."""

from __future__ import annotations

import copy
import random
from typing import Any

from configlet.workspace.schema import INVENTORY

GOOD: dict[str, tuple[Any, ...]] = {
    "name": ("web", "order-gateways", "a", "x9", "true", "no", "leaf1"),
    "label": ("oms", "A.b_c-9", "0"),
    "model": ("7280R", "Solarflare X2 +plus", "x"),
    "interface": ("ens1", "bond0.100", "eth_0"),
    "credentials": ("env/DC1", "file/a.b-c"),
    "gate": ("leaf1/Vlan120/in/v4", "me1/ens1"),
    "port": ("leaf1/Ethernet49", "a/b:1/2"),
    "title": ("orders reach it", "a, b. c: (d) / +&'=@_-", "x" * 80),
    "text": ("because", "a reason, with: signs", "y" * 300, "große Freude"),
    "day": ("2027-06-30", "2028-02-29"),
    "address": ("10.1.2.3", "2001:db8::1", "0.0.0.0", "255.255.255.255", "::"),
    "prefix": ("10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0", "::/0", "10.0.0.16/28"),
    "socket": ("10.0.1.0/31", "2001:db8::1/127"),
    "ports": ("1024-65535", "80", "0-0"),
    "selector": ("clients", "dc1:clients", "any", {"app": "oms"}, {"app": "oms", "env": "prod"}),
    "service": ("ssh", "tcp/22", "udp/1-2", "icmp/echo-request", "ip/89", "any"),
    "term": ("tcp/9001-9016", {"udp": 53, "from": "ephemeral"}, {"tcp": "1-2"}, "icmpv6", "icmp/3.4"),
    "encap": ("none",),
}
BAD: tuple[Any, ...] = (
    None, True, False, 0, -1, 4095, 70000, 10**30, "", " ", "web\n", "web\nno shutdown", "WEB", "wéb", "a b", "x" * 400,
    "10.0.0.1/24", "10.0.0.0/33",
    "10.0.0.0/08", "10.0.0.256", "010.0.0.1", "1.2.3", "\uff110.0.0.1", "10.0.0.0/2 ", "::g",
    "fe80::1%eth0", "10.0.0.0/255.0.0.0", "tcp/22,443", "tcp/65536", "tcp/٢٢", "udp/9-8", "ip/256", "icmp/256", "web.example.org",
    "2027-02-30", "2027-6-30", "hunter2", "a/b/", "replies: x", "default deny", "two  blanks", " x", "x ", "semi;colon",
    "any:any:any", ":", "a:", "\u202ex", [], {}, [[]], [None], ["x", "x"], {"": "x"}, {"A": "x"}, {"a": 1}, {"udp": 53, "tcp": 1},
    {"udp": True}, {"from": "ephemeral"}, [{"app": "oms"}, {"app": "oms"}], "error", "ignore", "1-", "-1", "65536", "9-8",
)  # fmt: skip


NEAR: dict[str, tuple[Any, ...]] = {
    "name": ("Web", "9a", "a_b", "a" * 42, "web\n", "wéb", ""),
    "label": ("-a", "a b", "x" * 42, "a\n"),
    "port": ("leaf1", "leaf1/", "/Ethernet1", "Leaf1/E1", "leaf1/E 1"),
    "title": ("x" * 81, " x", "x ", "a  b", "", "intra of x", "replies: x", "semi;colon", "é", "a\n"),
    "text": ("", " ", "x" * 301, "a\nb", "a\u2028b"),
    "day": ("2027-02-30", "2027-6-30", "20270630", "2027-06-30\n"),
    "address": ("10.1.2", "10.1.2.256", "010.1.2.3", "10.1.2.3/32", "10.1.2.3 ",
                "::g", "1::2::3", "fe80::1%eth0", "\uff110.0.0.1"),
    "prefix": ("10.0.0.1/24", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/", "10.0.0.0/255.0.0.0", "2001:db8::1/32", "0.0.0.1/0"),
    "socket": ("10.0.1.0", "10.0.1.0/33", "2001:db8::1", "2001:db8::1/129"),
    "ports": ("65536", "9-8", "1-", "-1", "01", "1-2-3", ""),
    "selector": ({}, {"app": 1}, {"App": "x"}, {"app": "a b"}, "any:", "a:b:c", "web.example.org"),
    "service": ("tcp/22,443", "tcp/65536", "ip", "ip/256", "icmp/256", "TCP/22"),
    "term": ({"udp": True}, {"udp": 1, "tcp": 2}, {"from": 1}, {"tcp": 65536}, "tcp/", 22),
}  # fmt: skip
"""What is nearly right."""
_Leaf = tuple[Any, Any, dict[str, Any]]


def document(dice: random.Random, items: int = 1) -> dict[str, Any]:
    """A document of the site and two other sections, right in about one of two cases."""
    leaves: list[_Leaf] = []
    keys = ["site", *dice.sample([key for key in INVENTORY if key != "site"], 2)]
    made = {key: _value(INVENTORY[key], dice, leaves, items) for key in keys}
    _spoil(made, dice, leaves)
    if dice.random() < 0.1:
        made[dice.choice(("segmnts", "site"))] = copy.deepcopy(dice.choice(BAD))
    if dice.random() < 0.05:
        del made[dice.choice(list(made))]
    return made


def section(key: str, dice: random.Random) -> Any:
    """One section, right in about one of two cases."""
    leaves: list[_Leaf] = []
    made = {key: _value(INVENTORY[key], dice, leaves, 1)}
    leaves.append((made, key, INVENTORY[key]))
    _spoil(made, dice, leaves)
    return made[key]


def _spoil(made: dict[str, Any], dice: random.Random, leaves: list[_Leaf]) -> None:
    """One accident, most often, where something stands; seldom two."""
    for _ in range(dice.choice((0, 1, 1, 1, 2))):
        numbers = [leaf for leaf in leaves if leaf[2]["type"] in ("integer", "boolean")]
        holder, key, rules = dice.choice(numbers if numbers and dice.random() < 0.4 else leaves)
        kind = dice.random()
        if key not in (holder if isinstance(holder, dict) else range(len(holder))):
            continue
        if kind < 0.6:
            holder[key] = copy.deepcopy(dice.choice(_near(rules)))
        elif kind < 0.8:
            holder[key] = copy.deepcopy(dice.choice(BAD))
        elif kind < 0.9 and isinstance(holder, dict) and holder is not made:
            del holder[key]
        elif isinstance(holder, dict) and holder is not made:
            holder[dice.choice((f"{key}s", "NAME", "name"))] = holder.pop(key)


def _near(rules: dict[str, Any]) -> tuple[Any, ...]:
    if rules["type"] == "integer":
        return rules["min"] - 1, rules["max"] + 1, True, False, str(rules["min"]), None
    if "allowed" in rules:
        return rules["allowed"][0].upper(), f"{rules['allowed'][0]} ", "", True
    if rules["type"] == "boolean":
        return "yes", 0, 1, "true", None
    return NEAR.get(rules.get("check_with", ""), BAD)


def _value(rules: dict[str, Any], dice: random.Random, leaves: list[_Leaf], items: int = 1) -> Any:
    """A value that keeps the rules; ``leaves`` are told where its parts stand."""
    if rules["type"] == "list":
        made: Any = [_value(rules["schema"], dice, leaves) for _ in range(dice.choice((1, 1, items, items + 1)))]
        leaves += [(made, i, rules["schema"]) for i in range(len(made))]
        return _different(made) if rules.get("check_with") == "unique" and dice.random() < 0.9 else made
    if "allowed" in rules:
        return dice.choice(rules["allowed"])
    if rules["type"] == "dict":
        made = _map(rules, dice, leaves, items)
        inner = rules.get("schema", {})
        leaves += [(made, key, inner.get(key) or rules["valuesrules"]) for key in made]
        return made
    return _leaf(rules, dice)


def _different(made: list[Any]) -> list[Any]:
    made[:] = [item for i, item in enumerate(made) if item not in made[:i]]
    return made


def _map(rules: dict[str, Any], dice: random.Random, leaves: list[_Leaf], items: int) -> dict[str, Any]:
    if "schema" not in rules:
        names = [_leaf(rules["keysrules"], dice) for _ in range(dice.choice((1, items)))]
        return {str(name): _value(rules["valuesrules"], dice, leaves) for name in names}
    return {
        name: _value(inner, dice, leaves)
        for name, inner in rules["schema"].items()
        if inner.get("required") or dice.random() < 0.4
    }


def _leaf(rules: dict[str, Any], dice: random.Random) -> Any:
    if rules["type"] == "boolean":
        return dice.random() < 0.5
    if rules["type"] == "integer":
        return dice.choice((rules["min"], rules["max"], 100 if rules["max"] >= 100 else rules["min"]))
    return copy.deepcopy(dice.choice(GOOD[rules["check_with"]]))
