"""Tables that are loaded one rule at a time: the host's timer, its tools and the driver wait as long as that takes."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace
from math import ceil
from pathlib import Path

import pytest

from configlet import drivers, pipeline
from configlet.drivers.nic import NicDriver
from configlet.hostside import nic as hostside
from configlet.hostside import nic_tools
from configlet.hostside.changes import Stop
from configlet.lab.nic.ntuple import NtupleNic
from configlet.model.plan import SLOW, Change, host_of
from configlet.plan import verify
from configlet.push import waves
from configlet.push.means import Clock, Means, no_probe, quiet
from tests.lab.desk import SITE, TODAY, workspace
from tests.lab.push_bench import Bench, bench, needs_namespaces, wait_until
from tests.nic.test_hosts import HERE, canonical, change, kept, looked, meaning, pushed, standing, syn, text
from tests.nic.tools import tools

__all__ = ["bench"]
NAME = "ntuple"


def permits(count: int) -> str:
    return text(NAME, *(f"permit tcp 10.0.0.{n} {HERE} to 22" for n in range(1, count + 1)))


@needs_namespaces
def test_a_load_that_takes_longer_than_the_timer_still_leaves_the_whole_timer_to_confirm_it(bench: Bench) -> None:
    nic, seen = NtupleNic(), []

    def slowly() -> None:
        seen.append(time.monotonic())
        time.sleep(0.65)

    with standing(bench, NAME, ens1=nic) as (me1, told):
        told.seen = slowly
        driver = looked(bench)
        driver.load(change(NAME, "", permits(4)))
        seen.clear()
        token = driver.commit(60)  # three seconds
        told.seen = None
        assert seen[-1] - seen[0] > 3, "the rules shall take longer"
        assert float((me1.state / NAME / "pending" / "until").read_text()) > seen[-1] + 3
        assert driver.pending() == token
        driver.confirm(token)
        driver.load(change(NAME, permits(4), permits(8)))
        driver.commit(20)
        wait_until(lambda: not (me1.state / NAME / "pending").exists())  # and it does end
        assert meaning(NAME, driver.running()) == meaning(NAME, permits(4))


@needs_namespaces
def test_a_table_that_goes_opens_the_nic_at_once_as_nothing_that_it_closed_is_closed_afterwards(bench: Bench) -> None:
    nic, passed = NtupleNic(), []
    with standing(bench, NAME, ens1=nic) as (_, told):
        kept(looked(bench), change(NAME, "", permits(3)))
        told.seen = lambda: passed.append((nic.passes(syn(1)), nic.passes(syn(9))))
        kept(looked(bench), change(NAME, permits(3), ""))
    assert len(passed) >= 4
    assert all(allowed for allowed, _ in passed), "what passes before and after must pass in between"
    assert passed[-1] == (True, True)


def stuck(folder: Path, monkeypatch: pytest.MonkeyPatch) -> hostside.Host:
    """A host whose ethtool never ends once it is to change something."""
    tool = folder / "ethtool"
    tool.write_text('#!/bin/sh\n[ "$1" = -n ] && exec echo "4 RX rings available"\nexec sleep 600\n')
    tool.chmod(0o755)
    monkeypatch.setenv("CONFIGLET_STATE_DIR", str(folder))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(nic_tools, "PATIENCE", 0.3)
    (folder / NAME).mkdir()
    return hostside.Host(NAME)


def test_a_tool_that_hangs_is_given_up_so_that_the_lock_is_free_for_the_timer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, began = stuck(tmp_path, monkeypatch), time.monotonic()
    with pytest.raises(Stop, match="did not end within"):
        here.replace(permits(1), "")
    assert time.monotonic() - began < 5
    assert here.held() == ""


def test_a_timer_goes_on_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFIGLET_STATE_DIR", str(tmp_path))
    changes, tries = hostside.Host(NAME).changes, []
    changes.pending.mkdir(parents=True)
    for name, said in (("token", "t1"), ("until", "0"), ("boot", "")):
        (changes.pending / name).write_text(said)

    def restore() -> None:
        tries.append(1)
        if len(tries) < 2:
            raise OSError("No space left on device")
        changes.end()

    changes.wait("t1", "0.01", restore)
    assert len(tries) == 2
    assert not changes.token()


def test_a_rule_that_took_the_place_of_another_is_not_taken_for_it_on_the_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nic, one = NtupleNic(), f"ethtool -N ens1 flow-type tcp4 dst-ip {HERE} dst-port 22"
    with tools(tmp_path / "tools", ens1=nic):
        monkeypatch.setenv("CONFIGLET_STATE_DIR", str(tmp_path))
        monkeypatch.setenv("PATH", f"{tmp_path}/tools:{os.environ['PATH']}")
        here, (passes, drops) = hostside.Host(NAME), (f"# configlet ntuple 1\n{one} action {n}\n" for n in (0, -1))
        here.folder.mkdir()
        for _ in range(2):
            for said, verdict in ((passes, True), (drops, False)):
                here.replace(said, "")
                assert nic.passes(syn(1)) == verdict


def test_a_drivers_patience_and_timer_grow_with_the_rules_that_come_or_go(bench: Bench) -> None:
    small, large, there = change(NAME, "", permits(1)), change(NAME, "", permits(30)), change(NAME, permits(29), permits(30))
    took = [drivers.takes(NAME, one) for one in (small, large, there)]
    assert took[1] - took[0] == pytest.approx(29 * took[2])
    assert took[2] > 0
    assert took[2] == drivers.takes(NAME, replace(there, load=there.undo, undo=there.load))
    for name in ("tcflower", "rteflow"):  # these may be loaded whole
        same = text(name, f"permit tcp 10.0.0.1 {HERE} to 22")
        assert drivers.takes(name, replace(change(name, same, same), undo=same)) > 0
    eos = Change("leaf1", "eos", "acl", "", "x", "x", "", "")
    assert drivers.takes("eos", eos) == drivers.takes("nobody's", eos) == 0
    means = Means(bench.targets, drivers.opener(canonical), canonical, no_probe, None, 300, quiet, Clock(), takes=lambda c: 7.5)  # type: ignore[arg-type]
    assert means.timer(small) == 308
    assert means.silence(small) == means.margin + 7.5


@needs_namespaces
def test_a_push_waits_for_a_change_that_takes_its_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    nic = NtupleNic()
    monkeypatch.setattr(NicDriver, "patience", 0.6)
    with standing(bench, NAME, ens1=nic) as (_, told):
        told.seen = lambda: time.sleep(0.2)
        what = change(NAME, "", permits(6))
        assert pushed(bench, what, takes=lambda c: 10.0).result == "Kept"
        assert "under its own timer of 2010 s" in [words for _, _, words in bench.told]


def test_a_plan_says_how_long_it_takes(tmp_path: Path) -> None:
    at = workspace(tmp_path)
    said = at.read_text().replace("x2-serverlock", "x2").replace("stack: onload", "stack: kernel")
    said = said.replace("  - {from: client2, to: me1, service: orders, expect: deny}\n", "")
    said = said.replace("from: [client1], to: [me1], service: [orders]", "from: [callers], to: [me1], service: [orders]")
    said = said.replace("attached: [leaf1/Ethernet3]", "attached: [leaf1/Ethernet3], filter_table: ntuple")
    at.write_text(said + "addresses: {callers: [10.1.30.0/25]}\n")
    made = pipeline.plan(tmp_path, SITE, TODAY, {"me1": "", "me1/ntuple": ""}, "lab", {"me1"})
    assert not made.problems
    (change_,) = [one for one in made.changes if one.owner == "me1/ntuple"]
    seconds = drivers.takes(NAME, change_)
    assert seconds > 12
    assert f"up to {ceil(seconds)} s" in made.risks[0]
    assert verify(made)


@pytest.mark.parametrize("seed", range(30))
def test_what_takes_long_is_in_no_wave_with_what_does_not_and_every_order_still_holds(seed: int) -> None:
    dice = random.Random(seed)
    names = [f"h{n}{part}" for n in range(30) for part in ("", "/ntuple", "/tcflower") if dice.random() < 0.6] or ["h1"]
    ways = [("", "x"), ("x", "x"), ("x", "")]
    found = [Change(name, "", "filter-table", *dice.choice(ways), "", "", "") for name in names]
    found += [Change(f"leaf{n}", "", "acl", "", "x", "", "", "") for n in range(dice.randrange(4))]
    seconds = {one.owner: dice.choice([0.0, 3.0, 60.0]) for one in found}
    made = waves(found, {"leaf0": "leaf1", "h0": "h1"}, lambda one: seconds[one.owner])
    assert sorted(one.owner for wave in made for one in wave) == sorted(seconds)
    at = {one.owner: n for n, wave in enumerate(made) for one in wave}
    for wave in made:
        assert len({seconds[one.owner] >= SLOW for one in wave}) == 1
        assert len({host_of(one.owner) for one in wave}) == len(wave)
    for one in found:
        goes = one.owner != host_of(one.owner) and one.before and not one.after
        own = at.get(host_of(one.owner), 0)
        assert at[one.owner] > own or "/" not in one.owner if goes else at[one.owner] <= own or host_of(one.owner) not in at
        if goes:
            assert all(at[other.owner] < at[one.owner] for other in found if other.after or "/" not in other.owner)


def test_nobody_waits_for_a_slow_member_of_another_wave_and_in_one_wave_all_wait_for_the_slowest(bench: Bench) -> None:
    slow, quick = (Change(f"h{n}/ntuple", NAME, "filter-table", "", "x", "", "", "") for n in (1, 2))
    means = Means(bench.targets, drivers.opener(canonical), canonical, no_probe, None, 300, quiet, Clock(),  # type: ignore[arg-type]
                  takes=lambda one: 90.0 if one is slow else 20.0)  # fmt: skip
    both = replace(means, slowest=90.0)
    assert (means.timer(quick), both.timer(quick), both.timer(slow)) == (320, 390, 390)
