"""Long runs of the reader of hosts' tables, with a new seed each round: packet by packet before a second opinion of what the
kernel does, and texts changed by chance, read the quick ways and line by line.

``python soak/soak_reading.py``  for CONFIGLET_SOAK seconds (600)
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

TABLES, PACKETS, CHANGED = 1_000, 40, 4


def soak(seconds: float) -> None:
    """Rounds until the time is over; an AssertionError names the packet and the text, the line before it the seed."""
    from configlet.readers.filter_table import FilterTableReader
    from tests.laws.test_reading_at_once import GRAMMAR, by_lines, read_by, spoilt
    from tests.laws.test_reading_packets import called, judged
    from tests.laws.test_reading_thin import odd

    seed, end, fared = int(time.time()), time.monotonic() + seconds, Counter[str]()
    while time.monotonic() < end:
        print(f"seed {seed}: {said(fared)}", flush=True)
        dice, reader = random.Random(seed), FilterTableReader(GRAMMAR)
        for _ in range(TABLES):
            text = called(dice)
            fared[judged(reader, text, dice, PACKETS)] += 1
            for _ in range(CHANGED):
                other = (spoilt if dice.random() < 0.3 else odd)(dice, text)
                assert read_by(reader, other) == by_lines(other), other
                fared["changed"] += 1
            if time.monotonic() >= end:
                break
        seed += 1
    print(f"{said(fared)}; nobody disagreed")


def said(fared: Counter[str]) -> str:
    """What was looked at so far."""
    return (
        f"{fared['read']} tables by {PACKETS} packets each ({fared['refused']} refused, {fared['unknown']} unknown to the "
        f"judge), {fared['changed']} changed texts line by line"
    )


if __name__ == "__main__":
    soak(float(os.environ.get("CONFIGLET_SOAK", "600")))
