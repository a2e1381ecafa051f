"""Laws of work on several cores: the same answer as on one, in the same order, and none at all when a worker is lost."""

from __future__ import annotations

import os
import signal
from datetime import date
from pathlib import Path

import pytest

from configlet.model.problem import Refused
from configlet.pipeline import cores
from configlet.pipeline.check import check_site
from configlet.pipeline.cores import each, workers
from configlet.pipeline.report import to_dict
from configlet.pipeline.site import open_site
from tests.product_site import product_site

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 24)


def test_what_several_processes_find_comes_in_the_order_of_the_items_whatever_each_took() -> None:
    asked = list(range(40))
    found = list(each(lambda n: (os.getpid(), n * n), asked, 3))
    assert [square for _, square in found] == [n * n for n in asked]
    assert os.getpid() not in {by for by, _ in found}
    assert list(each(lambda n: (os.getpid(), n), asked, 1)) == [(os.getpid(), n) for n in asked]


def test_a_worker_that_is_killed_is_a_refusal_and_never_a_shorter_answer() -> None:
    def work(number: int) -> int:
        if number == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with pytest.raises(Refused, match="was not finished"):
        list(each(work, range(20), 2))
    assert list(each(abs, range(4), 2)) == [0, 1, 2, 3]


def test_a_site_is_checked_in_three_processes_as_in_one() -> None:
    site = open_site(ROOT, "dc1", TODAY)
    alone, together = (to_dict(check_site(site, 0.0, jobs=jobs)) for jobs in (1, 3))
    assert alone == together and alone["counts"]["proved"] > 0


def test_every_table_that_is_too_large_is_told_whichever_process_found_it(tmp_path: Path) -> None:
    site = open_site(product_site(tmp_path, "eos", 100, 10, 100), "dc9", TODAY)
    said = []
    for jobs in (1, 2):
        with pytest.raises(Refused) as refused:
            check_site(site, 0.0, jobs=jobs)
        said.append(refused.value.problems)
    assert said[0] == said[1] and said[0]


def test_small_sites_stay_in_one_process_and_no_site_has_more_than_groups_or_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "cores", lambda: 8)
    monkeypatch.setattr(cores.threading, "active_count", lambda: 1)
    assert workers(cores.MUCH - 1, 100) == 1
    assert workers(cores.MUCH, 100) == 8
    assert workers(cores.MUCH, 3) == 3
    monkeypatch.setattr(cores.threading, "active_count", lambda: 2)
    assert workers(cores.MUCH, 100) == 1
