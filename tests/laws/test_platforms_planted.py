"""Laws of independence: reader and writer share no table, so that what one calls wrong the other catches; sheets hold."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from configlet.model.gate import Artifact, Table
from configlet.model.platform import Platform
from configlet.model.problem import Refused
from configlet.platforms.content import stock
from configlet.prove import prove
from configlet.readers import read
from configlet.render import render
from tests.builders import acl, platform, row
from tests.policies import ALL

ACLS = sorted(name for name, known in ALL.items() if "acl" in known.kinds)
PORTS = {"bgp": 179, "domain": 53, "ssh": 22, "telnet": 23, "ftp": 21, "smtp": 25, "https": 443, "www": 80, "http": 80}
"""Names of ports as IANA and the vendors have them; no table of ours."""
SHEET = ("default", "order", "state", "fragments", "established", "empty", "missing", "direction", "counts")


def grammar(name: str) -> dict[str, Any]:
    found = yaml.safe_load((stock() / "configlets" / name / "acl.reader.yaml").read_text())
    assert isinstance(found, dict)
    return found


def binding(name: str) -> str:
    return "Ethernet4" if name == "sonic" else "Vlan120"


def table(name: str, port: int, proto: str = "tcp") -> Table:
    entries = [row(f"permit {proto} 10.1.10.0/24 10.1.20.0/24 to {port}")]
    made = acl(entries, binding=binding(name))
    return replace(made, gate=replace(made.gate, platform=name, capability=ALL[name].kinds["acl"].capability))


def verdicts(known: Platform, artifact: Artifact) -> set[str]:
    try:
        reading = read(known, "acl", artifact.text, artifact.file)
    except Refused:
        return {"refused"}
    return {proof.verdict for proof in prove(artifact, reading)}


def names_of(said: Mapping[str, Any]) -> dict[str, int]:
    """The port names of TCP that a grammar has and that the world knows too."""
    found = said["names"]["portname"]
    known = found.get(6, found) if isinstance(found, dict) else {}
    return {word: port for word, port in PORTS.items() if word in known}


def planted(name: str, root: Path, file: str, change: Any) -> Platform:
    """The platform with one of its files changed, in a workspace that lies over what ships."""
    folder = root / "configlets" / name
    shutil.copytree(stock() / "configlets" / name, folder)
    data = yaml.safe_load((folder / file).read_text())
    change(data)
    (folder / file).write_text(yaml.safe_dump(data, sort_keys=False))
    return platform(name, root)


NAMED = [name for name in ACLS if len(names_of(grammar(name))) > 1]


def shown(text: str, port: int, word: str) -> str:
    """The text as a device shows it that prints names."""
    changed = re.sub(rf"(?<![\d./:\"-]){port}(?![\d./:])", word, text)
    assert changed != text
    return changed


@pytest.mark.parametrize("name", NAMED)
def test_a_ports_name_is_read_as_the_vendors_own_and_a_wrong_one_is_refuted(name: str) -> None:
    known = ALL[name]
    words = names_of(grammar(name))
    (word, port), (other, another) = list(words.items())[:2]
    assert port != another
    artifact = render("leaf1", known, "acl", [table(name, port)])
    assert verdicts(known, replace(artifact, text=shown(artifact.text, port, word))) == {"PROVED"}
    assert verdicts(known, replace(artifact, text=shown(artifact.text, port, other))) == {"REFUTED"}


@pytest.mark.parametrize("name", NAMED)
def test_a_wrong_name_in_the_readers_table_is_refuted(name: str, tmp_path: Path) -> None:
    word, port = next(iter(names_of(grammar(name)).items()))

    def change(data: dict[str, Any]) -> None:
        found = data["names"]["portname"]
        found.get(6, found)[word] = port + 1

    artifact = render("leaf1", ALL[name], "acl", [table(name, port)])
    wrong = planted(name, tmp_path, "acl.reader.yaml", change)
    assert verdicts(wrong, replace(artifact, text=shown(artifact.text, port, word))) == {"REFUTED"}


@pytest.mark.parametrize("name", ACLS)
def test_a_wrong_protocol_in_the_writers_table_is_refuted(name: str, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        said = data["kinds"]["acl"]["operands"]["proto"][4]
        said[6] = said.get(17, "17")

    wrong = planted(name, tmp_path, "platform.yaml", change)
    artifact = render("leaf1", wrong, "acl", [table(name, 22)])
    assert verdicts(ALL[name], artifact) == {"REFUTED"}


@pytest.mark.parametrize("name", ACLS)
def test_a_wrong_port_form_in_the_writer_is_refuted_or_refused(name: str, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        forms = data["kinds"]["acl"]["operands"]["ports"]
        forms["one"] = forms["one"].replace("{low}", "2{low}")

    wrong = planted(name, tmp_path, "platform.yaml", change)
    artifact = render("leaf1", wrong, "acl", [table(name, 22)])
    assert verdicts(ALL[name], artifact) == {"REFUTED"}


@pytest.mark.parametrize("name", ACLS)
def test_the_sheet_is_whole_and_agrees_with_the_record_and_the_reader(name: str) -> None:
    kind, said = ALL[name].kinds["acl"], grammar(name)
    sheet = kind.semantics
    assert set(SHEET) <= set(sheet)
    assert all(sheet[item].get(key) for item in SHEET for key in ("is", "known", "said"))
    assert kind.capability.ordered and not kind.capability.stateful
    reads = said.get("default", "permit" if said["meaning"] == "chains" else "deny")
    assert sheet["default"]["is"] == reads
    treats = said["fragments_of_port_lines"]
    assert sheet["fragments"]["is"] in (treats, treats.get(4) if isinstance(treats, dict) else treats)
    assert ("pair" in said) == (sheet["established"]["is"] != "ack-or-rst")


@pytest.mark.parametrize("name", ACLS)
def test_the_end_of_a_list_is_as_the_sheet_says(name: str) -> None:
    """The last entry of ours denies all; behind it stands the sheet's default where that is another one."""
    known = ALL[name]
    artifact = render("leaf1", known, "acl", [table(name, 22)])
    ((_, lines),) = read(known, "acl", artifact.text, "text").lists.items()
    every = (0, 2**32 - 1)
    closing = [
        at
        for at, line in enumerate(lines)
        if not line.permit and line.box[1:3] == (every, every) and line.box[0] == (0, 255)
    ]
    assert closing
    behind = lines[closing[-1] + 1 :]
    permits = known.kinds["acl"].semantics["default"]["is"] == "permit"
    assert [line.permit for line in behind] in ([], [True]) if permits else not behind


def test_a_list_that_is_too_long_for_gaps_has_none_and_one_that_is_longer_still_is_refused() -> None:
    kind = ALL["sonic"].kinds["acl"]
    sequence = {**kind.operands["sequence"], "first": 990, "highest": 999}
    known = replace(ALL["sonic"], kinds={"acl": replace(kind, operands={**kind.operands, "sequence": sequence})})

    def text(count: int) -> Artifact:
        entries = [row(f"permit udp 10.1.10.0/24 10.1.20.0/24 to {port}") for port in range(1, count + 1)]
        made = acl(entries, binding="Ethernet4")
        gate = replace(made.gate, platform="sonic", capability=kind.capability)
        return render("leaf1", known, "acl", [replace(made, gate=gate)])

    assert verdicts(known, text(120)) == {"PROVED"}
    with pytest.raises(Refused, match=r"has 1,0[0-9]{2} entries, and the platform has 990 numbers for them, 990 to 1"):
        text(1010)
