"""Law: a loop over rows that is written in one call writes what Jinja writes, and lets nothing through that it refuses."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest
from jinja2 import Environment, StrictUndefined

from configlet.model.problem import Refused
from configlet.render.engine import _KEPT, fill
from configlet.render.filter_statements import Statement
from configlet.render.forms import all_printed
from configlet.render.numbered import Numbered, Row, Shapes
from configlet.render.values import Filled, all_labels, label, labels, printable

LOOP = "{% for key, comment, verdict in rows %}\n\t{{ key }} 100% {{ comment }}: {{ verdict }},\n{% endfor %}\nend\n"
OTHERS = (
    "{% for key, comment, verdict in rows %}\n{{ comment }}{{ key }}{{ verdict }}\n{% endfor %}\n",
    "{% for key, comment, verdict in rows %}\n{{ key }}{{ verdict }}\n{% endfor %}\n",
    "{% for key, comment, verdict in rows %}\n{{ key }}{{ comment }}{{ verdict }}{{ key }}\n{% endfor %}\n",
    "{% for key, comment, verdict in rows if verdict != 'b' %}\n{{ key }}{{ comment }}{{ verdict }}{% else %}no{% endfor %}\n",
    "{% for key, comment, verdict in rows %}{{ key }}{{ comment }}{{ verdict }}{% else %}none{% endfor %}\n",
    "{% for key, comment, verdict in rows %}\n{{ loop.index }}{{ key }}{{ comment }}{{ verdict }}\n{% endfor %}\n",
    "{% set key = 'k' %}\n{% for key, comment, verdict in rows %}{{ key }}{{ comment }}{{ verdict }}{% endfor %}\n{{ key }}\n",
    "{% for key, key, verdict in rows %}\n{{ key }}{{ key }}{{ verdict }}\n{% endfor %}\n",
)

_BODIES = (
    "\n{% if comment %}\n {{ key }} 5% {{ comment }}\n{% else %}\n{{ verdict }}\n{% endif %}\n",
    "\n{% if comment %}\n{{ key }}{{ comment }}{{ key }}\n{% endif %}\n{{ verdict }}{{ key }}\n",
    "{% if key %}{{ key }}{% else %}-{% endif %}{% if verdict %}+{% endif %}\n",
    "{% if comment %}{{ end }}{% else %}{{ key }}{% endif %}",
    "{% if comment %}a{% elif key %}b{% else %}{{ verdict }}{% endif %}",
    "{% if comment == 'b' %}{{ key }}{% endif %}{{ comment }}",
    "{% if comment %}{% if verdict %}{{ key }}{% endif %}{% endif %}",
    "text",
)
CHOICES = tuple(f"{{% for key, comment, verdict in rows %}}{body}{{% endfor %}}\n" for body in _BODIES)
"""Loops that write some values only where another one is there, and some that only look like these."""

FIELDS = tuple(
    f"text\n{{% for one in rows %}}{body}{{% endfor %}}\n"
    for body in (
        "\n\t{{ one.source }}{{ one.destination }} 5%{{ one.upper }}{{ one.verdict }}\n",
        "\n{{ one.verdict }} {{ one.source }}{{ one.verdict }}\n",
        "{{ one.source }}{{ loop.index }}{{ one.verdict }}",
        "{{ one.source }}{% if one.upper %}+{% endif %}{{ one.verdict }}",
        "{{ one['source'] }}{{ one.verdict }}",
        "{{ one.source }}{{ one.verdict }}{% else %}none",
    )
)
"""Loops that write fields of their rows, and some that do more."""

HEAD = f"{{% for sequence, {', '.join(Row._fields)} in rows %}}"
_ENDS = "{{ source }}{{ sport }} {{ destination }}{{ dport }}"
LINES = tuple(
    f"{HEAD}{body}{{% endfor %}}\n"
    for body in (
        "\n{% if remark %}\n  {{ sequence }} remark 5% {{ remark }}\n{% else %}\n"
        "  {{ sequence }} {{ action }} {{ proto }} " + _ENDS + "{{ established }}{{ icmp }}{{ log }}\n{% endif %}\n",
        "\n{% if remark %}\n remark {{ remark }}\n{% else %}\n{{ sequence }}{ }" + _ENDS + "\n{% endif %}\n",
        "\n{% if remark %}\n{{ sequence }} # {{ remark }}\n{% endif %}\n{{ sequence }}{{ proto }}" + _ENDS + "{{ log }}\n",
        "\n{{ remark }}{{ sequence }}{{ source }}{{ sport }}{{ destination }}{{ dport }}{{ sequence }}\n",
        "\n{{ sequence }}{{ remark }}{{ destination }}{{ dport }}{{ source }}{{ sport }}\n",
        "{{ sequence }}{{ remark }}{{ source }}{{ source }}{{ sport }}{{ destination }}{{ dport }}",
        "{{ sequence }}{{ remark }}{{ source }}{{ destination }}{{ dport }}",
        "{% if source %}{{ sequence }}{% else %}-{% endif %}{% if dport %}{{ dport }}{% endif %}{% if log %}+{% endif %}",
        "{% if sequence %}{{ sequence }}{% endif %}{{ proto }}",
        "{% if remark == 'b%' %}{{ sequence }}{% endif %}{{ remark }}",
        "{{ end }}{{ sequence }}",
        "\0{{ sequence }}{{ remark }}" + _ENDS + "\0",
        "\0{{ remark }}{{ source }}{{ sport }}{{ sequence }}{{ destination }}{{ dport }}",
        "text",
    )
)
"""Loops over the rows of an access list: as templates have them, with words in another order, twice, or left out."""


def _jinja(template: str, rows: Sequence[object]) -> str:
    plain = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return plain.from_string(template).render(rows=rows, end="end")


@pytest.mark.parametrize("template", FIELDS)
def test_a_loop_over_fields_writes_what_jinja_writes(template: str, tmp_path: Path) -> None:
    dice = random.Random(len(template))
    (tmp_path / "t.j2").write_text(template)
    for count in (0, 1, 2, 30):
        whole: list[object] = [Statement(*(dice.choice(("a", "%s", "")) for _ in range(4))) for _ in range(count)]
        some = [one._asdict() if dice.random() < 0.3 else one for one in whole if isinstance(one, Statement)]
        for rows in (whole, some, tuple(some)):
            assert fill((tmp_path,), "t.j2", {"rows": rows}) == _jinja(template, rows)
        for bad in ("a\nb", None):
            for at in {0, count // 2, count - 1} if count else ():
                rows = [one if n != at else Statement(bad, "", "", "") for n, one in enumerate(whole)]  # type: ignore[arg-type]
                with pytest.raises(Refused):
                    fill((tmp_path,), "t.j2", {"rows": rows})
    with pytest.raises(Refused):
        fill((tmp_path,), "t.j2", {"rows": [{"source": "a", "destination": "b", "upper": "c"}]})


@pytest.mark.parametrize("asked", ["__class__", "class", "_replace", "none", "source.__class__", "upper.count.__self__"])
def test_of_a_row_a_template_gets_its_fields_and_nothing_else(asked: str, tmp_path: Path) -> None:
    row = Statement("from", "to", "", "pass")
    said = "{{ one.source }} {{ one.verdict.upper() }}", f"{{{{ one.{asked} }}}}", f"{{% if one.{asked} %}}yes{{% endif %}}"
    for number, template in enumerate((*said, f"{{{{ one.source }}}}{said[1]}")):
        (tmp_path / f"{number}.j2").write_text(template)
    assert fill((tmp_path,), "0.j2", {"one": row}) == "from PASS"
    for number, one in product(range(1, 4), (row, "a text", [row])):
        with pytest.raises(Refused):
            fill((tmp_path,), f"{number}.j2", {"one": one})


@pytest.mark.parametrize("asked", ["one" + ".source" * 60, "(" * 250 + "one" + ")" * 250 + ".source" * 250])
def test_a_template_that_asks_for_too_much_at_once_is_refused(asked: str, tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text(f"{{{{ {asked} }}}}")
    with pytest.raises(Refused, match="Correct the template"):
        fill((tmp_path,), "t.j2", {"one": Statement("from", "to", "up", "PASS")})


def test_a_template_is_looked_at_again_but_for_texts_of_one_platform(tmp_path: Path) -> None:
    search, kind, template = (tmp_path,), object(), tmp_path / "t.j2"
    _KEPT.clear()  # of other tests, which make room now and then
    for number, text in enumerate(("a", "b")):
        template.write_text(text)
        os.utime(template, (number, number))
        assert fill(search, "t.j2", {}) == fill(search, "t.j2", {}, object()) == text
        assert fill(search, "t.j2", {}, kind) == "a", "what was read of a platform once has one template"
    assert fill((tmp_path,), "t.j2", {}, kind) == "b", "other layers"
    (tmp_path / "u.j2").write_text("u")
    assert fill(search, "t.j2", {}, kind) == "b" and fill(search, "u.j2", {}, kind) == "u"


@pytest.mark.parametrize("number", range(1 + len(OTHERS)))
def test_a_loop_writes_what_jinja_writes(number: int, tmp_path: Path) -> None:
    template, dice = (LOOP, *OTHERS)[number], random.Random(number)
    (tmp_path / "t.j2").write_text(template)
    for count in (0, 1, 2, 50):
        for values in (("a", "b", "é", "%s", ""), ("a", 7, "%"), (1, 2)):
            rows = [tuple(dice.choice(values) for _ in range(3)) for _ in range(count)]
            for given in (rows, tuple(rows), [*map(list, rows)]):
                assert fill((tmp_path,), "t.j2", {"rows": given}) == _jinja(template, given)


@pytest.mark.parametrize("number", range(len(CHOICES)))
def test_a_loop_that_chooses_writes_what_jinja_writes(number: int, tmp_path: Path) -> None:
    dice = random.Random(number)
    (tmp_path / "t.j2").write_text(CHOICES[number])
    for count in (0, 1, 3, 60):
        words = ("", "a", "b%", "é")
        rows = [(dice.randrange(3), dice.choice(words), dice.choice(("", "x"))) for _ in range(count)]
        assert fill((tmp_path,), "t.j2", {"rows": rows, "end": "end"}) == _jinja(CHOICES[number], rows)


def _row(dice: random.Random) -> Row:
    """A row of any words; most often one of few shapes."""
    row = Row(*(dice.choice(("", "", "a", "b%", "é{0}")) for _ in Row._fields))
    if dice.random() < 0.8:
        row = Row("", "permit", "tcp", row.source or "s", row.destination or "d", "", row.dport)
    return Row(row.remark) if dice.random() < 0.1 else row._replace(remark=dice.choice(("", "r%", "é", "{x}")))


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("number", range(len(LINES)))
def test_lines_with_numbers_are_written_as_jinja_writes_their_rows(number: int, apart: bool, tmp_path: Path) -> None:
    """Whatever loop wrote the same lines before, and in whatever order the template has their words."""
    dice = random.Random(number)
    (tmp_path / "t.j2").write_text(LINES[number])
    (tmp_path / "u.j2").write_text(LINES[0])
    shapes = Shapes(apart=apart)
    lines = [shapes.line(_row(dice)) for _ in range(40)]
    for count in (0, 1, 3, 60, 60):
        some = [dice.choice(lines) for _ in range(count)]
        takes = sum(shape.takes for shape, *_ in some)
        rows = Numbered(dice.choice((range(10, 10 + 10 * takes, 10), [dice.randrange(3) for _ in range(takes)])), some)
        assert len(rows) == len(list(rows)) == takes and (not count or rows[-1] == list(rows)[-1] == rows[takes - 1 :][0])
        assert apart or takes == count
        for name, template in (("t.j2", LINES[number]), ("u.j2", LINES[0])):
            for given in (rows, list(rows)):
                assert fill((tmp_path,), name, {"rows": given, "end": "end"}) == _jinja(template, list(rows))


def test_a_line_is_one_row_or_its_remark_and_the_row() -> None:
    row = Row("r", "permit", "tcp", "s", "d", "", " eq 7", log=" log")
    for apart, rows in ((True, [Row("r"), row._replace(remark="")]), (False, [row])):
        shapes = Shapes(apart=apart)
        assert list(Numbered((1, 2)[: len(rows)], [shapes.line(row)])) == [(n, *one) for n, one in enumerate(rows, 1)]
        assert list(Numbered([1, 2], [shapes.line(Row("r")), shapes.line(rows[-1]._replace(remark=""))])) == [
            (1, *Row("r")), (2, *row._replace(remark="")),
        ]  # fmt: skip
        assert shapes.of(row) is shapes.of(row._replace(source="t", dport=" eq 8", remark="q"))
        others = [row._replace(**{word: "" if getattr(row, word) else "x"}) for word in Row._fields]
        assert len({shapes.of(one) for one in (row, *others)}) == 1 + len(others)
        assert shapes.reworded(shapes.line(row), proto="udp") == shapes.line(row._replace(proto="udp"))


@pytest.mark.parametrize("bad", ["a\nb", "\x1b", "\0", None, 1.5, ("a",)])
@pytest.mark.parametrize("word", ["remark", "source", "proto", "dport"])
def test_a_word_of_a_line_is_refused_where_it_is_written_and_only_there(bad: object, word: str, tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text(LINES[0])
    (tmp_path / "u.j2").write_text(f"{HEAD}{{{{ sequence }}}}{{{{ action }}}}{{% endfor %}}")
    for apart in (True, False):
        shapes = Shapes(apart=apart)
        row = Row("", "a", "p", "s", "d")._replace(**{word: bad})  # type: ignore[arg-type]
        lines = [shapes.line(Row("", "a")), shapes.line(row)]
        rows = Numbered(range(1, 1 + sum(shape.takes for shape, *_ in lines)), lines)
        assert fill((tmp_path,), "u.j2", {"rows": rows}) == "".join(f"{n}{row[1]}" for n, *row in rows)  # type: ignore[misc]
        if word != "remark" or bad:
            with pytest.raises(Refused):
                fill((tmp_path,), "t.j2", {"rows": rows})
    (tmp_path / "v.j2").write_text(LOOP)
    for lines in (rows.lines, rows.lines[:1]):
        with pytest.raises(Refused, match=r"v\.j2:1"):
            fill((tmp_path,), "v.j2", {"rows": Numbered(range(9)[: sum(shape.takes for shape, *_ in lines)], lines)})


@pytest.mark.parametrize(
    "bad", ["a\nb", "a\tb", "a\r", "\x1b", "\x7f", "\u2028", "\x00", None, True, 1.5, ("a",), Filled("x\ny")]
)
def test_a_value_that_cannot_be_written_is_refused_wherever_it_stands(bad: object, tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text(LOOP)
    for at in range(3):
        rows = [("a", "b", "c")] * 3 + [tuple(bad if n == at else "x" for n in range(3))] + [("d", "e", "f")]
        if isinstance(bad, Filled):
            assert "x\ny" in fill((tmp_path,), "t.j2", {"rows": rows})
            continue
        with pytest.raises(Refused):
            fill((tmp_path,), "t.j2", {"rows": rows})


@pytest.mark.parametrize("rows", [[("a", "b")], [("a", "b", "c", "d")], [("a", "b", "c"), ("a",)], [7], None])
def test_rows_of_another_length_are_refused_at_the_template(rows: object, tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text("first\n" + LOOP)
    with pytest.raises(Refused, match=r"t\.j2:2"):
        fill((tmp_path,), "t.j2", {"rows": rows})
    with pytest.raises(Refused, match=r"t\.j2:2"):
        fill((tmp_path,), "t.j2", {})


def test_what_is_printable_is_what_python_says() -> None:
    dice = random.Random(1)
    for code in [*range(0x300), 0x2028, 0x2029, 0xD800, 0xFEFF, 0x1F600]:
        for text in (chr(code), f"ab{chr(code)}c", f"é{chr(code)}"):
            assert printable(text) == text.isprintable(), code
    assert printable("") and all_printed((1, ((-1, ("<", 0, ">"), ()),)), [("a",), ("b",)]) == "<a><b>"
    assert all(printable("".join(map(chr, dice.choices(range(32, 127), k=40)))) for _ in range(100))


def test_many_names_are_labelled_as_each_one_is() -> None:
    style = {"length": 12, "replace": {'"': "'", "$": "_"}, "charset": "ascii"}
    said = labels(style)
    names = ("plain", "two words", "two  blanks", 'a "quoted" name', "too long a name to stay", "é", "why?", " x", "x ", "$", "")
    for name in names:
        assert said(name) == label(name, style)
        for some in ((), ("one",), ("one", "two", "one")):
            given = [*some, name, *some]
            made = all_labels(style)(given)
            assert list(made) == [*some, label(name, style), *some]
            assert made is not given or all(map(str.isprintable, given)), "the same list may be written as it is"
    assert all_labels(style)(names) == [label(name, style) for name in names] and all_labels(style)([]) == []
    for bad in ("a\nb", "\n", "a\tb"):
        with pytest.raises(Refused):
            said(bad)
        with pytest.raises(Refused):
            all_labels(style)(["one", bad])
