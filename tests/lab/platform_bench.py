"""One simulated switch of any platform that the lab has: behind its own doors on the loopback, pushed to by its own
driver, with lists that the platform's own template writes from rows. Nothing here knows a platform.
"""

from __future__ import annotations

import asyncio
import pkgutil
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import asyncssh

from configlet import drivers, platforms, readers
from configlet import render as rendering
from configlet.drivers.base import Target
from configlet.journal import folder, opened, read, unfinished
from configlet.lab import personalities
from configlet.lab.daemon_serve import personality
from configlet.lab.switch_doors import Doorway
from configlet.model.gate import Artifact, Reading
from configlet.model.plan import Change, Outcome
from configlet.model.platform import Platform
from configlet.plan import Item, compared
from configlet.plan import plan_of as planned
from configlet.platforms import case
from configlet.platforms.content import search
from configlet.push import Clock, push, recover
from configlet.readers import sections
from tests.lab.eos_bench import LEAF, PASSWORD, SITE, USER, Planes, authority
from tests.lab.push_bench import plan_of

SPEED = 60.0
"""The device's minute is a second here, and the clock of the push goes as fast."""
Bench = TypeVar("Bench", bound="SwitchBench")
Rows = Mapping[int, Sequence[str]]
"""Rows in the form of cases, by family."""
OLD: Rows = {
    4: ("permit tcp any any to 443", "permit tcp any any to 22", "permit udp any any to 53"),
    6: ("permit icmpv6 any any type 128", "permit tcp any any to 22"),
}
NEW: Rows = {
    4: ("permit tcp any any to 443", "permit tcp any any to 8443", "permit udp any any to 53"),
    6: ("permit icmpv6 any any type 128", "permit tcp any any to 443"),
}


def names() -> tuple[str, ...]:
    """The platforms with a personality."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(personalities.__path__)))


@cache
def known(name: str) -> Platform:
    """A platform as its folder says it."""
    return platforms.load(search(None))[name]


def reading(name: str, text: str) -> Reading:
    """Our sections of what a device shows."""
    return readers.read(known(name), "acl", sections.owned(known(name), "acl", text), "what runs")


def canonical(name: str, kind: str, text: str) -> str:
    """What a driver is given to compare with."""
    assert kind == "acl"
    return reading(name, text).canonical


def artifact(name: str, rows: Rows, interface: str = "Vlan120") -> Artifact:
    """The lists that the platform's template writes from these rows, bound where packets enter an interface."""
    tables = [
        {"binding": interface, "direction": "in", "family": family, "rows": [{"rule": "bench", "row": r} for r in said]}
        for family, said in rows.items()
    ]
    found = case.read(known(name), Path("bench.yaml"), {"about": "", "kind": "acl", "tables": tables, "text": ""})
    return rendering.render("leaf1", known(name), "acl", found.tables)


def change(name: str, running: str, wanted: Artifact | None) -> Change:
    """From what a switch shows to lists, by the platform's own way; None takes ours away."""
    shown = sections.owned(known(name), "acl", running)
    made = wanted or replace(artifact(name, OLD), text="")
    desired, now = reading(name, made.text), readers.read(known(name), "acl", shown, "what runs")
    item = Item(made, desired, shown, now, kind=known(name).kinds["acl"])
    (found,) = planned(compared([item]), site="test", target="lab", date="2026-11-24", version="0", inventory="").changes
    return found


def lines(text: str) -> list[str]:
    """A configuration without comments that say when it was changed."""
    return [line for line in text.splitlines() if line.strip() and not re.match(r"[!#]|Building|Current|version ", line)]


@dataclass
class SwitchBench:
    """Where everything of one test is, whatever words its lists are in."""

    root: Path
    name: str
    switch: Any
    ports: dict[int, int]
    """The ports of the management to those of the loopback."""
    told: list[tuple[str, str, str]] = field(default_factory=list)
    target: Target = field(init=False)
    """Where the platform's driver goes."""

    def __post_init__(self) -> None:
        port = self.ports[known(self.name).port]
        self.target = Target("leaf1", self.name, "127.0.0.1", port, "env/BENCH", self.root)

    @property
    def means(self) -> dict[str, Any]:
        """How a push keeps time with a switch whose clock is fast."""
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

    def recover(self) -> tuple[Outcome, ...]:
        """Ask the device what became of pushes that were cut off."""
        with opened(folder(self.root, "test"), "test") as log:
            return recover({"leaf1": self.target}, drivers.opener(canonical), log, **self.means)

    @property
    def left(self) -> bool:
        """Whether the journal says that something is still to be asked."""
        return bool(unfinished(read(folder(self.root, "test") / "journal.jsonl")))

    def connect(self, run: str = "look") -> Any:
        """The platform's driver, connected in the name of a run."""
        return drivers.opener(canonical)(replace(self.target, run=run))

    @property
    def runs(self) -> str:
        """Our sections as the switch runs them, asked of the switch itself and not over its management."""
        return reading(self.name, self.switch.running_text()).canonical

    @property
    def starts(self) -> str:
        """The same of what it would start with."""
        return reading(self.name, self.switch.startup_text()).canonical

    @property
    def lines(self) -> list[str]:
        """All that it runs, without comments that say when it was changed."""
        return lines(self.switch.running_text())


@dataclass
class PlatformBench(SwitchBench):
    """One whose lists the platform's template writes."""

    def change(self, wanted: Artifact | None) -> Change:
        """From what runs now."""
        return change(self.name, self.switch.running_text(), wanted)

    def bring(self, rows: Rows) -> Outcome:
        """Push lists of these rows."""
        return self.push(self.change(artifact(self.name, rows)))


@contextmanager
def bench_of(
    name: str, root: Path, speed: float = SPEED, planes: Any = None, *, usual: bool = False
) -> Iterator[PlatformBench]:
    """A switch that runs nothing of ours, at its usual ports when that is asked for."""
    with at_doors(PlatformBench, name, root, speed, planes, usual=usual) as found:
        yield found


@contextmanager
def at_doors(
    kind: type[Bench], name: str, root: Path, speed: float = SPEED, planes: Any = None, *, usual: bool = False
) -> Iterator[Bench]:
    """A switch that runs nothing of ours; BENCH credentials must be in the environment. ``usual``: at its usual ports."""
    root.mkdir(exist_ok=True)
    front = personality(name)
    device = replace(LEAF, platform=name)
    switch = front.make(device, replace(SITE, devices=(device,)), planes or Planes(), speed)
    context, _ = authority(root)
    ports: dict[int, int] = {}

    def listen(port: int) -> socket.socket:
        sock = socket.create_server(("127.0.0.1", port if usual else 0))
        sock.setblocking(False)
        ports[port] = sock.getsockname()[1]
        return sock

    key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    doors = front.open_doors(switch, Doorway(listen, context, key, USER, PASSWORD))
    held = asyncio.run_coroutine_threadsafe(doors, loop).result(10)
    public = key.export_public_key().decode()
    places = (f"[127.0.0.1]:{port}" if port != 22 else "127.0.0.1" for port in ports.values())
    (root / "known_hosts").write_text("".join(f"{place} {public}" for place in places))
    try:
        yield kind(root, name, switch, ports)
    finally:
        for server in held:
            loop.call_soon_threadsafe(server.close)
        switch.management.cut(0)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        switch.stop()
