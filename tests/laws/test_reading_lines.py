"""Law: a line is read alike whatever stands around it in its text, and whatever was read before it."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from configlet import readers
from configlet.model.gate import Artifact
from configlet.model.problem import Refused
from configlet.pipeline.artifacts import FEW, read
from configlet.readers.engine import reader
from configlet.readers.tree import sources
from tests.builders import platform
from tests.cases import document
from tests.readings import answer

if TYPE_CHECKING:
    from configlet.pipeline.site import Site

WORDS = ("permit", "tcp", "host", "10.1.2.3", "any", '"a  name"', "é", "eq", "22", "{", "}", "!")
GAPS = (" ", " ", " ", " ", "  ", "\t", " \t ", "\u00a0", "\u2003")
MARGINS = ("", "", "   ", "\t", "\t\t", " \t")
ENDS = ("", "", "", " ", "\t", "\r")
CONFIGLETS = Path(__file__).parents[2] / "configlets"


def _line(dice: random.Random, *, odd: bool) -> str:
    words = [dice.choice(WORDS) for _ in range(dice.randrange(6))]
    if not odd:
        return dice.choice(("", "   ", "\t")) + " ".join(word for word in words if word.isascii() and "  " not in word)
    said = "".join(word + dice.choice(GAPS) for word in words)
    return dice.choice(MARGINS) + said + dice.choice(ENDS)


def _alone(number: int, raw: str) -> tuple[int, int, str] | None:
    """Where a line stands and what it says, by itself."""
    raw = raw.removesuffix("\r")
    said = raw.strip()
    if not said:
        return None
    return number, raw.index(said[0]) + 1, said if '"' in said else " ".join(said.split())


@pytest.mark.parametrize("odd", [0, 1, 50, 2000])
def test_a_line_says_the_same_in_a_long_text_as_alone(odd: int) -> None:
    dice = random.Random(odd)
    lines = [_line(dice, odd=False) for _ in range(9_000)]
    for at in dice.sample(range(len(lines)), odd):
        lines[at] = _line(dice, odd=True)
    found = [(line.number, line.column, line.text) for line in sources("\n".join(lines), "text")]
    assert found == [said for number, raw in enumerate(lines, 1) if (said := _alone(number, raw))]


@pytest.mark.parametrize("control", ["\x00", "\x0b", "\x1f", "\x7f", "\x85", "\u2028", "\r"])
def test_a_control_character_is_refused_at_its_line_wherever_that_stands(control: str) -> None:
    for at in (0, 1, 4_000, 8_999):
        lines = ["   10 permit ip any any"] * 9_000
        lines[at] = f"   10 permit{control} ip any any"
        with pytest.raises(Refused) as refused:
            list(sources("\n".join(lines), "text"))
        place = refused.value.problems[0].place
        assert place is not None
        assert (place.line, place.column) == (at + 1, 4)


def _variants(dice: random.Random, text: str) -> list[str]:
    """The text, and texts that are alike but for a line."""
    out = [text]
    for _ in range(12):
        lines = text.split("\n")
        at = dice.randrange(len(lines))
        words = lines[at].split(" ")
        words[dice.randrange(len(words))] = dice.choice(("any", "host", "6", "300", "10.1.2.0/24", "udp", "drop", ""))
        lines[at] = " ".join(words)
        out.append("\n".join(lines))
    return out


@pytest.mark.parametrize(("name", "kind"), [("eos", "acl"), ("ios", "acl"), ("nftables", "filter-table")])
def test_what_was_read_before_changes_nothing_of_what_is_read(name: str, kind: str, tmp_path: Path) -> None:
    grammar, dice = platform(name).kinds[kind].reader, random.Random(name)
    cases = sorted((CONFIGLETS / name / "cases").glob("*.yaml"))
    texts = [text for case in cases for text in _variants(dice, document(case)["text"])]
    dice.shuffle(texts)
    used = reader(grammar)
    before = [answer(used.read, text) for text in texts]
    assert [answer(used.read, text) for text in reversed(texts)] == before[::-1]
    for number in dice.sample(range(len(texts)), 8):
        fresh = reader(Path(shutil.copy(grammar, tmp_path / f"{number}.yaml")))
        assert answer(fresh.read, texts[number]) == before[number], texts[number]


def test_a_grammar_is_looked_at_again_but_for_texts_of_one_platform(tmp_path: Path) -> None:
    grammar, kind = tmp_path / "reader.yaml", object()
    first = None
    for number, name in enumerate(("eos", "ios"), 1):
        shutil.copy(platform(name).kinds["acl"].reader, grammar)
        os.utime(grammar, (number, number))
        assert reader(grammar) is reader(grammar) is reader(grammar, object())
        first = first or reader(grammar, kind)
        assert reader(grammar, kind) is first, "what was read of a platform once has one reader"
    assert reader(grammar) is not first
    assert reader(tmp_path / "reader.yaml", kind) is reader(grammar), "another path"


MAP = """\
table inet configlet {
	map found {
		type KIND : verdict
		flags interval
		elements = {
			KEY : goto end,
			KEY2 : goto end
		}
	}
	chain end {
		counter accept comment "end"
	}
	chain input {
		type filter hook input priority -10; policy drop;
	}
}
"""


def _map(kind: str, *keys: str) -> str:
    return MAP.replace("KIND", kind).replace("KEY2", keys[1]).replace("KEY", keys[0])


def test_an_element_that_was_understood_for_one_type_of_key_is_not_taken_for_another() -> None:
    known = reader(platform("nftables").kinds["filter-table"].reader)
    known.read(_map("inet_service", "300", "400"), "text")
    with pytest.raises(Refused, match="300"):
        known.read(_map("inet_proto", "300", "400"), "text")
    assert known.read(_map("inet_service", "300", "400"), "text").read == 16


def test_a_text_means_what_it_says_whatever_was_read_before_it() -> None:
    dice, eos = random.Random(51), platform("eos")
    readings: dict[Any, Any] = {}
    site = cast("Site", SimpleNamespace(platforms={"eos": eos}, readings=readings))
    artifact = Artifact("leaf1", "eos", "acl", "", (), "text")
    again = 0
    for _ in range(300):
        entries = [f"   {10 * at} permit tcp any any eq {dice.choice((22, 23, 443))}\n" for at in range(2, dice.randrange(4, 30))]
        head = "ip access-list cfglt-Vlan9-in-v4\n   10 deny ip any any fragments\n"
        text = f"{head}{''.join(entries)}interface Vlan9\n   ip access-group cfglt-Vlan9-in-v4 in\n"
        found = read(site, artifact, text, "text")
        assert found.lists == readers.read(eos, "acl", text, "text").lists
        again += read(site, artifact, text, "text") is found
        assert len(readings) <= FEW
    assert again == 300
