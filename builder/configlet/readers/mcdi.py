"""The messages of a ServerLock table, line by line, as the published header lays them out. Nothing else is accepted."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from configlet.model.problem import Place, Refused, refuse

HEAD = "configlet-serverlock 1"
RULE, NODE, REMOTE_TREE, LOCAL_TREE = 0x10F, 0x114, 0x115, 0x116
_RULE = struct.Struct("<I 6s 2s 6s 2s 2s 2s 2s 2s I I 16s 16s I I I I I I")
"""MC_CMD_SET_SECURITY_RULE_IN, 92 bytes; what is in network order is kept as bytes."""
(REMOTE_IP, LOCAL_IP, REMOTE_MAC, REMOTE_PORT, LOCAL_MAC, LOCAL_PORT, ETHER_TYPE, INNER_VLAN, OUTER_VLAN, IP_PROTO,
 PHYSICAL_PORT, _, REMOTE_SUBNET, REMOTE_RANGE, LOCAL_RANGE) = (1 << bit for bit in range(15))  # fmt: skip
KNOWN = REMOTE_IP | LOCAL_IP | REMOTE_PORT | LOCAL_PORT | ETHER_TYPE | IP_PROTO | REMOTE_SUBNET | REMOTE_RANGE | LOCAL_RANGE
FAMILIES = {0x0800: 4, 0x86DD: 6}
VERDICTS = {1: True, 2: False}
"""WHITELIST and BLACKLIST; whatever else stands there is not known to pass or to drop."""
_LEAF = 0xFFFF
_LINE = re.compile(r"message ([0-9a-f]{4}) ((?:[0-9a-f]{2})*)")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the message says it: which fields it looks at, their values, and the verdicts."""

    number: int
    flags: int
    family: int
    proto: int
    local: int
    remote: int
    local_port: int
    remote_port: int
    subnet: int
    local_range: int
    remote_range: int
    rx: bool
    tx: bool
    counter: int


@dataclass(slots=True)
class Tables:
    """All that the lines say."""

    attach: list[str] = field(default_factory=list)
    nodes: dict[int, tuple[int, ...]] = field(default_factory=dict)
    trees: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    messages: list[tuple[int, str]] = field(default_factory=list)


def tables_of(text: str, file: str) -> list[Tables]:
    """The tables of a text, once for the NICs that share them. Raises Refused with the line that is not known."""
    lines = text.splitlines()
    if not lines or lines[0] != HEAD:
        raise refuse("Text that is no table of a NIC", f'It must begin with "{HEAD}".', Place(file))
    found: list[Tables] = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip() or line.startswith("#") or re.fullmatch(r"counter \d+ .+", line):
            continue
        if re.fullmatch(r"attach [\w.-]+", line):
            if not found or found[-1].messages:
                found.append(Tables())
            name = line.split(" ", 1)[1]
            if any(name in tables.attach for tables in found):
                raise _odd(file, number, f"{name} is there twice")
            found[-1].attach.append(name)
            continue
        if not found:
            raise _odd(file, number, "no NIC is named before this line")
        out = found[-1]
        said = _LINE.fullmatch(line)
        if not said:
            raise _odd(file, number, "this line is none that such a table has")
        _message(out, int(said[1], 16), bytes.fromhex(said[2]), (file, number))
    return found


def _message(out: Tables, code: int, payload: bytes, at: tuple[str, int]) -> None:
    if code == RULE:
        out.rules.append(_rule(payload, at))
    elif code == NODE:
        number, *entries = _numbers(payload, "<I", "H", at)
        if number in out.nodes:
            raise _odd(*at, f"node {number} is there twice")
        out.nodes[number] = tuple(entries)
    elif code in (REMOTE_TREE, LOCAL_TREE):
        if code in out.trees:
            raise _odd(*at, "this port tree is there twice")
        flat = _numbers(payload, "<", "H", at)
        if len(flat) % 2 or not flat:
            raise _odd(*at, "a port tree has pairs of key and leaf")
        out.trees[code] = list(zip(flat[::2], flat[1::2], strict=True))
    else:
        raise _odd(*at, f"the command {code:#06x} is no part of a table")
    out.messages.append((code, payload.hex()))


