"""dc1 with a pair of leaves moved to another platform, the whole way: check, push, probe, nothing left to do, rollback."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.cli_run import DAY, configlet

PORTS = {
    "eos": r"Ethernet\1/1", "nxos": r"Ethernet1/\1", "ios": r"GigabitEthernet1/0/\1", "iosxr": r"HundredGigE0/0/0/\1",
    "junos": r"et-0/0/\1",
}  # fmt: skip
"""What each platform calls its ports."""
PAIRS = (("leaf1", "leaf2"), ("leaf3", "leaf4"))
SENT = re.compile(r"^probe: (\d+) packets sent, (\d+) as the policy says", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Moved:
    """What was seen: packets sent and right after the push, steps that were green, and the first word that was not."""

    platform: str
    pair: tuple[str, str]
    sent: int
    right: int
    green: tuple[str, ...]
    red: str = ""


def moved(platform: str, pair: tuple[str, str]) -> Moved:
    """The whole way in a workspace of its own."""
    with tempfile.TemporaryDirectory(prefix="configlet-moved-") as name:
        folder = Path(name) / "workspace"
        configlet("init", str(folder))
        _move(folder / "inventory" / "dc1", platform, pair)
        try:
            return _way(folder, platform, pair)
        finally:
            configlet("lab", "down", "dc1", cwd=folder)


def _move(folder: Path, platform: str, pair: tuple[str, str]) -> None:
    """Two devices to another platform, and the ports of these and of the border to what their platforms call them."""
    for file in folder.glob("*.yaml"):
        text = re.sub(r"\bborder1/Ethernet(\d+)", r"border1/Ethernet3/\1/1", file.read_text())
        for device in pair:
            text = re.sub(rf"(  {device}:\n    platform: )\w+", rf"\g<1>{platform}", text)
            text = re.sub(rf"\b(?<={device}/)Ethernet(\d+)", PORTS.get(platform, r"Ethernet\1"), text)
        file.write_text(text)


def _way(folder: Path, platform: str, pair: tuple[str, str]) -> Moved:
    green: list[str] = []
    sent = right = 0
    for step, words in STEPS.items():
        at = ("--at", DAY) if step != "lab up" else ()
        ended = configlet(*words, *at, cwd=folder)
        said = ended.stdout + ended.stderr
        if ended.returncode or (step == "nothing left" and json.loads(ended.stdout)["plan"]["changes"]):
            return Moved(platform, pair, sent, right, tuple(green), f"{step}: {said[-1500:]}")
        if step == "probe":
            found = SENT.search(ended.stdout)
            assert found
            sent, right = int(found[1]), int(found[2])
        green.append(step)
    return Moved(platform, pair, sent, right, tuple(green))


STEPS = {
    "check": ("check", "dc1"),
    "lab up": ("lab", "up", "dc1", "--speed", "10"),
    "push": ("push", "dc1", "--lab", "--yes"),
    "nothing left": ("plan", "dc1", "--lab", "--json"),
    "probe": ("lab", "probe", "dc1"),
    "rollback": ("rollback", "dc1", "--lab", "--yes"),
}


if __name__ == "__main__":
    for one in (moved(sys.argv[1], pair) for pair in PAIRS if pair[0] in (sys.argv[2:] or pair)):
        sys.stdout.write(f"{one}\n")
