"""Whatever breaks off wherever, the outcomes of a push are true, and `recover` brings each device to old or new.

The devices here are values in memory that keep their promises exactly; what fails is the way to them.
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configlet.drivers.base import Driver, Lost, Rejected, Target, Unreachable
from configlet.journal import opened, read, unfinished
from configlet.model.plan import Change, Outcome, Plan
from configlet.model.problem import Refused
from configlet.push import Clock, exit_status, push, recover, waves
from tests.lab.push_bench import plan_of

VERBS = ("open", "running", "load", "commit", "confirm", "revert", "pending")
SECONDS = 60


@dataclass
class Time:
    """A clock that goes on only by sleeping, and wakes the devices."""

    now: float = 1000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Device:
    """A device that keeps its promises: sessions, one timer that it minds by itself, and a startup text."""

    time: Time
    runs: str = "old"
    starts: str = "old"
    staged: dict[str, str] = field(default_factory=dict)
    timer: tuple[str, str, float] | None = None
    calls: int = 0
    faults: Mapping[int, str] = field(default_factory=dict)
    dark_until: float = 0.0

    def mind(self) -> None:
        if self.timer and self.time.now >= self.timer[2]:
            self.runs, self.timer = self.timer[1], None


@dataclass
class Line:
    """A driver to such a device. At the calls that the device's faults name, the connection is lost."""

    device: Device
    token: str

    def _verb(self, act: Callable[[], Any]) -> Any:
        device = self.device
        device.mind()
        if device.time.now < device.dark_until:
            raise Lost("nothing answers")
        device.calls += 1
        fault = device.faults.get(device.calls, "")
        if fault:
            dark = {"long": 1000.0, "brief": SECONDS + 4.0}.get(fault.split()[-1], 0.0)
            device.dark_until = device.time.now + dark
        if "before" in fault:
            raise Lost("cut before it happened")
        saved, done = device.starts, act()
        if "within" in fault:
            device.starts = saved
        if fault:
            raise Lost("cut after it happened")
        return done

    def running(self) -> str:
        return str(self._verb(lambda: self.device.runs))

    def load(self, change: Change) -> str:
        return str(self._verb(lambda: self.device.staged.update({self.token: change.load}) or "diff"))

    def commit(self, seconds: int) -> str:
        def act() -> str:
            device = self.device
            device.timer = (self.token, device.runs, device.time.now + seconds)
            device.runs = device.staged.pop(self.token)
            return self.token

        return str(self._verb(act))

    def confirm(self, token: str) -> None:
        def act() -> None:
            if self.device.timer is None or self.device.timer[0] != token:
                raise Rejected("not pending")
            self.device.timer, self.device.starts = None, self.device.runs

        self._verb(act)

    def revert(self, token: str) -> None:
        def act() -> None:
            if self.device.timer and self.device.timer[0] == token:
                self.device.runs, self.device.timer = self.device.timer[1], None
            elif self.device.staged.pop(token, None) is None:
                raise Rejected("nothing of that name")

        self._verb(act)

    def pending(self) -> str | None:
        found: str | None = self._verb(lambda: self.device.timer and self.device.timer[0])
        return found

    def save(self) -> None:
        def act() -> None:
            self.device.starts = self.device.runs

        self._verb(act)

    def close(self) -> None:
        pass


def canonical(platform: str, kind: str, text: str) -> str:
    return text


def change(owner: str, kind: str = "acl") -> Change:
    return Change(owner, "eos", kind, "old", "new", "new", "old", "diff")


@dataclass
class World:
    """Some devices, a clock, and pushes between them."""

    place: Path
    devices: dict[str, Device]
    time: Time

    def connect(self, target: Target) -> Driver:
        device = self.devices[target.owner]
        device.mind()
        if device.time.now < device.dark_until:
            raise Unreachable("nothing answers")
        return Line(device, target.token)

    @property
    def means(self) -> dict[str, Any]:
        clock = Clock(lambda: self.time.now, self.time.sleep)
        return {"canonical": canonical, "clock": clock, "margin": 10}

    @property
    def targets(self) -> dict[str, Target]:
        return {name: Target(name, "eos", "192.0.2.1", 0, "env/X", self.place) for name in self.devices}

    def push(self, plan: Plan, **more: Any) -> tuple[Outcome, ...]:
        with opened(self.place, "dc1") as log:
            return push(plan, self.targets, self.connect, log, seconds=SECONDS, **self.means, **more)

    def recover(self) -> tuple[Outcome, ...]:
        with opened(self.place, "dc1") as log:
            return recover(self.targets, self.connect, log, **self.means)

    def check(self, outcomes: tuple[Outcome, ...]) -> None:
        """Every outcome is what the device really is, now and when all timers have run out."""
        for outcome in outcomes:
            device = self.devices[outcome.owner]
            if outcome.result == "Kept":
                assert (device.runs, device.starts, device.timer) == ("new", "new", None), outcome
            elif outcome.result in ("Reverted", "Untouched"):
                assert (device.runs, device.starts, device.timer) == ("old", "old", None), outcome


