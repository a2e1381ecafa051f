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
    "enforcement": ("full",),
}
BAD: tuple[Any, ...] = (
    None, True, False, 0, -1, 4095, 70000, 10**30, "", " ", "web\n", "web\nno shutdown", "WEB", "wéb", "a b", "x" * 400,
    "10.0.0.1/24", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.256", "010.0.0.1", "1.2.3", "１0.0.0.1", "10.0.0.0/2 ", "::g",
    "fe80::1%eth0", "10.0.0.0/255.0.0.0", "tcp/22,443", "tcp/65536", "tcp/٢٢", "udp/9-8", "ip/256", "icmp/256", "web.example.org",
    "2027-02-30", "2027-6-30", "hunter2", "a/b/", "replies: x", "default deny", "two  blanks", " x", "x ", "semi;colon",
    "any:any:any", ":", "a:", "‮x", [], {}, [[]], [None], ["x", "x"], {"": "x"}, {"A": "x"}, {"a": 1}, {"udp": 53, "tcp": 1},
    {"udp": True}, {"from": "ephemeral"}, [{"app": "oms"}, {"app": "oms"}], "error", "ignore", "1-", "-1", "65536", "9-8",
)  # fmt: skip


def document(dice: random.Random, items: int = 1) -> dict[str, Any]:
    """A document of a few sections, right in about one of two cases."""
    wrong = dice.choice((0.0, 0.0, 0.01, 0.04, 0.15))
    keys = dice.sample([key for key in INVENTORY if key != "site"], 2)
    made = {"site": value(INVENTORY["site"], dice, wrong)}
    for key in keys:
        made[key] = value(INVENTORY[key], dice, wrong, items)
    if dice.random() < wrong:
        made[dice.choice(("segmnts", "site", "tier"))] = dice.choice(BAD)
    if dice.random() < wrong:
        del made[dice.choice(list(made))]
    return made


def section(key: str, dice: random.Random) -> Any:
    """One section, right in about one of two cases."""
    return value(INVENTORY[key], dice, dice.choice((0.0, 0.0, 0.02, 0.05, 0.15)))


def value(rules: dict[str, Any], dice: random.Random, wrong: float, items: int = 1) -> Any:
    """A value for some rules; each choice is wrong as often as ``wrong`` says."""
    if dice.random() < wrong:
        return copy.deepcopy(dice.choice(BAD))
    if rules["type"] == "list":
        inner = rules["schema"]
        return [value(inner, dice, wrong) for _ in range(dice.choice((1, 1, items, items + 1)))]
    if "allowed" in rules:
        return dice.choice(rules["allowed"])
    if rules["type"] == "dict" and "schema" in rules:
        return _fields(rules["schema"], dice, wrong)
    if rules["type"] == "dict":
        names = [value(rules["keysrules"], dice, wrong) for _ in range(dice.choice((1, items)))]
        return {n if isinstance(n, str) else "odd": value(rules["valuesrules"], dice, wrong) for n in names}
    return _leaf(rules, dice)


def _fields(fields: dict[str, Any], dice: random.Random, wrong: float) -> dict[str, Any]:
    made = {}
    for name, inner in fields.items():
        if dice.random() < (1 - wrong if inner.get("required") else 0.4):
            made[name if dice.random() >= wrong / 4 else name + "s"] = value(inner, dice, wrong)
    return made


def _leaf(rules: dict[str, Any], dice: random.Random) -> Any:
    if rules["type"] == "boolean":
        return dice.random() < 0.5
    if rules["type"] == "integer":
        return dice.choice((rules["min"], rules["max"], 100 if rules["max"] >= 100 else rules["min"]))
    return copy.deepcopy(dice.choice(GOOD[rules["check_with"]]))
