"""Every fault of the simulated IOS-XE switch at every step of a push: is what the push says what the switch runs?

Run as a program it goes through the whole table: ``python -m tests.lab.ios_faults``. The tests take some of it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from configlet.drivers.ios import IosDriver
from configlet.model.plan import Outcome
from tests.lab.ios_bench import NEW, OLD, IosBench, change, ios_switch
from tests.lab.platform_bench import lines
from tests.lab.push_faults import STEPS, TIMER, Seen, main

LINES = range(1, 60)
"""Lines that a push of these lists sends, from the first login to the last answer, and one more."""
EDITS = range(1, 18)
"""Those of them that change the configuration, and one more."""
ONCE: dict[str, tuple[str, ...]] = {
    "drop-session": tuple(map(str, LINES)),
    "reject-line": tuple(map(str, EDITS)),
    "log-line": tuple(map(str, LINES[::3])),
}
"""Faults that wait for their line, counted from the beginning of the push."""
FAULTS: dict[str, tuple[str, ...]] = {
    "reject-line": ("sequence", "eq 8443", "no [0-9]", "access-group|traffic-filter", "alias", "no alias", "^end"),
    "drop-after-commit": ("5", "200", "2000"),
    "refuse-commit": ("",),
    "stall": ("6", "30", "90"),
    "slow-aaa": ("30",),
    "hold-lock": ("timer", "lock"),
    "ask-enable": ("",),
    "ignore-acl": ("",),
    "unbind": ("Vlan120 in",),
    "reboot": ("1", "900"),
}
"""Faults that begin at a step."""
SMALL = (
    ("drop-session", "19", "check"), ("drop-session", "35", "check"), ("drop-session", "49", "check"),
    ("reject-line", "8", "check"), ("hold-lock", "timer", "commit"), ("reboot", "1", "probe"),
    ("drop-after-commit", "200", "commit"), ("log-line", "25", "check"),
)  # fmt: skip


def cases() -> Iterator[tuple[str, str, str]]:
    for fault, args in ONCE.items():
        yield from ((fault, arg, STEPS[0]) for arg in args)
    for fault, args in FAULTS.items():
        for arg in args:
            # Nobody can start a second timer while ours runs.
            for step in STEPS[:3] if (fault, arg) == ("hold-lock", "timer") else STEPS:
                yield fault, arg, step


def one(root: Path, fault: str, arg: str, step: str) -> Seen:
    """A push from OLD to NEW during which a fault begins at a step, and what became of it."""
    started = time.monotonic()
    with ios_switch(root) as bench:
        bench.start(OLD)
        first, wanted = bench.switch.running_text(), change("leaf1", bench.switch.running_text(), NEW)

        def at(now: str) -> None:
            if now == step and not bench.switch.faults():
                bench.switch.fault(fault, arg)

        took = entered(bench)
        IosDriver.clock = staticmethod(lambda: time.monotonic() * bench.switch.speed)
        outcome = bench.push(wanted, seconds=TIMER, at=once(at, step))
        IosDriver.clock = staticmethod(time.monotonic)
        false = list(wrong(bench, outcome, wanted.before, wanted.after, first, fault))
        if outcome.result == "Untouched" and took:
            false.append(f"untouched, and took {took}")
        left = bench.left
        bench.switch.fault("clear")
        time.sleep(0.0 if outcome.result != "Unknown" else TIMER / bench.switch.speed + 1)
        later = bench.recover() if left else ()
        if outcome.result == "Unknown" and not left:
            false.append("it is unknown, and nobody will ask again")
        for answer in later:
            false += wrong(bench, answer, wanted.before, wanted.after, first, fault)
        if bench.traces and not false:
            bench.bring(OLD if bench.runs == wanted.after else NEW)  # a push takes away what an earlier one left
        false += ended(bench, wanted.before, wanted.after, fault)
    return Seen(fault, arg, step, outcome, later, tuple(false), time.monotonic() - started)


def entered(bench: IosBench) -> list[str]:
    """The lines of configuration that the switch takes from now on."""
    took: list[str] = []
    refuses = bench.switch._state.refuses

    def asked(line: str) -> bool:
        refused = refuses(line)
        took.extend([line] * (not refused))
        return refused

    bench.switch._state.refuses = asked
    return took


def once(act: object, step: str) -> object:
    """The same, but only the first time that the step begins."""
    seen: list[str] = []

    def told(now: str) -> None:
        if now == step and not seen:
            seen.append(now)
            act(now)  # type: ignore[operator]

    return told


def wrong(bench: IosBench, outcome: Outcome, old: str, new: str, first: str, fault: str) -> Iterator[str]:
    """What is false of an outcome, asked of the switch itself. Unknown says nothing, so it cannot be false."""
    if outcome.result == "Kept":
        if bench.runs != new:
            yield "kept, and does not run"
        if bench.starts != new:
            yield "kept, and not saved"
    if outcome.result in ("Reverted", "Untouched"):
        if bench.runs != old and fault != "unbind":
            yield f"{outcome.result}, and runs something else"
        if bench.starts != old:
            yield f"{outcome.result}, and something else was saved"
        if lines(bench.switch.running_text()) != lines(first) and fault not in ("unbind", "hold-lock"):
            yield f"{outcome.result}, and something is left in what runs"
    if outcome.result != "Unknown" and bench.switch._state.timer and fault != "hold-lock":
        yield f"{outcome.result}, and a timer still runs"


def ended(bench: IosBench, old: str, new: str, fault: str) -> Iterator[str]:
    """What is false in the end, when the fault is over and everybody who was to be asked was asked."""
    if bench.left:
        yield "recover leaves something to ask"
    if bench.runs not in (old, new) and fault != "unbind":
        yield "neither old nor new runs"
    if bench.starts != bench.runs and fault not in ("unbind", "reboot"):
        yield "what runs is not what it would start with"
    yield from (f"left behind: {trace}" for trace in bench.traces)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], one, cases(), SMALL))
