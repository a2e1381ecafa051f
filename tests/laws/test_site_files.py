"""Law: a site that is opened from bytes that were just read, or known from before, is complained about as one from its files."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from benchmarks.sites import Size, write
from configlet import workspace
from configlet.model.problem import Problem, Refused
from configlet.pipeline.cache import Store
from configlet.pipeline.inputs import inputs
from configlet.pipeline.known import check
from configlet.workspace import files, strict

DAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a small site of which all is known."""
    root = tmp_path_factory.mktemp("checked")
    write(root, Size(switches=9, hosts=20, rules=48, six=50, name="small"))
    assert check(root, "small", DAY, Store(root, b"k" * 32)).status == 0
    return root


@pytest.fixture
def root(tmp_path: Path, checked: Path) -> Path:
    """A copy of it."""
    shutil.copytree(checked, tmp_path, dirs_exist_ok=True)
    return tmp_path


def complaints(root: Path, store: Store | None) -> tuple[Problem, ...]:
    with pytest.raises(Refused) as refused:
        check(root, "small", DAY, store)
    return refused.value.problems


NAMES = ("x.YAML", "x.Yml", "x.yml", "x\x07.yaml", "\udcff.yaml", "x\x07/", "\udcff/", "link", "pipe.yaml")
SPOILED = (b"a: \xff\n", b"\0", b"a: [\n", b"", b"a:\tb\n", b"policy: []\n", b"# " + b"x" * 20_000 + b"\n")
"""The last is of too large a file."""


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_complained_about_is_so_where_all_is_known(root: Path, name: str) -> None:
    path = root / "inventory" / "small" / name.rstrip("/")
    if name.endswith("/"):
        path.mkdir()
    elif name == "link":
        path.symlink_to("nowhere")
    elif name == "pipe.yaml":
        os.mkfifo(path)
    else:
        path.write_text("tier: 1\n")
    assert complaints(root, Store(root, b"k" * 32)) == complaints(root, None)


@pytest.mark.parametrize("raw", SPOILED)
def test_bytes_that_are_complained_about_are_so_where_given(root: Path, raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (files, strict):
        monkeypatch.setattr(module, "BYTES", 20_000)
    (root / "inventory" / "small" / "x.yaml").write_bytes(raw)
    assert complaints(root, Store(root, b"k" * 32)) == complaints(root, None)


def test_what_is_given_is_what_is_read(root: Path) -> None:
    """Also where the file says something else by now; what is not given is read from its file."""
    before, given = workspace.load(root, "small", DAY), inputs(root, "small", DAY)
    assert given is not None
    for file in (root / "inventory" / "small" / "policy").iterdir():
        file.write_text("nothing\n")
    assert workspace.load(root, "small", DAY, given=given.files) == before
    with pytest.raises(Refused):
        workspace.load(root, "small", DAY, given={"inventory/small/site.yaml": given.files["inventory/small/site.yaml"]})


def test_a_finding_elsewhere_says_where_rules_stand_that_have_moved(root: Path) -> None:
    store, first = Store(root, b"k" * 32), root / "inventory" / "small" / "policy" / "app000.yaml"
    text, other = first.read_text(), (first.parent / "app001.yaml").read_text()
    rule = other[other.index("  - name: ") : other.index("  - name: ", 20)].replace("name: ", "name: ahead ", 1)
    first.write_text(text + rule)
    assert any("app000.yaml" in problem.detail for problem in check(root, "small", DAY, store).findings)
    first.write_text(text.replace("    reason:", "    # So.\n    reason:", 1) + rule)
    assert check(root, "small", DAY, store).findings == check(root, "small", DAY).findings
