"""One simulated Junos switch behind NETCONF, plans for it by the platform's own reader and units, and pushes to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from configlet.lab.switch_junos import JunosSwitch
from configlet.model.gate import Reading
from configlet.model.plan import Change, Outcome
from configlet.model.platform import Platform
from configlet.plan.candidate import candidate_text
from configlet.readers import sections
from tests.lab.cli_bench import Served
from tests.lab.eos_bench import LEAF, PASSWORD, SITE, USER, Planes
from tests.lab.platform_bench import SPEED, SwitchBench, at_doors, known
from tests.lab.platform_bench import reading as reading_of

JUNOS_LEAF = replace(LEAF, platform="junos", model="QFX5120-48Y")


def make_junos(speed: float = 1.0, planes: Any = None) -> JunosSwitch:
    """The switch of the small site as a Junos switch."""
    return JunosSwitch(JUNOS_LEAF, replace(SITE, devices=(JUNOS_LEAF,)), planes or Planes(), speed)


def napalm_junos(at: Served, password: str = PASSWORD, **more: Any) -> Any:
    """An unmodified NAPALM junos driver, not opened yet."""
    from napalm.junos import JunOSDriver
    from ncclient.transport import session

    session.TICK = 0.01  # its thread looks ten times a second whether there is something to send
    return JunOSDriver("127.0.0.1", USER, password, timeout=20, optional_args={"port": at[0]} | more)


def junos() -> Platform:
    return known("junos")


def shown(text: str) -> str:
    return sections.owned(junos(), "acl", text)


def reading(text: str) -> Reading:
    return reading_of("junos", text)


def term(number: int, name: str, conditions: str, action: str = "accept") -> str:
    """A term with its remark; ``conditions`` are leaves of ``from``."""
    inside = f"from {{\n{conditions}\n}}\n" if conditions else ""
    return f"/* {name} */\nterm {number} {{\n{inside}then {{\n{action};\n}}\n}}\n"


def text_of(
    *ports: int, six: tuple[int, ...] = (22,), interface: str = "irb 120", families: tuple[int, ...] = (4, 6)
) -> str:
    """A switch's sections: a filter for each of the families that enters by an interface, with these TCP ports and the end."""
    port, unit = interface.split()
    name = "Vlan" + unit if port == "irb" else port
    out = ["firewall {\n"]
    for family, wanted in [(f"inet{'6' * (v == 6)}", ports if v == 4 else six) for v in families]:
        word, later = ("protocol", "is-fragment;") if family == "inet" else ("next-header", "next-header fragment;")
        terms = [term(10, "fragments", later, "discard")]
        terms += [
            term(10 * n, f"port {p}", f"{word} tcp;\ndestination-port {p};") for n, p in enumerate(wanted, 2)
        ]
        end = term(10 * len(wanted) + 20, "default deny", "", "discard")
        out += [f"family {family} {{\nfilter cfglt-{name}-in-v{4 if family == 'inet' else 6} {{\n", *terms, end, "}\n}\n"]
    bound = [f"family inet{'6' * (v == 6)} {{\nfilter {{\ninput cfglt-{name}-in-v{v};\n}}\n}}\n" for v in families]
    return "".join([*out, f"}}\ninterfaces {{\n{port} {{\nunit {unit} {{\n", *bound, "}\n}\n}\n"])


OLD = text_of(443, 22, 53)
NEW = text_of(443, 8443, 53, six=(22, 443))


def change(owner: str, running: str, wanted: str) -> Change:
    """From what a switch shows to a text."""
    now, then, parts = reading(running), reading(wanted), junos().kinds["acl"].change["units"]
    texts = (shown(running), wanted)
    load = candidate_text(parts, now.canonical, then.canonical, texts)
    undo = candidate_text(parts, then.canonical, now.canonical, texts[::-1])
    return Change(owner, "junos", "acl", now.canonical, then.canonical, load, undo, "diff")


class JunosBench(SwitchBench):
    """One whose filters are written by hand."""

    switch: JunosSwitch

    @property
    def at(self) -> Served:
        return self.target.port, self.root / "known_hosts"

    def bring(self, wanted: str) -> Outcome:
        return self.push(change("leaf1", self.switch.running_text(), wanted))

    def start(self, text: str) -> None:
        """Have the switch run these sections, without a push."""
        api = napalm_junos(self.at)
        api.open()
        api.load_merge_candidate(config=text)
        api.commit_config()
        api.close()

    @property
    def traces(self) -> list[str]:
        """What a finished push must not leave: a timer, a lock, changes in the candidate, filters that nothing binds."""
        state = self.switch._state
        found = [note for note in reading(self.switch.running_text()).notes if note.startswith("not bound")]
        found += ["a timer"] * (state.pending is not None) + ["a lock"] * bool(state.owner)
        return found + ["changes in the candidate"] * state.changed()


@contextmanager
def junos_switch(root: Path, speed: float = SPEED, planes: Any = None) -> Iterator[JunosBench]:
    """A switch that runs nothing of ours; BENCH credentials must be in the environment."""
    with at_doors(JunosBench, "junos", root, speed, planes) as found:
        yield found
