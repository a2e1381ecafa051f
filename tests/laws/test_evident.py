"""Law: what is read without the parser's word, as it is evident, is what the parser and the strict look say of the file.

``CONFIGLET_DOCUMENTS`` is how many documents are made (3,000 unless said; ``soak/soak_yaml.py`` makes them for minutes).
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from unittest import mock

import pytest

from configlet.workspace import shapes as by_shapes
from configlet.workspace.cache import NOTHING
from configlet.workspace.document import Part, quick_part
from configlet.workspace.evident import BLOCK, FLOW, is_evident, words_of
from configlet.workspace.placed import section_of
from configlet.workspace.shapes import Shapes
from configlet.workspace.strict import read
from tests.laws.made import texts

COUNT = int(os.environ.get("CONFIGLET_DOCUMENTS", "3000"))
_events = by_shapes._events

_SIGNS = "aZ09 :#-,[]{}?&*!|>'\"%@`=~.\\/_+();<^$\n"
_WORDS = (
    *("a b", "a  b", "a-b.c/d", "h'a", "a(b)=c@d+e&f", "a,b", "a, b", "a;b!c%d", "17", "0", "017", "true", "false", "null"),
    *("trueish", "~", "10.0.0.0/8", "2027-06-30", "5a", "5 a", "5-", "a:b", "1:2:3", "a:'b", "'a b'", '"a: b # c"', "''"),
    *("'a''b'", '"a\\nb"', "a " * 600 + "a", "[a, b]", "[a, true]", "{a: b}", "{a: [b, 5]}", "[{a: b}, c]", "[a: b]"),
    *("x" * 100, "x" * 101, "x" * 1100, "yes", "<<", "on", "1e3", "-1", "é"),
)
_LINES = (
    *("---\n", "...\n", "--- x\n", "%YAML 1.1\n", "# note\n", "  # note: x\n", "      # note\n", "\n", "   \n", "- x\n"),
    *("  - x\n", "  x: y\n", "x: y\n", "    more\n", "        more\n", "      - more\n", "        m: y\n", "  [x]\n"),
    *("  {x: y}\n", "? x\n", ": x\n", "    ? x\n", "  'x': y\n", "   x: y\n", " x: y\n"),
    *("  x : y\n", "  x:\n", "tier: 7\n", "tier: 7 # so\n"),
    *("tier: x\n", "\tx\n", "  - - x\n", "  -\n", "  - ? x\n", "  x: |\n", "  x: >-\n", "  x: &a y\n", "  - *a\n", "  <<: x\n"),
    *("  x: y: z\n", "  x: [y\n", "  ]\n"),
)
_TAILS = (
    *(" # so", "#so", "  ", ":", ": x", " :", ",", "]", "}", " |", " >-", ' "x"', "'", '"', " - x", "\\", " x" * 600, "x" * 1100),
    " &a",
)


_FORMS: dict[str, tuple[str, ...]] = {
    "policy": (
        "  - name: rule {n}\n    from: [h{a}, h{b}]\n    to: [h{b}]\n    service: [tcp/{n}]\n    action: allow\n"
        "    reason: of {a}, {b}\n",
        "  - {{name: rule {n}, from: [h{a}], to: [{{app: x{a}}}], service: [ssh], action: deny, log: true, "
        "reason: 'a {b}: c'}}\n",
        '  - name: "rule {n} # {a}"\n    from:\n      - h{a}\n      - h{b}\n    to: [h{a}]\n    tier: {b}\n    reason: {a}-{b}\n',
    ),
    "tests": ("- from: h{a}\n  to: h{b}\n  service: tcp/{n}\n  expect: allow\n", "- {{from: h{a}, to: h{b}, service: ssh}}\n"),
    "addresses": (
        "  s{n}: [10.{a}.{b}.0/24]\n",
        "  s{n}: [10.{a}.{b}.0/24, '2001:db8:{a}::/48']\n",
        "  s{n}:\n    - 2001:db8:{b}::/48\n",
    ),
    "hosts": (
        "    h{n}:\n      nics:\n        ens{a}: {{model: virtio, attached: [leaf{a}/E{b}]}}\n      managed: true\n"
        "      workloads:\n        w{n}: {{on: [ens{a}], addresses: [10.{a}.1.{b}, 2001:db8::{b}], segment: seg{a}}}\n",
        "    h{n}: {{nics: {{e{a}: {{model: x{a}}}}}, limit: {b}}}\n",
    ),
}


def _repeated(dice: random.Random) -> str:
    """A file of which all is evident."""
    out = [dice.choice(("", "# made\n\n", "---\n", "tier: 10\n"))]
    for key, forms in dice.sample([*_FORMS.items()], dice.choice((1, 1, 2))):
        some = dice.sample(forms, dice.randint(1, len(forms)))
        out.append(f"{key}:{dice.choice(('', '  # so'))}\n")
        for n in range(22):
            out.append(dice.choice(some).format(n=n, a=dice.randrange(250), b=dice.randrange(1, 250)))
            out += ["\n  # so\n"] if n % 9 == 5 else []
    return "".join(out)


def slyly(text: str, dice: random.Random) -> str:
    """The text after a change or two, of a kind that YAML may see and a pattern may not."""
    for _ in range(dice.choice((1, 1, 1, 2))):
        kind = dice.random()
        lines = text.splitlines(keepends=True) or [""]
        at = dice.randrange(len(lines))
        if kind < 0.3:
            words = [*re.finditer(r"[^ \n,\[\]{}]+", text)]
            old, other = dice.sample(words, 2) if len(words) > 1 else (words * 2)[:2]
            new = other[0] if dice.random() < 0.3 else dice.choice(_WORDS)
            lines = [text[: old.start()] + new + text[old.end() :]] if words else lines
        elif kind < 0.45:
            lines.insert(at, dice.choice(_LINES))
        elif kind < 0.6:
            lines[at] = lines[at].rstrip("\n") + dice.choice(_TAILS) + "\n"
        elif kind < 0.85:
            line, some = lines[at], "".join(dice.choices(_SIGNS, k=dice.choice((1, 1, 2, 3, 5))))
            begin = dice.randrange(len(line))
            lines[at] = line[:begin] + some + line[begin + dice.choice((0, 1, len(some))) :]
        else:
            lines = [texts.spoiled(text, dice)]
        text = "".join(lines)
    return text


def evidently(text: str, shapes: Shapes) -> Part | None:
    """A file as it is read when the parser has no word to say."""
    with mock.patch.object(by_shapes, "_events", lambda _: 0):
        return quick_part("f", text.encode(), shapes, NOTHING)


def judged(text: str, shapes: Shapes) -> str:
    """How a text fared: read evidently, not so, or wrong. An AssertionError when it was read as what it is not."""
    part = evidently(text, shapes)
    node, problems = read(text.encode(), "f")
    if part is None:
        return "not evident" if node else "wrong"
    assert node is not None and isinstance(node.members, dict), (problems, text)
    assert part.sections == {key: section_of(key, inner) for key, inner in node.members.items()}, text
    assert part.events == _events(text), text
    return "evident"


def round_of(dice: random.Random, each: int) -> Counter[str]:
    """How one file fared, and what changes make of it."""
    base, shapes = _repeated(dice), Shapes()
    assert judged(base, shapes) == "evident", base
    fared = Counter[str]()
    for _ in range(each):
        fared[judged(slyly(base, dice), shapes)] += 1
    return fared


@pytest.mark.parametrize("seed", range(3))
def test_what_is_evident_is_what_the_parser_reads(seed: int) -> None:
    dice, fared, each = random.Random(seed), Counter[str](), 50
    for _ in range(max(COUNT // (3 * each), 4)):
        fared += round_of(dice, each)
    assert min(fared[how] for how in ("evident", "not evident", "wrong")) > fared.total() / 20, fared


ITEM = "  - name: rule {}\n    from: [a, b]\n    to: [c]\n    service: [any]\n    action: allow\n    reason: {}\n"


def _policy(reason: str, more: str = "", head: str = "policy:\n") -> str:
    return head + "".join(ITEM.format(n, reason) + (more if n == 5 else "") for n in range(12))


HEADS = (
    *("policy:#so\n", "policy: x\n", f"{'p' * 2000}:\n", "policy: !x\n", "é: 1\npolicy:\n", "# é\npolicy:\n", "- policy:\n"),
    *("--- x\npolicy:\n", "%YAML 1.1\n---\npolicy:\n", "'policy':\n", "policy :\n"),
)


@pytest.mark.parametrize("head", HEADS)
def test_a_section_that_does_not_begin_as_one_is_not_evident(head: str) -> None:
    assert judged(_policy("so"), Shapes()) == "evident"
    assert judged(_policy("so", head=head), Shapes()) != "evident"


@pytest.mark.parametrize("more", [_policy("more"), "tests: []\n", "tier: 8\n", "tier: 7\n", "policy: 5\n"])
def test_a_section_that_stands_twice_is_not_evident(more: str) -> None:
    text = _policy("so", head="tests: []\ntier: 7\npolicy:\n")
    assert judged(text, Shapes()) == "not evident" and judged(text.replace("tests: []\n", ""), Shapes()) == "evident"
    assert judged(text + more, Shapes()) == judged(text.replace("tests: []\n", "") + "tier: 9\n", Shapes()) == "wrong"
    assert quick_part("f", (text + more).encode(), Shapes(), NOTHING) is None


@pytest.mark.parametrize("style", ["|-", ">-", "|", ">"])
def test_what_looks_like_a_comment_belongs_to_a_block(style: str) -> None:
    """A block goes on as long as lines are indented, and where it is folded it is still one line."""
    text = _policy(f"{style}\n      so", "      # and so\n")
    node, _ = read(text.encode(), "f")
    part = quick_part("f", text.encode(), Shapes(), NOTHING)
    assert (part is None) if node is None else (part is not None and part.value == node.value)


@pytest.mark.parametrize("begin", ["  [x]\n", "  {x: y}\n"])
def test_an_item_of_one_list_or_map_without_dash_is_not_evident(begin: str) -> None:
    assert judged(_policy("so", begin), Shapes()) == "wrong"
    assert judged("addresses:\n" + "".join(f"  s{n}: [10.{n}.0.0/16]\n" for n in range(30)) + begin, Shapes()) == "wrong"


EVIDENT = (
    *("  - name: x\n", "  - x\n", "    to: [a, b]\n", "    to: [{udp: 5, from: 'x'}, tcp/5]\n", "    a: {b: {c: d}}\n"),
    *("    a:\n", "    a: 10.0.0.0/8\n", "    a: [2001:db8::1, true]\n", '    a: "x # y: z"\n', "    a: {b: {c: [{d: e}]}}\n"),
)
DOUBTFUL = (
    *("    a\n", "  [x]\n", "    'a': b\n", "    a: [b,c]\n", "    a: b # c\n", "    a: b \n", "    a: -1\n", "    a: |\n"),
    *("    a: &b c\n", "    a: b: c\n", "    ? a\n", "  - - a\n", "\n", "    # a\n", "    a: [b\n", "    a: {b}\n"),
    *("    a: null\n", "    a: ~\n", "    a: [b, ]\n", "    a: [b] \n", "---\n"),
    *(f"    {'a' * 101}: b\n", "    a: [true: b]\n", "    a: []\n"),
    *("    a: [[b]\n", "    a: [b]]\n", "    a: {b: c]\n", "    a: [b, c: d]\n", "    a: {b: , c: d}\n", "    a: {b:c}\n"),
    "    a: 'b' c\n",
)


@pytest.mark.parametrize("inside", [FLOW, BLOCK])
@pytest.mark.parametrize("text", ["a", "5a", "5a b", "10.0.0.0/8", "a:b", "5:a", "a'", "5-"])
def test_what_a_blank_ends_or_begins_is_no_word(inside: str, text: str) -> None:
    """YAML takes such blanks away."""
    words = [re.compile(f"(?:{words})") for words in words_of(inside)]
    assert any(word.fullmatch(text) for word in words)
    assert not any(word.fullmatch(more) for word in words for more in (f"{text} ", f" {text}", f"{text}  "))


@pytest.mark.parametrize("line", EVIDENT)
def test_lines_of_one_form_are_evident(line: str) -> None:
    assert is_evident(f"  - name: rule 1\n{line}")


@pytest.mark.parametrize("line", DOUBTFUL)
def test_other_lines_are_not(line: str) -> None:
    assert not is_evident(f"  - name: rule 1\n{line}")
