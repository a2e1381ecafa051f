"""The suite names the laws it holds: at its end, one line for each file of `tests/laws`, in the words of that file."""

from __future__ import annotations

from collections import Counter

import pytest

_LAWS = pytest.StashKey[dict[str, str]]()
_FOLDER = "tests/laws/"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    laws = config.stash.setdefault(_LAWS, {})
    for item in items:
        file = item.nodeid.partition("::")[0]
        if file.startswith(_FOLDER) and isinstance(item, pytest.Function):
            laws[file] = (item.module.__doc__ or file).strip().partition("\n")[0]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    laws = config.stash.get(_LAWS, {})
    if not laws:
        return
    counts = {
        word: Counter(report.nodeid.partition("::")[0] for report in terminalreporter.getreports(word))
        for word in ("passed", "failed", "error", "skipped")
    }
    terminalreporter.section("laws")
    for file, law in sorted(laws.items()):
        passed = counts["passed"][file]
        bad = counts["failed"][file] + counts["error"][file]
        word = "BROKEN " if bad else "held   " if passed and not counts["skipped"][file] else "not run"
        terminalreporter.write_line(f"{word} {law}  ({passed} tests, {file})")
