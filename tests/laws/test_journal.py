"""The journal shows every change inside it, and of two runs only one holds a site."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from configlet.journal import Locked, folder, last, opened, read, runs, unfinished
from configlet.model.problem import Refused

WRITER = """
import sys
from pathlib import Path
from configlet.journal import opened
with opened(Path(sys.argv[1]), "dc1") as log:
    print(flush=True)
    for number in range(100000):
        log.write("note", "leaf1", number=number)
        print(number, flush=True)
"""


def written(place: Path, count: int = 6) -> Path:
    with opened(place, "dc1") as log:
        log.write("begin", plan={"changes": []})
        for number in range(count):
            log.write("outcome", f"leaf{number}", result="Kept", reason="as planned")
        log.write("end")
    return place / "journal.jsonl"


def test_what_was_written_is_read_and_goes_on_over_several_openings(tmp_path: Path) -> None:
    path = written(tmp_path)
    written(tmp_path)
    records = read(path)
    assert [r.number for r in records] == list(range(1, 17))
    assert [r.event for r in records[:2]] == ["begin", "outcome"]
    assert len(runs(records)) == 2
    assert path.stat().st_mode & 0o077 == 0


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    path = written(tmp_path)
    good, chance = path.read_bytes(), random.Random(7)
    for _ in range(1000):
        where, bit = chance.randrange(len(good)), 1 << chance.randrange(8)
        path.write_bytes(good[:where] + bytes([good[where] ^ bit]) + good[where + 1 :])
        with pytest.raises(Refused, match="changed"):
            read(path)
    path.write_bytes(good)
    assert len(read(path)) == 8


def test_every_lost_repeated_or_moved_line_is_found(tmp_path: Path) -> None:
    path = written(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    for number in range(len(lines) - 1):
        for changed in (
            lines[:number] + lines[number + 1 :],
            [*lines[: number + 1], lines[number], *lines[number + 1 :]],
            [*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]],
        ):
            path.write_bytes(b"".join(changed))
            with pytest.raises(Refused, match="changed"):
                read(path)


def test_a_tail_that_was_cut_off_shows_in_the_head_alone(tmp_path: Path) -> None:
    path = written(tmp_path)
    head = read(path)[-1].digest
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    assert read(path)[-1].digest != head


def test_a_last_line_that_was_never_finished_was_never_acknowledged(tmp_path: Path) -> None:
    path = written(tmp_path)
    good = path.read_bytes()
    path.write_bytes(good + b'{"at": "2026')
    assert len(read(path)) == 8
    written(tmp_path)
    assert len(read(path)) == 16


def test_nothing_acknowledged_is_lost_by_kill_9_and_the_lock_is_free_again(tmp_path: Path) -> None:
    chance = random.Random(3)
    for _ in range(8):
        before = len(read(tmp_path / "journal.jsonl"))
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        seen = [writer.stdout.readline() for _ in range(chance.randrange(2, 40))]
        with pytest.raises(Locked, match=str(writer.pid)), opened(tmp_path, "dc1"):
            pass
        os.kill(writer.pid, signal.SIGKILL)
        said = [*seen, *writer.stdout.read().splitlines()]
        writer.wait()
        writer.stdout.close()
        # The first line said only that the journal is open.
        assert len(read(tmp_path / "journal.jsonl")) - before >= len(said) - 1


def test_of_many_who_open_at_once_exactly_one_at_a_time_gets_in(tmp_path: Path) -> None:
    with opened(tmp_path, "dc1") as first:
        for _ in range(20):
            with pytest.raises(Locked) as refused, opened(tmp_path, "dc1"):
                pass
            assert refused.value.holder["run"] == first.run
            assert refused.value.holder["pid"] == os.getpid()
    with opened(tmp_path, "dc1") as second:
        assert second.run != first.run


def test_a_record_that_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be written"), opened(tmp_path, "dc1") as log:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, log._file)
        os.close(full)
        log.write("begin", plan={})
    assert read(tmp_path / "journal.jsonl") == ()


def test_runs_are_gathered_and_those_that_were_cut_off_are_found(tmp_path: Path) -> None:
    with opened(tmp_path, "dc1") as log:
        cut = log.run
        log.write("begin", plan={"changes": []})
        log.write("stage", "leaf1", token="cfglt-1-leaf1")
        log.write("commit", "leaf1", token="cfglt-1-leaf1", deadline=12.5)
    (found,) = unfinished(read(tmp_path / "journal.jsonl"))
    assert (found.id, found.steps["leaf1"].committed, found.steps["leaf1"].deadline) == (cut, True, 12.5)
    with opened(tmp_path, "dc1") as log:
        log.write("outcome", "leaf1", about=cut, result="Unknown", reason="it did not answer")
        log.write("end", about=cut)
        assert unfinished(read(tmp_path / "journal.jsonl"))
        log.write("answered", "leaf1", about=cut)
        log.write("outcome", "leaf1", about=cut, result="Reverted", reason="asked")
    records = read(tmp_path / "journal.jsonl")
    assert unfinished(records) == ()
    assert last(records) is None
    written(tmp_path)
    records = read(tmp_path / "journal.jsonl")
    newest = last(records)
    assert newest is not None
    assert newest.kept == tuple(f"leaf{n}" for n in range(6))
    assert last(records, cut) is not None
    assert last(records, "20000101-000000-0000") is None


def test_the_lab_has_a_journal_of_its_own(tmp_path: Path) -> None:
    assert folder(tmp_path, "dc1", "lab") != folder(tmp_path, "dc1")
