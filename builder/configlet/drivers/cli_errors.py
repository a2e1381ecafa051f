"""Which lines of a command line's answer say that something went wrong. No such line is no proof of success: read back."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LOG = re.compile(r"%[A-Z0-9_]+(?:-[A-Z0-9_]+)*-[0-7]-[A-Z0-9_]+: ")
"""The tag of a log line: facility, severity, mnemonic."""
_ERRORS = (
    re.compile(r"%+ ?\S"),
    re.compile(r"(?:ERROR|Error|error): ?\S"),
    re.compile(r"Command rejected"),
    re.compile(r".*: (?:Invalid|Incomplete|Unrecognized) (?:command|input)"),
    re.compile(r" *\^ *$"),
    re.compile(r".*(?:Rollback|Revert) (?:aborted|failed)", re.IGNORECASE),
    re.compile(r".*(?:Failed to apply|failed to apply|commit failed|not a valid config file)"),
    re.compile(r"unknown command", re.IGNORECASE),
    re.compile(r"syntax error"),
    re.compile(r".*locked exclusively by"),
)
_HARDWARE = re.compile(r"ACLMGR-\d-\S*FAIL|FM-3-UNLOADING|ACLHWPROGERR|FMANRP_ACL|TCAM\S*(?:FAIL|FULL|EXCEED)", re.I)
"""Log lines, not answers, that say that the hardware did not take what the command line accepted."""


def failure(answer: Iterable[str], known: tuple[str, ...] = ()) -> str:
    """The first line of an answer (without echo and prompt) that is an error, "" when there is none.

    ``known`` are beginnings of lines with a per cent sign that only inform. What stands before a log tag is a time.
    """
    for line in answer:
        said = line.strip("\r\n")
        if said.strip().startswith(known or ("\0",)) or _LOG.search(said):
            if _HARDWARE.search(said):
                return said.strip()
            continue
        if any(pattern.match(said if pattern.pattern.startswith(" *") else said.strip()) for pattern in _ERRORS):
            return said.strip()
    return ""


def is_log(line: str) -> bool:
    """Whether a line is one of the device's log, which may stand anywhere in what a session shows."""
    return _LOG.search(line) is not None
