"""What lines of configuration make of a switch's access lists and bindings: read from what it shows, or entered.

What a device shows and what it is told are written alike, so one function takes both. This is the driver's own
understanding, made apart from the plan's: a change is sent only when both come to the same end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

_INTERFACE = re.compile(r"interface \S+")
_BIND = re.compile(r"(?P<no>no )?(?P<what>ip access-group|ipv6 traffic-filter) (?P<name>\S+) (?P<way>in|out)")
_REMOVE = re.compile(r"no (?:sequence )?(?P<number>\d+)(?P<remark> remark)?")
_ENTRY = re.compile(r"(?:(?:sequence )?(?P<number>\d+) )?(?P<text>(?:permit|deny|remark) .*)")
_NAMED = re.compile(r"(?<!\S)cfglt-\S+")
_GROUP = re.compile(r"(?P<no>no )?(?P<header>object-group (?:network|service) (?P<name>cfglt-\S+))")
_GROUPED = re.compile(r"(?<!\S)object-group (\S+)")


@dataclass(frozen=True, slots=True, eq=False)
class Style:
    """How a platform writes lists: the words before the name of each kind, and those that bind it."""

    heads: Mapping[str, str]
    spelt: frozenset[str] = frozenset()
    """Heads under which an entry's number follows ``sequence`` and a remark has none."""
    list: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        heads = "|".join(re.escape(head) for head in self.heads)
        object.__setattr__(self, "list", re.compile(rf"(?P<no>no )?(?P<header>(?:{heads}) (?P<name>cfglt-\S+))"))


IOS = Style(
    {"ip access-list extended": "ip access-group", "ipv6 access-list": "ipv6 traffic-filter"},
    frozenset({"ipv6 access-list"}),
)
NXOS = Style({"ip access-list": "ip access-group", "ipv6 access-list": "ipv6 traffic-filter"})


class Strange(Exception):  # noqa: N818 - it is said of a line
    """A line that is no step of a change of ours, or one that the device could not carry out."""


@dataclass(slots=True)
class Held:
    """Lists by header, each with number and text in order, bindings by interface, command and direction, and object
    groups by header.
    """

    lists: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    bound: dict[tuple[str, str, str], str] = field(default_factory=dict)
    cited: set[str] = field(default_factory=set)
    """Names of lists that something else than such a binding names (a login, a class, a route map)."""
    groups: dict[str, list[str]] = field(default_factory=dict)
    at: str = ""
    """The header under which the next indented line stands, "" under none of ours."""
    style: Style = IOS

    def is_bound(self, header: str) -> bool:
        """Whether a list is in force anywhere."""
        command, _, name = header.rpartition(" ")
        return any(what == self.style.heads[command] and name == found for (_, what, _), found in self.bound.items())

    def in_use(self, header: str) -> bool:
        """Whether anything that is known depends on a list: where one is named and gone, everything passes."""
        return self.is_bound(header) or header.rpartition(" ")[2] in self.cited

    def spare(self) -> list[str]:
        """The lists of ours that nothing uses, and then the groups that nothing names but those."""
        named = self._grouped(self.in_use) | self.cited
        lists = [header for header in self.lists if not self.in_use(header)]
        return [*lists, *(header for header in self.groups if header.rpartition(" ")[2] not in named)]

    def is_named(self, group: str) -> bool:
        """Whether any list names a group, bound or not."""
        return group in self._grouped(lambda _: True)

    def _grouped(self, of: Callable[[str], bool]) -> set[str]:
        """The groups that these lists name."""
        kept = (entries for header, entries in self.lists.items() if of(header))
        return {name for entries in kept for _, text in entries for name in _GROUPED.findall(text)}

    def text(self) -> str:
        """As the device would show it, without what nothing binds."""
        out: list[str] = []
        named = self._grouped(self.is_bound)
        for header, members in self.groups.items():
            if header.rpartition(" ")[2] in named:
                out += [header, *(f" {member}" for member in members)]
        for header, entries in self.lists.items():
            if self.is_bound(header):
                out += [header, *(f" {_as_shown(self.style, header, number, text)}" for number, text in entries)]
        for key in sorted(self.bound):
            out += [f"interface {key[0]}"] * (f"interface {key[0]}" not in out)
            at = out.index(f"interface {key[0]}") + 1
            out.insert(at, f" {key[1]} {self.bound[key]} {key[2]}")
        return "".join(f"{line}\n" for line in out)


def _as_shown(style: Style, header: str, number: int, text: str) -> str:
    """An entry as the device shows it. A remark may have no number there; it stands where it was entered."""
    if header.rpartition(" ")[0] not in style.spelt:
        return f"{number} {text}"
    return text if text.startswith("remark ") else f"sequence {number} {text}"


