"""Fitted rows to the messages of one ServerLock NIC (or both members of a bond). Pure: same rows, same bytes.

What the NIC's firmware calls its sizes stands in the platform's operands; the driver compares them with what the NIC
says (GET_PARSER_DISP_INFO) before it sends a rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from configlet.encoders import serverlock_maps as maps
from configlet.encoders.classes import Classes, cuts
from configlet.encoders.mcdi import NO_COUNTER, Command, Rule, line, node, rule, tree
from configlet.encoders.serverlock_rules import Compiled, compiled
from configlet.encoders.spent import Spent, too_much
from configlet.model.gate import Table
from configlet.model.net import FAMILIES, Family
from configlet.model.policy import Entry

UNITS = ("filters", "counters", "trie nodes", "subnet ids", "local port tree", "remote port tree")


@dataclass(frozen=True, slots=True)
class Sizes:
    """What one NIC holds."""

    filters: int
    counters: int
    nodes: int
    entries: int
    subnet_min: int
    subnet_max: int
    tree: int
    range_min: int
    range_max: int

    @property
    def borders(self) -> int:
        """Borders between classes of ports: as many as a tree has inner entries, or ids less one."""
        return min((self.tree - 1) // 2, self.range_max - self.range_min)


def artifact(operands: Mapping[str, Any], tables: Sequence[Table]) -> str:
    """The messages for a host's NICs, once for those that hold the same.

    Raises Refused when they do not fit: the count, the limit, what costs most.
    """
    bodies: dict[str, list[str]] = {}
    for name in sorted({name for table in tables for name in table.gate.binding.split()}):
        mine = [table for table in tables if name in table.gate.binding.split()]
        found, sizes = _compile(operands, mine)
        too_much(_spent(found, sizes), f"{mine[0].gate.owner}/{name}")
        bodies.setdefault("\n".join(_lines(found, sizes)), []).append(name)
    parts = ("\n".join([*(f"attach {name}" for name in names), body]) for body, names in bodies.items())
    return "\n".join(["configlet-serverlock 1", *parts]) + "\n"


def spent(operands: Mapping[str, Any], tables: Sequence[Table]) -> Spent:
    """How much of the NIC these tables use, in its own units."""
    return _spent(*_compile(operands, tables))


def _compile(operands: Mapping[str, Any], tables: Sequence[Table]) -> tuple[Compiled, Sizes]:
    sizes = Sizes(**operands["sizes"])
    rows: dict[tuple[str, Family], list[Entry]] = {}
    for table in tables:
        rows.setdefault((table.gate.direction, table.family), []).extend(table.rows)
    return compiled(rows, sizes.borders), sizes


def _spent(found: Compiled, sizes: Sizes) -> Spent:
    counted = {rule for rule in found.rules.values() if rule}
    trees = [2 * len(cuts(classes.pieces, 65535)) - 1 for classes in (found.local_ports, found.remote_ports)]
    classes = sum(found.remotes[f].count for f in FAMILIES)
    used = (len(found.rules), min(len(counted), sizes.counters), len(_nodes(found, sizes)), classes + 1, *trees)
    limits = (sizes.filters, sizes.counters, sizes.nodes, sizes.subnet_max - sizes.subnet_min + 1, sizes.tree, sizes.tree)
    return Spent({unit: (n, most) for unit, n, most in zip(UNITS, used, limits, strict=True)}, found.costs)


def _lines(found: Compiled, sizes: Sizes) -> Iterator[str]:
    numbers: dict[int, int] = {}
    for said in found.rules.values():
        if said and id(said) not in numbers and len(numbers) < sizes.counters:
            numbers[id(said)] = len(numbers) + 1
            yield f"counter {numbers[id(said)]} {said.name}"
    yield from (line(Command.SUBNET_MAP_SET_NODE, node(*made)) for made in _nodes(found, sizes))
    for command, classes in (
        (Command.REMOTE_PORTRANGE_MAP_SET_TREE, found.remote_ports),
        (Command.LOCAL_PORTRANGE_MAP_SET_TREE, found.local_ports),
    ):
        yield line(command, tree(maps.heap(_intervals(classes, sizes))))
    for made, said in found.rules.items():
        counter = numbers.get(id(said), NO_COUNTER)
        yield line(Command.SET_SECURITY_RULE, rule(_named(made, sizes), counter))


def _nodes(found: Compiled, sizes: Sizes) -> list[tuple[int, tuple[int, ...]]]:
    pieces = {
        f: [(span, sizes.subnet_min + found.subnets[f] + mark) for span, mark in found.remotes[f].pieces] for f in FAMILIES
    }
    return maps.nodes(dict(pieces), sizes.entries, sizes.subnet_min)


def _intervals(classes: Classes, sizes: Sizes) -> list[tuple[int, int]]:
    return [(last, sizes.range_min + mark) for last, mark in cuts(classes.pieces, 65535)]


def _named(made: Rule, sizes: Sizes) -> Rule:
    """The rule with the NIC's own ids in place of the numbers of classes."""
    subnet, local, remote = (
        None if mark is None else least + mark
        for mark, least in (
            (made.subnet, sizes.subnet_min), (made.local_range, sizes.range_min), (made.remote_range, sizes.range_min)
        )
    )  # fmt: skip
    return Rule(
        made.family, made.rx, made.tx, made.local, made.remote, subnet, made.proto, made.local_port, made.remote_port,
        local, remote,
    )  # fmt: skip
