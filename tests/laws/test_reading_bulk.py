"""Law: a long access list that is read piece by piece means what it means line by line, and is refused for the same."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from configlet.readers.acl import AclReader
from configlet.readers.dialect import dialect
from configlet.readers.grammar import Source, load
from configlet.readers.lists import List
from configlet.readers.tree import pieces
from tests.builders import platform
from tests.cases import document
from tests.readings import answer

CONFIGLETS = Path(__file__).parents[2] / "configlets"
NAMES = sorted(
    file.parent.name for file in CONFIGLETS.glob("*/acl.reader.yaml") if load(file).get("meaning") == "acl"
)
OTHERS = ("any", "host", "6", "65536", "10.1.2.0/24", "10.1.2.1/24", "udp", "drop", "remark", "log", "established", "x", "!")
ODD = ("", "   ", "!", "   !", "   ! a comment", "\t10 permit ip any any", "   exit", "\u00a0", "   10 permit tcp\x0b any any",
       "\r")  # fmt: skip


def _reader(name: str) -> AclReader:
    return AclReader(load(platform(name).kinds["acl"].reader))


@cache
def _texts(name: str) -> tuple[str, ...]:
    return tuple(document(case)["text"] for case in sorted((CONFIGLETS / name / "cases").glob("*.yaml")))


def _lists(name: str) -> Iterator[tuple[list[str], int, int]]:
    """Texts as lines, with where the lines of a list begin and end."""
    for text in _texts(name):
        lines = text.rstrip("\n").split("\n")
        starts = [at for at, line in enumerate(lines) if "access-list" in line and not line.startswith(" ")]
        for start in starts:
            end = next((at for at in range(start + 1, len(lines)) if not lines[at].startswith(" ")), len(lines))
            yield lines, start + 1, end


CLOSED = re.compile(r"access-list .*\n(?:.*\n){,2}.* (?:deny \S+ any any|deny any any any) fragments?$", re.MULTILINE)
ENDS = re.compile(r"(?:(?<=\.)\d+|(?<=eq )\d+)(?= |$)")
"""What can be another number in an entry; where that is a wildcard it has holes then, and stands for many boxes."""
HOSTS = re.compile(r"(?:(?<=host \d\d\.\d\.\d\d\.)\d+|(?<=eq )\d+)(?= |$)")


def _long(dice: random.Random, name: str, changed: re.Pattern[str] = ENDS) -> str:
    """A text with a list that is long: its lines again and again, with other addresses and ports, and numbered anew."""
    lines, start, end = dice.choice([found for found in _lists(name) if found[2] - found[1] > 2])
    body = lines[start:end]
    entries = [line for line in body[:-1] if re.search(r"permit|deny|remark|comment", line)]
    chosen = dice.choices(entries, k=dice.randrange(30, 120))
    ports = PORTS if "neq" in str(load(platform(name).kinds["acl"].reader)["parts"]) else PORTS[:-1]
    other = (_said(dice, changed.sub(lambda _: str(dice.randrange(1, 255)), line), ports) for line in chosen)
    drawn = [one for line in other for one in _both(line)]
    before = body[:1] * (dice.choice((1, 1, 14, 15, 16, 17)) if changed is ENDS else 1)
    shared = "remarks" in load(platform(name).kinds["acl"].reader)["sequence"]
    again = _numbered([*before, *body[1:4], *drawn, *body[-1:]], shared=shared)
    return "\n".join([*lines[:start], *again, *lines[end:]]) + "\n"


ADDRESS = r"any|host \S+|[0-9a-f.:]+/\S+|\d+\.[0-9.]+ (?:0|127)\.[0-9.]+|\d+\.[0-9.]+(?! (?:0|127)\.)"
ENTRY = re.compile(rf"( +(?:\w+ )?\d+ (?:permit|deny) (?:tcp|udp)) ({ADDRESS}) ({ADDRESS})(.*)")
PORTS = ("", "", " eq 179", " eq 179", " eq 22", " range 20 30", " gt 1023", " neq 7")


def _said(dice: random.Random, line: str, ports: Sequence[str]) -> str:
    """A line, often with ports at both ends, the same at both now and then."""
    found = ENTRY.fullmatch(line)
    if found is None or dice.random() < 0.5:
        return line
    head, source, destination, rest = found.groups()
    flag = "".join(f" {word}" for word in ("established", "ack", "rst") if word in rest.split())
    return f"{head} {source}{dice.choice(ports)} {destination}{dice.choice((rest, dice.choice(ports) + flag))}"


def _both(line: str) -> Iterator[str]:
    """A line; for one that asks for one of two flags both, the one behind the other."""
    found = re.fullmatch(r"(.*) (?:ack|rst)", line)
    yield from (f"{found[1]} ack", f"{found[1]} rst") if found else (line,)


def _numbered(lines: list[str], *, shared: bool) -> list[str]:
    number, out, open_ = 0, [], False
    for line in lines:
        number += 0 if open_ else 10
        out.append(re.sub(r"\d+(?= (?:permit|deny|remark|comment) )", str(number), line, count=1))
        open_ = shared and bool(re.search(r"\d (?:remark|comment) ", line))
    return out


def _spoiled(dice: random.Random, text: str) -> str:
    """A text with one thing changed, most often in a way that it should be refused for."""
    lines = text.split("\n")
    at = dice.randrange(len(lines))
    words, how = lines[at].split(" "), dice.randrange(9)
    if how == 0:
        words[dice.randrange(len(words))] = dice.choice(OTHERS)
        lines[at] = " ".join(words)
    elif how == 1:
        del words[dice.randrange(len(words))]
        lines[at] = " ".join(words)
    elif how == 2:
        lines[at] = re.sub(r"\d+", lambda _: str(dice.choice((0, 5, 10, 15, 99999999999, "٣", "1_0"))), lines[at], count=1)
    elif how == 3:
        lines.insert(at, dice.choice(ODD))
    elif how == 4:
        lines[at] = dice.choice((" ", "  ", "\t", "")) + lines[at].lstrip() + dice.choice(("", " ", "\t", "\r"))
    elif how == 5:
        lines[at] = lines[at].replace(" ", "  ", dice.randrange(1, 9))
    elif how == 6:
        lines.insert(at, lines[dice.randrange(len(lines))])
    elif how == 7:
        lines[at] = lines[at].upper()
    else:
        del lines[at]
    return dice.choice(("\n", "\n", "\r\n")).join(lines)


@pytest.mark.parametrize("name", NAMES)
def test_pieces_say_what_their_lines_say(name: str) -> None:
    dice, used, one_by_one = random.Random(name), _reader(name), _reader(name)
    for _ in range(60):
        text = _long(dice, name)
        for said in (text, *(_spoiled(dice, text) for _ in range(8))):
            assert answer(used.read, said) == answer(one_by_one.by_line, said), said


@pytest.mark.parametrize("name", NAMES)
def test_long_lists_are_really_read_in_pieces(name: str) -> None:
    dice, known = random.Random(name), _Counting(load(platform(name).kinds["acl"].reader))
    for _ in range(40):
        text = _long(dice, name, HOSTS)
        known.lines = 0
        if CLOSED.search(text):
            known.read(text, "text")
            assert known.lines <= 20, text


class _Counting(AclReader):
    """Counts the lines that were read by themselves."""

    lines = 0

    def _line(self, *given: object) -> None:
        self.lines += 1
        super()._line(*given)  # type: ignore[arg-type]


def _big(name: str, lines: int) -> list[str]:
    """A list that is longer than a piece."""
    found = next(found for found in _lists(name) if CLOSED.search("\n".join(found[0])) and found[2] - found[1] > 4)
    text, start, end = found
    shared = "remarks" in load(platform(name).kinds["acl"].reader)["sequence"]
    body = _numbered([*text[start : end - 1], *(text[start + 3 : end - 1] * lines)[:lines], text[end - 1]], shared=shared)
    return [*text[:start], *body, *text[end:]]


@pytest.mark.parametrize("name", NAMES)
def test_a_line_is_refused_in_whatever_piece_it_stands(name: str) -> None:
    dice, used, one_by_one = random.Random(name), _reader(name), _reader(name)
    lines = _big(name, 6_000)
    assert answer(used.read, "\n".join(lines)) == answer(one_by_one.by_line, "\n".join(lines))
    for at in (1, 4, 5_900, *dice.sample(range(len(lines)), 12)):
        said = "\n".join([*lines[:at], _spoiled(dice, lines[at]), *lines[at + 1 :]])
        assert answer(used.read, said) == answer(one_by_one.by_line, said), (at, said.split("\n")[at])


FOREIGN: dict[str, Callable[[dict[str, Any]], object]] = {
    "a set of all characters but some, which has a line's end": lambda said: said["parts"].update(word="[^ ]+"),
    "blanks of every kind": lambda said: said["lines"].update(remark=r"(?P<number>\d+)\sremark (?P<text>.*)"),
    "a look back at the number": lambda said: said["entry"][1].update(pattern="(?<=10 )(?P<action>permit|deny)"),
    "a remark that begins as an entry": lambda said: said["lines"].update(remark=r"(?P<number>\d+) permit (?P<text>.*)"),
    "comments that begin as an entry": lambda said: said.update(comment=["!", "1"]),
    "a comment that every line is": lambda said: said.update(comment=[""]),
    "an entry without a number": lambda said: said["entry"][0].update(pattern=r"(?P<number>\d+ |)x"),
    "clauses in another order": lambda said: said["entry"].insert(3, said["entry"].pop(5)),
    "a group without a name": lambda said: said["parts"].update(word="(a|b)"),
    "a protocol by what stands behind it": lambda said: said["parts"].update(word="(?=[a-z]+ any)[a-z]+|tcp"),
    "digits that are not all alike": lambda said: said["parts"].update(port=r"(?:[1-9]\d*|{word})"),
    "a number of its own": lambda said: said["entry"][1].update(pattern="(?P<action>permit|deny)(?: 7)?"),
    "actions of its own": lambda said: said["entry"][1].update(pattern="(?P<action>permit|deny|drop)"),
}


@pytest.mark.parametrize("why", FOREIGN)
def test_a_grammar_that_may_see_another_line_is_read_line_by_line(why: str) -> None:
    said = deepcopy(dict(load(platform("eos").kinds["acl"].reader)))
    assert dialect(said, said["parts"], 4).lines is not None
    FOREIGN[why](said)
    assert dialect(said, said["parts"], 4).lines is None


def _changed(text: str, numbers: Sequence[int]) -> str:
    """A text whose lists have other digits: lines of the same form, of which many are refused."""
    drawn = iter(numbers)
    return re.sub(r"(?<=[ .:/])\d(?=[ .:/\n])", lambda _: str(next(drawn, 1)), text)


@pytest.mark.parametrize("name", NAMES)
def test_lines_that_differ_in_digits_alone_mean_what_each_of_them_says(name: str) -> None:
    dice, used, one_by_one = random.Random(name), _reader(name), _reader(name)
    read = 0
    for text in (_long(dice, name, HOSTS) for _ in range(12)):
        for said in (text, *(_changed(text, dice.choices(range(10), k=dice.choice((3, 400)))) for _ in range(8))):
            found = answer(used.read, said)
            assert found == answer(one_by_one.by_line, said), said
            read += _meant(found)
    assert read > 12


def test_words_with_digits_mean_what_they_say() -> None:
    protos = ("88", "89", "46", "99", "ipv6", "ip", "tcp", "17")
    entries = [f"permit {proto} host 10.1.2.{at} any" for proto in protos for at in range(2)]
    types = [f"permit icmp host 10.1.2.9 any {kind}" for kind in ("3 4", "3 3", "8 0", "9 0", "11 1", "99 9", "0", "8")]
    for some in ([*entries, *types], [one for one in entries if "ipv6" not in one], types[:4], entries[:6]):
        text = _eos(CLOSING, *some * 3)
        assert answer(_reader("eos").read, text) == answer(_reader("eos").by_line, text)


def test_a_word_that_the_grammar_tells_by_its_digit_is_read_line_by_line() -> None:
    said = load(platform("iosxr").kinds["acl"].reader)
    assert dialect(said, {**said["parts"], "icmp": "x"}, 4).numbered == ("nexthop0",)
    dice = random.Random(7)
    text = _long(dice, "iosxr", HOSTS)
    for word in ("nexthop1", "nexthop4"):
        other = re.sub(r"(permit|deny) (?:tcp|udp)", rf"\1 {word}", text, count=3)
        assert other != text
        assert answer(_reader("iosxr").read, other) == answer(_reader("iosxr").by_line, other)


def test_a_name_that_is_a_word_of_the_grammar_is_not_taken_for_one_with_another_digit() -> None:
    said = deepcopy(dict(load(platform("eos").kinds["acl"].reader)))
    said["parts"].update(keyword=said["parts"]["keyword"] + "|q1")
    said["names"]["portname"].update(q1=7, q4=7)
    text = _eos(CLOSING, *["permit tcp any any eq q4"] * 20, "permit tcp any any eq q1", "permit tcp any any eq q4")
    assert answer(AclReader(said).read, text) == answer(AclReader(said).by_line, text)
    assert not _meant(answer(AclReader(said).read, text))


NAMED = """\
object-group ip port 22
  10 eq 80
