"""The laws of platforms that write flow rules of a NIC: ntuple, tc flower, rte_flow."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from configlet.lab.nic.flower import FlowerNic
from configlet.lab.nic.ntuple import NtupleNic
from configlet.lab.nic.onload import OnloadFirewall
from configlet.lab.nic.rteflow import Console
from configlet.model.block import items, sets_of
from configlet.model.gate import Table
from configlet.model.net import FAMILIES, Family, Span
from configlet.model.policy import ANY_PORT, DPORT, DST, FRAG, SPORT, SRC, Entry
from configlet.model.problem import Refused
from configlet.render import render
from tests.builders import platform
from tests.nic.ground import LOCALS, Local, local, rule, tables, verdicts
from tests.nic.testpmd import direct

NAMES = ("ntuple", "tcflower", "rteflow", "onload-firewall")


def exact(dice: random.Random, family: Family) -> Local:
    """A policy of single addresses and ports, as such NICs are made for; now and then a small prefix, or a range."""
    mine = [(LOCALS[family] + n, LOCALS[family] + n) for n in range(2)]
    base = 0x0A000000 if family == 4 else 0x20010DB8 << 96
    out = []
    for number in range(1, dice.choice((1, 3, 6)) + 1):
        of = rule(f"rule {number}", dice.choice(("allow", "allow", "allow", "deny")), number)
        low = base | dice.randrange(64) << 4
        there: Span = (low, low + dice.choice((0, 0, 0, 0, 0, 3, 15)))
        if dice.random() < 0.02:
            there = (low, low | 0xFFFF)
        echo = 1 if family == 4 else 58
        proto, port = dice.choice(((6, 22), (6, 443), (17, 53), (17, 123), (echo, None), (89, None)))
        ports = ANY_PORT if port is None else (port, port + dice.choice((0, 0, 0, 0, 15)))
        if proto == echo:
            ports = (8 << 8, 8 << 8 | 255) if family == 4 else (128 << 8, 128 << 8 | 255)
        ends = (dice.choice(mine), there) if dice.random() < 0.7 else (there, dice.choice(mine))
        out.append(Entry(of.action == "allow", ((proto, proto), *ends, ports, ANY_PORT, (0, 1), (0, 0)), of))
    return Local(family, tuple(mine), tuple(out))


MAKE: dict[str, Callable[[random.Random, Family], Local]] = {
    "ntuple": exact, "tcflower": lambda d, f: local(d, f, 5, 2), "rteflow": lambda d, f: local(d, f, 5, 2),
    "onload-firewall": lambda d, f: local(d, f, 5, 2),
}  # fmt: skip


def held(name: str, text: str) -> str:
    """What the simulated NIC shows after it was told a text, line by line."""
    head, *lines = text.splitlines()
    if name == "ntuple":
        nic = NtupleNic()
        for line in lines:
            nic.command(line.removeprefix("ethtool -N ens1 "))
        return f"{head}\n# shown ens1\n{nic.listing()}"
    if name == "tcflower":
        flower = FlowerNic()
        for line in lines:
            flower.command(line)
        return f"{head}\n# shown ens1\n{flower.listing()}"
    if name == "onload-firewall":
        onload = OnloadFirewall(("ens1",))
        for line in lines:
            onload.write(line + "\n")
        return f"{head}\n{onload.rules('ens1')}"
    with TemporaryDirectory() as folder:
        console = Console()
        tool = direct(Path(folder), console)
        tool.apply("ens1", lines)
        assert sorted(console.rules.values()) == sorted(line.replace("ens1", "0", 1) for line in lines)
        return f"{head}\n{tool.shown('ens1')}"


def proved(name: str, count: int) -> tuple[int, int]:
    """Of so many random tables, how many are proved after read-back, and how many were refused for a reason that holds."""
    of, good, refused = platform(name), 0, 0
    for seed in range(count):
        dice = random.Random(seed)
        found = tables(of, [MAKE[name](dice, family) for family in FAMILIES], ways=("in",))
        try:
            text = render("me1", of, "filter-table", found).text
        except Refused as refusal:
            refused += true(refusal, found)
            continue
        good += verdicts(of, found, held(name, text)) == {"PROVED"}
    return good, refused


def true(refusal: Refused, found: list[Table]) -> bool:
    """Whether the model counts more exact five-tuples than there is room for, too: packets of the law, counted apart."""
    assert "has room for" in str(refusal), refusal
    limit = found[0].gate.capability.capacity
    return sum(_tuples(table) for table in found) > limit > 0


def _tuples(table: Table) -> int:
    """Exact rules that a table is at least: its values, where a field is looked at, times those of the others."""
    total = 0
    for sets in {sets_of(item) for item in items(table.rows)}:
        if sets[FRAG][0][0]:
            continue
        count = 1
        for level, whole in ((SRC, 2**32 if table.family == 4 else 2**128), (DST, None), (DPORT, 65536), (SPORT, 65536)):
            size = sum(high - low + 1 for low, high in sets[level])
            count *= 1 if size == whole else size
        total += count
    return total
