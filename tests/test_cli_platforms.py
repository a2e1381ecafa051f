"""`configlet platforms`: the table made from the folders, and what is missing in one of them."""

import json
import shutil
from pathlib import Path

import pytest

from configlet.drivers.base import Target
from configlet.pipeline import standing
from configlet.platforms import content, load
from tests.cli_run import DAY, ROOT, configlet

SHIPPED = load(content.search(None))


def test_the_table_has_every_folder_and_every_case_is_proven(tmp_path: Path) -> None:
    ended = configlet("platforms", "--json", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)["platforms"]
    assert {(one["platform"], one["kind"]) for one in found} == {(n, k) for n, p in SHIPPED.items() for k in p.kinds}
    assert len({one["platform"] for one in found}) >= 14
    for one in found:
        assert one["missing"] == [], one["platform"]
        if one["kind"] == "acl":
            assert one["rendered"] == one["read"] == one["proven"] == one["cases"] >= 8
    assert {one["platform"] for one in found if one["driver"] != "none"} >= {"eos", "ios", "junos", "nftables"}
    assert {one["platform"] for one in found if one["personality"]} >= {"eos", "ios", "junos"}


def test_the_table_is_for_people_too() -> None:
    said = configlet("platforms").stdout
    assert said.splitlines()[0].split()[:5] == ["platform", "kind", "rendered", "read", "proven"]
    assert any(line.split()[:2] == ["junos", "acl"] for line in said.splitlines())


def test_a_folder_that_lacks_something_ends_with_status_3(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    assert configlet("init", str(root)).returncode == 0
    shutil.copytree(ROOT / "configlets" / "nxos", root / "configlets" / "nxos")
    (root / "configlets" / "nxos" / "cases" / "extra.yaml").write_text("about: none\n")
    ended = configlet("platforms", "check", "nxos", cwd=root)
    assert ended.returncode == 3 and "lacks kind, tables, text" in ended.stdout


@pytest.mark.parametrize("name", ["sonic"])
def test_what_proofs_rest_on_unconfirmed_is_said(name: str) -> None:
    ended = configlet("platforms", "check", name)
    assert ended.returncode == 0
    assert "complete" in ended.stdout and "Proofs rest on what is not confirmed" in ended.stdout


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("platform.yaml", "      empty:", "      emptie:"), 'The sheet says nothing of "empty"'),
        (("platform.yaml", "holds addresses only.", "holds addresses only"), "is no sentence"),
        (("acl.j2", "{{ sport }}", ""), "no line can ask|another text|TOO OPEN|REFUTED|gives another text"),
        (("cases/ports.yaml", "range 9001 9016", "range 9001 9017"), "gives another text than the case, first in line"),
        (("acl.reader.yaml", "|range {port} {port}", ""), "does not fit here"),
    ],
)
def test_what_is_missing_in_a_folder_is_said_in_sentences(tmp_path: Path, change: tuple[str, str, str], sentence: str) -> None:
    folder = tmp_path / "configlets" / "nxos"
    shutil.copytree(ROOT / "configlets" / "nxos", folder)
    file, old, new = change
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    (found,) = standing.of(load(content.search(tmp_path))["nxos"])
    said = "\n".join(found.missing)
    assert any(part in said for part in sentence.split("|")), said


def test_a_platform_that_is_not_there_is_an_error_with_what_is_near() -> None:
    ended = configlet("platforms", "check", "jnos")
    assert ended.returncode == 65
    assert 'Did you mean "junos"?' in ended.stderr


def test_a_device_of_a_platform_without_a_driver_is_rendered_proven_and_not_driven(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    assert configlet("init", str(root)).returncode == 0
    devices = root / "inventory" / "dc1" / "devices.yaml"
    devices.write_text(devices.read_text().replace("platform: eos", "platform: junos").replace("platform: ios", "platform: nxos"))
    ended = configlet("prove", "dc1", "--at", DAY, cwd=root)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr
    assert "junos" in configlet("render", "dc1", "--at", DAY, cwd=root).stdout


def test_the_sentence_of_a_platform_without_a_driver() -> None:
    from configlet.cli import aim
    from configlet.model.problem import Refused

    class Site:
        name, platforms = "dc1", SHIPPED

    target = Target("leaf1", "vyos", "192.0.2.1", 0, "env/DC1", Path())
    with pytest.raises(Refused, match="nothing of ours changes a device yet"):
        aim.maker(Site())(target)  # type: ignore[arg-type]
