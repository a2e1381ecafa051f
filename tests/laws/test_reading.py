"""Law: a site means the same, and its complaints have the same places, whichever way it is read: strictly, by shapes,
from the cache, from a spoiled cache."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from configlet import workspace
from configlet.cli import main
from configlet.kept import Sealed, key_of_user
from configlet.model.problem import Problem, Refused
from configlet.workspace import cache, document, load, strict
from configlet.workspace.placed import dumped
from tests.laws.made import sites

TODAY = date(2026, 11, 24)
NICS = frozenset(("virtio",))


def _kept(root: Path) -> cache.FileCache:
    """A cache that also keeps small files."""
    return cache.FileCache(root / "kept", least=1)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return sites.write(tmp_path)


def _said(root: Path, site: Path) -> cache.FileCache:
    """A cache with what the files of a site say, as those have it that shapes do not read."""
    kept = _kept(root)
    for path in site.iterdir():
        node, problems = strict.read(path.read_bytes(), path.name)
        assert not problems
        kept.put(path.read_bytes(), dumped(document.Part(path.name, path.read_bytes(), node).sections))
    return kept


def _problems(root: Path, *, paranoid: bool = False) -> tuple[Problem, ...]:
    try:
        return load(root, "big", TODAY, NICS, paranoid=paranoid, cache=_kept(root)).warnings
    except Refused as refused:
        return refused.problems


def test_every_way_of_reading_gives_the_same_inventory(site: Path, tmp_path: Path) -> None:
    strictly = load(tmp_path, "big", TODAY, NICS, paranoid=True)
    assert len(strictly.inventory.policy) == 400 and len(strictly.inventory.hosts) == 120
    for _ in range(2):
        assert load(tmp_path, "big", TODAY, NICS, cache=_kept(tmp_path)) == strictly
        assert [path.name for path in (tmp_path / "kept").iterdir()] == ["counts"]
    assert all(_kept(tmp_path).counted(path.read_bytes()) for path in site.iterdir()), "what was judged is kept"
    (tmp_path / "kept" / "counts").unlink()
    assert load(tmp_path, "big", TODAY, NICS, cache=_said(tmp_path, site)) == strictly
    assert len(list((tmp_path / "kept").iterdir())) == 4
    workspace.every_way(tmp_path, "big", TODAY)
    assert site.is_dir()


def test_a_site_that_is_only_looked_at_has_no_digest_and_is_else_the_same(site: Path, tmp_path: Path) -> None:
    assert site.is_dir()
    whole = load(tmp_path, "big", TODAY, NICS).inventory
    assert load(tmp_path, "big", TODAY, NICS, digested=False).inventory == replace(whole, digest="") != whole


def test_files_that_were_read_just_now_are_not_read_again(site: Path, tmp_path: Path) -> None:
    whole = load(tmp_path, "big", TODAY, NICS)
    given = {f"inventory/big/{path.name}": path.read_bytes() for path in site.iterdir()}
    (site / "policy.yaml").write_text("policy: []\n")
    assert load(tmp_path, "big", TODAY, NICS, given=given) == whole
    given["inventory/big/policy.yaml"] = b""
    with pytest.raises(Refused):
        load(tmp_path, "big", TODAY, NICS, given=given)


def test_big_files_are_really_read_by_their_shapes(site: Path, tmp_path: Path) -> None:
    shapes = document.Shapes()
    for path in sorted(site.iterdir()):
        part = document.quick_part(path.name, path.read_bytes(), shapes, cache.NOTHING)
        assert part is not None
    assert shapes.made <= 12 and shapes.items > 900


def test_places_that_move_are_those_of_a_strict_look() -> None:
    """More items than are held at a time, of one line each, so that a longer name moves what stands behind it."""
    lines = ["hosts:\n"]
    for number in range(2_300):
        name, gap = "h" * (number % 7 + 1) + str(number), ("", "\n", "  # why\n\n")[number % 11 % 3]
        nic = f"nics: {{ens{number}: {{model: virtio, attached: [leaf1/Ethernet{number}]}}}}"
        work = f"workloads: {{w{number}: {{addresses: [10.0.0.{number % 200}], on: [ens{number}], segment: web, stack: kernel}}}}"
        lines.append(f"  {name}: {{{nic}, {work}}}\n{gap}")
    raw = "".join(lines).encode()
    shapes = document.Shapes()
    quick = document.quick_part("hosts.yaml", raw, shapes, cache.NOTHING)
    node, problems = strict.read(raw, "hosts.yaml")
    assert quick is not None and node is not None and not problems
    assert shapes.made <= 3 and shapes.items >= 2_300
    strictly = document.Part("hosts.yaml", raw, node)
    assert quick.value == strictly.value
    assert quick.sections == strictly.sections
    assert len({*quick.sections["hosts"].marks[3::6]}) > 7, "places do move"


MISTAKES = (
    ("policy.yaml", "from: [set-201]", "from: [set-x201]"),
    ("policy.yaml", "name: rule 202,", "name: rule 201,"),
    ("policy.yaml", "service: [tcp/204]", "service: [tcp/70000]"),
    ("policy.yaml", "name: rule 300\n", "nmae: rule 300\n"),
    ("policy.yaml", "expires: 2030-01-01", "expires: 2020-01-01"),
    ("policy.yaml", "expires: 2030-01-01", "expires: 2026-11-25"),
    ("policy.yaml", "reason: because, of 350", "reason:"),
    ("policy.yaml", "fix, tcp/351", "fxi, tcp/351"),
    ("hosts.yaml", "10.1.1.77]", "10.1.1.78]"),
    ("hosts.yaml", "Ethernet77]", "Ethernet78]"),
    ("hosts.yaml", "w77: {", "w78: {"),
    ("hosts.yaml", "model: virtio, attached: [leaf1/Ethernet50]", "model: vritio, attached: [leaf2/Ethernet50]"),
    ("hosts.yaml", "  h90:\n", "  h91:\n"),
    ("addresses.yaml", "  set-380: [10.180.1.0/28", "  set-380: [10.180.1.1/28"),
    ("addresses.yaml", "  set-380:", "  any:"),
    ("addresses.yaml", "  set-381:", "  set-380:"),
    ("addresses.yaml", "  set-380: [", "  set-380: ["),
)


@pytest.mark.parametrize(("file", "old", "new"), MISTAKES)
def test_a_mistake_in_a_big_file_has_the_place_that_a_strict_look_gives_it(
    file: str, old: str, new: str, site: Path, tmp_path: Path
) -> None:
    load(tmp_path, "big", TODAY, NICS, cache=_kept(tmp_path))
    text = (site / file).read_text()
    assert old in text
    (site / file).write_text(text.replace(old, new, 1))
    said = _problems(tmp_path)
    assert said == _problems(tmp_path, paranoid=True) == _problems(tmp_path)
    assert bool(said) is (old != new)
    assert all(problem.place and problem.place.line > 1 for problem in said)


@pytest.mark.parametrize("said", [False, True])
def test_a_spoiled_cache_changes_nothing(said: bool, site: Path, tmp_path: Path) -> None:
    wanted, dice = load(tmp_path, "big", TODAY, NICS, cache=_kept(tmp_path)), random.Random(5)
    folder = tmp_path / "kept"
    if said:
        (folder / "counts").unlink()
        _said(tmp_path, site)
    for how in range(6):
        for path in folder.iterdir():
            kept = bytearray(path.read_bytes())
            if how == 0:
                kept = kept[: len(kept) // 2]
            elif how == 1:
                kept = bytearray(b"\x80\x04")
            else:
                at = dice.randrange(len(kept))
                kept[at] ^= 1 << dice.randrange(8)
            path.write_bytes(bytes(kept))
        assert load(tmp_path, "big", TODAY, NICS, cache=_kept(tmp_path)) == wanted
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("no folder")
    assert load(tmp_path, "big", TODAY, NICS, cache=_kept(tmp_path)) == wanted
    assert site.is_dir()


@pytest.mark.parametrize("said", [
    b"[]", b"[1]", b'"text"', b"7", b"null", b"{", b"", b"\xff", b"[" * 100_000, b"1" * 5_000, b'{"a": "b"}',
    *(b"%s of each" % each for each in (b"null", b'"9"', b"[]", b"true", b"0", b"-1", b"1.5")),
])  # fmt: skip
def test_numbers_of_events_that_are_none_are_not_used(said: bytes, site: Path, tmp_path: Path) -> None:
    wanted = load(tmp_path, "big", TODAY, NICS, cache=_kept(tmp_path))
    counts = tmp_path / "kept" / "counts"
    names = json.loads(counts.read_bytes()[64:])
    value, of_each, _ = said.partition(b" of each")
    content = json.dumps(dict.fromkeys(names, json.loads(value))).encode() if of_each else said
    Sealed(counts.parent, key_of_user()).write("counts", content)
    assert _kept(tmp_path).counted((site / "policy.yaml").read_bytes()) is None
    for _ in range(2):
        assert load(tmp_path, "big", TODAY, NICS, cache=_kept(tmp_path)) == wanted
    assert json.loads(counts.read_bytes()[64:]).keys() >= names.keys(), "and the right ones are kept in their place"


def test_an_entry_of_other_code_is_not_used(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(tmp_path, "big", TODAY, NICS, cache=_kept(tmp_path))
    kept, raw = _said(tmp_path, site), (site / "policy.yaml").read_bytes()
    assert kept.get(raw) is not None and kept.counted(raw) is not None
    assert kept.get(raw + b"\n") is kept.counted(raw + b"\n") is None
    monkeypatch.setattr(cache, "__version__", "0.0.0")
    cache.ours.cache_clear()
    assert kept.get(raw) is kept.counted(raw) is None
    monkeypatch.undo()
    cache.ours.cache_clear()


def test_what_was_not_judged_right_is_not_kept(site: Path, tmp_path: Path) -> None:
    path = site / "policy.yaml"
    path.write_text(path.read_text().replace("action: allow", "action: alow", 1))
    with pytest.raises(Refused, match="alow"):
        load(tmp_path, "big", TODAY, NICS, cache=_kept(tmp_path))
    assert not (tmp_path / "kept").exists()


def test_files_are_kept_in_the_workspace(tmp_path: Path) -> None:
    sites.write(tmp_path, rules=900)
    for paranoid, kept in ((True, 0), (False, 1)):
        load(tmp_path, "big", TODAY, NICS, paranoid=paranoid)
        assert len(list((tmp_path / ".configlet" / "cache" / "files").glob("*"))) == kept


def test_small_files_of_which_more_is_kept_than_a_number_are_not(tmp_path: Path) -> None:
    kept = cache.FileCache(tmp_path / "kept")
    for raw in (b"x" * (64 * 1024 - 1), b"x" * 64 * 1024):
        kept.put(raw, b"said")
        assert kept.get(raw) == (b"said" if len(raw) == 64 * 1024 else None)


def test_a_number_that_shapes_do_not_find_makes_the_file_be_read_strictly(site: Path, tmp_path: Path) -> None:
    wanted, raws = load(tmp_path, "big", TODAY, NICS, cache=_kept(tmp_path)), [path.read_bytes() for path in site.iterdir()]
    _kept(tmp_path).count([(raw, number + 1) for raw in raws if (number := _kept(tmp_path).counted(raw))])
    for raw in raws:
        assert document.quick_part("f", raw, document.Shapes(), _kept(tmp_path)) is None
    assert load(tmp_path, "big", TODAY, NICS, cache=_kept(tmp_path)) == wanted


def test_of_many_files_the_last_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "COUNTS", 3)
    for number in range(5):
        _kept(tmp_path).count([(b"%d" % number, number)])
    assert [_kept(tmp_path).counted(b"%d" % number) for number in range(5)] == [None, None, 2, 3, 4]


def test_a_fingerprint_changes_with_every_byte_and_name(site: Path, tmp_path: Path) -> None:
    seen = {workspace.fingerprint(tmp_path, "big")}
    (site / "policy.yaml").write_text((site / "policy.yaml").read_text() + "\n")
    seen.add(workspace.fingerprint(tmp_path, "big"))
    (site / "policy.yaml").rename(site / "rules.yaml")
    seen.add(workspace.fingerprint(tmp_path, "big"))
    assert len(seen) == 3
    with pytest.raises(Refused, match="Unknown site"):
        workspace.fingerprint(tmp_path, "other")


def test_check_can_be_paranoid(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = site / "policy.yaml"
    path.write_text(path.read_text().replace("name: rule 300\n", "nmae: rule 300\n"))
    assert main(["check", "big", "--paranoid", "--workspace", str(tmp_path), "--at", TODAY.isoformat()]) == 65
    said = capsys.readouterr()
    assert "`nmae` means nothing here" in said.out + said.err


def test_paranoia_sees_readings_that_differ(tmp_path: Path) -> None:
    raw = (sites.write(tmp_path, rules=900) / "policy.yaml").read_bytes()
    load(tmp_path, "big", TODAY)
    workspace.every_way(tmp_path, "big", TODAY)
    folder = tmp_path / ".configlet" / "cache" / "files"
    (folder / "counts").unlink()
    node, _ = strict.read(raw, "policy.yaml")
    honest = dumped(document.Part("policy.yaml", raw, node).sections)
    cache.FileCache(folder).put(raw, honest.replace(b"made: 7", b"made: 8", 1))
    with pytest.raises(Refused, match="Two readings differ"):
        workspace.every_way(tmp_path, "big", TODAY)
