"""Blocks of an access list in finished words, where the platform has groups for ends and services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Any

from configlet.model.block import Block
from configlet.model.frozen import dataclass
from configlet.model.net import BITS, Spans, address_text, prefixes
from configlet.model.policy import ANY_BIT, ANY_PORT, FRAG, Entry
from configlet.packets.blocks import Item
from configlet.render.acl_lines import Lines, Told
from configlet.render.numbered import Line
from configlet.render.values import by_family


@dataclass(frozen=True, slots=True)
class Group:
    """An object group: the line that begins it, and its members. Its name is made of them, so that it never changes."""

    header: str
    members: tuple[str, ...]
    name: str = ""


class Grouping:
    """Blocks in finished words, with groups for their ends and services; new groups are put among those that are known."""

    __slots__ = ("groups", "lines", "said")

    def __init__(self, lines: Lines, groups: dict[str, Group]) -> None:
        self.lines, self.groups = lines, groups
        self.said: Mapping[str, Any] = lines.operands["groups"]

    def told(self, found: Iterable[Item]) -> Iterator[Told]:
        """Rows, and blocks as groups. Raises Refused."""
        for kind, run in groupby(found, type):
            if kind is not Block:
                yield from self.lines.told(run)
                continue
            for item in run:
                yield Told(list(self._of(item)), item.sets[FRAG][0], item.like)  # type: ignore[arg-type, union-attr]

    def _of(self, block: Block[Entry]) -> Iterator[Line]:
        """The lines of a block: one, or one for each of its ports where a line cannot name a group for them."""
        sets = block.sets
        source, destination = self._end(sets[2]), self._end(sets[1])
        service = self._service(block)
        uppers = [(sets[3][0], sets[4][0])] if service else [(d, s) for s in sets[4] for d in sets[3]]
        for dport, sport in uppers:
            upper = (ANY_PORT, ANY_PORT) if service else (dport, sport)
            entry = block.like.over((sets[0][0], sets[1][0], sets[2][0], *upper, sets[5][0], sets[6][0]))
            for line in self.lines.between(((source, destination),), entry):
                yield self.lines.shapes.reworded(line, proto=service) if service else line

    def _end(self, spans: Spans) -> str:
        """An address clause: a group where there is more than one prefix."""
        family, (low, high) = self.lines.family, spans[0]
        if len(spans) == 1 and len(self.lines.addresses((low, high))) == 1:
            return self.lines.addresses((low, high))[0]
        said, full = by_family(self.said["network"], family), (1 << BITS[family]) - 1
        members = []
        for first, length in (part for span in spans for part in prefixes(family, span)):
            form = said["host"] if length == BITS[family] else said["prefix"]
            mask = full ^ ((1 << BITS[family] - length) - 1)
            members.append(
                form.format(address=address_text(family, first), length=length, netmask=address_text(family, mask))
            )
        return self._use("network", said["header"], members)

    def _service(self, block: Block[Entry]) -> str:
        """The clause that names a group of services; empty where the line asks for more than destination ports."""
        protos, _, _, dports, sports, flags, fragments = block.sets
        plain = (sports, flags, fragments) == ((ANY_PORT,), (ANY_BIT,), ((0, 0),))
        if "service" not in self.said or not plain or len(dports) < 2 or protos[0] not in ((6, 6), (17, 17)):
            return ""
        said, proto = self.said["service"], self.lines.operands["proto"][self.lines.family][protos[0][0]]
        forms = ((said["one" if low == high else "range"], low, high) for low, high in dports)
        return self._use("service", said["header"], [form.format(proto=proto, low=low, high=high) for form, low, high in forms])

    def _use(self, kind: str, header: str, members: Sequence[str]) -> str:
        digest = sha256("\n".join((kind, *members)).encode()).hexdigest()[:12]
        name = self.said["name"].format(digest=digest)
        self.groups.setdefault(name, Group(header.format(name=name), tuple(members), name))
        return str(self.said["use"].format(name=name))