def world(place: Path, faults: Mapping[str, Mapping[int, str]]) -> World:
    time = Time()
    return World(place, {name: Device(time, faults=found) for name, found in faults.items()}, time)


KINDS = ("before", "within", "after", "before brief", "after brief", "before long", "within long", "after long")
"""When the connection is cut; ``within`` a confirmation, before it is saved; and for how long nothing answers."""


@pytest.mark.parametrize(("call", "kind"), list(itertools.product(range(1, 13), KINDS)))
def test_a_connection_cut_at_any_call_is_told_truly_and_recovered(tmp_path: Path, call: int, kind: str) -> None:
    found = world(tmp_path, {"leaf1": {call: kind}})
    outcomes = found.push(plan_of(change("leaf1")))
    found.check(outcomes)
    left = bool(unfinished(read(tmp_path / "journal.jsonl")))
    assert left or exit_status(outcomes) != 7
    found.time.sleep(2000)
    found.devices["leaf1"].faults = {}
    later = found.recover()
    assert bool(later) == left
    assert exit_status(later) != 7
    found.check(later)
    assert found.recover() == ()
    device = found.devices["leaf1"]
    assert device.timer is None
    assert device.runs == device.starts
    assert not device.staged


faults: Any = st.dictionaries(st.integers(1, 14), st.sampled_from(KINDS), max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.lists(faults, min_size=1, max_size=7))
def test_in_a_fleet_with_any_cuts_every_outcome_is_true(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[dict[int, str]]
) -> None:
    found = world(tmp_path_factory.mktemp("run"), {f"leaf{n}": cut for n, cut in enumerate(cuts)})
    outcomes = found.push(plan_of(*(change(name) for name in found.devices)), pairs={"leaf0": "leaf1"})
    found.check(outcomes)
    found.time.sleep(2000)
    for device in found.devices.values():
        device.faults = {}
        device.mind()
    found.recover()
    assert {device.runs for device in found.devices.values()} <= {"old", "new"}
    assert all(d.timer is None and d.runs == d.starts for d in found.devices.values())


def test_a_switch_that_is_away_until_its_timer_has_passed_is_reverted_and_not_unknown(tmp_path: Path) -> None:
    found = world(tmp_path, {"leaf1": {4: "after brief"}})
    (outcome,) = found.push(plan_of(change("leaf1")))
    assert (outcome.result, "its own timer" in outcome.reason) == ("Reverted", True)


def test_a_change_that_somebody_else_confirmed_is_not_called_ours(tmp_path: Path) -> None:
    found = world(tmp_path, {"leaf1": {}})

    def told(owner: str, step: str, words: str) -> None:
        if step == "probe":
            found.devices[owner].timer = None

    (outcome,) = found.push(plan_of(change("leaf1")), progress=told)
    assert (outcome.result, "no timer of ours" in outcome.reason) == ("Unknown", True)


def test_a_device_that_somebody_else_brought_elsewhere_is_unknown_once_and_then_left_to_a_new_plan(
    tmp_path: Path,
) -> None:
    found = world(tmp_path, {"leaf1": {5: "after long"}})
    assert found.push(plan_of(change("leaf1")))[0].result == "Unknown"
    found.time.sleep(2000)
    device = found.devices["leaf1"]
    device.mind()
    device.runs = "other"
    assert [outcome.result for outcome in found.recover()] == ["Unknown"]
    assert found.recover() == ()


