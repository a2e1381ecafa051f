"""One simulated IOS-XE switch behind SSH, plans for it by the platform's own reader and recipes, and faults on its way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from configlet.lab.switch_ios import IosSwitch
from configlet.model.gate import Reading
from configlet.model.plan import Change, Outcome
from configlet.model.platform import Platform
from configlet.plan.recipes import way
from tests.lab.eos_bench import USER, Planes
from tests.lab.platform_bench import SPEED, SwitchBench, at_doors, known
from tests.lab.platform_bench import reading as reading_of


def ios() -> Platform:
    return known("ios")


def reading(text: str) -> Reading:
    return reading_of("ios", text)


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


class IosBench(SwitchBench):
    """One whose lists are written by hand."""

    switch: IosSwitch

    def bring(self, wanted: str) -> Outcome:
        return self.push(change("leaf1", self.switch.running_text(), wanted))

    def start(self, text: str) -> None:
        """Have the switch run these sections, saved, without a push."""
        shell = self.switch.terminal(USER)
        said = [shell.line(line, False) for line in ("configure terminal", *text.splitlines(), "end", "write memory")]
        assert "[OK]" in said[-1] and not any("%" in answer for answer in said), said
        shell.hang_up()

    @property
    def traces(self) -> list[str]:
        """What a finished push must not leave: a timer, our mark, lists that nothing binds, files."""
        text = self.switch.running_text()
        found = [line for line in text.splitlines() if "cfglt-pending" in line]
        found += [note for note in reading(text).notes if note.startswith("not bound")]
        found += [name for name in self.switch._state.files if name.startswith("cfglt-")]
        return found + (["a timer"] if self.switch._state.timer else [])


@contextmanager
def ios_switch(root: Path, speed: float = SPEED, planes: Planes | None = None) -> Iterator[IosBench]:
    """A switch that runs and starts with nothing of ours; BENCH credentials must be in the environment."""
    with at_doors(IosBench, "ios", root, speed, planes) as found:
        yield found
