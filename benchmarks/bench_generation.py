"""From a policy in YAML to text, beside Aerleon, Capirca and PyAVD on the same policy, and how our cost grows.

    python -m benchmarks.bench_generation [--size quick|full] [--json] [--plot FILE.svg] [--only terms]

What each run gave is said at once on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.generation import OURS, Row, command, groups, growth, per_term, ratio, side_by_side, spread
from benchmarks.measure import Cost, machine
from benchmarks.peers import AERLEON, CAPIRCA, PEERS
from benchmarks.plot import lines_svg

COUNT = {"quick": 1_000, "full": 20_000}
RULES = {"quick": 20, "full": 100}
RUNS = {"quick": 1, "full": 3}
SIZES = {"quick": (1_000, 5_000, 10_000), "full": (1_000, 5_000, 20_000, 50_000, 100_000)}
PLATFORMS = ("eos", "ios", "nftables")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=sorted(COUNT), default=os.environ.get("SIZE", "quick"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--only", choices=["terms"], help="Leave out the peers but Aerleon and Capirca, and groups.")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="configlet-bench-") as scratch:
        peers = (AERLEON, CAPIRCA) if given.only else PEERS
        rows = list(side_by_side(COUNT[given.size], RUNS[given.size], Path(scratch), peers))
        products = [] if given.only else list(groups(RULES[given.size], RUNS[given.size], Path(scratch)))
        found = {p: growth(p, SIZES[given.size], RUNS[given.size], Path(scratch)) for p in PLATFORMS}
    if given.plot:
        given.plot.write_text(plot(found))
    if given.json:
        print(json.dumps(data(rows, products, found), indent=1))
    else:
        print("\n".join((*markdown(given.size, rows, products), *growing(found))))


def data(rows: Sequence[Row], products: Sequence[Row], found: dict[str, dict[int, Cost]]) -> dict[str, object]:
    """Everything for machines."""
    return {
        "machine": machine(),
        "rows": [{**asdict(row), "ratio": ratio(rows, row.case, row.tool)} for row in rows],
        "groups": [{**asdict(row), "ratio": ratio(products, row.case, row.tool)} for row in products],
        "growth": {p: {str(size): asdict(cost) for size, cost in costs.items()} for p, costs in found.items()},
        "spread": {p: spread(per_term(costs)) for p, costs in found.items()},
    }


def markdown(size: str, rows: Sequence[Row], products: Sequence[Row]) -> Iterator[str]:
    """The tables of the report, beside the peers."""
    peers = ", ".join(peer.requirement.replace("==", " ") for peer in PEERS)
    runs = RUNS[size]
    yield f"{COUNT[size]:,} terms of shape *u* (own /28 source, own destination, one of 200 services), each one entry."
    yield f"Ours: `{shlex.join(command()[3:])}`, that is read, fit, render, read back, prove and write."
    yield f"Peers generate only: {peers}. Fresh processes, CPU seconds are user + system; ours is the median of {runs}"
    yield "runs before, between and behind those of the peers, each of which is run once."
    yield ""
    yield from table(rows)
    yield ""
    yield f"Shape *o*: {RULES[size]} rules, each from 100 hosts to 10, out of 1,000 (`python -m benchmarks.bench_generation`):"
    yield ""
    yield from table(products)


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One row for each tool of each case."""
    yield "| case | tool | CPU s | peak MiB | times ours | lines | its text |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        times, said = ratio(rows, row.case, row.tool) or 0, row.said or "the same flows"
        cost = f"{row.cost.cpu:.2f} | {row.cost.peak:.0f} | {times:.1f}"
        yield f"| {row.case} | {row.tool} | {cost} | {row.lines:,} | {said} |"


def growing(found: dict[str, dict[int, Cost]]) -> Iterator[str]:
    """How our cost grows."""
    yield from ("", f"How {OURS} grows (CPU s / peak MiB):", "", "| terms | " + " | ".join(found) + " |")
    yield "|---|" + "---|" * len(found)
    for count in next(iter(found.values())):
        cells = " | ".join(f"{costs[count].cpu:.2f} / {costs[count].peak:.0f}" for costs in found.values())
        yield f"| {f'{count:,}' if count else '1 (start-up)'} | {cells} |"
    for platform, costs in found.items():
        each = ", ".join(f"{size:,}: {1e6 * cost:.0f}" for size, cost in per_term(costs).items())
        yield f"\n{platform}: µs a term without the start-up: {each}; spread ±{spread(per_term(costs)):.0%}."


def plot(found: dict[str, dict[int, Cost]]) -> str:
    """Growth as a picture."""
    series = {p: [(size, cost.cpu) for size, cost in costs.items()] for p, costs in found.items()}
    return lines_svg("from YAML to proven text", "terms", "CPU seconds", series)


if __name__ == "__main__":
    main()
