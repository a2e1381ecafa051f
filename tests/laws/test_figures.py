"""No figure of time, memory or speed stands in the docs without the command that makes it (issue 4, line 7).

Beside a figure means in its block: the paragraph, the list item or the table (with the paragraph before it).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md"),
               *(ROOT / "soak").glob("*.md"), *(ROOT / "configlets").rglob("*.md")])  # fmt: skip
NUMBER = r"(?<![\w./-])(?:\d[\d.,]*)"
UNIT = r"(?:CPU )?(?:s|sec|seconds?|ms|milliseconds?|µs|us|ns|nanoseconds?|microseconds?|minutes?|min|[kKMG]i?B|[Mk]pps)\b"
RATE = (
    r"(?:times|x) (?:faster|slower|less|more|smaller|ours|as (?:fast|slow|much))"
    r"|(?:packets|lines|rules|entries|flows|pushes) (?:a|per) second"
)
FIGURE = re.compile(rf"{NUMBER} ?(?:{UNIT}|{RATE})|\b\d+/\d+ of (?:Aerleon|Capirca|PyAVD)")
PROGRAM = r"make|configlet|python3?|pytest|nft|git|uv|bash|sh|scripts?|benchmarks?"
COMMAND = re.compile(rf"`[^`]*\b(?:{PROGRAM})\b[^`]*`|(?m:^(?: {{4,}})?\$ \S)")
SETTING = re.compile(r"<!-- a setting, not a measurement -->")
"""A time that somebody chose (a timer, a limit) is no measurement; the mark says so where it stands."""


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """Paragraphs, list items with what belongs to them, and tables; each with its first line's number."""
    start, block = 1, []
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        fenced ^= line.lstrip().startswith("```")
        begins = not fenced and re.match(r"[-*] |\d+\. |#", line) and block
        if (not line.strip() and not fenced) or begins:
            if block:
                yield start, "\n".join(block)
            start, block = (number, [line]) if begins else (number + 1, [])
        else:
            block.append(line)
    if block:
        yield start, "\n".join(block)


def bare(text: str) -> Iterator[tuple[int, str]]:
    """Figures without a command, each with its line. In a table it may stand in the row, or in the paragraph before."""
    before = ""
    for start, block in blocks(text):
        table = block.lstrip().startswith("|")
        for at, said in enumerate(block.splitlines() if table else [block]):
            figure = FIGURE.search(re.sub(r"`[^`]*`", "", said))
            beside = f"{before}\n{said}" if table else said
            if figure and not COMMAND.search(beside) and not SETTING.search(said):
                yield start + at, figure[0]
        before = block


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_figure_stands_beside_the_command_that_makes_it(path: Path) -> None:
    found = [f"{path.relative_to(ROOT)}:{line}: {figure}" for line, figure in bare(path.read_text("utf-8"))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("It takes 0.3 s.\n", ["0.3 s"]),
        ("It takes 0.3 s (`make bench`).\n", []),
        ("`make bench` says:\n\n| a | 3 ms |\n", []),
        ("Words.\n\n| a | 3 ms |\n| b | 4 ms, `make bench` |\n", ["3 ms"]),
        ("- 12 MB\n- `make bench`: 3 MiB\n", ["12 MB"]),
        ("It is 20 times faster.\n", ["20 times faster"]),
        ("1/10 of Aerleon.\n", ["1/10 of Aerleon"]),
        ("The timer is 600 seconds. <!-- a setting, not a measurement -->\n", []),
        ("IPv4, leaf4 sees, IPv4, 10.0.0.0/8, RFC 2131 says.\n", []),
        ("`sleep 3 s`\n", []),
        ("    $ configlet x\n    done (2.3 s)\n", []),
        ("    done (2.3 s)\n", ["2.3 s"]),
    ],
)
def test_the_judge_of_figures_knows_them(text: str, figures: list[str]) -> None:
    assert [figure for _, figure in bare(text)] == figures
