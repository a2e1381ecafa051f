"""How many lines a second each platform's reader understands: the text that the platform itself writes for one policy.

    python -m benchmarks.bench_readers [PLATFORM ...]
"""

from __future__ import annotations

import gc
import os
import sys
import time
from dataclasses import replace

from configlet.model.gate import Gate, Law, Table
from configlet.model.net import Addresses, Family, Span
from configlet.model.platform import Platform
from configlet.model.policy import ANY_BIT, ANY_PORT, Box, Entry, Rule
from configlet.platforms import load
from configlet.platforms.content import search
from configlet.readers import read
from configlet.readers.engine import _reader, reader
from configlet.render import render

ROWS = {"quick": 2_000, "full": 9_000}
"""Rows of each family, as many as every platform has numbers for."""
RUNS = {"quick": 3, "full": 5}
BASES: dict[Family, tuple[int, int]] = {4: (10 << 24, 172 << 24 | 16 << 16), 6: (0x20010DB8 << 96, 0x20010DB8_0001 << 80)}
SERVICES = 200
OBJECTS = 100
"""Networks and hosts of the second shape."""


def main() -> None:
    """Measure and print."""
    size = os.environ.get("SIZE") or "quick"
    chosen = sys.argv[1:]
    print(f"One access list of {ROWS[size]:,} entries for each family, each a network to a host on one of {SERVICES} ports:")
    print(f"*u* all distinct, *o* of {OBJECTS} networks and {OBJECTS} hosts. Read as `prove` reads it, by a reader that has read")
    print(f"nothing before, least of {RUNS[size]} runs. Made by `python -m benchmarks.bench_readers`.\n")
    print("| platform | lines | lines a second, *u* | lines a second, *o* |\n|---|---|---|---|")
    for name, known in sorted(load(search(None)).items()):
        if "acl" in known.kinds and (not chosen or name in chosen):
            found = [measured(known, shape, ROWS[size], RUNS[size]) for shape in (ROWS[size], OBJECTS)]
            speeds = " | ".join(f"{lines / cpu:,.0f}" for lines, cpu in found)
            print(f"| `{name}` | {found[0][0]:,} | {speeds} |", flush=True)


def measured(known: Platform, distinct: int, rows: int, runs: int) -> tuple[int, float]:
    """Lines that were read, and the least CPU seconds that it took."""
    text = render("leaf1", known, "acl", [table(known, family, rows, distinct) for family in (4, 6)]).text
    least, total = float("inf"), 0
    for _ in range(runs):
        _reader.cache_clear()
        reader(known.kinds["acl"].reader)
        gc.collect()
        started = time.process_time()
        reading = read(known, "acl", text, "text")
        least = min(least, time.process_time() - started)
        if reading.read != reading.total:
            raise ValueError(f"{known.name}: {reading.read} of {reading.total} lines were read")
        total = reading.total
    return total, least


def table(known: Platform, family: Family, rows: int, distinct: int) -> Table:
    """One list bound to an interface; each entry is a rule of its own, from a network to a host."""
    port = "Ethernet4" if known.name == "sonic" else "Vlan120"
    capability = replace(known.kinds["acl"].capability, groups=())
    gate = Gate(f"leaf1/{port}/in", "leaf1", known.name, "acl", port, "in", (family,), "bench", ("desks",), capability)
    entries = tuple(entry(number, distinct, family) for number in range(rows))
    return Table(gate, "bench", family, Law(family, (entries, ())), entries)


def entry(number: int, distinct: int, family: Family) -> Entry:
    """A permit of one TCP port between a network of 16 addresses and a host; no two are the same."""
    source, host = BASES[family]
    first = source + number % distinct * 16
    target = host + (number + number // distinct) % distinct
    port: Span = (10_000 + number % SERVICES,) * 2
    box: Box = ((6, 6), (target, target), (first, first + 15), port, ANY_PORT, ANY_BIT, (0, 0))
    none = Addresses()
    return Entry(True, box, Rule(f"term-{number}", "policy", "allow", none, none, (), False, None))


if __name__ == "__main__":
    main()
