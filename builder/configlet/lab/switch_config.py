"""The configuration of a simulated EOS switch: what it holds, and how it is shown.

The wiring of the lab is made from the inventory, so the lines that describe it (the baseline) cannot be changed from
the command line; access lists, their bindings and the host name can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from configlet.model.net import Family

Way = Literal["in", "out"]
GLOBAL = ""
"""The key of the lines that stand in no section."""
FAMILY_WORD: dict[Family, str] = {4: "ip", 6: "ipv6"}


@dataclass(frozen=True, slots=True)
class Baseline:
    """The fixed part of a device: its name, and sections with their lines in the order in which EOS shows them."""

    device: str
    model: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    """Header ("interface Vlan120", "ip routing vrf trading") to its lines; a section without lines is one line."""
    routed: frozenset[str]
    """Interfaces that route, so that an access group can be bound to them."""
    realms: tuple[str, ...]
    """The namespaces of this device that enforce."""

    def lines(self, header: str) -> tuple[str, ...] | None:
        """The lines of a section; None when there is no such section."""
        return next((lines for name, lines in self.sections if name == header), None)


@dataclass(slots=True)
class Acl:
    """One access list: sequence number to the line as EOS shows it."""

    entries: dict[int, str] = field(default_factory=dict)
    counters: bool = False

    def copy(self) -> Acl:
        """An independent copy."""
        return Acl(dict(self.entries), self.counters)


@dataclass(slots=True)
class Config:
    """One configuration. Mutable, as each command changes it in place; what is kept is a copy."""

    baseline: Baseline
    hostname: str
    present: set[tuple[str, str]]
    """(section header, line) of the baseline that stand in this configuration; line "" is the header itself."""
    acls: dict[tuple[Family, str], Acl] = field(default_factory=dict)
    bindings: dict[tuple[str, Family, Way], str] = field(default_factory=dict)

    def copy(self) -> Config:
        """An independent copy."""
        acls = {key: acl.copy() for key, acl in self.acls.items()}
        return Config(self.baseline, self.hostname, set(self.present), acls, dict(self.bindings))


def initial(baseline: Baseline) -> Config:
    """The configuration of a device that nobody has touched."""
    whole = {(header, line) for header, lines in baseline.sections for line in ("", *lines)}
    return Config(baseline, baseline.device, whole)


def clean(baseline: Baseline) -> Config:
    """What ``rollback clean-config`` leaves: the interfaces that the hardware has, and nothing else."""
    return Config(baseline, "localhost", {(h, "") for h, _ in baseline.sections if h.startswith("interface Ethernet")})


def missing(config: Config) -> list[str]:
    """Baseline lines that are not in a configuration; such a one cannot be made real in the lab's fixed wiring."""
    whole = initial(config.baseline).present
    return sorted(f"{header} {line}".strip() for header, line in whole - config.present)


def body(config: Config) -> list[str]:
    """The lines of the configuration without its heading comments, as EOS shows them."""
    out = [f"hostname {config.hostname}"]
    globals_first = [h for h, _ in config.baseline.sections if not h.startswith(("interface", "ip", "management"))]
    for header in globals_first:
        out += _section(config, header)
    for header, _ in config.baseline.sections:
        if header.startswith("interface"):
            out += _section(config, header)
    for (family, name), acl in sorted(config.acls.items(), key=lambda item: item[0]):
        out += ["!", *acl_lines(family, name, acl)]
    for header, _ in config.baseline.sections:
        if header.startswith(("ip", "management")):
            out += _section(config, header)
    return [*out, "!", "end"]


def _section(config: Config, header: str) -> Iterator[str]:
    if (header, "") not in config.present:
        return
    yield "!"
    yield header
    for line in config.baseline.lines(header) or ():
        if (header, line) in config.present:
            yield f"   {line}"
    interface = header.removeprefix("interface ")
    for (name, family, way), acl in sorted(config.bindings.items()):
        if name == interface:
            yield f"   {FAMILY_WORD[family]} access-group {acl} {way}"


def acl_lines(family: Family, name: str, acl: Acl) -> list[str]:
    """One access list with its header, in sequence order."""
    head = [f"{FAMILY_WORD[family]} access-list {name}"]
    head += ["   counters per-entry"] * acl.counters
    return head + [f"   {seq} {line}" for seq, line in sorted(acl.entries.items())]


def show(config: Config, command: str, version: str) -> str:
    """The configuration as ``show running-config`` prints it; ``command`` is named in the heading."""
    head = [f"! Command: {command}", f"! device: {config.hostname} ({config.baseline.model}, EOS-{version})", "!"]
    return "\n".join([*head, *body(config)]) + "\n"
