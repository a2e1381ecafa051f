"""A simulated host: commands and shells inside its namespace, and what can go wrong there on demand."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from configlet.lab.enter import SEARCH, inside
from configlet.lab.wire import run
from configlet.model.problem import refuse

TABLE = "inet configlet"
FAULTS = {
    "flush": f"flush table {TABLE}",
    "open": f"delete table {TABLE}",
}
"""``flush`` takes the rules out of the host's table and leaves its chains, ``open`` takes the table away."""
CUT = "drop-after-commit"
"""Its management goes dark for so many seconds right after the next commit, before the answer is on its way."""
MANAGEMENT = "mgmt0"
TOOLS = "tools"
"""In a host's folder: programs that are found before the machine's own, as its NICs are simulated."""


@dataclass(frozen=True, slots=True)
class Streams:
    """What a command reads and writes: descriptors of its own ends, closed once it runs."""

    stdin: int
    stdout: int
    stderr: int


@dataclass(frozen=True, slots=True)
class LabHost:
    """A host of the lab: its namespace, its state folder and the speed of its clock."""

    name: str
    namespace: int
    folder: Path
    speed: float
    armed: dict[str, float] = field(default_factory=dict)
    """Faults that wait for their moment: kind to seconds."""

    def environment(self, user: str) -> dict[str, str]:
        """What a login finds; nothing of the machine's own environment."""
        return {
            "PATH": f"{self.folder}/{TOOLS}:{SEARCH}" if (self.folder / TOOLS).is_dir() else SEARCH,
            "HOME": str(self.folder),
            "USER": user,
            "LOGNAME": user,
            "SHELL": "/bin/sh",
            "LANG": "C.UTF-8",
            "CONFIGLET_STATE_DIR": str(self.folder),
            "CONFIGLET_SPEED": f"{self.speed:g}",
            "PS1": f"{user}@{self.name}# ",
        }

    def start(
        self, argv: list[str], streams: Streams, environment: Mapping[str, str], terminal: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start a command inside the host's namespace, in a session of its own, which a terminal may belong to."""
        # setsid(1) forks, and its first process ends at once, when it leads a process group already
        command = ["setsid", "--ctty", *argv] if terminal else argv

        def body() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                command,
                stdin=streams.stdin,
                stdout=streams.stdout,
                stderr=streams.stderr,
                cwd=self.folder,
                env=dict(environment),
                start_new_session=not terminal,
            )

        try:
            return inside(self.namespace, body)
        finally:
            for descriptor in {streams.stdin, streams.stdout, streams.stderr}:
                os.close(descriptor)

    def fault(self, kind: str, arg: str = "") -> None:
        """Make something go wrong. Raises Refused for a fault that does not exist or does not apply now."""
        if kind == CUT:
            self.armed[CUT] = _seconds(arg) / self.speed
            return
        if kind not in FAULTS:
            known = ", ".join(sorted((*FAULTS, CUT)))
            raise refuse("unknown fault", f"A host has no fault {kind!r}. It has: {known}.")
        if arg:
            raise refuse("fault takes no argument", f"{kind} of a host takes no argument, but {arg!r} was given.")
        try:
            run(self.namespace, ["nft", "-f", "-"], FAULTS[kind] + "\n")
        except OSError as problem:
            raise refuse(
                "fault does not apply", f"{self.name} has no table {TABLE}; push a policy first. nft says: {problem}"
            ) from problem

    def dark(self, command: str) -> float:
        """How long management goes dark after this command; 0 when no fault waits for it."""
        return self.armed.pop(CUT, 0.0) if " -- commit " in f" {command} " else 0.0

    def link(self, state: str) -> None:
        """Set the management interface up or down."""
        run(self.namespace, ["ip", "link", "set", MANAGEMENT, state], "")


def _seconds(arg: str) -> float:
    try:
        seconds = float(arg)
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        raise refuse(
            "fault needs seconds", f"{CUT} takes the seconds for which the host is away, such as 20, not {arg!r}."
        )
    return seconds
