"""The suite names the laws it holds: at its end, one line for each file of `tests/laws`, in the words of that file.

`make test` runs it in two parts, each in two processes: what builds labs and sends packets mostly waits, and must not
wait for what computes.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

_FOLDER = "tests/laws/"
_LAB = ("tests/lab/", "tests/xdp/", "tests/test_cli_lab", "tests/test_cli_matrix", "tests/test_cli_consent", "tests/test_cli_log")
_LONGEST = "tests/test_cli_lab"
_WORDS = ("passed", "failed", "error", "skipped")


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        file = item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(file))
        if file.startswith(_LAB):
            item.add_marker(pytest.mark.lab)
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))  # else one process is left alone with it at the end


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
