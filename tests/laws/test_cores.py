"""Laws of work on several cores: the same answer as on one, in the same order, and none at all when a worker is lost."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Generator, Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from configlet.model.gate import Artifact, Proof
from configlet.model.problem import Refused
from configlet.pipeline import cores, differing
from configlet.pipeline.artifacts import Proven, artifacts_of, proven
from configlet.pipeline.capacity import Asked, capacity
from configlet.pipeline.check import check_site
from configlet.pipeline.cores import AHEAD, ahead, each, each_group, workers
from configlet.pipeline.differing import Found, every
from configlet.pipeline.forks import Lost, forked
from configlet.pipeline.report import to_dict
from configlet.pipeline.site import Site, open_site
from configlet.plan import plan_of
from tests.product_site import product_site

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 24)


def test_what_several_processes_find_comes_in_the_order_of_the_items_whatever_each_took() -> None:
    asked = list(range(40))
    found = list(each(lambda n: (os.getpid(), n * n), asked, 3))
    assert [square for _, square in found] == [n * n for n in asked]
    here = [n for n, (by, _) in zip(asked, found, strict=True) if by == os.getpid()]
    assert here == [*ahead(40)], "some, evenly among all, teach what workers inherit"
    assert list(each(abs, asked[:AHEAD], 3)) == asked[:AHEAD]
    assert list(each(lambda n: (os.getpid(), n), asked, 1)) == [(os.getpid(), n) for n in asked]


def test_a_worker_that_is_killed_is_a_refusal_and_never_a_shorter_answer() -> None:
    def work(number: int) -> int:
        if number == AHEAD + 7:
            assert number not in ahead(AHEAD + 20)
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with pytest.raises(Refused, match="was not finished"):
        list(each(work, range(AHEAD + 20), 2))
    assert list(each(abs, range(4), 2)) == [0, 1, 2, 3]


def test_what_goes_wrong_in_a_worker_is_raised_where_it_is_waited_for() -> None:
    def work(number: int) -> int:
        return 10 // (number - AHEAD - 7)

    with pytest.raises(ZeroDivisionError) as wrong:
        list(each(work, range(AHEAD + 20), 2))
    assert "in work" in "".join(wrong.value.__notes__), "it says where"
    odd = type("Odd", (Exception,), {})  # nobody could find it again by its name

    def other(number: int) -> int:
        if number in ahead(AHEAD + 20):
            return number
        raise odd("of its own")

    with pytest.raises(RuntimeError, match="of its own"):
        list(each(other, range(AHEAD + 20), 2))


class Unmade(Exception):
    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other}")


class Turned(Exception):
    def __reduce__(self) -> tuple[type, tuple[str]]:
        return int, ("5",)


@pytest.mark.parametrize("error", [Unmade("this", "that"), Turned("this and that")])
def test_an_error_that_cannot_be_made_again_says_what_it_was(error: Exception) -> None:
    def work(number: int) -> int:
        raise error

    with pytest.raises(RuntimeError, match="this and that"):
        list(forked(work, 5, 2, 1))


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The workers that were begun, as they begin."""
    found: list[int] = []
    fork = os.fork

    def noted() -> int:
        found.append(fork())
        return found[-1]

    monkeypatch.setattr(os, "fork", noted)
    return found


def test_a_worker_of_which_nobody_is_left_is_a_refusal_where_more_is_asked_of_it_too(begun: list[int]) -> None:
    """And not a pipe that broke, which is what ends a command quietly whose reader went away."""
    def work(number: int) -> int:
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    found = forked(work, 20, 1, 1)
    assert next(found) == 0
    assert os.waitid(os.P_PID, begun[0], os.WEXITED | os.WNOWAIT) is not None
    with pytest.raises(Lost):
        list(found)


