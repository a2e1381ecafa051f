"""Law: what is kept between two runs is only found whole, under its name, and by the user who kept it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from configlet import kept, workspace
from configlet.cli import main, statuses
from configlet.kept import Sealed, key_of_user, sealed
from configlet.workspace import document, strict
from configlet.workspace.cache import FileCache
from configlet.workspace.placed import dumped
from tests.laws.made import sites

KEY, TODAY = b"k" * 32, date(2026, 11, 24)


def _entry(folder: Path) -> Sealed:
    entries = Sealed(folder / "kept", KEY)
    entries.write("one", b"said of one")
    entries.write("two", b"said of two")
    return entries


def test_what_was_kept_is_found(tmp_path: Path) -> None:
    entries = _entry(tmp_path)
    assert (entries.read("one"), entries.read("two"), entries.read("three")) == (b"said of one", b"said of two", None)
    assert sorted(path.name for path in entries.folder.iterdir()) == ["one", "two"]


@pytest.mark.parametrize("harm", [
    lambda one, _: one[:-1],
    lambda one, _: one + b" ",
    lambda one, _: one[:63],
    lambda one, _: b"",
    lambda one, _: one.replace(b"said", b"sayd"),
    lambda one, _: one[:64],
    lambda one, two: two,
    lambda one, two: one[:64] + two[64:],
])  # fmt: skip
def test_what_is_not_whole_or_has_another_name_is_lost(tmp_path: Path, harm: Callable[[bytes, bytes], bytes]) -> None:
    entries = _entry(tmp_path)
    one, two = (entries.folder / name for name in ("one", "two"))
    one.write_bytes(harm(one.read_bytes(), two.read_bytes()))
    assert entries.read("one") is None and not one.exists()
    assert entries.read("two") == b"said of two"


def test_what_another_user_kept_is_lost(tmp_path: Path) -> None:
    _entry(tmp_path)
    assert Sealed(tmp_path / "kept", b"x" * 32).read("one") is None


def test_without_a_key_nothing_is_kept_or_found(tmp_path: Path) -> None:
    _entry(tmp_path)
    Sealed(tmp_path / "other", None).write("one", b"said")
    assert Sealed(tmp_path / "kept", None).read("one") is None and not (tmp_path / "other").exists()


def test_the_oldest_go_when_there_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = _entry(tmp_path)
    os.utime(entries.folder / "two", (1, 1))
    monkeypatch.setattr(sealed, "LIMIT", 3 * 64 + 25)
    entries.write("three", b"said")
    assert (entries.read("one"), entries.read("two"), entries.read("three")) == (b"said of one", None, b"said")


def test_what_nobody_kept_is_never_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's folder may stand there, by a link that came with the workspace."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "book").write_bytes(b"Once upon a time" * 20)
    os.utime(tmp_path / "theirs" / "book", (1, 1))
    (tmp_path / "kept").symlink_to(tmp_path / "theirs")
    monkeypatch.setattr(sealed, "LIMIT", 100)
    entries = _entry(tmp_path)
    assert (tmp_path / "theirs" / "book").read_bytes() == b"Once upon a time" * 20
    assert entries.read("one") is None, "entries that are too much go all the same"


def test_nobody_waits_for_what_stands_there_and_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = _entry(tmp_path)
    (entries.folder / "one").unlink()
    os.mkfifo(entries.folder / "one")
    os.mkfifo(entries.folder / "other")
    (entries.folder / "folder").mkdir()
    assert entries.read("one") is None and entries.read("folder") is None
    monkeypatch.setattr(sealed, "LIMIT", 80)
    entries.write("three", b"said")
    assert (entries.read("two"), entries.read("three")) == (None, b"said")


def test_the_key_is_made_once_and_only_this_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    key, path = key_of_user(), tmp_path / "configlet" / "cache.key"
    assert key is not None and len(key) == 32 and key_of_user() == key and path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    assert key_of_user() is None
    path.chmod(0o600)
    path.write_bytes(key[:31])
    assert key_of_user() is None


def test_a_user_without_a_home_has_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(sealed.Path, "home", homeless)
    assert kept.key_of_user() is None
    sites.write(tmp_path)
    assert workspace.load(tmp_path, "big", TODAY).inventory.policy
    assert main(["doctor"]) in {statuses.OK, statuses.FAILED}


def test_a_file_is_not_taken_as_judged_on_the_word_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace may come with a folder of what was read before, and say there what the file does not."""
    raw = (sites.write(tmp_path, rules=900) / "policy.yaml").read_bytes()
    folder = tmp_path / ".configlet" / "cache" / "files"
    node, _ = strict.read(raw, "policy.yaml")
    said = dumped(document.Part("policy.yaml", raw, node).sections).replace(b"made: 7", b"made: 8", 1)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
    FileCache(folder).put(raw, said)
    FileCache(folder).count([(raw, 7)])
    assert FileCache(folder).get(raw) == said and FileCache(folder).counted(raw) == 7
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "ours"))
    assert FileCache(folder).get(raw) is None and FileCache(folder).counted(raw) is None