object-group ip address 10.1.2.3
  10 host 10.9.9.9
ip access-list cfglt-Vlan120-in-v4
  10 deny ip any any fragments
  20 permit tcp any any eq 22
  30 permit tcp any 10.1.2.3/32 eq 22
  40 permit tcp any any portgroup 22
  50 permit tcp any addrgroup 10.1.2.3 eq 22
  60 deny ip any any
interface Vlan120
  ip access-group cfglt-Vlan120-in-v4 in
"""


def test_a_group_whose_name_is_a_number_is_a_group() -> None:
    found = answer(_reader("nxos").read, NAMED)
    assert found == answer(_reader("nxos").by_line, NAMED)
    assert isinstance(found, tuple)
    assert _meant(found), found
    assert [line.box[3] for line in found[0]["Vlan120", "in", 4] if line.permit] == [(22, 22), (22, 22), (80, 80), (22, 22)]


def _eos(*entries: str) -> str:
    """A list of these entries with its binding; those that say no number have the next ten."""
    lines = [entry if entry[:1].isdigit() else f"{10 * at} {entry}" for at, entry in enumerate(entries, 1)]
    body = "".join(f"   {line}\n" for line in lines)
    return f"ip access-list cfglt-Vlan9-in-v4\n{body}!\ninterface Vlan9\n   ip access-group cfglt-Vlan9-in-v4 in\n!\n"


def _meant(found: object) -> bool:
    """Whether a text was read, and not refused."""
    return isinstance(found, tuple) and isinstance(found[0], dict)


CLOSING, PLAIN = "deny ip any any fragments", "permit tcp any any eq 22"


@pytest.mark.parametrize("before", [1, 15, 16, 17, 3_000])
def test_a_long_list_in_which_fragments_are_left_open_is_refused_at_the_line_that_may_pass_them(before: int) -> None:
    text = _eos(*["permit ip host 10.1.2.3 any"] * before, PLAIN, *["deny ip any any"] * 40)
    found = answer(_reader("eos").read, text)
    assert found == answer(_reader("eos").by_line, text)
    assert isinstance(found, tuple)
    assert not _meant(found)
    assert found[0].place.line == before + 2


@pytest.mark.parametrize("number", [4, 40, 44, 400, 401])
def test_a_number_is_all_of_its_digits(number: int) -> None:
    text = _eos(CLOSING, *[PLAIN] * 2, f"{number} {PLAIN}", *[PLAIN] * 30)
    assert answer(_reader("eos").read, text) == answer(_reader("eos").by_line, text)
    assert _meant(answer(_reader("eos").read, text)) == (number in (40, 44))


@pytest.mark.parametrize("name", ["eos", "ios"])
@pytest.mark.parametrize("lowest", [10, 11])
def test_the_first_line_has_a_number_that_the_platform_has(name: str, lowest: int) -> None:
    said = deepcopy(dict(load(platform(name).kinds["acl"].reader)))
    said["sequence"]["lowest"] = lowest
    text = _eos(CLOSING, *[PLAIN] * 30)
    text = text if name == "eos" else text.replace("ip access-list", "ip access-list extended")
    assert answer(AclReader(said).read, text) == answer(AclReader(said).by_line, text)
    assert _meant(answer(AclReader(said).read, text)) == (lowest == 10)


@pytest.mark.parametrize("indent", [1, 2, 3, 5])
@pytest.mark.parametrize("number", [25, 30, 35])
def test_a_remark_may_say_the_number_that_its_line_should_have(number: int, indent: int) -> None:
    text = _eos(CLOSING, PLAIN, f"{number} remark a 30 b", *[PLAIN] * 30).replace("\n   ", "\n" + " " * indent)
    assert answer(_reader("eos").read, text) == answer(_reader("eos").by_line, text)
    assert f"{number} remark a 30 b" in str(answer(_reader("eos").read, text))


@pytest.mark.parametrize("number", [0, 10, 15, 20, 25])
def test_a_number_is_compared_with_that_of_the_piece_before(number: int) -> None:
    text = _eos("remark x", CLOSING, f"{number} {PLAIN}", *[PLAIN] * 30)
    assert answer(_reader("eos").read, text) == answer(_reader("eos").by_line, text)
    assert _meant(answer(_reader("eos").read, text)) == (number > 20)
    many = [CLOSING, *[PLAIN] * 6_000]
    lines = _eos(*many).split("\n")
    behind = 3  # the header, and the closing line, which is read by itself
    for piece in list(pieces("\n".join(lines[2 : len(many) + 1])))[:-1]:
        behind += piece.count("\n") + 1
        last = 10 * (behind - 2)
        said = "\n".join([*lines[: behind - 1], f"   {last - 20 + number} {PLAIN}", *lines[behind:]])
        assert answer(_reader("eos").read, said) == answer(_reader("eos").by_line, said)
        assert _meant(answer(_reader("eos").read, said)) == (number > 20 and last - 20 + number < last + 20)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_read_at_once_leaves_the_list_as_it_was(name: str) -> None:
    dice, known = random.Random(name), _reader(name)
    bulk, refused = known.bulk(4), 0
    assert bulk is not None
    for lines, start, end in _lists(name):
        for _ in range(20 if not lines[start - 1].startswith("ipv6") else 0):
            made = List("x", "ip", 4, Source("text", 1, 1, ""), closed=True, last=dice.choice((0, 25)), label="before")
            was = deepcopy(made)
            if not bulk.take(made, _spoiled(dice, "\n".join(lines[start:end])), 2):
                refused += 1
                assert made == was
    assert refused > 20


def test_a_flag_of_a_piece_that_is_not_taken_is_not_awaited() -> None:
    bulk = _reader("os10").bulk(4)
    assert bulk is not None
    made = List("x", "ip", 4, Source("text", 1, 1, ""), closed=True, last=10)
    assert not bulk.take(made, " seq 30 deny ip any any\n seq 20 permit tcp any any ack", 2)
    assert made.half is None
    assert bulk.take(made, " seq 20 deny ip any any\n seq 30 permit tcp any any ack", 2)
    assert made.half is not None
