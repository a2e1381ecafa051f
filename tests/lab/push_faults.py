"""A table of pushes, each with one fault at one step: what was said of it, and what is false of that."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from configlet.model.plan import Outcome
from tests.lab.eos_bench import PASSWORD, USER

STEPS = ("check", "stage", "commit", "probe", "confirm")
TIMER = 600
"""Seconds of the device's own timer, shorter than the longest faults."""
Case = tuple[str, str, str]
"""A fault, its argument, and the step at which it begins."""


@dataclass(frozen=True)
class Seen:
    """One push with one fault: what it said, and what is false of that (nothing, it is to be hoped)."""

    fault: str
    arg: str
    step: str
    outcome: Outcome
    later: tuple[Outcome, ...]
    false: tuple[str, ...]
    seconds: float


One = Callable[[Path, str, str, str], Seen]


def seen_in(one: One, case: Case) -> Seen:
    """One case in a folder of its own."""
    os.environ |= {"BENCH_USERNAME": USER, "BENCH_PASSWORD": PASSWORD}
    with tempfile.TemporaryDirectory() as place:
        return one(Path(place), *case)


def table(one: One, chosen: Iterable[Case], at_once: int = 4) -> Iterator[Seen]:
    """Many cases side by side; they mostly wait."""
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(seen_in, one), chosen)


def main(words: list[str], one: One, cases: Iterable[Case], small: Sequence[Case]) -> int:
    """The whole table, the small one, or that of some faults; 1 when anything false was said."""
    results: Counter[str] = Counter()
    bad = 0
    chosen = small if words == ["small"] else [case for case in cases if not words or case[0] in words]
    for seen in table(one, chosen):
        results[seen.outcome.result] += 1
        bad += bool(seen.false)
        later = " ".join(answer.result for answer in seen.later)
        sys.stdout.write(
            f"{seen.fault:<18}{seen.arg:<12}{seen.step:<9}{seen.outcome.result:<10}{later:<10}{seen.seconds:5.1f} s  "
            f"{'FALSE: ' * bool(seen.false)}{'; '.join(seen.false) or seen.outcome.reason[:110]}\n",
        )  # fmt: skip
        sys.stdout.flush()
    sys.stdout.write(f"{sum(results.values())} pushes, {dict(results)}, {bad} false\n")
    return 1 if bad else 0