def _numbers(payload: bytes, head: str, each: str, at: tuple[str, int]) -> list[int]:
    rest = len(payload) - struct.calcsize(head)
    if rest < 0 or rest % 2:
        raise _odd(*at, "the message has the wrong length")
    return list(struct.unpack(f"{head}{rest // 2}{each}", payload))


def _rule(payload: bytes, at: tuple[str, int]) -> Rule:
    if len(payload) != _RULE.size:
        raise _odd(*at, f"a rule has {_RULE.size} bytes, and this has {len(payload)}")
    (flags, rmac, rport, lmac, lport, ether, inner, outer, proto, port, spare, remote, local, subnet, rrange, lrange,
     tx, rx, counter) = _RULE.unpack(payload)  # fmt: skip
    if flags & ~KNOWN or any(rmac + lmac + inner + outer) or port or spare:
        raise _odd(*at, "the rule looks at a field that is not understood")
    family = FAMILIES.get(int.from_bytes(ether, "big"))
    if not flags & ETHER_TYPE or family is None:
        raise _odd(*at, "the rule does not say IPv4 or IPv6")
    if proto[1] or rx not in VERDICTS or tx not in VERDICTS:
        raise _odd(*at, "the rule does not say to pass or to drop")
    width = 4 if family == 4 else 16
    if any(remote[width:] + local[width:]):
        raise _odd(*at, "the address is longer than its family")
    made = Rule(
        at[1], flags, family, proto[0], int.from_bytes(local[:width], "big"), int.from_bytes(remote[:width], "big"),
        int.from_bytes(lport, "big"), int.from_bytes(rport, "big"), subnet, lrange, rrange,
        VERDICTS[rx], VERDICTS[tx], counter,
    )  # fmt: skip
    _consistent(made, at)
    return made


def _consistent(rule: Rule, at: tuple[str, int]) -> None:
    """No value where no flag asks for one; no two words for one field; ports of TCP and UDP alone."""
    for flag, value in (
        (REMOTE_IP, rule.remote), (LOCAL_IP, rule.local), (REMOTE_PORT, rule.remote_port), (LOCAL_PORT, rule.local_port),
        (IP_PROTO, rule.proto), (REMOTE_SUBNET, rule.subnet), (REMOTE_RANGE, rule.remote_range), (LOCAL_RANGE, rule.local_range),
    ):  # fmt: skip
        if value and not rule.flags & flag:
            raise _odd(*at, "the rule has a value that no flag asks for")
    for pair in (REMOTE_IP | REMOTE_SUBNET, REMOTE_PORT | REMOTE_RANGE, LOCAL_PORT | LOCAL_RANGE):
        if rule.flags & pair == pair:
            raise _odd(*at, "the rule asks for one field twice")
    if rule.flags & (REMOTE_PORT | REMOTE_RANGE | LOCAL_PORT | LOCAL_RANGE) and not (
        rule.flags & IP_PROTO and rule.proto in (6, 17)
    ):
        raise _odd(*at, "the rule asks for ports without TCP or UDP")


def ports_of(tree: list[tuple[int, int]], file: str) -> dict[int, list[tuple[int, int]]]:
    """Each id of a port tree with its ports: an implicit heap in which a port of at most the key goes left."""
    out: dict[int, list[tuple[int, int]]] = {}

    def walk(index: int, low: int, high: int) -> None:
        if index >= len(tree):
            raise _odd(file, 1, "a port tree ends before its leaves")
        key, leaf = tree[index]
        if key == _LEAF:
            if low <= high:
                out.setdefault(leaf, []).append((low, high))
            return
        walk(2 * index + 1, low, min(high, key))
        walk(2 * index + 2, max(low, key + 1), high)

    walk(0, 0, 65535)
    return out


def _odd(file: str, number: int, what: str) -> Refused:
    return refuse("Table of a NIC that cannot be read", f"{what}. Nothing is known of what it passes.", Place(file, number))
