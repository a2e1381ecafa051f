"""What was done to a site: an append-only chain of records, and the lock that lets one run act at a time."""

from configlet.journal.log import FIRST, Journal, Locked, Record, Unwritable, folder, opened, read, who
from configlet.journal.runs import Run, Step, held, last, runs, unfinished

__all__ = [
    "FIRST",
    "Journal",
    "Locked",
    "Record",
    "Run",
    "Step",
    "Unwritable",
    "folder",
    "held",
    "last",
    "opened",
    "read",
    "runs",
    "unfinished",
    "who",
]
