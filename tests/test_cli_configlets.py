"""`configlet which` and `configlet adopt`: which layer wins, how far a copy has drifted, and that nothing is overwritten."""

import json
from pathlib import Path

import pytest

from configlet import __version__
from configlet.platforms import adoption, content, load
from tests.cli_run import DAY, ROOT, configlet

ADOPTED = ("eos", "ios", "junos", "nftables")
"""Those of the example site, and one more; of the others nothing differs but the name."""
KINDS = sorted((name, kind) for name, found in load(content.search(None)).items() if name in ADOPTED for kind in found.kinds)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    assert configlet("init", str(folder)).returncode == 0
    return folder


def which(root: Path, name: str = "eos/acl") -> dict[str, dict[str, object]]:
    """The files of a configlet, by their last name."""
    ended = configlet("which", name, "--json", cwd=root)
    assert ended.returncode == 0, ended.stderr
    return {Path(file["name"]).name: file for file in json.loads(ended.stdout)["files"]}


def test_at_first_everything_is_as_it_ships(root: Path) -> None:
    found = which(root)
    assert list(found) == ["platform.yaml", "acl.j2", "acl.reader.yaml"]
    assert {file["state"] for file in found.values()} == {"shipped"}
    assert not any(file["drifted"] or file["hidden"] for file in found.values())


@pytest.mark.parametrize(("platform", "kind"), KINDS)
def test_an_adopted_configlet_wins_and_gives_the_same_bytes(root: Path, platform: str, kind: str) -> None:
    before = configlet("render", "dc1", "--at", DAY, cwd=root).stdout
    ended = configlet("adopt", f"{platform}/{kind}", "--json", cwd=root)
    assert ended.returncode == 0 and len(json.loads(ended.stdout)["files"]) == len(which(root, f"{platform}/{kind}")) >= 2
    found = which(root, f"{platform}/{kind}")
    assert {file["state"] for file in found.values()} == {"copy"}
    assert all(str(file["path"]).startswith(str(root)) and file["hidden"] for file in found.values())
    assert {file["adopted"] for file in found.values()} == {__version__}
    assert configlet("render", "dc1", "--at", DAY, cwd=root).stdout == before
    assert configlet("check", "dc1", "--at", DAY, cwd=root).returncode == 0


def test_what_was_changed_since_is_drift(root: Path) -> None:
    configlet("adopt", "eos/acl", cwd=root)
    with (root / "configlets" / "eos" / "acl.j2").open("a") as file:
        file.write("{# mine #}\n")
    found = which(root)
    assert (found["acl.j2"]["state"], found["acl.j2"]["drifted"]) == ("changed", True)
    assert found["platform.yaml"]["state"] == "copy"
    said = configlet("which", "eos/acl", cwd=root).stdout
    assert "DRIFTED eos/acl.j2" in said and "changed since it was adopted" in said


def test_a_copy_that_was_left_behind_is_told_from_one_that_was_changed_as_well(root: Path) -> None:
    folder = root / "configlets" / "eos"
    folder.mkdir()
    old = b"title: as it shipped once\n"
    (folder / "platform.yaml").write_bytes(adoption.copied("platform.yaml", old, "0.0.1"))
    layers = content.search(root)
    assert adoption.which(layers, "eos", "acl")[0].state == "behind"
    with (folder / "platform.yaml").open("a") as file:
        file.write("# mine\n")
    assert adoption.which(layers, "eos", "acl")[0].state == "apart"


def test_a_file_of_ones_own_making_says_so(root: Path) -> None:
    folder = root / "configlets" / "eos"
    folder.mkdir()
    (folder / "acl.j2").write_text('{% extends "stock/eos/acl.j2" %}\n')
    found = which(root)["acl.j2"]
    assert (found["state"], found["drifted"], found["adopted"]) == ("own", True, None)
    (folder / "acl.j2").write_bytes((ROOT / "configlets" / "eos" / "acl.j2").read_bytes())
    found = which(root)["acl.j2"]
    assert (found["state"], found["drifted"]) == ("own", False)


def test_nothing_that_is_there_is_overwritten_and_then_nothing_is_written(root: Path) -> None:
    folder = root / "configlets" / "eos"
    folder.mkdir()
    (folder / "acl.reader.yaml").write_text("mine\n")
    ended = configlet("adopt", "eos/acl", cwd=root)
    assert ended.returncode == 65 and "acl.reader.yaml" in ended.stderr
    assert [path.name for path in folder.iterdir()] == ["acl.reader.yaml"]
    assert (folder / "acl.reader.yaml").read_text() == "mine\n"


def test_an_own_manifest_stays_as_it_is(root: Path) -> None:
    folder = root / "configlets" / "eos"
    folder.mkdir()
    mine = (ROOT / "configlets" / "eos" / "platform.yaml").read_text() + "# mine\n"
    (folder / "platform.yaml").write_text(mine)
    assert configlet("adopt", "eos/acl", cwd=root).returncode == 0
    assert (folder / "platform.yaml").read_text() == mine
    assert (folder / "acl.j2").exists()


def test_a_link_out_of_the_workspace_is_not_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "configlets" / "eos").symlink_to(outside)
    ended = configlet("adopt", "eos/acl", cwd=root)
    assert ended.returncode == 65 and not list(outside.iterdir())


def test_where_they_ship_from_there_is_nothing_to_adopt() -> None:
    ended = configlet("adopt", "eos/acl", cwd=ROOT)
    assert ended.returncode == 65 and "Change them there" in ended.stderr


@pytest.mark.parametrize(
    ("name", "status", "word"),
    [
        ("eso/acl", 65, 'Did you mean "eos/acl"?'),
        ("eos/alc", 65, 'Did you mean "eos/acl"?'),
        ("frob/nicate", 65, "There are: "),
        ("eos", 64, "PLATFORM/KIND"),
        ("../eos/acl", 64, "PLATFORM/KIND"),
        ("eos/../../x", 64, "PLATFORM/KIND"),
        ("eos/acl\n", 64, "PLATFORM/KIND"),
    ],
)
@pytest.mark.parametrize("command", ["which", "adopt"])
def test_what_is_no_configlet_is_refused(root: Path, command: str, name: str, status: int, word: str) -> None:
    ended = configlet(command, name, cwd=root)
    assert (ended.returncode, ended.stdout) == (status, "")
    assert word in ended.stderr


def test_the_header_is_one_comment_that_a_template_does_not_give() -> None:
    copy = adoption.copied("acl.j2", b"text\n", "1.2.3").decode()
    assert copy.splitlines()[0].startswith("{# adopted from configlet 1.2.3, sha256 ") and copy.endswith("#}\ntext\n")
    assert adoption.copied("a.yaml", b"a: 1\n", "1.2.3").startswith(b"# adopted from configlet 1.2.3, sha256 ")


@pytest.mark.parametrize("name", ["acl.j2", "acl.reader.yaml", "platform.yaml"])
def test_an_own_file_that_is_a_link_to_nowhere_is_refused_and_what_ships_is_no_stand_in(root: Path, name: str) -> None:
    own = root / "configlets" / "eos" / name
    own.parent.mkdir(parents=True, exist_ok=True)
    own.symlink_to(root / "gone")
    for words in (["render", "dc1", "--at", DAY], ["check", "dc1", "--at", DAY, "--no-cache"]):
        ended = configlet(*words, cwd=root)
        assert ended.returncode == 65 and f"configlets/eos/{name}" in ended.stderr and "leads nowhere" in ended.stderr