def test_who_ignores_the_end_of_children_is_answered_as_others_are() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert list(forked(abs, 20, 3, 2)) == list(range(20))
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_nobody_works_on_what_is_not_waited_for_any_more(tmp_path: Path) -> None:
    def work(number: int) -> int:
        if number:
            while not (tmp_path / "closed").exists():
                time.sleep(0.001)
            (tmp_path / f"did{number}").touch()
        return number

    found = forked(work, 20, 1, 1)
    assert next(found) == 0
    threading.Timer(0.3, (tmp_path / "closed").touch).start()
    assert isinstance(found, Generator)
    found.close()
    assert [path.name for path in tmp_path.glob("did*")] == ["did1"]


def test_who_stops_listening_leaves_no_worker_behind(begun: list[int]) -> None:
    some = each(lambda n: bytes(1 << 20), range(AHEAD + 100), 3)
    assert [len(next(some)) for _ in range(AHEAD + 2)] == [1 << 20] * (AHEAD + 2)
    some.close()
    assert len(begun) == 3
    for worker in begun:
        with pytest.raises(ChildProcessError):
            os.waitpid(worker, os.WNOHANG)


def test_who_is_killed_leaves_no_worker_behind_that_has_more_to_say() -> None:
    """A worker that waits, or has more to say, ends by the pipes of who is gone."""
    alive, held = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(alive)
        next(iter(forked(lambda n: bytes(1 << 20), 50, 3, 1)))
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(held)
    os.waitpid(pid, 0)
    assert select.select([alive], [], [], 30)[0] and os.read(alive, 1) == b"", "all that held the other end are gone"
    os.close(alive)


@pytest.mark.parametrize("together", [1, 3, 7, 50])
@pytest.mark.parametrize("processes", [1, 2, 5])
def test_no_item_is_left_out_however_many_go_together(together: int, processes: int) -> None:
    assert list(forked(lambda n: n * n, 23, processes, together)) == [n * n for n in range(23)]


def test_a_site_is_checked_in_three_processes_as_in_one() -> None:
    site = open_site(ROOT, "dc1", TODAY)
    alone, together = (to_dict(check_site(site, 0.0, jobs=jobs)) for jobs in (1, 3))
    assert alone == together and alone["counts"]["proved"] > 0


def test_gates_are_counted_in_three_processes_as_in_one() -> None:
    asked = Asked("clients", "databases", "tcp/8443")
    alone, together = (capacity(ROOT, "dc1", TODAY, asked, None, jobs) for jobs in (1, 3))
    assert alone == together and any(use.more and any(use.more.values()) for use in alone)


def test_every_table_that_is_too_large_is_told_whichever_process_found_it(tmp_path: Path) -> None:
    site = open_site(product_site(tmp_path, "eos", 100, 10, 100), "dc9", TODAY)
    said = []
    for jobs in (1, 2):
        with pytest.raises(Refused) as refused:
            check_site(site, 0.0, jobs=jobs)
        said.append(refused.value.problems)
    assert said[0] == said[1] and said[0]


@cache
def older() -> dict[str, str]:
    """What a site runs that was told all but the last rules of its policy, and nothing yet on two of its switches."""
    site = open_site(ROOT, "dc1", TODAY)
    before = replace(site.policy, rules=tuple(r for r in site.policy.rules if "handlers" not in str(r.name)))
    assert len(before.rules) < len(site.policy.rules)
    told = artifacts_of(replace(site, policy=before, laws=type(site.laws)(site.inventory, before)))
    by_owner: dict[str, list[Artifact]] = {}
    for one in told:
        by_owner.setdefault(one.owner, []).append(one)
    several = {owner for owner, made in by_owner.items() if len(made) > 1}
    met = (one for one in told if one.owner not in ("leaf3", "leaf4"))
    return {f"{one.owner}/{one.platform}" if one.owner in several else one.owner: one.text for one in met}


def found_of(site: Site, jobs: int, running: dict[str, str]) -> tuple[Found, str]:
    found = every(site, None, running, None, jobs)
    plan = plan_of(found.devices, site="dc1", target="site", date="", version="", inventory="")
    return found, plan.digest


