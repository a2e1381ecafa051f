"""`make bench`: every measurement in turn, and what they said as `benchmarks/RESULTS.md`.

    python -m benchmarks [--size quick|full] [NAME ...]

Those in folders (``xdp/xdp``, which wants root and ten minutes) run with ``full`` or when they are named. A measurement
is a module `bench_NAME` that reads SIZE from its surroundings and prints Markdown or plain lines. They judge nothing. The
report is written after each of them, so that a run that is broken off leaves what it had.
Pictures go beside the report, as SVG text.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import machine

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "RESULTS.md"
PLOTS = {"generation": "growth.svg"}
SIZES = ("quick", "full")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, write, and say where; 1 when a measurement failed, which the report then says too."""
    known = measurements()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default=os.environ.get("SIZE") or "quick")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(known)}; all unless said")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(known))
    if unknown:
        parser.error(f"there is no measurement {unknown[0]}; there are {', '.join(known)}")
    chosen = given.names or [name for name in known if given.size == "full" or "/" not in name]
    lines, failed = [*head(given.size, given.names)], False
    for at, name in enumerate(chosen, 1):
        found, status = section(name, known[name], given.size)
        lines, failed = [*lines, *found], failed or bool(status)
        missing = [f"Not measured yet: {', '.join(chosen[at:])}."] if chosen[at:] else []
        RESULTS.write_text("\n".join([*lines, *missing]).rstrip() + "\n", encoding="utf-8")
        print(f"bench: {at} of {len(chosen)} measurements in {RESULTS}", flush=True)
    return int(failed)


def measurements() -> dict[str, Path]:
    """Every measurement by name: ``generation``; those in a folder with it, ``xdp/program``."""
    found = [*HERE.glob("bench_*.py"), *HERE.glob("[a-z]*/bench_*.py")]
    names = {path.relative_to(HERE).with_suffix("").as_posix().replace("bench_", ""): path for path in found}
    return dict(sorted(names.items()))


def head(size: str, names: Sequence[str]) -> Iterator[str]:
    """What was run, when and where."""
    only = f" ({', '.join(names)} only)" if names else ""
    yield "# Measured"
    yield ""
    yield f"Written by `make bench SIZE={size}`{only} on {datetime.now(UTC):%Y-%m-%d}. Every run writes it anew."
    yield ""
    yield f"Machine: {machine()}; load {os.getloadavg()[0]:.1f} at the start. Of times only CPU seconds are compared."
    yield ""


def section(name: str, path: Path, size: str) -> tuple[list[str], int]:
    """One measurement: its title, its command, and what it said."""
    inside = path.relative_to(HERE.parent)
    command = ["-m", f"benchmarks.{path.stem}"] if path.parent == HERE else [inside.as_posix()]
    shown = f"SIZE={size} python {' '.join(command)}"
    extra = ["--plot", str(HERE / PLOTS[name])] if name in PLOTS else []
    print(f"bench: {shown}", file=sys.stderr)
    started = time.monotonic()
    around = {**os.environ, "SIZE": size}
    ended = subprocess.run(
        [sys.executable, *command, *extra], cwd=HERE.parent, env=around, stdout=subprocess.PIPE, text=True, check=False
    )
    print(f"bench: {name} ended with {ended.returncode} after {time.monotonic() - started:.0f} s", file=sys.stderr)
    said = ended.stdout.rstrip()
    out = [f"## {title(path)}", ""]
    if any(line.startswith("|") for line in said.splitlines()):
        out += [f"`{shown}`:", said, ""]
    else:
        out += ["```", f"$ {shown}", said, "```", ""]
    if ended.returncode:
        out += [f"It FAILED with exit status {ended.returncode}.", ""]
    if name in PLOTS:
        out += [f"![{name}]({PLOTS[name]})", ""]
    return out, ended.returncode


def title(path: Path) -> str:
    """The first sentence of the module."""
    told = ast.get_docstring(ast.parse(path.read_text())) or path.stem
    return told.splitlines()[0].rstrip(".:")


if __name__ == "__main__":
    sys.exit(main())
