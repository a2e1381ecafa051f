"""The configuration of a simulated IOS-XE switch: what it holds, and how it is shown.

As on the simulated EOS switch, the lines that describe the lab's wiring (the baseline) cannot be changed; access lists,
object groups, their bindings, aliases, the archive and a few switches can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from configlet.lab.switch_config import Baseline, Way
from configlet.model.net import Family

VERSION = "17.12"
RELEASE = "17.12.4"
BIND: dict[Family, str] = {4: "ip access-group", 6: "ipv6 traffic-filter"}
HEAD: dict[Family, str] = {4: "ip access-list extended", 6: "ipv6 access-list"}
QUIET, SCP = "file prompt quiet", "ip scp server enable"
SWITCHES = (QUIET, SCP)
"""Single lines that are there or not."""
GROUP_MODES = {"network": "config-network-group", "service": "config-service-group"}


@dataclass(slots=True)
class IosAcl:
    """One access list: sequence number to the entry as IOS-XE shows it, and remarks.

    From IOS-XE 17 on an IPv4 remark has the number of the entry that it stands before, and several may share it; an IPv6
    remark has none and stands where it was entered, here after the entry of its key.
    """

    entries: dict[int, str] = field(default_factory=dict)
    remarks: dict[int, list[str]] = field(default_factory=dict)

    def copy(self) -> IosAcl:
        """An independent copy."""
        return IosAcl(dict(self.entries), {key: list(texts) for key, texts in self.remarks.items()})

    def put(self, key: int, text: str) -> None:
        """Add a remark; one that stands there already is not added again."""
        texts = self.remarks.setdefault(key, [])
        texts += [text] * (text not in texts)


@dataclass(slots=True)
class IosConfig:
    """One configuration. Mutable, as every line changes the running one in place; what is kept is a copy."""

    baseline: Baseline
    hostname: str
    present: set[tuple[str, str]]
    """(section header, line) of the baseline that stand in this configuration; line "" is the header itself."""
    switches: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    archive: dict[str, str] | None = None
    """``path`` and ``maximum`` of the archive; None when the feature is off."""
    groups: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """(kind, name) of an object group to its lines."""
    acls: dict[tuple[Family, str], IosAcl] = field(default_factory=dict)
    bindings: dict[tuple[str, Family, Way], str] = field(default_factory=dict)

    def copy(self) -> IosConfig:
        """An independent copy."""
        return IosConfig(
            self.baseline,
            self.hostname,
            set(self.present),
            set(self.switches),
            dict(self.aliases),
            None if self.archive is None else dict(self.archive),
            {key: list(lines) for key, lines in self.groups.items()},
            {key: acl.copy() for key, acl in self.acls.items()},
            dict(self.bindings),
        )

    @property
    def archived(self) -> bool:
        """Whether the archive feature can keep configurations."""
        return bool(self.archive and "path" in self.archive)


def initial(baseline: Baseline) -> IosConfig:
    """The configuration of a device that nobody has touched since it was put up."""
    whole = {(header, line) for header, lines in baseline.sections for line in ("", *lines)}
    archive = {"path": "flash:archive", "maximum": "10"}
    return IosConfig(baseline, baseline.device, whole, set(SWITCHES), archive=archive)


def empty(baseline: Baseline) -> IosConfig:
    """A configuration without a line, to read a file into."""
    return IosConfig(baseline, "Switch", set())


def missing(config: IosConfig) -> list[str]:
    """Baseline lines that are not in a configuration, as commands that would take them away."""
    whole = initial(config.baseline).present
    return sorted(f"no {line or header}" for header, line in whole - config.present)


def body(config: IosConfig) -> list[str]:
    """The lines of a configuration without its heading comments, in the order in which IOS-XE shows them."""
    out = [f"version {VERSION}", f"hostname {config.hostname}", "!"]
    for start in ("vrf", "ip routing", "ipv6 unicast"):
        out += _sections(config, start)
    out += _groups(config)
    if config.archive is not None:
        out += ["archive", *(f" {key} {value}" for key, value in sorted(config.archive.items(), reverse=True)), "!"]
    for start in ("vlan", "interface"):
        out += _sections(config, start)
    out += sorted(config.switches)
    out += [*_sections(config, "ip ssh"), *_lists(config)]
    out += [f"alias exec {name} {text}" for name, text in sorted(config.aliases.items())]
    return [*out, *_sections(config, "line"), "end"]


def _sections(config: IosConfig, start: str) -> Iterator[str]:
    for header, lines in config.baseline.sections:
        if not header.startswith(start) or (header, "") not in config.present:
            continue
        yield header
        yield from (f" {line}" for line in lines if (header, line) in config.present)
        interface = header.removeprefix("interface ")
        for (name, family, way), acl in sorted(config.bindings.items()):
            if name == interface:
                yield f" {BIND[family]} {acl} {way}"
        yield "!"


def _groups(config: IosConfig) -> Iterator[str]:
    for (kind, name), lines in sorted(config.groups.items()):
        yield f"object-group {kind} {name}"
        yield from (f" {line}" for line in lines)
        yield "!"


def _lists(config: IosConfig) -> Iterator[str]:
    for (family, name), acl in sorted(config.acls.items(), key=lambda item: item[0]):
        yield "!"
        yield from list_lines(family, name, acl)


def list_lines(family: Family, name: str, acl: IosAcl) -> list[str]:
    """One access list with its header, in sequence order, with its sequence numbers as from IOS-XE 17 on."""
    out = [f"{HEAD[family]} {name}"]
    for number in sorted({*acl.entries, *acl.remarks}):
        remarks, entry = acl.remarks.get(number, ()), acl.entries.get(number)
        if family == 4:
            out += [f" {number} remark {text}" for text in remarks]
            out += [f" {number} {entry}"] if entry else []
        else:
            out += [f" sequence {number} {entry}"] if entry else []
            out += [f" remark {text}" for text in remarks]
    return out


def file_text(config: IosConfig, changed: str) -> str:
    """The configuration as a file holds it. ``changed`` is when and by whom it was changed last."""
    return "\n".join(["!", f"! Last configuration change at {changed}", "!", *body(config), ""])


def show(config: IosConfig, changed: str) -> str:
    """The configuration as ``show running-config`` prints it."""
    text = file_text(config, changed)
    return f"Building configuration...\n\nCurrent configuration : {len(text)} bytes\n{text}"
