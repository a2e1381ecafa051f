"""Tables into a host's NICs over real SSH, with simulated tools: kept, taken back by the host's own timer, or refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from configlet import drivers, readers
from configlet.drivers.base import Driver, Rejected, TakenBack
from configlet.hostside import nic as hostside
from configlet.hostside.changes import Stop
from configlet.journal import folder, opened
from configlet.lab.nic.flower import FlowerNic
from configlet.lab.nic.ntuple import NtupleNic
from configlet.model.plan import Change, Outcome
from configlet.model.policy import Packet
from configlet.push import push
from configlet.push.means import Takes, at_once
from configlet.readers.sections import owned
from configlet.render import render
from tests.builders import platform, rows
from tests.lab.push_bench import Bench, Host, bench, host, needs_namespaces, plan_of, wait_until
from tests.nic.ground import LOCALS, Local, tables
from tests.nic.tools import Tools, tools
from tests.xdp.frames import frame

__all__ = ["bench"]
NOTHING, MINE, HERE = Local(6, (), ()), (LOCALS[4], LOCALS[4]), "192.0.2.11"
BOTH = ("ntuple", "tcflower")
NICS = {"ntuple": NtupleNic, "tcflower": FlowerNic}
pytestmark = needs_namespaces


def text(name: str, *said: str, binding: str = "ens1") -> str:
    of = platform(name)
    return render("me1", of, "filter-table", tables(of, [Local(4, (MINE,), rows(said)), NOTHING], binding, ("in",))).text


def syn(last: int) -> bytes:
    """The first packet of 10.0.0.LAST to port 22."""
    return frame(Packet("r", 4, 6, 0x0A000000 + last, LOCALS[4], 40000, 22, False, False), random.Random(1), 0.0)


def canonical(name: str, kind: str, shown: str) -> str:
    return readers.read(platform(name), kind, owned(platform(name), kind, shown), "text").canonical


def meaning(name: str, said: str) -> str:
    return canonical(name, "filter-table", said)


def change(name: str, before: str, after: str) -> Change:
    old, new = meaning(name, before), meaning(name, after)
    return Change("me1", name, "filter-table", old, new, after, old, "diff")


@contextmanager
def standing(bench: Bench, name: str, speed: int = 20, **nics: Any) -> Iterator[tuple[Host, Tools]]:
    """A host whose NICs are simulated, behind real SSH."""
    with tools(bench.root / "tools", **nics) as told, host(bench.root, speed) as found:
        found.tools = str(bench.root / "tools")
        bench.add("me1", name, found.port)
        yield found, told


def looked(bench: Bench) -> Driver:
    return drivers.opener(canonical)(replace(bench.targets["me1"], run="look"))


def pushed(bench: Bench, what: Change, seconds: int = 2000, takes: Takes = at_once) -> Outcome:
    with opened(folder(bench.root, "test"), "test") as log:
        (found,) = push(plan_of(what), bench.targets, drivers.opener(canonical), log, canonical=canonical, seconds=seconds,
                        margin=3, takes=takes, progress=lambda *words: bench.told.append(words))  # fmt: skip
    return found


def kept(driver: Driver, what: Change) -> None:
    """Everything that a push does on one connection."""
    driver.load(what)
    driver.confirm(driver.commit(2000))


@pytest.mark.parametrize("name", BOTH)
def test_a_second_change_replaces_exactly_the_first_and_nothing_else_ever_passes(bench: Bench, name: str) -> None:
    nics = {"ens1": NICS[name](), "ens2": NICS[name]()}
    denied, allowed = syn(9), syn(2)
    with standing(bench, name, **nics) as (_, told):
        first = text(name, f"permit tcp 10.0.0.1 {HERE} to 22", f"permit udp 10.0.0.1 {HERE} to 53", binding="ens1 ens2")
        second = text(name, f"permit tcp 10.0.0.2 {HERE} to 22", f"permit udp 10.0.0.1 {HERE} to 53", binding="ens1 ens2")
        kept(looked(bench), change(name, "", first))
        assert not any(nic.passes(allowed) for nic in nics.values())
        passed: list[bool] = []
        told.seen = lambda: passed.append(any(nic.passes(denied) for nic in nics.values()))
        if name == "tcflower":
            outcome = pushed(bench, change(name, first, second))
            assert outcome.result == "Kept", outcome
        else:
            kept(looked(bench), change(name, first, second))
        assert len(passed) >= 4
        assert not any(passed)
        assert all(nic.passes(allowed) for nic in nics.values())
        assert meaning(name, looked(bench).running()) == meaning(name, second)


def test_a_rule_that_no_hardware_holds_is_taken_back_and_what_cannot_go_back_stays_closed(bench: Bench) -> None:
    nic, name, allowed = FlowerNic(), "tcflower", syn(1)
    with standing(bench, name, ens1=nic) as (me1, told):
        first, second = (text(name, f"permit tcp 10.0.0.1 {HERE} to {port}") for port in ("22", "1-5"))
        driver = looked(bench)
        kept(driver, change(name, "", first))
        nic.hardware = len(nic.rules) + 2
        driver.load(change(name, first, second))
        with pytest.raises(TakenBack, match="stand in hardware"):
            driver.commit(1000)
        assert meaning(name, driver.running()) == meaning(name, first)
        assert set(driver.counters().values()) == {(2, 120)}  # type: ignore[attr-defined]
        nic.hardware, told.broken, told.after = 100, "Error: the firmware does not answer", 5
        driver.load(change(name, first, second))
        with pytest.raises(Exception, match="could not be put back yet"):
            driver.commit(20)
        assert not nic.passes(allowed)
        assert driver.pending()
        told.broken = ""
        wait_until(lambda: not (me1.state / name / "pending").exists())
        assert driver.pending() is None
        assert nic.passes(allowed)
        assert meaning(name, driver.running()) == meaning(name, first)


def test_cut_off_at_the_commit_the_host_is_asked_and_has_what_ran_before(bench: Bench) -> None:
    with standing(bench, "tcflower", ens1=FlowerNic()) as (me1, _):
        first, second = (text("tcflower", f"permit tcp 10.0.0.{n} {HERE} to 22") for n in (1, 2))
        kept(looked(bench), change("tcflower", "", first))
        me1.cut_after, me1.dark = "commit", 0.5
        outcome = pushed(bench, change("tcflower", first, second))
        assert outcome.result == "Reverted", outcome
        assert meaning("tcflower", looked(bench).running()) == meaning("tcflower", first)


def test_rules_of_somebody_else_are_not_touched_and_a_nic_that_is_not_there_is_refused(bench: Bench, tmp_path: Path) -> None:
    nic = NtupleNic()
    nic.command("flow-type tcp4 dst-port 80 action -1")
    with standing(bench, "ntuple", ens1=nic):
        for binding, why in (("ens1", "not configlet's"), ("ens7", "ethtool -n ens7")):
            new = text("ntuple", f"permit tcp 10.0.0.1 {HERE} to 22", binding=binding)
            with pytest.raises(Rejected, match=why):
                looked(bench).load(change("ntuple", "", new))
        assert len(nic.filters) == 1


@pytest.mark.parametrize("line", [
    "ethtool -K ens1 ntuple off", "ethtool -N ens1 delete 1", "ethtool -N ens1 flow-type tcp4 action 0; reboot",
    "ethtool -N --help flow-type tcp4 action 5",
])  # fmt: skip
def test_a_line_of_another_form_is_never_run(tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFIGLET_STATE_DIR", str(tmp_path))
    with pytest.raises(Stop, match="no rule that this host would load"):
        hostside.Host("ntuple").nics(f"# configlet ntuple 1\n{line}\n")