def test_the_first_red_takes_its_wave_back_and_ends_the_push(tmp_path: Path) -> None:
    names = [f"leaf{n}" for n in range(9)]
    found = world(tmp_path, {name: {} for name in names})

    def probe(target: Target, change: Change, driver: Driver) -> None:
        if target.owner == "leaf3":
            raise Rejected("no packet came through")

    results = [o.result for o in found.push(plan_of(*map(change, names)), probe=probe)]
    assert results == ["Kept"] + ["Reverted"] * 5 + ["Untouched"] * 3
    found.check(found.push(plan_of(*map(change, names[6:]))))


def test_a_red_canary_is_all_that_was_touched(tmp_path: Path) -> None:
    found = world(tmp_path, {f"leaf{n}": {} for n in range(4)})

    def probe(target: Target, change: Change, driver: Driver) -> None:
        raise ValueError("a probe of somebody's own with a fault in it")

    outcomes = found.push(plan_of(*map(change, found.devices)), probe=probe)
    assert [o.result for o in outcomes] == ["Reverted", "Untouched", "Untouched", "Untouched"]
    assert "ValueError" in outcomes[0].reason
    assert all(device.calls == 2 for name, device in found.devices.items() if name != "leaf0")


def test_one_stale_device_keeps_all_others_untouched(tmp_path: Path) -> None:
    found = world(tmp_path, {f"leaf{n}": {} for n in range(4)})
    found.devices["leaf2"].runs = "other"
    outcomes = found.push(plan_of(*map(change, found.devices)))
    assert {o.result for o in outcomes} == {"Untouched"}
    assert exit_status(outcomes) == 1
    assert "stale" in outcomes[2].reason
    assert "leaf2" in outcomes[0].reason


def test_an_interruption_leaves_what_was_not_confirmed_to_the_timer_and_to_recover(tmp_path: Path) -> None:
    found = world(tmp_path, {"leaf1": {}, "leaf2": {}})

    def told(owner: str, step: str, words: str) -> None:
        if step == "probe":
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        found.push(plan_of(change("leaf1"), change("leaf2")), progress=told)
    assert found.devices["leaf1"].timer is not None
    assert [o.result for o in found.recover()] == ["Reverted", "Untouched"]
    assert (found.devices["leaf1"].runs, found.devices["leaf2"].runs) == ("old", "old")


def test_a_journal_that_cannot_be_written_stops_before_the_commit(tmp_path: Path) -> None:
    import os

    found = world(tmp_path, {"leaf1": {}})
    with pytest.raises(Refused, match="cannot be written"), opened(tmp_path, "dc1") as log:

        def full(owner: str, step: str, words: str) -> None:
            if step == "commit":
                handle = os.open("/dev/full", os.O_WRONLY)
                os.dup2(handle, log._file)
                os.close(handle)

        push(plan_of(change("leaf1")), found.targets, found.connect, log, seconds=9, progress=full, **found.means)
    assert (found.devices["leaf1"].runs, found.devices["leaf1"].timer) == ("old", None)


@given(
    st.dictionaries(st.integers(0, 90), st.sampled_from(["acl", "filter-table"]), min_size=1, max_size=90),
    st.dictionaries(st.integers(0, 90), st.integers(0, 90), max_size=60),
)
def test_waves_hold_every_device_once_a_canary_first_and_never_a_pair(
    kinds: dict[int, str], numbers: dict[int, int]
) -> None:
    pairs = {str(one): str(other) for one, other in numbers.items()}
    changes = [change(str(number), kind) for number, kind in kinds.items()]
    found = waves(changes, pairs)
    assert sorted(c.owner for wave in found for c in wave) == sorted(c.owner for c in changes)
    assert len(found[0]) == 1
    for wave in found:
        owners = {c.owner for c in wave}
        assert 1 <= len(owners) <= 50
        assert not any(pairs.get(owner) in owners for owner in owners if pairs.get(owner) != owner)
    if "filter-table" in kinds.values():
        assert found[0][0].kind == "filter-table"


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ("", 0), ("Kept Kept", 0), ("Untouched", 1), ("Kept Untouched", 4), ("Reverted Untouched", 4),
        ("Kept Reverted", 4), ("Kept Unknown Reverted", 7),
    ],
)  # fmt: skip
def test_exit_statuses(results: str, status: int) -> None:
    assert exit_status(Outcome("leaf1", result, "") for result in results.split()) == status  # type: ignore[arg-type]
