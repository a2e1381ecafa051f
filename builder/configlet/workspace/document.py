"""One site's files joined into one document: its values, and where each of them stands when somebody asks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice, repeat
from typing import Any

from configlet.model.problem import Place, Problem, Refused
from configlet.workspace.blanks import column_of
from configlet.workspace.cache import Cache
from configlet.workspace.placed import Kind, Section, dumped, parsed, section_of
from configlet.workspace.schema import INVENTORY, LISTS
from configlet.workspace.shape import Run, Stretch
from configlet.workspace.shapes import Read, Shapes, quickly, whole
from configlet.workspace.strict import Node, read, text_of

Path = tuple[str | int, ...]
_KINDS: dict[type, Kind] = {dict: "map", list: "list"}


class Part:
    """One file. It was read strictly, with a tree of nodes; or quickly, and the tree is made when it is asked for, as are
    the values of its sections."""

    def __init__(self, file: str, raw: bytes, node: Node | None, read: Read | None = None) -> None:
        self.file, self.raw, self._node = file, raw, node
        self._sections = read.sections if read else None
        self.stretches: dict[str, list[Stretch]] = read.stretches if read else {}
        """Of sections of which each item has a shape: what stands in its holes."""
        self.events = read.events if read else 0
        """How many the C parser has for it, where it was read by shapes."""
        self.judged = self.kept = False
        """Whether its items are known to keep the schema; whether the cache has it."""
        self._values: dict[str, Any] = {} if node is None else node.value
        self.keys = tuple(self._sections or self._values)

    def __getitem__(self, key: str) -> Any:
        """The value of a section."""
        if key not in self._values:
            self._values[key] = json.loads(self.section(key).text)
        return self._values[key]

    @property
    def value(self) -> dict[str, Any]:
        """The values of all its sections."""
        return {key: self[key] for key in self.keys}

    @property
    def is_whole(self) -> bool:
        """Whether no name stands twice, which JSON would not say."""
        maps = [key for key in self.keys if self.kind(key) == "map"]
        return all(len({*self.names(key)}) == self._items(key) for key in maps)

    def _items(self, key: str) -> int:
        if key in self.stretches:
            return sum(run.items for run in self.runs(key))
        return len(self.section(key).texts)

    def names(self, key: str) -> list[str]:
        """The names of a section that is a map; what else a section is has none."""
        if self.kind(key) != "map":
            return []
        if key not in self.stretches:
            return list(self[key])
        return [*chain.from_iterable([stretch.ordered([*map(_names, stretch.runs)]) for stretch in self.stretches[key]])]

    def runs(self, key: str) -> list[Run]:
        """The runs of a section of which each item has a shape; not in the order of its items."""
        return [run for stretch in self.stretches[key] for run in stretch.runs]

    def kind(self, key: str) -> Kind:
        """What a section is."""
        if self._node is None:
            assert self._sections is not None
            return self._sections[key].kind
        return _KINDS.get(type(self[key]), "other")

    @property
    def tree(self) -> Node:
        """Its nodes with their places. Raises Refused when a strict look finds what a quick one did not."""
        if self._node is None:
            self._node, problems = read(self.raw, self.file)
            if self._node is None:
                raise Refused(problems)
        return self._node

    @property
    def sections(self) -> dict[str, Section]:
        """Its sections as canonical JSON with the places of their items."""
        if self._sections is None:
            members = self.tree.members
            assert isinstance(members, dict)
            self._sections = {key: section_of(key, node) for key, node in members.items()}
        return {key: self.section(key) for key in self._sections}

    def section(self, key: str) -> Section:
        """One of them; of those that shapes read it is made when somebody asks for it."""
        if self._sections is None:
            return self.sections[key]
        section = self._sections[key]
        if key in self.stretches and not section.texts:
            section = self._sections[key] = whole(section.kind, self.stretches[key])
        return section

    def places(self, key: str) -> Iterator[Place]:
        """The places of what is placed in one of its sections, in the order of ``placed``."""
        marks = self.section(key).marks
        return map(tuple.__new__, repeat(Place), zip(repeat(self.file), marks[0::2], marks[1::2], strict=False))

    def items(self, key: str) -> Iterator[tuple[Any, Any, Iterator[Place]]]:
        """Each item of a section, as those of the document."""
        value, places = self[key], self.places(key)
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield name, item, places
        if next(places, None) is not None:
            raise AssertionError(f"places of {key} are left over in {self.file}")

    def without(self, key: str, bad: set[str | int]) -> Part:
        """The part less some items of a section."""
        root = self.tree
        assert isinstance(root.members, dict)
        members = {**root.members, key: _pruned(root.members[key], bad)}
        value = {name: node.value for name, node in members.items()}
        return Part(self.file, self.raw, root._replace(value=value, members=members))


def _names(run: Run) -> Iterator[str]:
    return islice(column_of(next(iter(run.shape.form)), run.columns), run.items)


def quick_part(file: str, raw: bytes, shapes: Shapes, cache: Cache) -> Part | None:
    """A file by its shapes or from the cache; None when it has to be read strictly."""
    events = cache.counted(raw)
    kept = cache.get(raw) if events is None else None
    if kept is None:
        text = text_of(raw)
        found = quickly(text, shapes, events) if text is not None else None
    else:
        found = Read(parsed(kept), {})
    if found is None:
        return None
    part = Part(file, raw, None, found)
    part.judged = part.kept = events is not None or kept is not None
    return part if part.is_whole else None


def keep(parts: Iterable[Part], cache: Cache) -> None:
    """Put parts that were judged into the cache."""
    new = [part for part in parts if not part.kept and part.keys]
    for part in new:
        if not part.events:
            cache.put(part.raw, dumped(part.sections))
    counted = [(part.raw, part.events) for part in new if part.events]
    if counted:
        cache.count(counted)


class Document:
    """The joined document; ``parts`` are the files of each section, in order."""

    def __init__(self, files: list[Part], parts: dict[str, list[Part]]) -> None:
        self.files, self.parts = files, parts
        self._values: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        """What a section says."""
        if key not in self._values:
            self._values[key] = _merged(key, self.parts[key])
        return self._values[key]

    def get(self, key: str, without: Any = None) -> Any:
        """The same of a section that may be missing."""
        return self[key] if key in self.parts else without

    def names(self, key: str) -> list[str]:
        """The names of a section that is a map."""
        return [name for part in reversed(self.parts.get(key, ())) for name in part.names(key)]

    @property
    def value(self) -> dict[str, Any]:
        """What all of it says."""
        return {key: self[key] for key in self.parts}

    def items(self, key: str) -> Iterator[tuple[Any, Any, Iterator[Place]]]:
        """Each item of a section: its name (or number in its file), its value, and the places; whoever takes an item
        takes its places (see ``placed``) too."""
        for part in self.parts.get(key, ()):
            yield from part.items(key)

    def node(self, path: Path) -> Node:
        """The node at a path, or the nearest above it that exists. The file it stands in is read once more."""
        if not path or path[0] not in self.parts:
            first = self.files[0].tree
            return Node(self.value, first.file, 1, 1, 1, 1)
        key, rest = str(path[0]), path[1:]
        part = self.parts[key][0]
        if rest and isinstance(rest[0], int):
            part, at = self._part_of(key, rest[0])
            rest = (at, *rest[1:])
        elif rest:
            part = next((each for each in self.parts[key] if rest[0] in each[key]), part)
        members = part.tree.members
        assert isinstance(members, dict)
        return _below(members[key], rest)

    def _part_of(self, key: str, at: int) -> tuple[Part, int]:
        for part in self.parts[key]:
            if at < len(part[key]):
                return part, at
            at -= len(part[key])
        return self.parts[key][-1], at

    def without(self, paths: tuple[Path, ...]) -> Document:
        """The document without the items that are wrong, so that the rest can still be looked at."""
        parts = {key: of for key, of in self.parts.items() if key in INVENTORY}
        bad: dict[str, set[str | int]] = {}
        for path in paths:
            bad.setdefault(str(path[0]), set()).add(path[1] if len(path) > 1 else "")
        for key, items in bad.items():
            if key == "site" or key not in INVENTORY:
                parts.pop(key, None)
            elif key in parts:
                parts[key] = self._pruned(key, items)
        return Document(self.files, parts) if paths else self

    def _pruned(self, key: str, items: set[str | int]) -> list[Part]:
        out, offset = [], 0
        for part in self.parts[key]:
            value = part[key]
            mine = {item - offset if isinstance(item, int) else item for item in items}
            mine = {item for item in mine if (item in range(len(value)) if isinstance(value, list) else item in value)}
            out.append(part.without(key, mine) if mine else part)
            offset += len(value)
        return out


def _merged(key: str, parts: list[Part]) -> Any:
    values = [part[key] for part in parts]
    if len(values) == 1:
        return values[0]
    if isinstance(values[0], list):
        return [item for value in values for item in value]
    return {name: item for value in reversed(values) for name, item in value.items()}


def _below(node: Node, path: Path) -> Node:
    for step in path:
        members: Any = node.members
        inside = step in (members if isinstance(members, dict) else range(len(members or ())))
        if not inside:
            return node
        node = members[step]
    return node


def _pruned(node: Node, bad: set[str | int]) -> Node:
    if isinstance(node.members, dict):
        kept = {key: each for key, each in node.members.items() if key not in bad}
        return node._replace(value={key: each.value for key, each in kept.items()}, members=kept)
    items = [each for i, each in enumerate(node.members or []) if i not in bad]
    return node._replace(value=[each.value for each in items], members=items)


def join(files: list[Part], problems: list[Problem]) -> Document:
    """The files as one document; what cannot be joined is added to the problems."""
    found: dict[str, list[Part]] = {}
    for file in files:
        for key in file.keys:
            if key == "tier":
                problems += _tier_problems(file)
            else:
                found.setdefault(key, []).append(file)
    parts = {key: _joined(key, of, problems) for key, of in found.items()}
    return Document(files, parts)


def _node(part: Part, key: str) -> Node:
    members = part.tree.members
    assert isinstance(members, dict)
    node: Node = members[key]
    return node


def _tier_problems(part: Part) -> list[Problem]:
    tier = part["tier"]
    if type(tier) is int and 0 <= tier <= 1_000_000:
        return []
    return [Problem("Wrong tier", "A tier is a number from 0 to 1000000, lower first.", _node(part, "tier").value_place)]


def _joined(key: str, parts: list[Part], problems: list[Problem]) -> list[Part]:
    if len(parts) == 1:
        return parts
    kind = "list" if key in LISTS else "map"
    odd = next((part for part in parts if part.kind(key) != kind), None)
    if odd is not None or key not in INVENTORY:
        return [odd or parts[0]]
    if kind == "list":
        return _tiered(key, parts, problems)
    names = [name for part in parts for name in part.names(key)]
    if len(set(names)) != len(names):
        problems += _twice(key, parts)
    return parts


def _twice(key: str, parts: list[Part]) -> Iterator[Problem]:
    seen: dict[str, Node] = {}
    for part in parts:
        members = _node(part, key).members
        assert isinstance(members, dict)
        for name, node in members.items():
            if name in seen:
                detail = f"`{name}` of `{key}` stands in two files, so that one of them would be lost. Remove one."
                yield Problem("Duplicate key", detail, node.place, (seen[name].place,))
            seen.setdefault(name, node)


def _tiered(key: str, parts: list[Part], problems: list[Problem]) -> list[Part]:
    tiers: dict[int, Part] = {}
    wrong: list[Problem] = []
    for part in parts:
        tier = part["tier"] if "tier" in part.keys else None
        if tier is None:
            detail = f"`{key}` stands in several files, and its order matters. Add a distinct `tier: 10` to each."
            wrong.append(Problem("No tier", detail, _node(part, key).place))
        elif type(tier) is not int:
            continue  # that is said of every tier
        elif tier in tiers:
            detail = f"Two files with `{key}` have tier {tier}, so that their order is open. Change one."
            first = _node(tiers[tier], "tier").place
            wrong.append(Problem("Same tier", detail, _node(part, "tier").place, (first,)))
        else:
            tiers[tier] = part
    problems += wrong
    return [tiers[tier] for tier in sorted(tiers)] if len(tiers) == len(parts) else parts[:1]
