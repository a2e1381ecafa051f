"""`configlet log`: the runs of a site, newest first, from a journal whose chain was verified."""

import json
from pathlib import Path

import pytest

from configlet import journal
from tests.cli_run import configlet

PLAN = {"target": "site", "digest": "ab" * 32, "date": "2026-11-24", "version": "0.1.0"}


def run(root: Path, *, ended: bool = True, consent: dict[str, str] | None = None, **results: str) -> str:
    """One run in the site's journal; its id."""
    with journal.opened(journal.folder(root, "dc1"), "dc1") as log:
        if consent is not None:
            log.write("consent", **consent)
        log.write("begin", plan={**PLAN, "changes": [{"owner": owner} for owner in results]}, seconds=300)
        for owner, result in results.items():
            log.write("stage", owner, token="t")
            if result in ("Kept", "Reverted", "Untouched", "Unknown"):
                log.write("outcome", owner, result=result, reason=f"{result} because")
        if ended:
            log.write("end")
        return log.run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    assert configlet("init", str(folder)).returncode == 0
    return folder


def test_a_site_without_a_run_has_nothing_to_show(root: Path) -> None:
    ended = configlet("log", "dc1", cwd=root)
    assert (ended.returncode, ended.stdout) == (8, "") and "no run" in ended.stderr
    found = json.loads(configlet("log", "dc1", "--json", cwd=root).stdout)
    assert (found["status"], found["runs"], found["chain"]["records"]) == (8, [], 0)


def test_each_run_says_when_who_and_what_became_of_each_device(root: Path) -> None:
    first = run(root, leaf1="Kept", leaf2="Kept", consent={"user": "alice", "host": "ops1", "way": "asked"})
    second = run(
        root,
        leaf1="Kept",
        me1="Reverted",
        consent={"user": "alice", "host": "ops1", "way": "--plan", "approved_by": "bob@example.net"},
    )
    ended = configlet("log", "dc1", cwd=root)
    said = ended.stdout
    assert ended.returncode == 0
    assert said.index(second) < said.index(first), "newest first"
    assert "by alice@ops1 (asked)" in said and "by alice@ops1, approved by bob@example.net" in said
    assert "1 Kept, 1 Reverted" in said and "me1        Reverted   Reverted because" in said
    head = journal.read(journal.folder(root, "dc1") / "journal.jsonl")[-1].digest
    assert f"chain verified, head {head}" in said


def test_the_answer_for_machines_has_the_same(root: Path) -> None:
    ids = [run(root, leaf1="Kept", consent={"user": "alice", "host": "ops1", "way": "asked"}) for _ in range(3)]
    found = json.loads(configlet("log", "dc1", "--json", "--limit", "2", cwd=root).stdout)
    assert [r["run"] for r in found["runs"]] == ids[:0:-1] and found["count"] == 3
    assert found["runs"][0]["devices"] == [
        {"owner": "leaf1", "result": "Kept", "reason": "Kept because", "open": False}
    ]
    assert (found["runs"][0]["by"]["user"], found["runs"][0]["plan"]["digest"]) == ("alice", PLAN["digest"])
    assert found["chain"] == {"verified": True, "records": 15, "head": found["chain"]["head"]}


def test_a_run_that_was_cut_off_says_so(root: Path) -> None:
    run(root, leaf1="", ended=False)
    said = configlet("log", "dc1", cwd=root).stdout
    assert "never ended: configlet recover" in said and "staged" in said and "unknown@unknown" in said


def test_more_runs_than_asked_for_are_counted(root: Path) -> None:
    for _ in range(3):
        run(root, leaf1="Kept")
    assert "and 2 earlier runs (--limit 3 shows all)" in configlet("log", "dc1", "--limit", "1", cwd=root).stdout


def test_a_journal_that_was_changed_is_red_at_its_line(root: Path) -> None:
    run(root, leaf1="Kept")
    path = journal.folder(root, "dc1") / "journal.jsonl"
    path.write_text(path.read_text().replace("Kept because", "Kept becauze"))
    ended = configlet("log", "dc1", cwd=root)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "journal.jsonl:3:1: the journal was changed" in ended.stderr


def test_the_lab_has_a_journal_of_its_own(root: Path) -> None:
    run(root, leaf1="Kept")
    assert configlet("log", "dc1", "--lab", cwd=root).returncode == 8


def test_a_site_that_is_not_there_is_an_error(root: Path) -> None:
    assert configlet("log", "dc2", cwd=root).returncode == 65
