"""Long runs of what reads an inventory without the parser's word: files changed by chance, read evidently and strictly, with
a new seed each round.

``python soak/soak_yaml.py``  for CONFIGLET_SOAK seconds (600), or until CONFIGLET_DOCUMENTS files were looked at
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "builder"), str(ROOT)]

EACH, ROUNDS = 50, 40


def soak(seconds: float, documents: int | None) -> None:
    """Rounds until it is enough; an AssertionError shows the file, the line before it the seed."""
    from tests.laws.test_evident import round_of

    seed, end, fared = int(time.time()), time.monotonic() + seconds, Counter[str]()
    while time.monotonic() < end if documents is None else fared.total() < documents:
        print(f"seed {seed}: {dict(fared)}", flush=True)
        dice = random.Random(seed)
        for _ in range(ROUNDS):
            fared += round_of(dice, EACH)
        seed += 1
    print(f"{dict(fared)}; nobody disagreed")


if __name__ == "__main__":
    wanted = os.environ.get("CONFIGLET_DOCUMENTS")
    soak(float(os.environ.get("CONFIGLET_SOAK", "600")), int(wanted) if wanted else None)
