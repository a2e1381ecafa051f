"""Platforms are folders: found, layered, complete, without Python; and their cases hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from configlet.model.gate import Table
from configlet.model.problem import Refused
from configlet.pipeline import standing
from configlet.platforms import cases, load
from configlet.platforms.content import RESERVED, files, search, stock
from configlet.platforms.own import faults
from configlet.prove import prove
from configlet.readers import read
from configlet.render import render
from tests.builders import acl, platform, rows
from tests.cases import document, tables_of

CONTENT = stock() / "configlets"
SHIPPED = load(search(None))
CASES = [(name, path) for name in sorted(SHIPPED) for path in cases(SHIPPED[name])]


def workspace(tmp_path: Path, **files_: str) -> Path:
    for name, text in files_.items():
        path = tmp_path / "configlets" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def order(family: int = 4) -> Table:
    return acl(rows(["permit tcp 10.1.10.0/24 10.1.20.0/24 to 22"]))


def test_every_folder_with_a_manifest_is_a_platform_and_nothing_else_is() -> None:
    there = {path.parent.name for path in CONTENT.glob("*/platform.yaml")}
    assert set(SHIPPED) == there
    assert {"eos", "nftables"} <= there
    assert not there & RESERVED


def test_content_holds_no_python_and_every_fact_says_where_it_is_from() -> None:
    assert not list(CONTENT.rglob("*.py"))
    for known in SHIPPED.values():
        assert known.sources and known.title and known.driver
        assert all(sentence.endswith(".") for sentence in known.refusals.values())


def test_every_nic_model_says_what_its_mechanisms_can_do_and_where_that_is_from() -> None:
    models = {path.stem: yaml.safe_load(path.read_text()) for path in files(search(None), "nics", ".yaml")}
    assert {"solarflare-x2-serverlock", "solarflare-x2", "mellanox-connectx6", "intel-e810", "virtio"} <= set(models)
    for name, model in models.items():
        assert {"vendor", "driver", "mechanisms"} <= set(model), name


def test_a_workspace_overlays_one_file_and_keeps_the_others(tmp_path: Path) -> None:
    root = workspace(
        tmp_path, eos__acl_dot_j2='{% extends "stock/eos/acl.j2" %}{% block bindings %}! none\n{% endblock %}'
    )
    text = render("leaf1", platform("eos", root), "acl", [order()]).text
    assert "ip access-list cfglt-Vlan120-in-v4" in text
    assert text.endswith("! none\n")
    assert "access-group" not in text


def test_a_template_that_extends_stock_without_change_gives_the_same_bytes(tmp_path: Path) -> None:
    root = workspace(tmp_path, eos__acl_dot_j2='{% extends "stock/eos/acl.j2" %}')
    assert render("leaf1", platform("eos", root), "acl", [order()]) == render(
        "leaf1", platform("eos"), "acl", [order()]
    )


def test_a_template_may_put_its_lines_around_those_of_the_block_that_it_replaces(tmp_path: Path) -> None:
    text = '{% extends "stock/eos/acl.j2" %}{% block bindings %}! mine\n{{ super() }}! end\n{% endblock %}'
    shipped = render("leaf1", platform("eos"), "acl", [order()]).text
    made = render("leaf1", platform("eos", workspace(tmp_path, eos__acl_dot_j2=text)), "acl", [order()]).text
    assert "! mine\ninterface Vlan120\n" in made and made.replace("! mine\n", "").replace("! end\n", "") == shipped


@pytest.mark.parametrize(("text", "word", "line"), [
    ("! a\n{{ 1 / 0 }}\n", "ZeroDivisionError", 2),
    ("{% for i in range(100000000) %}x{% endfor %}", "OverflowError", 1),
    ('{% extends "eos/acl.j2" %}', "RecursionError", 1),
    ("\n\n{{ lists[999] + 1 }}\n", "no element 999", 3),
    ("! a\n{{ lists | join('x', 'y', 'z') }}", "TypeError", 2),
])  # fmt: skip
def test_a_template_that_goes_wrong_is_refused_with_its_line(tmp_path: Path, text: str, word: str, line: int) -> None:
    with pytest.raises(Refused, match=word) as refused:
        render("leaf1", platform("eos", workspace(tmp_path, eos__acl_dot_j2=text)), "acl", [order()])
    (problem,) = refused.value.problems
    assert problem.place and (problem.place.line == line or word == "RecursionError")
    assert problem.place.file.endswith("eos/acl.j2") and len(problem.detail) < 400


def test_a_template_that_is_no_text_is_refused(tmp_path: Path) -> None:
    root = workspace(tmp_path, eos__acl_dot_j2="")
    (root / "configlets" / "eos" / "acl.j2").write_bytes(b"! \xff\n")
    with pytest.raises(Refused, match="UnicodeDecodeError"):
        render("leaf1", platform("eos", root), "acl", [order()])


def test_a_platform_of_the_workspace_is_found_beside_those_that_ship(tmp_path: Path) -> None:
    shutil.copytree(CONTENT / "eos", tmp_path / "configlets" / "eos-like")
    assert set(load(search(tmp_path))) == set(SHIPPED) | {"eos-like"}


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("driver: eos\n", "", "lacks driver"),
        ("      capacity: 4000", "      kapacity: 4000", "lacks capacity"),
        ("      sequence: {first: 10, step: 10}\n", "", "lacks sequence"),
        ("  acl:\n", "  bcl:\n", "none of acl, filter-table"),
        ("title: Arista EOS", "title: [Arista EOS", "expected"),
    ],
)
def test_a_manifest_that_is_incomplete_is_refused_with_its_place(tmp_path: Path, old: str, new: str, word: str) -> None:
    text = (CONTENT / "eos" / "platform.yaml").read_text()
    assert old in text
    root = workspace(tmp_path, eos__platform_dot_yaml=text.replace(old, new))
    with pytest.raises(Refused) as refused:
        load(search(root))
    (problem,) = refused.value.problems
    assert word in str(problem)
    assert problem.place and problem.place.file.endswith("eos/platform.yaml")


def test_a_platform_without_its_template_is_refused(tmp_path: Path) -> None:
    shutil.copytree(CONTENT / "eos", tmp_path / "configlets" / "other")
    (tmp_path / "configlets" / "other" / "acl.j2").unlink()
    with pytest.raises(Refused, match=r"lacks the file other/acl.j2"):
        load(search(tmp_path))


def test_there_are_eight_cases_or_more_for_each_platform() -> None:
    assert {name for name, _ in CASES} == set(SHIPPED)
    for name in SHIPPED:
        assert sum(owner == name for owner, _ in CASES) >= 8, name


@pytest.mark.parametrize(("name", "path"), CASES, ids=[f"{n}-{p.stem}" for n, p in CASES])
def test_a_case_gives_exactly_its_text_and_the_text_means_its_rows(name: str, path: Path) -> None:
    case = document(path)
    artifact = render("leaf1" if name == "eos" else "host1", SHIPPED[name], case["kind"], tables_of(case))
    reading = read(SHIPPED[name], case["kind"], artifact.text, artifact.file)
    if "shown" in case:  # no text: what its reader tells people of it
        assert "".join(f"{line}\n" for line in reading.canonical.splitlines() if line.startswith("# ")) == case["shown"]
    else:
        assert artifact.text == case["text"]
    assert [proof for proof in prove(artifact, reading) if proof.verdict != "PROVED"] == []
    assert read(SHIPPED[name], case["kind"], reading.canonical, "canonical").canonical == reading.canonical


@pytest.mark.parametrize(
    ("file", "old", "new", "word"),
    [
        ("acl.reader.yaml", "(?P<list>", "(?P<list", "in the pattern"),
        ("acl.reader.yaml", "\nparts:", "\nspare:", "key 'parts' is missing"),
        ("acl.reader.yaml", "\nfamilies: {ip: 4, ipv6: 6}", "\nfamilies: 7", "of another kind"),
        ("acl.reader.yaml", "meaning: acl", "# \xff", "no YAML"),
        ("platform.yaml", "      action: {", "      action: 7  # {", "of another kind"),
        ("platform.yaml", "sources:", "sources: 7\nspare:", "of another kind"),
        ("cases/denies.yaml", "{rule: ", "{ruul: ", "key 'rule' is missing"),
    ],
)
def test_a_fault_in_a_folder_of_ones_own_is_said_with_the_file_and_is_no_internal_error(
    tmp_path: Path, file: str, old: str, new: str, word: str
) -> None:
    mine = tmp_path / "configlets" / "mine"
    shutil.copytree(CONTENT / "nxos", mine)
    text = (mine / file).read_text()
    assert old in text
    (mine / file).write_bytes(text.replace(old, new, 1).encode("latin-1"))
    try:
        said = "\n".join(sentence for one in standing.of(load(search(tmp_path))["mine"]) for sentence in one.missing)
    except Refused as refused:
        said = str(refused)
    assert word in said and "mine" in said and len(said) < 12_000


def test_a_fault_where_every_file_ships_stays_an_internal_error() -> None:
    with pytest.raises(KeyError), faults(SHIPPED["nxos"]):
        raise KeyError("ours")
