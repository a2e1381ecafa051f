"""Law: a table whose elements decide themselves means, counts and comes back as the one that had a chain for each rule."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from configlet import pipeline
from configlet.model.gate import Artifact
from configlet.model.problem import Refused
from configlet.pipeline import Store
from configlet.pipeline.artifacts import each_artifact
from configlet.pipeline.site import open_site
from configlet.pipeline.written import Folder
from configlet.platforms import cases
from configlet.prove import prove
from configlet.readers import read
from configlet.render import render
from tests.builders import platform
from tests.cases import document, tables_of
from tests.chains import in_chains
from tests.laws.test_blind import TODAY
from tests.laws.test_observe import ALLOW, DENIED, watched

NFT = platform("nftables")
ROOT = Path(__file__).parents[2]
OLD = (ROOT / "tests" / "samples" / "table-in-chains.nft").read_text()
WRITTEN = re.compile(r'\t\t\t(?P<key>\S.*?) comment "(?P<comment>[^"]*)" : (?P<verdict>accept|drop)')


@cache
def artifacts() -> tuple[Artifact, ...]:
    """Of every case, and of hosts of the shipped site."""
    found = [render("host1", NFT, "filter-table", tables_of(document(path))) for path in cases(NFT)]
    site = open_site(ROOT, "dc1", date(2026, 11, 24))
    return (*found, *(a for a in each_artifact(site, {"client1"}) if a.platform == "nftables"))


def verdicts(artifact: Artifact, text: str) -> set[str]:
    return {p.verdict for p in prove(replace(artifact, text=text), read(NFT, "filter-table", text, "text"))}


def meant(text: str) -> dict[object, set[object]]:
    lists = read(NFT, "filter-table", text, "text").lists
    return {key: {(x.permit, x.box, x.label, x.counted) for x in lines} for key, lines in lists.items()}


def test_a_table_in_chains_is_read_as_the_same_rows_of_the_same_rules() -> None:
    assert len(artifacts()) > 11
    for artifact in artifacts():
        old = in_chains(artifact.text)
        assert old != artifact.text and " : accept" not in old
        assert meant(old) == meant(artifact.text)
        assert verdicts(artifact, old) == verdicts(artifact, artifact.text) == {"PROVED"}


def test_a_text_of_the_time_before_is_the_form_that_these_laws_speak_of() -> None:
    (path,) = (path for path in cases(NFT) if path.name == "network-first.yaml")
    assert in_chains(document(path)["text"]) == OLD


def test_a_plan_from_chains_opens_and_closes_nothing_and_its_way_back_is_what_ran(tmp_path: Path) -> None:
    watched(tmp_path, policy=ALLOW + DENIED)
    out = tmp_path / "out"
    out.mkdir()
    for artifact in pipeline.render(tmp_path, "desk", TODAY):
        (out / artifact.file).write_text(in_chains(artifact.text) if artifact.platform == "nftables" else artifact.text)
    made = pipeline.plan(tmp_path, "desk", TODAY, Folder(out, Store(tmp_path)), "site")
    assert {change.owner for change in made.changes} == {"me", "other"}
    assert made.flows == () and all("only observes" in problem for problem in made.problems)
    for change in made.changes:
        ran, load = (out / f"{change.owner}.nftables.filter-table").read_text(), change.load
        assert change.before == read(NFT, "filter-table", ran, "ran").canonical
        assert meant(change.undo) == meant(ran) and meant(load) == meant(ran)
        assert read(NFT, "filter-table", change.undo, "undo").canonical == change.before
        (out / f"{change.owner}.nftables.filter-table").write_text(load)
    again = pipeline.plan(tmp_path, "desk", TODAY, Folder(out, Store(tmp_path)), "site")
    assert (again.changes, again.flows, again.problems) == ((), (), made.problems)


def mutants(dice: random.Random, text: str) -> Iterator[tuple[str, str]]:
    """Texts of which one element's comment or verdict is another one, each with what was done."""
    found = list(WRITTEN.finditer(text))
    names = sorted({one["comment"] for one in found})
    for one in dice.sample(found, min(2, len(found))):
        turned = "drop" if one["verdict"] == "accept" else "accept"
        other = dice.choice(names)
        for what, new in (
            ("turned", f'{one["key"]} comment "{one["comment"]}" : {turned}'),
            ("cut", f'{one["key"]} comment "{one["comment"]}" :'),
            ("renamed", f'{one["key"]} comment "{other}" : {one["verdict"]}'),
            ("unnamed", f"{one['key']} : {one['verdict']}"),
            ("unquoted", f"{one['key']} comment {one['comment']} : {one['verdict']}"),
            ("half quoted", f'{one["key"]} comment "{one["comment"]} : {one["verdict"]}'),
            ("no colon", f'{one["key"]} comment "{one["comment"]}" {one["verdict"]}'),
            ("astray", f'{one["key"]} comment "{one["comment"]}" : goto judge'),
            ("returned", f'{one["key"]} comment "{one["comment"]}" : return'),
        ):
            yield what, f"{text[: one.start()]}\t\t\t{new}{text[one.end() :]}"


MEANING, NAME = {"turned"}, {"renamed", "unnamed"}


def test_another_word_in_an_element_is_refused_refuted_or_seen_to_be_another_text() -> None:
    dice, seen = random.Random(7), set()
    for artifact in artifacts()[: len(cases(NFT))]:
        written = read(NFT, "filter-table", artifact.text, "text").canonical
        for what, text in mutants(dice, artifact.text):
            if text == artifact.text:
                continue
            seen.add(what)
            try:
                canonical = read(NFT, "filter-table", text, "text").canonical
            except Refused:
                assert what not in MEANING | NAME, text
                continue
            assert what in MEANING | NAME and canonical != written, (what, text)
            assert ("REFUTED" in verdicts(artifact, text)) == (what in MEANING), (what, artifact.owner)
    assert len(seen) == 9


NAMES = ["x" * 300, "é" * 120, 'a "b" $c \\ d', "a ; { } : , b", "comment : accept", "#", "x" * 99 + " y"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_rule_stands_in_an_element_as_a_label_and_nothing_more(name: str) -> None:
    from tests.builders import host, row

    rows = [row("permit tcp 10.1.70.5 10.1.60.11 to 22", name=name), row("deny udp 10.1.70.5 10.1.60.11", name=name)]
    artifact = render("h", NFT, "filter-table", [host(rows, ["10.1.60.11"]), host((), (), 6)])
    assert verdicts(artifact, artifact.text) == {"PROVED"}
    said = [found["comment"] for found in WRITTEN.finditer(artifact.text)]
    assert len(said) == 2 and len(set(said)) == 1 and 0 < len(said[0].encode()) <= 100
    assert "\t\t\t10.1.70.5 comment" in artifact.text or "\t\t\t10.1.70.5 . 22 comment" in artifact.text
