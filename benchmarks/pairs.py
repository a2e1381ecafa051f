"""What a proof takes of pairs of long lists in many shapes, in the same words and in others; those over the limits are named.

    python benchmarks/pairs.py [--shapes ranges,prefixes] [--ways halved] [--families 4]

A text of up to 30,000 rows is asked to take 0.5 s of CPU, a longer one 1 s; each 100 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "builder"), str(ROOT)]

from tests.laws.walk_shapes import SHAPES, WAYS, mixed  # noqa: E402 - of the checkout that this file is in

LONG, PEAK = 30_000, 100
SECONDS = 120


def measured(shape: str, way: str, family: str) -> tuple[str, bool]:
    """One line about a pair, and whether it kept its limits."""
    around = {**os.environ, "PYTHONPATH": f"{ROOT / 'builder'}:{ROOT}"}
    command = [sys.executable, "-m", "tests.laws.walk_size", f"{shape}-{way}", family]
    try:
        ended = subprocess.run(command, cwd=ROOT, env=around, stdout=subprocess.PIPE, text=True, check=True, timeout=SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        return f"{shape:10} {way:10} v{family}  {type(error).__name__}", False
    seen = json.loads(ended.stdout)
    limit = 0.5 if seen["text"] <= LONG else 1.0
    kept = max(seen["equal"], seen["unequal"]) < limit and seen["peak"] < PEAK
    sizes = f"{sum(seen['law']):6,} against {seen['text']:6,}"
    costs = f"{seen['equal']:.2f} s equal  {seen['unequal']:.2f} s unequal  {seen['peak']:3} MB"
    return f"{shape:10} {way:10} v{family}  {sizes}  {costs}  {'' if kept else 'OVER'}", kept


def main() -> int:
    """Measure each pair in a process of its own; 1 where any is over its limits."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--shapes", default=",".join(shape.__name__ for shape in (*SHAPES, mixed)))
    asked.add_argument("--ways", default=",".join(way.__name__ for way in WAYS))
    asked.add_argument("--families", default="4,6")
    given = asked.parse_args()
    pairs = ((s, w, f) for s in given.shapes.split(",") for w in given.ways.split(",") for f in given.families.split(","))
    over = 0
    for pair in pairs:
        line, kept = measured(*pair)
        print(line, flush=True)
        over += not kept
    print(f"{over} over their limits")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
