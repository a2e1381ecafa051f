"""Which lines of a command line's answer say that something went wrong. No such line is no proof of success: read back."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TIME = r"(?:[^\s%][^%]*: |\d{4} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \S+ )"
_LOG = re.compile(_TIME + r"?%[A-Z0-9_]+(?:-[A-Z0-9_]+)*-[0-7]-[A-Z0-9_]+:(?: |$)")
"""The beginning of a log line: perhaps a time, then a tag of facility, severity, mnemonic. Configuration is no log."""
_ERRORS = (
    re.compile(r"%+ ?\S"),
    re.compile(r"(?:ERROR|Error|error): ?\S"),
    re.compile(r"Command rejected"),
    re.compile(r".*: (?:Invalid|Incomplete|Unrecognized) (?:command|input)"),
    re.compile(r".*(?:Rollback|Revert) (?:aborted|failed)", re.IGNORECASE),
    re.compile(r".*(?:Failed to apply|failed to apply|commit failed|not a valid config file)"),
    re.compile(r"unknown command", re.IGNORECASE),
    re.compile(r"syntax error"),
    re.compile(r".*locked exclusively by"),
)
_CARET = re.compile(r" *\^ *")
_HARDWARE = re.compile(
    r"%\S*(?:ACL|TCAM|FMAN|FED)\w*-(?:\w+-)*[0-4]-|%FM-3-UNLOADING|%PARSER-[0-4]-|ACLHWPROGERR|TCAM\S*(?:FAIL|FULL|EXCEED)"
)
"""Log lines, not answers, that say that the hardware or the parser did not take what the command line accepted."""


def failure(answer: Iterable[str], known: tuple[str, ...] = ()) -> str:
    """The first line of an answer (without echo and prompt) that is an error, "" when there is none.

    ``known`` are beginnings of lines with a per cent sign that only inform. What stands before a log tag is a time.
    """
    caret = ""
    for line in answer:
        said = line.strip()
        if said.startswith(known or ("\0",)) or is_log(line):
            if is_alarm(line):
                return said
        elif said and _CARET.fullmatch(line.strip("\r\n")):
            caret = said  # what it points at is said in the next line
        elif any(pattern.match(said) for pattern in _ERRORS):
            return said
    return caret


def is_log(line: str) -> bool:
    """Whether a line is one of the device's log, which may stand anywhere in what a session shows."""
    return _LOG.match(line) is not None


def is_alarm(line: str) -> bool:
    """Whether a line of the log says that what was accepted is not in force. It may come after the answer."""
    return is_log(line) and _HARDWARE.search(line) is not None