def shown(running: str, style: Style = IOS) -> Held:
    """What a running configuration holds of ours. Other lines are passed over."""
    held = Held(style=style)
    for line in running.splitlines():
        if line.strip() and line.strip() != "!":
            _take(held, line, strict=False)
    return held


def entered(held: Held, lines: Sequence[str]) -> Held:
    """What is held after these lines too. Raises Strange for a line that is no step of a change."""
    lists = {header: list(entries) for header, entries in held.lists.items()}
    groups = {header: list(members) for header, members in held.groups.items()}
    after = Held(lists, dict(held.bound), set(held.cited), groups, style=held.style)
    for line in lines:
        _take(after, line, strict=True)
    return after


def phases(held: Held, load: str) -> tuple[list[str], list[str]]:
    """The lines that touch nothing in force, which come first, and the rest."""
    lines = [line for line in load.splitlines() if line.strip() and not line.startswith("!")]
    for at, line in enumerate(lines):
        if line[0] == " " or _GROUP.fullmatch(line):
            continue
        if not (found := held.style.list.fullmatch(line)) or held.in_use(found["header"]):
            return lines[:at], lines[at:]
    return lines, []


def _take(held: Held, line: str, *, strict: bool) -> None:
    said = line.strip()
    if line[0] != " ":
        held.at = _header(held, said, strict=strict)
    elif held.at.startswith("interface "):
        _binding(held, said, strict=strict)
    elif held.at.startswith("object-group "):
        if said not in held.groups[held.at]:
            held.groups[held.at].append(said)
    elif held.at:
        _entry(held, said, strict=strict)
    elif strict:
        raise Strange(f'"{said}" stands under no header')
    else:
        held.cited.update(_NAMED.findall(said))


def _header(held: Held, said: str, *, strict: bool) -> str:
    if found := held.style.list.fullmatch(said):
        if not found["no"]:
            held.lists.setdefault(found["header"], [])
            return found["header"]
        if held.in_use(found["header"]):
            raise Strange(f'"{said}" would take a list away that is in use')
        held.lists.pop(found["header"], None)
    elif found := _GROUP.fullmatch(said):
        if not found["no"]:
            held.groups.setdefault(found["header"], [])
            return found["header"]
        if held.is_named(found["name"]):
            raise Strange(f'"{said}" would take a group away that a list names')
        held.groups.pop(found["header"], None)
    elif _INTERFACE.fullmatch(said):
        return said
    elif strict:
        raise Strange(f'"{said}" is no step of a change of ours')
    else:
        held.cited.update(_NAMED.findall(said))
    return ""


def _binding(held: Held, said: str, *, strict: bool) -> None:
    found = _BIND.fullmatch(said)
    if found is None:
        if strict:
            raise Strange(f'"{said}" is no binding')
        held.cited.update(_NAMED.findall(said))
        return
    key = (held.at.removeprefix("interface "), found["what"], found["way"])
    if found["no"]:
        held.bound.pop(key, None)
    else:
        held.bound[key] = found["name"]


def _entry(held: Held, said: str, *, strict: bool) -> None:
    entries = held.lists[held.at]
    if found := _REMOVE.fullmatch(said):
        gone = [entry for entry in entries if entry[0] == int(found["number"])]
        gone = [entry for entry in gone if entry[1].startswith("remark ")] if found["remark"] else gone[-1:]
        if not gone:
            raise Strange(f'"{said}" finds no such entry in {held.at}')
        entries.remove(gone[0])
        return
    found = _ENTRY.fullmatch(said)
    if found is None:
        if strict:
            raise Strange(f'"{said}" is no entry')
        entries.append((entries[-1][0] if entries else 0, said))
        return
    _add(entries, int(found["number"] or 0), found["text"], strict=strict)


def _add(entries: list[tuple[int, str]], number: int, text: str, *, strict: bool) -> None:
    last, remark = (entries[-1][0] if entries else 0), text.startswith("remark ")
    if not number:
        entries.append((last + (0 if remark and not strict else 10), text))
        return
    same = [found for found in entries if found[0] == number]
    if strict and any(not remark and not found[1].startswith("remark ") for found in same):
        raise Strange(f"the number {number} is taken")
    if not remark and any(found[1] == text for found in entries):
        # The device makes no change for an entry that is there already, its number aside.
        return
    at = next((n for n, found in enumerate(entries) if found[0] > number), len(entries))
    entries.insert(at, (number, text))
