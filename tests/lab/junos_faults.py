"""Every fault of the simulated Junos switch at every step of a push: is what the push says what the switch runs?

Run as a program it goes through the whole table: ``python -m tests.lab.junos_faults``. The tests take some of it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from configlet.model.plan import Outcome
from tests.lab.junos_bench import NEW, OLD, JunosBench, change, junos_switch
from tests.lab.platform_bench import lines
from tests.lab.push_faults import STEPS, TIMER, Seen, main

REQUESTS = range(1, 30)
"""Requests of a push, from the first session to the last answer, and some more."""
STATEMENTS = range(1, 20)
ONCE: dict[str, tuple[str, ...]] = {
    "drop-session": tuple(map(str, REQUESTS)),
    "reject-line": tuple(map(str, STATEMENTS[::3])),
}
"""Faults that wait for their request or statement, counted from the beginning of the push."""
FAULTS: dict[str, tuple[str, ...]] = {
    "reject-line": ("8443", "next-header"),
    "drop-after-commit": ("5", "200", "2000"),
    "refuse-commit": ("",),
    "stall": ("6", "90"),
    "slow-aaa": ("30",),
    "hold-lock": ("timer", "lock"),
    "dirty-candidate": ("",),
    "warn-commit": ("warning", "error"),
    "ignore-acl": ("",),
    "unbind": ("Vlan120 in",),
    "reboot": ("1", "900"),
}
"""Faults that begin at a step."""
SMALL = (
    ("drop-session", "14", "check"), ("drop-session", "15", "check"), ("reject-line", "8", "check"),
    ("hold-lock", "lock", "commit"), ("hold-lock", "timer", "check"), ("dirty-candidate", "", "confirm"),
    ("reboot", "1", "probe"), ("drop-after-commit", "200", "commit"), ("refuse-commit", "", "commit"),
    ("warn-commit", "warning", "stage"), ("warn-commit", "error", "commit"), ("unbind", "Vlan120 in", "probe"),
)  # fmt: skip


def cases() -> Iterator[tuple[str, str, str]]:
    for fault, args in ONCE.items():
        yield from ((fault, arg, STEPS[0]) for arg in args)
    for fault, args in FAULTS.items():
        for arg in args:
            # Nobody can lock, or start a timer, while we hold the lock: the fault comes when the session is over.
            yield from ((fault, arg, step) for step in STEPS)


def one(root: Path, fault: str, arg: str, step: str) -> Seen:
    """A push from OLD to NEW during which a fault begins at a step, and what became of it."""
    from configlet.model.problem import Refused

    started, begun = time.monotonic(), []  # type: tuple[float, list[str]]
    with junos_switch(root) as bench:
        bench.start(OLD)
        first, wanted = bench.switch.running_text(), change("leaf1", bench.switch.running_text(), NEW)

        def at(now: str) -> None:
            if now == step and not begun:
                begun.append(now)
                try:
                    bench.switch.fault(fault, arg)
                except Refused as refused:  # the switch is locked by us, so that nobody else can do this
                    assert bench.switch._state.owner, refused

        outcome = bench.push(wanted, seconds=TIMER, at=at)
        false = list(wrong(bench, outcome, wanted.before, wanted.after, first, fault))
        left = bench.left
        bench.switch.fault("clear")
        time.sleep(0.0 if outcome.result != "Unknown" else TIMER / bench.switch.speed + 1)
        later = bench.recover() if left else ()
        if outcome.result == "Unknown" and not left:
            false.append("it is unknown, and nobody will ask again")
        for answer in later:
            false += wrong(bench, answer, wanted.before, wanted.after, first, fault)
        false += ended(bench, wanted.before, wanted.after, fault)
        if bench.traces and not false:
            mended = bench.bring(NEW)  # a push takes away what an earlier one left
            false += ["nothing can be pushed any more"] * (mended.result != "Kept")
        false += [f"left behind: {trace}" for trace in bench.traces]
    return Seen(fault, arg, step, outcome, later, tuple(false), time.monotonic() - started)


def wrong(bench: JunosBench, outcome: Outcome, old: str, new: str, first: str, fault: str) -> Iterator[str]:
    """What is false of an outcome, asked of the switch itself. Unknown says nothing, so it cannot be false."""
    if outcome.result == "Kept" and bench.runs != new:
        yield "kept, and does not run"
    if outcome.result in ("Reverted", "Untouched") and fault != "unbind":
        if bench.runs != old:
            yield f"{outcome.result}, and runs something else"
        if lines(bench.switch.running_text()) != lines(first):
            yield f"{outcome.result}, and something is left in what runs"
    if "theirs" in bench.switch.running_text():
        yield "what somebody else left in the candidate was committed"
    if outcome.result != "Unknown" and bench.switch._state.pending and fault != "hold-lock":
        yield f"{outcome.result}, and a timer still runs"


def ended(bench: JunosBench, old: str, new: str, fault: str) -> Iterator[str]:
    """What is false in the end, when the fault is over and everybody who was to be asked was asked."""
    if bench.left:
        yield "recover leaves something to ask"
    if bench.runs not in (old, new) and fault != "unbind":
        yield "neither old nor new runs"
    yield from (f"left behind: {trace}" for trace in bench.traces if fault != "unbind")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], one, cases(), SMALL))
