"""One simulated IOS-XE switch behind SSH, plans for it by the platform's own reader and recipes, and faults on its way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from configlet import drivers, platforms, readers
from configlet.drivers.base import Target
from configlet.journal import folder, opened, read, unfinished
from configlet.lab.switch_ios import IosSwitch
from configlet.model.gate import Reading
from configlet.model.plan import Change, Outcome
from configlet.model.platform import Platform
from configlet.plan.recipes import way
from configlet.platforms.content import search
from configlet.push import Clock, push, recover
from configlet.readers import sections
from tests.lab.cli_bench import make_ios, served
from tests.lab.eos_bench import PASSWORD, USER, Planes
from tests.lab.push_bench import plan_of

SPEED = 60.0
"""The device's minute is a second here, and the clock of the push goes as fast."""


@cache
def ios() -> Platform:
    return platforms.load(search(None))["ios"]


def reading(text: str) -> Reading:
    return readers.read(ios(), "acl", sections.owned(ios(), "acl", text), "what runs")


def canonical(platform: str, kind: str, text: str) -> str:
    return reading(text).canonical


def text_of(*entries: str, six: tuple[str, ...] = ("permit icmp any any",)) -> str:
    """A switch's sections: a list for each family at Vlan120 that enters, with these entries and the end."""
    v4 = [f" {10 * n} {entry}\n" for n, entry in enumerate((*entries, "deny ip any any"), 1)]
    v6 = [
        f" sequence {10 * n} {entry}\n"
        for n, entry in enumerate(("deny ipv6 any any fragments", *six, "deny ipv6 any any"), 1)
    ]
    return (
        f"ip access-list extended cfglt-Vlan120-in-v4\n{''.join(v4)}ipv6 access-list cfglt-Vlan120-in-v6\n{''.join(v6)}"
        "interface Vlan120\n ip access-group cfglt-Vlan120-in-v4 in\n ipv6 traffic-filter cfglt-Vlan120-in-v6 in\n"
    )


OLD = text_of("permit tcp any any eq 443", "permit tcp any any eq 22", "permit udp any any eq 53")
NEW = text_of(
    "permit tcp any any eq 443", "permit tcp any any eq 8443", "permit udp any any eq 53",
    six=("permit icmp any any", "permit tcp any any eq 443"),
)  # fmt: skip


def change(owner: str, running: str, wanted: str) -> Change:
    """From what a switch shows to a text."""
    now, then = reading(running), reading(wanted)
    found = way(ios().kinds["acl"], now, then)
    return Change(owner, "ios", "acl", now.canonical, then.canonical, found.load, found.undo, "diff")


@dataclass
class IosBench:
    """Where everything of one test is."""

    root: Path
    switch: IosSwitch
    target: Target
    told: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def means(self) -> dict[str, Any]:
        speed = self.switch.speed
        clock = Clock(lambda: time.time() * speed, lambda seconds: time.sleep(seconds / speed))
        return {"canonical": canonical, "clock": clock, "margin": 60.0}

    def push(self, *changes: Change, seconds: int = 300, at: Callable[[str], None] = str, **more: Any) -> Outcome:
        """The outcome; ``at`` is told each step as it begins."""

        def progress(owner: str, step: str, words: str) -> None:
            self.told.append((owner, step, words))
            at(step)

        with opened(folder(self.root, "test"), "test") as log:
            make, targets = drivers.opener(canonical), {"leaf1": self.target}
            (outcome,) = push(
                plan_of(*changes), targets, make, log, seconds=seconds, progress=progress, **self.means, **more
            )
        return outcome

    def bring(self, wanted: str) -> Outcome:
        return self.push(change("leaf1", self.switch.running_text(), wanted))

    def start(self, text: str) -> None:
        """Have the switch run these sections, saved, without a push."""
        shell = self.switch.terminal(USER)
        said = [shell.line(line, False) for line in ("configure terminal", *text.splitlines(), "end", "write memory")]
        assert "[OK]" in said[-1] and not any("%" in answer for answer in said), said
        shell.hang_up()

    def recover(self) -> tuple[Outcome, ...]:
        with opened(folder(self.root, "test"), "test") as log:
            return recover({"leaf1": self.target}, drivers.opener(canonical), log, **self.means)

    @property
    def left(self) -> bool:
        """Whether the journal says that something is still to be asked."""
        return bool(unfinished(read(folder(self.root, "test") / "journal.jsonl")))

    def connect(self, run: str = "look") -> Any:
        return drivers.opener(canonical)(replace(self.target, run=run))

    @property
    def runs(self) -> str:
        """Our sections as the switch runs them, asked of the switch itself and not over its management."""
        return reading(self.switch.running_text()).canonical

    @property
    def starts(self) -> str:
        return reading(self.switch.startup_text()).canonical

    @property
    def traces(self) -> list[str]:
        """What a finished push must not leave: a timer, our mark, lists that nothing binds, files."""
        text = self.switch.running_text()
        found = [line for line in text.splitlines() if "cfglt-pending" in line]
        found += [note for note in reading(text).notes if note.startswith("not bound")]
        found += [name for name in self.switch._state.files if name.startswith("cfglt-")]
        return found + (["a timer"] if self.switch._state.timer else [])


def lines(text: str) -> list[str]:
    """A configuration without the comments that say when it was changed."""
    return [line for line in text.splitlines() if line and not line.startswith(("!", "Building", "Current"))]


@contextmanager
def ios_switch(root: Path, speed: float = SPEED, planes: Planes | None = None) -> Iterator[IosBench]:
    """A switch that runs and starts with nothing of ours; BENCH credentials must be in the environment."""
    root.mkdir(exist_ok=True)
    switch = make_ios(speed, planes)
    with served(switch, switch.front(PASSWORD), root) as (port, _):
        yield IosBench(root, switch, Target("leaf1", "ios", "127.0.0.1", port, "env/BENCH", root))
