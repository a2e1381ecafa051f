"""The command line: one lazy file for each command, and what the commands share."""

from configlet.cli.start import main

__all__ = ["main"]
