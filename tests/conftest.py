"""The suite names the laws it holds: at its end, one line for each file of `tests/laws`, in the words of that file.

`make test` runs it in two parts, each in two processes: what builds labs and sends packets mostly waits, and must not
wait for what computes. A file is run whole by one process (`--dist loadfile`), which builds its lab once; groups by
marks would do the same, but pytest-xdist 3.8 does not see them under pytest 9.2 and says nothing. Files go out in the order
that is given here (`--no-loadscope-reorder`).
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

_FOLDER = "tests/laws/"
_LAB = ("tests/lab/", "tests/xdp/", "tests/test_cli_lab", "tests/test_cli_matrix", "tests/test_cli_consent", "tests/test_cli_log")
_LONGEST = (
    "test_cli_lab", "lab/test_probe", "test_cli_consent", "xdp/test_tables", "lab/test_push_ios", "lab/test_push_switch",
    "lab/test_bypass", "lab/test_push_host", "lab/test_lab_up", "lab/test_push_xdp", "lab/test_observe",
    "laws/test_site_change", "laws/test_reading", "oracle/test_policy", "laws/test_wheel", "nic/test_hosts", "nic/test_console",
)  # fmt: skip
"""What takes longest goes first, else one process is left alone with it at the end."""
assert all((Path(__file__).parent / f"{name}.py").is_file() for name in _LONGEST), "a test that was renamed is renamed here"
_WORDS = ("passed", "failed", "error", "skipped")


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(_LAB):
            item.add_marker(pytest.mark.lab)
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    file = item.nodeid.partition(".py::")[0].removeprefix("tests/")
    return _LONGEST.index(file) if file in _LONGEST else len(_LONGEST)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    counts = {
        word: Counter(
            report.nodeid.partition("::")[0]
            for report in terminalreporter.getreports(word)
            if report.nodeid.startswith(_FOLDER)
        )
        for word in _WORDS
    }
    laws = sorted({file for found in counts.values() for file in found})
    if not laws:
        return
    terminalreporter.section("laws")
    for file in laws:
        passed, skipped = counts["passed"][file], counts["skipped"][file]
        bad = counts["failed"][file] + counts["error"][file]
        word = "BROKEN " if bad else "held   " if passed and not skipped else "not run"
        terminalreporter.write_line(f"{word} {_law(config.rootpath / file)}  ({passed} tests, {file})")


def _law(file: Path) -> str:
    """The first line of a test file's words about itself."""
    words = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    return (words or file.name).partition("\n")[0]
