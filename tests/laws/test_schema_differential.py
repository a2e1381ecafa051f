"""Law: what reads and judges quickly never accepts what the slow judges do not: Cerberus, the C parser, PyYAML, ruamel.

``CONFIGLET_DOCUMENTS`` is how many documents are made (3,000 unless said; the show makes 100,000).
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from ipaddress import IPv6Address, ip_network
from typing import Any

import pytest
import yaml

from configlet.workspace import accept, build, forms, schema, validate
from configlet.workspace.cache import NOTHING
from configlet.workspace.document import Part, join, quick_part
from configlet.workspace.placed import dumped, parsed, section_of
from configlet.workspace.shapes import Shapes
from configlet.workspace.strict import read
from tests.laws.made import documents, texts

COUNT = int(os.environ.get("CONFIGLET_DOCUMENTS", "3000"))


def test_what_the_closures_accept_cerberus_accepts() -> None:
    alone = {key: {key: rules} for key, rules in schema.INVENTORY.items()}
    cerberus = {key: validate.validator_class()(rules) for key, rules in alone.items()}
    closures = {key: accept.compiled({"type": "dict", "schema": rules}) for key, rules in alone.items()}
    dice, seen, slow = random.Random(41), Counter[bool](), 0
    for _ in range(COUNT):
        key = dice.choice(list(alone))
        document = {key: documents.section(key, dice)}
        by_cerberus = cerberus[key].validate(document, normalize=False)
        by_closure = closures[key]([document])
        assert by_cerberus or not by_closure, document
        seen[by_cerberus] += 1
        slow += by_cerberus and not by_closure
    assert min(seen.values()) > COUNT / 8, f"both verdicts are met often: {seen}"
    assert slow < COUNT / 1000, "closures that are too strict cost time"


EDGES = (
    *("", "a", " a", "a ", "a  b", "\t", "a\n", "\na", "a\x7fb", "é", "any", "tcp", "web", "Web", "9web", "tcp/", "tcp/a"),
    *(letter * length for letter in "a0" for length in (15, 16, 40, 41, 42, 43, 80, 81, 299, 300, 301)),
    *(f"{kind}/{port}" for kind in ("tcp", "udp", "sctp", "icmp", "quic") for port in (0, 9, 60000, 64999, 65535, 65536)),
    *(f"tcp/{port}" for port in ("00", "01", "080", "59999", "65499", "65529", "65540", "65600", "66000", "70000", "100000")),
    *(f"tcp/{port}" for port in ("1-2", "2-1", "1-2-3", "-1", "1-", "0-65535", "1-65536", "1\n", "+1", "1_0", "\u0661")),
    *("2001:db8::1", "fd00::a:b", "2001:DB8::1", "3fff:1:2:3:4:5::6", "3fff:1:2:3:4:5:6::7", "::ffff:0:1", "2001::1::2"),
    *("10.0.0.1/31", "10.0.0.1/33", "10.0.0.1/031", "10.0.0.1/", "10.0.0.1/31/31", "2001:db8::1/127", "fd00:: 1", "fd00::1%1"),
    *("intra of web", "replies: a", "10.0.0.0/8", "10.0.0.1/8", "10.0.0.1", "10.0.0.01", "10.0.0.256", "10.0.0.0/33", "::/0"),
)


@pytest.mark.parametrize("form", sorted(accept.QUICK))
def test_what_a_form_says_yes_to_quickly_it_has_nothing_against(form: str) -> None:
    quick, slow = accept.QUICK[form], accept.CHECKS[form]
    assert [text for text in EDGES if quick(text) and slow(text) is not None] == []
    assert any(map(quick, EDGES)) or form in ("credentials", "gate")


@pytest.mark.parametrize("form", sorted(accept._PATTERNS))
def test_what_is_said_of_many_texts_in_one_look_is_said_of_each(form: str) -> None:
    dice, quick, seen = random.Random(form), accept.QUICK[form], Counter[bool]()
    good = [text for text in EDGES if quick(text)]
    for _ in range(2_000):
        some = {*dice.sample(good, dice.randrange(1, len(good) + 1)), *dice.sample(EDGES, dice.randrange(3))}
        some |= {f"{one}\n{other}" for one, other in [dice.sample(good, 2)] if dice.random() < 0.2}
        said = accept._at_once(form, some)
        assert said is all(map(quick, some)), some
        seen[said] += 1
    assert min(seen.values()) > 200


MANY = {
    "service": [f"{kind}/{port}" for port in range(1, 65536, 61) for kind in ("tcp", "udp", "sctp")],
    "name": [f"a{n}-{n}-b" for n in range(3_000)],
    "title": [f"rule {n}: a, b (c) of {n}" for n in range(3_000)],
    "text": [f"because of {n}, and {n} - so it is" for n in range(3_000)],
}


@pytest.mark.parametrize("form", sorted(accept._PATTERNS))
def test_one_wrong_text_behind_many_right_ones_is_found_in_no_time(form: str) -> None:
    """A pattern that has two ways to read one text has 2**n for n of them."""

    def stop(*_: object) -> None:
        raise TimeoutError("the pattern tries ever more ways to read what is right")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(20)
    try:
        assert accept._at_once(form, MANY[form])
        for wrong in ("", "x" * 400, "\x7f", "tcp/65536\x7f"):
            assert not accept._at_once(form, [*MANY[form][:999], wrong])
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_number_that_is_found_quickly_is_that_of_the_address() -> None:
    dice, quick = random.Random(11), 0
    for _ in range(20_000):
        groups = [f"{dice.choice((0, 1, 0xA, 0xFFFF, dice.getrandbits(16))):x}" for _ in range(dice.randrange(1, 9))]
        groups[0] = dice.choice(("2001", "3ffe", "fd00", "fe80", "ff02", groups[0]))
        at = dice.randrange(1, len(groups) + 1)
        text = ":".join(groups[:at]) + dice.choice(("::", "::", "::", ":")) + ":".join(groups[at:])
        number = forms.quick_six(text)
        if number is not None:
            assert forms.address(text) is None and IPv6Address(text) == IPv6Address(number)
            quick += 1
    assert quick > 1_000


def test_a_prefix_that_is_read_quickly_is_what_the_library_reads() -> None:
    dice, seen = random.Random(12), Counter[bool]()
    for _ in range(20_000):
        wide, length = dice.choice((48, 64, 112, 127, 128)), dice.choice((0, 3, 48, 64, 96, 127, 128, 129))
        six = IPv6Address(dice.choice((0x2001, 0xFD00, 0xFE80)) << 112 | dice.getrandbits(112) >> 128 - wide << 128 - wide)
        text = dice.choice((f"{six}/{length}", f"{six}/{wide}", f"{six}", f"{six}/0{wide}", f"{six}/"))
        if dice.random() < 0.3:
            four = f"{dice.randrange(256)}.{dice.randrange(256)}.{dice.choice((0, 64))}.0"
            text = dice.choice((four, f"{four}/{dice.randrange(34)}"))
        try:
            theirs = ip_network(text)
        except ValueError:
            assert not forms.QUICK["prefix"](text), text
            continue
        quick = bool(forms.QUICK["prefix"](text))
        seen[quick] += 1
        if quick:
            assert forms.prefix(text) is None and build._network(text) == theirs and str(build._network(text)) == str(theirs)
    assert min(seen.values()) > 500, seen


def test_cerberus_asked_about_doubts_says_what_it_says_about_everything() -> None:
    dice, red = random.Random(42), 0
    for _ in range(max(COUNT // 60, 50)):
        raw = texts.plainly(documents.document(dice, items=2)).encode()
        node, problems = read(raw, "f.yaml")
        if node is None:
            assert problems
            continue
        whole = join([Part("f.yaml", raw, node)], [])
        said = validate.judge(whole)
        assert said == validate.judge(whole, paranoid=True)
        red += bool(said[0])
    assert red > COUNT // 600


def _as_text(value: Any) -> Any:
    """A value as YAML's failsafe schema has it: every scalar is text."""
    if isinstance(value, dict):
        return {key: _as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_text(inner) for inner in value]
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    return str(value)


