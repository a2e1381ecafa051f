"""What the README shows of a command is what the command says today."""

import re
import shlex

import pytest

from tests.cli_run import DAY, ROOT, configlet

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^    \$ configlet ((?:check|why) [^#\n]*?) *(?:#.*)?\n((?:    .*\n|\n(?=     ))+)", README, re.MULTILINE)


@pytest.mark.parametrize(("command", "block"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_transcript_is_of_today(command: str, block: str) -> None:
    said = " ".join(configlet(*shlex.split(command), "--at", DAY).stdout.split())
    at = 0
    for piece in block.split("..."):
        shown = " ".join(piece.split())
        at = said.find(shown, at)
        assert at >= 0, f"not said, or not there: {shown}"
        at += len(shown)


def test_the_readme_shows_what_a_check_and_a_question_say() -> None:
    assert [command.split()[0] for command, _ in SHOWN].count("why") == 2 and len(SHOWN) == 3
