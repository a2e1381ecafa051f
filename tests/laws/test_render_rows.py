"""Law: a loop over rows that is written in one call writes what Jinja writes, and lets nothing through that it refuses."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from jinja2 import Environment, StrictUndefined

from configlet.model.problem import Refused
from configlet.render.engine import fill
from configlet.render.forms import all_printed
from configlet.render.numbered import Line, Numbered
from configlet.render.values import Filled, label, labels, printable

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


def _jinja(template: str, rows: Sequence[object]) -> str:
    plain = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return plain.from_string(template).render(rows=rows, end="end")


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
def test_a_loop_that_chooses_writes_what_jinja_writes_and_so_does_one_over_rows_with_numbers(number: int, tmp_path: Path) -> None:
    dice = random.Random(number)
    (tmp_path / "t.j2").write_text(CHOICES[number])
    (tmp_path / "u.j2").write_text(LOOP)
    lines = [Line((dice.choice(("", "a", "b%", "é")), dice.choice(("", "x")))) for _ in range(30)]
    for count in (0, 1, 3, 60, 60):
        numbers = dice.choice((range(10, 10 + 10 * count, 10), [dice.randrange(3) for _ in range(count)]))
        rows = Numbered(numbers, [dice.choice(lines) for _ in range(count)])
        assert len(rows) == len(list(rows)) == count and (not count or rows[-1] == list(rows)[-1] == rows[count - 1 :][0])
        for name, template in (("t.j2", CHOICES[number]), ("u.j2", LOOP)):
            for given in (rows, list(rows)):
                assert fill((tmp_path,), name, {"rows": given, "end": "end"}) == _jinja(template, list(rows))


@pytest.mark.parametrize("bad", ["a\nb", "\x1b", None, 1.5, ("a",)])
def test_a_value_of_a_row_with_a_number_is_refused_where_it_is_written_and_only_there(bad: object, tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text(CHOICES[0])
    for values in (("c", bad), ("", bad), (bad, "v")):
        rows = Numbered([1, 2], [Line(("", "v")), Line(values)])  # type: ignore[arg-type]
        if values[0] == "c":
            assert fill((tmp_path,), "t.j2", {"rows": rows}) == _jinja(CHOICES[0], [(1, "", "v"), (2, "c", "v")])
        elif values != (None, "v"):
            with pytest.raises(Refused):
                fill((tmp_path,), "t.j2", {"rows": rows})
    with pytest.raises(Refused, match=r"t\.j2:1"):
        fill((tmp_path,), "t.j2", {"rows": Numbered([1], [Line(("a",))])})


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
    for name in ("plain", "two words", "two  blanks", 'a "quoted" name', "too long a name to stay", "é", "why?", " x", "$"):
        assert said(name) == label(name, style)
    with pytest.raises(Refused):
        said("a\nb")
