"""From a policy in YAML to text, beside Aerleon, Capirca and PyAVD on the same policy, and how our cost grows.

    python -m benchmarks.bench_generation [--size quick|full] [--json] [--plot FILE.svg]
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.generation import OURS, Row, command, growth, per_term, ratio, side_by_side, spread
from benchmarks.measure import Cost, machine
from benchmarks.peers import PEERS
from benchmarks.plot import lines_svg

COUNT = {"quick": 1_000, "full": 20_000}
RUNS = {"quick": 1, "full": 3}
SIZES = {"quick": (1_000, 5_000, 10_000), "full": (1_000, 5_000, 10_000, 20_000, 50_000, 100_000)}
PLATFORMS = ("eos", "ios", "nftables")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=sorted(COUNT), default=os.environ.get("SIZE", "quick"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="configlet-bench-") as scratch:
        rows = list(side_by_side(COUNT[given.size], RUNS[given.size], Path(scratch)))
        found = {p: growth(p, SIZES[given.size], RUNS[given.size], Path(scratch)) for p in PLATFORMS}
    if given.plot:
        given.plot.write_text(plot(found))
    print(json.dumps(data(rows, found), indent=1) if given.json else "\n".join(markdown(given.size, rows, found)))


def data(rows: Sequence[Row], found: dict[str, dict[int, Cost]]) -> dict[str, object]:
    """Everything for machines."""
    return {
        "machine": machine(),
        "rows": [{**asdict(row), "ratio": ratio(rows, row.case, row.tool)} for row in rows],
        "growth": {p: {str(size): asdict(cost) for size, cost in costs.items()} for p, costs in found.items()},
        "spread": {p: spread(per_term(costs)) for p, costs in found.items()},
    }


def markdown(size: str, rows: Sequence[Row], found: dict[str, dict[int, Cost]]) -> list[str]:
    """The tables of the report."""
    peers = ", ".join(peer.requirement.replace("==", " ") for peer in PEERS)
    out = [
        f"{COUNT[size]:,} terms of shape *u* (own /28 source, own destination, one of 200 services), each one entry.",
        f"Ours: `{shlex.join(command()[3:])}`, that is read, fit, render, read back, prove and write.",
        f"Peers generate only: {peers}. Fresh processes in turns, CPU seconds are user + system, median of {RUNS[size]}.",
        "",
        "| case | tool | CPU s | peak MiB | times ours | its text |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        times = ratio(rows, row.case, row.tool) or 0
        said = row.said or "the same flows"
        out.append(f"| {row.case} | {row.tool} | {row.cost.cpu:.2f} | {row.cost.peak:.0f} | {times:.1f} | {said} |")
    sizes = [size for size in next(iter(found.values())) if size]
    out += ["", f"How {OURS} grows (CPU s / peak MiB):", "", "| terms | " + " | ".join(found) + " |"]
    out.append("|---|" + "---|" * len(found))
    for count in (0, *sizes):
        cells = " | ".join(f"{costs[count].cpu:.2f} / {costs[count].peak:.0f}" for costs in found.values())
        out.append(f"| {f'{count:,}' if count else '1 (start-up)'} | {cells} |")
    for platform, costs in found.items():
        each = ", ".join(f"{size:,}: {1e6 * cost:.0f}" for size, cost in per_term(costs).items())
        out.append(f"\n{platform}: µs a term without the start-up: {each}; spread ±{spread(per_term(costs)):.0%}.")
    return out


def plot(found: dict[str, dict[int, Cost]]) -> str:
    """Growth as a picture."""
    series = {p: [(size, cost.cpu) for size, cost in costs.items()] for p, costs in found.items()}
    return lines_svg("from YAML to proven text", "terms", "CPU seconds", series)


if __name__ == "__main__":
    main()
