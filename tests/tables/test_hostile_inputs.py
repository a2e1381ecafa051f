"""Hostile inputs: each is refused at its exact place, in words, and never with a traceback."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from configlet.cli import main
from configlet.model.problem import Refused
from configlet.workspace import load, validate
from configlet.workspace.strict import read
from tests.tables.hostile import cases as hostile

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize("case", hostile.CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_hostile_input_is_refused_at_its_place(case, tmp_path: Path) -> None:
    place = hostile.plant(case, tmp_path)
    with pytest.raises(Refused) as refused:
        load(tmp_path, "dc1", TODAY, hostile.NICS)
    first = refused.value.problems[0]
    assert str(first.place) == place
    assert case.summary and case.summary in first.summary
    assert case.word in first.detail
    assert first.nature == case.nature
    assert first.severity == "error"
    assert first.detail.endswith((".", "?")), "a complaint is made of sentences"
    assert all(line.isprintable() for line in str(first).splitlines())


@pytest.mark.parametrize("case", (*hostile.CASES, *hostile.BEYOND), ids=lambda case: case.name.replace(" ", "-"))
def test_no_command_goes_on_from_a_hostile_input(case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place, out = hostile.plant(case, tmp_path), tmp_path / "out"
    at = ("--workspace", str(tmp_path), "--at", TODAY.isoformat())
    status = main(["render", "dc1", "--out", str(out), *at])
    said = capsys.readouterr()
    assert status == {"invalid": 65, "red": 3}[case.nature]
    assert f"{place}: " in said.err and case.summary in said.err
    assert "Traceback" not in said.out + said.err
    assert said.out == "" and not out.exists(), "not one artifact is written"


def test_the_table_has_no_two_cases_of_one_name() -> None:
    names = [case.name for case in hostile.CASES]
    assert len(set(names)) == len(names) >= 100


def test_all_complaints_come_at_once(tmp_path: Path) -> None:
    cases = {case.name: case for case in hostile.CASES}
    one, two = cases["an unknown NIC model"], cases["a misspelt key of a rule"]
    wanted = {hostile.plant(one, tmp_path / "one"), hostile.plant(two, tmp_path / "two")}
    site = tmp_path / "one" / "inventory" / "dc1"
    (site / two.file).write_bytes((tmp_path / "two" / "inventory" / "dc1" / two.file).read_bytes())
    with pytest.raises(Refused) as refused:
        load(tmp_path / "one", "dc1", TODAY, hostile.NICS)
    assert {str(problem.place) for problem in refused.value.problems} == wanted


def test_a_refusal_is_made_of_errors_and_warnings_wait(tmp_path: Path) -> None:
    hostile.plant(next(case for case in hostile.CASES if case.name == "an unknown NIC model"), tmp_path)
    with pytest.raises(Refused) as refused:
        load(tmp_path, "dc1", date(2027, 6, 28), hostile.NICS)
    assert [problem.severity for problem in refused.value.problems] == ["error"]


def test_a_secret_that_was_written_by_mistake_is_not_repeated(tmp_path: Path) -> None:
    case = next(case for case in hostile.CASES if case.name == "a secret for credentials")
    hostile.plant(case, tmp_path)
    with pytest.raises(Refused) as refused:
        load(tmp_path, "dc1", TODAY)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("site", ["dc2", "", ".", "..", "../dc1", "dc1/", "/etc", "dc1\n", ".hidden"])
def test_a_site_that_does_not_exist_is_refused(site: str, tmp_path: Path) -> None:
    hostile.plant(next(iter(hostile.CASES)), tmp_path)
    with pytest.raises(Refused, match="Unknown site"):
        load(tmp_path, site, TODAY)


def test_a_pipe_a_linked_folder_and_a_missing_target_are_refused_and_not_read(tmp_path: Path) -> None:
    site = tmp_path / "inventory" / "dc1"
    site.mkdir(parents=True)
    os.mkfifo(site / "a.yaml")
    (site / "b").symlink_to("/etc")
    (site / "c.yaml").symlink_to("nowhere")
    (site / "d.yaml").mkdir()
    with pytest.raises(Refused) as refused:
        load(tmp_path, "dc1", TODAY)
    assert [problem.summary for problem in refused.value.problems] == ["Not a file", "Linked folder", "Unreadable file"]


@pytest.mark.parametrize(("name", "summary"), [
    ("rack2.YAML", "Wrong suffix"), ("rack2.Yml", "Wrong suffix"), ("rack\n2.yaml", "Bad file name"),
    ("rack\udcff.yaml", "Bad file name"), ("rack\u202e2.yaml", "Bad file name"), ("rack\udcff", "Bad file name"),
])  # fmt: skip
def test_no_file_is_passed_over_for_its_name(tmp_path: Path, name: str, summary: str) -> None:
    """A deny in it would be lost, and nobody told."""
    hostile.plant(hostile.Case("", "notes.txt", "", "§", ""), tmp_path)
    odd = tmp_path / "inventory" / "dc1" / name
    if "." in name:
        odd.write_text("addresses: {more: [192.0.2.1]}\n")
    else:
        odd.mkdir()
    with pytest.raises(Refused) as refused:
        load(tmp_path, "dc1", TODAY)
    (problem,) = refused.value.problems
    assert problem.summary == summary and str(problem).isascii() and str(problem.place).startswith("inventory/dc1/rack")


def test_a_link_that_leads_nowhere_may_have_been_a_folder_of_rules(tmp_path: Path) -> None:
    hostile.plant(hostile.Case("", "notes.txt", "", "§", ""), tmp_path)
    (tmp_path / "inventory" / "dc1" / "racks").symlink_to("nowhere")
    with pytest.raises(Refused, match="Unreadable file"):
        load(tmp_path, "dc1", TODAY)


def test_a_site_whose_folder_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inventory" / "dc\udcff").mkdir(parents=True)
    with pytest.raises(Refused, match="Bad file name"):
        load(tmp_path, "dc1", TODAY)


def test_a_hidden_file_is_not_read_and_is_mentioned(tmp_path: Path) -> None:
    hostile.plant(hostile.Case("", "notes.txt", "", "§", ""), tmp_path)
    (tmp_path / "inventory" / "dc1" / "._hosts.yaml").write_bytes(b"\x00\x05")
    assert [warning.summary for warning in load(tmp_path, "dc1", TODAY).warnings] == ["Hidden file"]


SCALARS = [
    ("no", "no"),
    ("on", "on"),
    ("off", "off"),
    ("yes", "yes"),
    ("True", "True"),
    ("true", True),
    ("false", False),
    ("0123", "0123"),
    ("0x10", "0x10"),
    ("1_000", "1_000"),
    ("1e3", "1e3"),
    ("1.5", "1.5"),
    ("+1", "+1"),
    ("-1", -1),
    ("0", 0),
    ("120", 120),
    ("9" * 5000, "9" * 5000),
    ("10:20:30:40:50:55", "10:20:30:40:50:55"),
    ("2027-06-30", "2027-06-30"),
    ("'120'", "120"),
    ('"true"', "true"),
    ("~", None),
    ("null", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_a_scalar_is_what_yaml_1_2_says(text: str, value: object) -> None:
    node, problems = read(f"a: {text}\n".encode(), "f.yaml")
    assert not problems and node is not None
    assert node.value == {"a": value} and type(node.value["a"]) is type(value)


def test_lines_may_end_as_windows_ends_them() -> None:
    node, _ = read(b"a: 1\r\nb:\r\n  - c\r\n", "f.yaml")
    assert node is not None and node.value == {"a": 1, "b": ["c"]}


def test_every_key_and_value_knows_its_place() -> None:
    node, _ = read("a:\n  - x\n  - {b: 1,\n     ö: [2, '3']}\n".encode(), "f.yaml")
    assert node is not None
    second = node.members["a"].members[1]
    places = {key: (str(each.place), str(each.value_place)) for key, each in second.members.items()}
    assert places == {"b": ("f.yaml:3:6", "f.yaml:3:9"), "ö": ("f.yaml:4:6", "f.yaml:4:9")}
    assert str(second.members["ö"].members[1].place) == "f.yaml:4:13"


def test_the_two_holes_of_cerberus_are_closed() -> None:
    schema = {"a": {"type": "string", "regex": "[a-z]+"}, "b": {"type": "integer"}}
    validator = validate.validator_class()(schema)
    assert validator.validate({"a": "web", "b": 1})
    assert not validator.validate({"a": "web\n"})
    assert not validator.validate({"a": "webX"})
    assert not validator.validate({"b": True})


def test_a_form_takes_ten_thousand_characters_without_trouble() -> None:
    for form in validate.CHECKS.values():
        for long in (
            "a" * 10_000,
            "1" * 10_000,
            "a-" * 5_000,
            "a." * 5_000 + "!",
            "2001:" * 2_000,
            "tcp/" + "1-" * 5_000,
        ):
            assert form(long) is not None
