"""Gates, what they can do, their law, and the table that fits them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Literal, NamedTuple

from configlet.model.frozen import dataclass
from configlet.model.net import Family, Span
from configlet.model.policy import Entry

Direction = Literal["in", "out", "both"]


@dataclass(frozen=True, slots=True)
class Capability:
    """The capability record of one kind on one platform (``platform.yaml``), as DESIGN 6 lists it."""

    match: tuple[tuple[str, str], ...]
    """Field to match kind: address, port, proto to exact, prefix, range."""
    ordered: bool
    stateful: bool
    families: tuple[Family, ...]
    fragments: tuple[str, ...]
    capacity: int
    log: bool
    update: str
    controlled_by: str
    blind_to: tuple[str, ...] = ()
    directions: tuple[str, ...] = ("in", "out")
    """A table of what is only received says ``in`` alone: it judges initiations towards its local ends, and replies."""
    drops: bool = True
    """False of what only decides who is accelerated (Onload's firewall): its table says so, and guards nothing."""
    hardware: tuple[tuple[str, int], ...] = ()
    """Entries that the hardware holds, with every group expanded: by the beginning of a device's model, ``""`` else.
    Empty: what is typed is what is held.
    """
    groups: tuple[Family, ...] = ()
    """The families whose lists may name groups of addresses and services."""
    groups_from: int = 1
    """Lines of one row from which groups are written for it."""
    groups_services: bool = True
    """Whether services are groups too, or each has a line of its own between groups of addresses."""
    observes: bool = False
    """Whether it can count what it lets pass by a rule, and a driver of ours reads the counts."""
    tagged: bool = True
    """Whether its rules meet frames that have a VLAN tag as they meet those that have none."""
    mechanism: str = ""
    """The column of the table of stacks that speaks for it (``place.stacks``), where the platform's name is none."""

    def holds(self, model: str) -> int:
        """The entries that the hardware of a model holds."""
        known = [(len(name), limit) for name, limit in self.hardware if model.startswith(name)]
        return max(known)[1] if known else self.capacity


@dataclass(frozen=True, slots=True)
class Gate:
    """A place that filters packets.

    ``name`` says where: ``leaf1/Vlan120/in/v4``, ``me1/nftables``. ``owner`` is the device or host whose artifact holds
    it, ``binding`` what the platform binds it to (``Vlan120``, or ``inet configlet``).
    """

    name: str
    owner: str
    platform: str
    kind: Literal["acl", "filter-table"]
    binding: str
    direction: Direction
    families: tuple[Family, ...]
    realm: str
    segments: tuple[str, ...]
    """The segments (or externals) whose traffic crosses it."""
    capability: Capability
    locals: tuple[tuple[Family, Span], ...] = ()
    """A filter table's own ends: addresses that it guards, and groups that it receives."""

    @property
    def stateful(self) -> bool:
        """Whether it remembers connections."""
        return self.capability.stateful


@dataclass(frozen=True, slots=True)
class Law:
    """What a gate must pass: a packet that any of the lists permits (first match each, default deny)."""

    family: Family
    lists: tuple[Sequence[Entry], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A gate's law of one realm and family, and the rows that were fitted to the gate's capability record."""

    gate: Gate
    realm: str
    family: Family
    law: Law
    rows: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Artifact:
    """The text that a configlet gave for one device, and the tables that it must mean."""

    owner: str
    platform: str
    kind: str
    text: str
    tables: tuple[Table, ...]
    file: str
    """A name for places, such as ``leaf1.eos.acl``."""


class Cell(NamedTuple):
    """A row that is nothing but its box."""

    permit: bool
    box: tuple[tuple[int, int], ...]

    def over(self, box: tuple[tuple[int, int], ...]) -> Cell:
        """The same over another box."""
        return Cell(self.permit, box)


class Line(NamedTuple):
    """One entry that a reader found: ``number`` is the text line from 1, ``text`` as read."""

    permit: bool
    box: tuple[tuple[int, int], ...]
    number: int
    text: str
    label: str = ""
    """The remark or chain comment that stands with it (the rule's name, when we wrote it)."""
    counted: bool = False
    """Whether the text surely counts what it decides under this label; where nobody asks it may stay False."""

    def over(self, box: tuple[tuple[int, int], ...]) -> Line:
        """The same line over another box."""
        return Line(self.permit, box, self.number, self.text, self.label, self.counted)


class Texts(NamedTuple):
    """What a reader understood, written again."""

    canonical: str = ""
    """The text with names and spacing in one form, so that what a device shows can be compared with what we wrote."""
    numbered: str = ""
    """Of access lists: the same text with names and sequence numbers as they stand, as a change in place needs them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader understood of a text, by the platform's syntax alone.

    ``lists`` maps (binding, direction, family) to first-match lines with default deny: for EOS
    ``("Vlan120", "in", 4)``, for nftables ``("input", "both", 4)``. ``read`` of ``total`` lines were understood.
    """

    lists: Mapping[tuple[str, str, int], Sequence[Line]]
    read: int
    total: int
    stateful: bool = False
    texts: Callable[[], Texts] = Texts
    """Its texts, which a proof does not ask for; of a long text they are made when somebody does."""
    notes: tuple[str, ...] = field(default=())

    @property
    def canonical(self) -> str:
        """The text in one form, so that what a device shows can be compared with what we wrote."""
        return self.texts().canonical

    @property
    def numbered(self) -> str:
        """Of access lists: the text with names and sequence numbers as they stand."""
        return self.texts().numbered


Verdict = Literal["PROVED", "REFUTED", "UNKNOWN"]


@dataclass(frozen=True, slots=True)
class Witness:
    """A packet on which law and text differ. ``packet`` is one packet in words, ``line`` and ``rule`` the two deciders."""

    kind: Literal["too open", "too tight"]
    packet: str
    box: tuple[tuple[int, int], ...]
    line: str
    rule: str
    all_of: str = ""
    """The whole box in words."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The answer for one gate: PROVED, REFUTED with witnesses, or UNKNOWN with the reason."""

    gate: str
    verdict: Verdict
    read: int
    total: int
    witnesses: tuple[Witness, ...] = ()
    reason: str = ""
