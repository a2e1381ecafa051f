"""Hostile plan and approval files: refused at their place by every command that reads them; no traceback, nothing done."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from configlet import consent
from configlet.cli import main
from configlet.model.document import read
from configlet.model.problem import Refused
from configlet.plan import from_json
from tests.cli_run import ROOT
from tests.tables.hostile import files as hostile

GOOD: dict[str, tuple[Callable[[], str], Callable[[str, str], object]]] = {
    "plan": (hostile.good_plan, from_json),
    "approval": (hostile.good_approval, consent.from_json),
}


def named(case: hostile.FileCase) -> str:
    return case.name.replace(" ", "-")


def test_the_good_files_are_good() -> None:
    for make, parse in GOOD.values():
        assert parse(make(), "f")


@pytest.mark.parametrize("case", hostile.PLANS, ids=named)
@pytest.mark.parametrize("command", ["approve", "push"])
def test_a_hostile_plan_file_is_refused_at_its_place(
    command: str, case: hostile.FileCase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, line, column = hostile.planted(hostile.good_plan(), case)
    file = tmp_path / "plan.json"
    file.write_bytes(content)
    words = ["approve", str(file)] if command == "approve" else ["push", "dc1", "--lab", "--plan", str(file)]
    status = main([*words, "--yes", "--workspace", str(ROOT)])
    said = capsys.readouterr()
    assert (status, said.out) == (65, ""), said
    place = f"{file}:{line}:{column}: " if hostile.MARK in case.new else f"{file}:"
    assert said.err.startswith(place), said.err
    assert case.word in said.err and "Traceback" not in said.err
    assert all(text.isprintable() for text in said.err.splitlines())
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"], "nothing is written"


@pytest.mark.parametrize("case", hostile.APPROVALS, ids=named)
def test_a_hostile_approval_file_is_refused_at_its_place(
    case: hostile.FileCase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, line, column = hostile.planted(hostile.good_approval(), case)
    (tmp_path / "inventory" / "dc1").mkdir(parents=True)
    (tmp_path / "inventory" / "dc1" / "site.yaml").write_text("")
    (tmp_path / "approvers").write_text("bob ssh-ed25519 " + "A" * 68 + "\n")
    file, beside = tmp_path / "plan.json", tmp_path / "plan.json.approval"
    file.write_text(hostile.good_plan())
    beside.write_bytes(content)
    status = main(["push", "dc1", "--lab", "--plan", str(file), "--workspace", str(tmp_path)])
    said = capsys.readouterr()
    assert (status, said.out) == (65, ""), said
    place = f"{beside}:{line}:{column}: " if hostile.MARK in case.new else f"{beside}:"
    assert said.err.startswith(place), said.err
    assert case.word in said.err
    assert all(text.isprintable() for text in said.err.splitlines())


def spoiled(text: str, dice: random.Random) -> str:
    """The text with one to three small accidents."""
    for _ in range(dice.randint(1, 3)):
        at, end = sorted((dice.randrange(len(text)), dice.randrange(len(text))))
        end = min(end, at + 40)
        bit = dice.choice(['"', "{", "}", "[", "]", ",", ":", "null", "1e9", "\\u0000", "\\", "é", "\n", text[at:end]])
        text = dice.choice([text[:at] + bit + text[at:], text[:at] + text[end:], text[:at] + bit + text[end:]])
    return text


@pytest.mark.parametrize("kind", GOOD)
def test_whatever_befalls_a_file_it_is_as_good_as_before_or_refused_with_a_place(kind: str) -> None:
    make, parse = GOOD[kind]
    good, dice, refused = make(), random.Random(kind), 0
    value = parse(good, "f")
    for _ in range(1500):
        text = spoiled(good, dice)
        try:
            found = parse(text, "f")
        except Refused as problem:
            refused += 1
            first = problem.problems[0]
            assert first.place is not None and first.place.file == "f"
            assert 1 <= first.place.line <= text.count("\n") + 1
            assert all(line.isprintable() for line in str(first).splitlines())
            continue
        if kind == "plan":
            assert found == value, "a plan that is not the same has another digest"
    assert refused > 1000


def test_every_key_of_a_document_knows_its_place() -> None:
    text = '{"a": [1, {"b": "x",\n  "c" : [[], "y"]}], "d\\n": {}}'
    found = read(text, "f", "w")
    for path, place in (
        (("a",), "f:1:2"),
        (("a", 0), "f:1:8"),
        (("a", 1), "f:1:11"),
        (("a", 1, "b"), "f:1:12"),
        (("a", 1, "c"), "f:2:3"),
        (("a", 1, "c", 0), "f:2:10"),
        (("a", 1, "c", 1), "f:2:14"),
        (("d\n",), "f:2:22"),
        (("nowhere", 7), "f:1:1"),
        (("a", 1, "gone"), "f:1:11"),
    ):
        assert str(found.odd(path, "d").problems[0].place) == place, path
    assert found.value == json.loads(text)


def test_there_are_more_than_sixty_hostile_inputs_with_a_place() -> None:
    names = [(kind, case.name) for kind, cases in (("p", hostile.PLANS), ("a", hostile.APPROVALS)) for case in cases]
    assert len(set(names)) == len(names) >= 60
