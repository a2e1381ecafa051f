"""Decision records can be cited: each number is given once, and what cites one finds it."""

from __future__ import annotations

import re

from tests.cli_run import ROOT

RECORDS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def test_each_number_is_given_to_one_decision_record() -> None:
    numbers = [path.name[:4] for path in RECORDS]
    assert sorted(set(numbers)) == numbers


def test_what_cites_a_decision_record_finds_it() -> None:
    for path in (*(ROOT / "docs").glob("*.md"), ROOT / "README.md"):
        for cited in re.findall(r"docs/decisions/([0-9a-z*-]+(?:\.md)?)", path.read_text(encoding="utf-8")):
            assert list((ROOT / "docs" / "decisions").glob(cited)), f"{path.name} cites {cited}"