def test_what_differs_is_the_same_from_three_processes_as_from_one() -> None:
    site = open_site(ROOT, "dc1", TODAY)
    (alone, plan), (together, other) = (found_of(site, jobs, older()) for jobs in (1, 3))
    assert alone == together and plan == other
    assert any(one.flows for one in alone.devices) and any(one.problems for one in alone.devices)


def test_every_text_that_would_be_sent_is_proven_and_none_that_runs_already(monkeypatch: pytest.MonkeyPatch) -> None:
    site = open_site(ROOT, "dc1", TODAY)
    asked: list[str] = []

    def doubted(site: Site, artifact: Artifact) -> Proven:
        asked.append(artifact.owner)
        true = proven(site, artifact)
        return replace(true, proofs=(Proof(artifact.owner, "UNKNOWN", 0, 0, (), "doubted"), *true.proofs))

    monkeypatch.setattr(differing, "proven", doubted)
    found, _ = found_of(site, 1, older())
    sent = {one.change.owner for one in found.devices if one.change}
    running = {a.owner for a in artifacts_of(site)} - {one.owner.partition("/")[0] for one in found.devices}
    assert sent and running and sent <= set(asked) and running.isdisjoint(asked)
    assert {owner for owner in sent if any(owner in str(problem) for problem in found.red)} == sent


def test_a_text_that_cannot_be_read_is_red_unless_it_runs_already(monkeypatch: pytest.MonkeyPatch) -> None:
    site = open_site(ROOT, "dc1", TODAY)

    def spoiled(_: Site, owners: Iterable[str] | None, groups: tuple[tuple[str, ...], ...]) -> Iterable[Artifact]:
        assert owners is None
        of_group = (a for a in artifacts_of(site, set(groups[0])) if a.platform == "eos")
        return [replace(a, text=a.text + "ip frobnicate\n") for a in of_group]

    monkeypatch.setattr(differing, "each_artifact", spoiled)
    found, _ = found_of(site, 1, older())
    assert found.red and all("UNKNOWN" in str(problem) for problem in found.red) and not found.devices


def test_small_sites_stay_in_one_process_and_no_site_has_more_than_groups_or_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "cores", lambda: 8)
    monkeypatch.setattr(cores.threading, "active_count", lambda: 1)
    assert workers(cores.MUCH - 1, 100) == 1
    assert workers(cores.MUCH, 100) == 8
    assert workers(cores.MUCH, 3) == 3
    monkeypatch.setattr(cores.threading, "active_count", lambda: 2)
    assert workers(cores.MUCH, 100) == 1


def test_no_more_processes_are_begun_than_there_are_groups_however_many_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(cores, "each", lambda _work, _items, processes: asked.append(processes) or iter(()))
    list(each_group(len, [("a",), ("b", "c")], 5, jobs=99_999))
    assert asked == [2]


@pytest.mark.parametrize("count", [AHEAD + 1, AHEAD * 2 - 1, 40, 1282, 10_000])
def test_what_is_done_ahead_are_few_that_stand_evenly_from_the_first_to_the_last(count: int) -> None:
    found = [*ahead(count)]
    gaps = {b - a for a, b in pairwise([*found, count])}
    assert found[0] == 0 and AHEAD // 2 < len(found) <= AHEAD
    assert max(gaps) <= -(-count // AHEAD)


@pytest.mark.parametrize(("count", "processes"), [(1, 2), (9, 2), (40, 2), (40, 16), (200, 16), (1282, 2), (1282, 16)])
def test_every_worker_has_a_turn_where_there_are_enough_items(count: int, processes: int) -> None:
    of_one = cores.together(count, processes)
    assert 1 <= of_one <= cores.TOGETHER
    assert -(-count // of_one) >= min(count, cores.TURNS * processes)
