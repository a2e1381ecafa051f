"""The sections of a file: their items as canonical JSON, and the places of what the inventory gives a place to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from configlet.workspace.strict import Node

Kind = Literal["map", "list", "other"]

INNER: dict[str, tuple[str, ...]] = {
    "devices": ("management",),
    "hosts": ("interfaces", "management", "manager", "nics", "workloads"),
    "segments": ("gateways",),
}
"""Parts of an item that have a place of their own, in the order of their names."""
_NAMED = frozenset(("interfaces", "nics", "workloads"))
"""Those of them that are maps of names; it is the members that have places."""


AROUND: dict[Kind, tuple[str, str]] = {"map": ("{", "}"), "list": ("[", "]"), "other": ("", "")}
"""What stands around the items of a section, as JSON."""


class Section(NamedTuple):
    """One section of one file.

    ``texts`` are its items as canonical JSON, in the order of the file: ``{...}`` in a list, ``"name":{...}`` in a map.
    ``marks`` are line, column, line, column, ... of what has a place (see ``placed``), item after item.
    """

    kind: Kind
    texts: list[str]
    marks: list[int]

    @property
    def text(self) -> str:
        """The whole section as JSON."""
        begin, end = AROUND[self.kind]
        return begin + ",\n".join(self.texts) + end


def canonical(value: Any) -> str:
    """The only JSON text of a value: sorted, ASCII, without blanks."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def placed(key: str, item: Node) -> Iterator[Node]:
    """The nodes of one item of section ``key`` that the inventory gives a place to: itself, then its parts by name."""
    yield item
    members = item.members if isinstance(item.members, dict) else {}
    for name in INNER.get(key, ()):
        inner = members.get(name)
        if inner is None:
            continue
        if name not in _NAMED:
            yield inner
        elif isinstance(inner.members, dict):
            yield from (each for _, each in sorted(inner.members.items()))


def only_section(root: Node | None) -> tuple[str, Node] | None:
    """The name and node of the only section of a text; None when it is wrong or has several."""
    if root is None or not isinstance(root.members, dict) or len(root.members) != 1:
        return None
    return next(iter(root.members.items()))


def section_of(key: str, node: Node) -> Section:
    """A section that was read strictly."""
    if isinstance(node.members, dict):
        texts = [f"{canonical(name)}:{canonical(each.value)}" for name, each in node.members.items()]
        items = list(node.members.values())
    elif isinstance(node.members, list):
        texts, items = [canonical(each.value) for each in node.members], node.members
    else:
        return Section("other", [canonical(node.value)], [])
    places = (each for item in items for each in placed(key, item))
    marks = [number for each in places for number in (each.key_line, each.key_column)]
    return Section("map" if isinstance(node.members, dict) else "list", texts, marks)


def dumped(sections: dict[str, Section]) -> bytes:
    """The sections of a file as bytes that ``parsed`` reads."""
    head = [[key, section.kind, len(section.texts), section.marks] for key, section in sections.items()]
    lines = [canonical(head), *(text for section in sections.values() for text in section.texts)]
    return "\n".join(lines).encode()


def parsed(content: bytes) -> dict[str, Section]:
    """What ``dumped`` wrote."""
    head, *lines = content.decode().split("\n")
    sections, at = {}, 0
    for key, kind, count, marks in json.loads(head):
        sections[key] = Section(kind, lines[at : at + count], marks)
        at += count
    return sections
