"""What was done to a site: an append-only chain of records, and the lock that lets one run act at a time."""

from configlet.journal.log import Journal, Locked, Record, folder, opened, read
from configlet.journal.runs import Run, Step, last, runs, unfinished

__all__ = ["Journal", "Locked", "Record", "Run", "Step", "folder", "last", "opened", "read", "runs", "unfinished"]