def _nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _nulls(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_nulls(inner) for inner in value]
    return "" if value in ("null", "~") else value


@pytest.mark.parametrize("seed", range(4))
def test_what_shapes_read_is_what_the_parser_reads(seed: int) -> None:
    dice, seen, quick, each = random.Random(seed), Counter[bool](), 0, 60
    for _ in range(max(COUNT // (8 * each), 4)):
        base, shapes = texts.repeated(dice), Shapes()
        for number in range(each):
            text = base if number == 0 else texts.spoiled(base, dice)
            node, problems = read(text.encode(), "f")
            seen[not problems] += 1
            part = quick_part("f", text.encode(), shapes, NOTHING)
            if part is None:
                assert number, f"what is not spoiled is read by its shapes:\n{text}"
                continue
            assert node is not None and isinstance(node.members, dict), (problems, text)
            assert part.sections == {key: section_of(key, inner) for key, inner in node.members.items()}, text
            assert part.value == node.value
            assert parsed(dumped(part.sections)) == part.sections
            quick += 1
    assert quick > seen[True] / 2, "most of what is right is read quickly"
    assert seen[False] > sum(seen.values()) / 8


MISREAD = (
    "-11: [10.0.0.0/8]\n",
    "-: x\n",
    "-a:\n  b: [10.0.0.0/8]\n",
    "?x: y\n",
    "  - x\n",
    " x: [10.0.0.0/8]\n",
    "    x: [10.0.0.0/8]\n",
    "...\n",
    "---\n",
    "}\n",
)
"""Lines after a section of many items that belong to no item of it."""


@pytest.mark.parametrize("line", MISREAD)
@pytest.mark.parametrize("more", ["", "  z: [10.0.0.0/8]\n"])
def test_what_follows_a_section_is_never_taken_for_a_part_of_it(line: str, more: str) -> None:
    text = "addresses:\n" + "".join(f"  set-{n}: [10.{n}.0.0/16]\n" for n in range(30)) + line + more
    node, problems = read(text.encode(), "f")
    part = quick_part("f", text.encode(), Shapes(), NOTHING)
    assert part is None or (not problems and node is not None and part.value == node.value)


@pytest.mark.parametrize("begin", ["  -\n    ", "  - \n    ", "  - # note\n    ", "  -\n\n    ", "  - "])
def test_an_item_that_begins_below_its_dash_has_its_own_place(begin: str) -> None:
    text = "tests:\n" + "".join(f"{begin}from: a{n}\n    to: b\n    service: ssh\n    expect: allow\n" for n in range(20))
    node, _ = read(text.encode(), "f")
    part = quick_part("f", text.encode(), Shapes(), NOTHING)
    assert node is not None and isinstance(node.members, dict)
    assert part is None or part.sections == {"tests": section_of("tests", node.members["tests"])}


def test_what_strict_yaml_reads_is_what_pyyaml_reads() -> None:
    dice, seen = random.Random(43), Counter[bool]()
    for number in range(COUNT // 4):
        text = texts.styled(documents.document(dice), dice)
        text = texts.spoiled(text, dice) if number % 3 else text
        node, problems = read(text.encode(), "f")
        seen[node is not None] += 1
        if node is None:
            assert problems
        else:
            theirs = yaml.load(text, Loader=yaml.CBaseLoader)
            assert _nulls(_as_text(node.value)) == _nulls(theirs), text
    assert min(seen.values()) > COUNT / 32, seen


def test_what_strict_yaml_reads_is_what_ruamel_reads() -> None:
    from ruamel.yaml import YAML

    dice = random.Random(44)
    loader = YAML(typ="safe", pure=True)
    for _ in range(max(COUNT // 60, 50)):
        text = texts.styled(documents.document(dice), dice)
        node, _ = read(text.encode(), "f")
        if node is not None:
            theirs = loader.load(text)
            assert _nulls(_as_text(node.value)) == _nulls(_as_text(theirs)), text
