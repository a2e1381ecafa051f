"""Rows of an access list: each box becomes one or more lines in the platform's own forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import product, takewhile
from typing import Any, NamedTuple

from configlet.model.block import Block, items
from configlet.model.gate import Table
from configlet.model.net import BITS, TOP, Family, Span, Spans, address_text, prefixes
from configlet.model.policy import ANY_BIT, ANY_PORT, Entry
from configlet.model.problem import refuse
from configlet.render.acl_words import (
    asks_established,
    asks_fragments,
    cannot,
    details_of,
    port_words,
    proto_word,
    word_of,
)
from configlet.render.values import by_family, called, label

_WITH_PORTS = ((6, 6), (17, 17))


_new = tuple.__new__
"""A row for each line of a long list: the shortest way to make one."""


class Row(NamedTuple):
    """One line of a list in finished words, without its number; a remark has no other words."""

    remark: str = ""
    action: str = ""
    proto: str = ""
    source: str = ""
    destination: str = ""
    sport: str = ""
    dport: str = ""
    established: str = ""
    icmp: str = ""
    fragments: str = ""
    log: str = ""


_UNSAID = Row()[1:]


@dataclass(frozen=True, slots=True)
class List:
    """One access list with the direction in which it is bound. A row is its number and the words of a Row."""

    name: str
    command: str
    direction: str
    rows: tuple[tuple[int | str, ...], ...]
    family: int = 4
    interface: str = ""
    """The interface that it is bound to, as the platform calls it."""


@dataclass(frozen=True, slots=True)
class Group:
    """An object group: the line that begins it, and its members. Its name is made of them, so that it never changes."""

    header: str
    members: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface and the lists that are bound to it."""

    name: str
    lists: tuple[List, ...]


def values(owner: str, operands: Mapping[str, Any], tables: Sequence[Table]) -> dict[str, object]:
    """What the template of an access list is given. Raises Refused for a row that no line can say."""
    ordered = sorted(tables, key=lambda t: (t.gate.binding, t.gate.direction, t.family))
    last = _Last(operands)
    bound: dict[str, list[List]] = {}
    lists: list[List] = []
    groups: dict[str, Group] = {}
    for table in ordered:
        lists.append(_list(operands, table, groups, last))
        bound.setdefault(lists[-1].interface, []).append(lists[-1])
    if operands.get("directions") == "one" and len({(t.family, t.gate.direction) for t in ordered}) > len(
        {t.family for t in ordered}
    ):
        raise refuse("Gates that exclude each other", f"{owner}: {operands['refusals']['directions']}", nature="red")
    together = operands.get("together", False)
    names = [f"{item.name} {item.family}" if together else item.name for item in lists]
    if len(set(names)) != len(names):
        raise refuse("Two tables for one place", f"{owner} has two tables for one of {', '.join(sorted(set(names)))}.")
    interfaces = tuple(Interface(name, tuple(items)) for name, items in bound.items())
    ordered_groups = tuple(groups[name] for name in sorted(groups))
    return {"owner": owner, "groups": ordered_groups, "lists": tuple(lists), "interfaces": interfaces}


def _list(operands: Mapping[str, Any], table: Table, groups: dict[str, Group], last: _Last) -> List:
    gate, family = table.gate, table.family
    binding = called(operands.get("interfaces", ()), gate.binding, operands.get("refusals", {}))
    name = operands["name"].format(binding=gate.binding, direction=gate.direction, family=family)
    for old, new in operands.get("names", {}).items():
        name = name.replace(old, new)
    if len(name) > operands.get("name_length", len(name)):
        detail = f"{name}: a list's name has at most {operands['name_length']} characters."
        raise refuse("Name longer than the platform's", detail, nature="red")
    return List(name, operands["command"][family], gate.direction, last.counted(table, groups), family, binding)


_Rows = tuple[tuple[int | str, ...], ...]
LONG, MANY = 20_000, 100_000
"""Rows of a list that is too long to be held for another device, and words that are too many."""


class _Last:
    """The rows of the device that was rendered last, as both of a pair have the same: by the rows of their tables, which are
    held here, and what else a list says. Where groups are named too, and of long lists, each is made anew."""

    known: tuple[Mapping[str, Any], dict[object, tuple[Sequence[Entry], _Rows]], dict[Family, Lines]] = ({}, {}, {})

    def __init__(self, operands: Mapping[str, Any]) -> None:
        before, made, lines = _Last.known
        self._operands, self._before = operands, made if before == operands else {}
        self._made: dict[object, tuple[Sequence[Entry], _Rows]] = {}
        self._lines = lines if before == operands else {}
        _Last.known = operands, self._made, self._lines

    def counted(self, table: Table, groups: dict[str, Group]) -> _Rows:
        """The rows of a table with their numbers. Raises Refused."""
        if "groups" in self._operands or len(table.rows) > LONG:
            return _counted(self._operands, table, groups, self._words(table.family))
        key = id(table.rows), table.family, table.gate.direction, table.gate.segments
        if key not in self._before:
            self._before[key] = table.rows, _counted(self._operands, table, groups, self._words(table.family))
        self._made[key] = self._before[key]
        return self._made[key][1]

    def _words(self, family: Family) -> Lines:
        """What rows were worded before, as two lists have each rule; anew when it is much."""
        made = self._lines.get(family)
        if made is None or len(made.known) + len(made.said) + len(made.labels) > MANY:
            made = self._lines[family] = Lines(self._operands, family)
        return made


def _counted(operands: Mapping[str, Any], table: Table, groups: dict[str, Group], made: Lines) -> _Rows:
    """The rows with their numbers, without gaps where the list would else be too long. Raises Refused."""
    sequence = operands["sequence"]
    numbered = _beside if sequence.get("remarks") in ("beside", "first") else _numbered
    least, most = sequence.get("lowest", 0), sequence.get("highest", 1 << 32)
    rows = _once(_rows(operands, table, groups, made))
    for step in (sequence["step"], 1 if sequence["step"] > 0 else -1):
        said = tuple(numbered({**sequence, "step": step}, rows))
        if not said or all(least <= int(row[0]) <= most for row in (said[0], said[-1])):
            return said
    first, last = sequence["first"], most if sequence["step"] > 0 else least
    numbers = f"{abs(last - first) + 1:,} numbers for them, {first} to {last}"
    detail = f"{table.gate.name} has {len(said):,} entries, and the platform has {numbers}."
    raise refuse("List longer than its numbers", f"{detail} Nothing was rendered.", nature="red")


def _numbered(sequence: Mapping[str, Any], rows: Iterable[Row]) -> Iterator[tuple[int | str, ...]]:
    """The rows with their numbers; a remark has its own, or shares that of the entry behind it."""
    number, shared = sequence["first"], sequence.get("remarks") == "shared"
    step = sequence["step"]
    for row in rows:
        yield (number, *row)
        number += 0 if shared and row[0] else step


def _beside(sequence: Mapping[str, Any], rows: Iterable[Row]) -> Iterator[tuple[int | str, ...]]:
    """The rows with their numbers; a remark stands in each entry that it is for, or in the first of them."""
    number, step, once, remark = sequence["first"], sequence["step"], sequence["remarks"] == "first", ""
    for row in rows:
        if row[0]:
            remark = row[0]
            continue
        yield (number, remark, *row[1:])
        number += step
        remark = "" if once else remark


def _once(rows: Iterable[Row]) -> list[Row]:
    """Without lines that stand there already: such a line decides nothing, and some devices silently do not take it."""
    said: set[Row] = set()
    known, out = len(said), []
    for row in rows:
        if not row[0]:
            said.add(row)
            if len(said) == known:
                continue
            known += 1
        out.append(row)
    return out


def _rows(operands: Mapping[str, Any], table: Table, groups: dict[str, Group], made: Lines) -> Iterator[Row]:
    names = label(", ".join(table.gate.segments), operands["text"])
    yield Row(remark=f"{names} {table.gate.direction}")
    said, rule, reply, decided = None, None, False, False
    labels, text = made.labels, operands["text"]
    _can_pass_fragments(operands, table)
    for item in items(table.rows) if "groups" in operands else table.rows:
        entry = item.like if isinstance(item, Block) else item
        fragment = item.sets[6][0] if isinstance(item, Block) else entry.box[6]
        if fragment == (0, 0) and not decided:
            decided, said = True, None
            if _denies_fragments(operands, table.family):
                yield Row(remark="fragments")
                yield _plain(operands, table.family, fragments=True)
        elif fragment == (1, 1) and decided:
            raise cannot(entry, "a row for fragments stands after the line that decides all of them")
        if rule is not entry.rule or reply is not entry.reply or said is None:
            rule, reply = entry.rule, entry.reply
            name = "replies: " + rule.name if reply else rule.name
            remark = labels.get(name) or labels.setdefault(name, label(name, text))
            if remark != said:
                said = remark
                yield _new(Row, (remark, *_UNSAID))
        yield from Grouping(made, groups).of(item) if isinstance(item, Block) else made.of(entry)
    yield Row(remark="default deny")
    yield _plain(operands, table.family, fragments=False)


def _can_pass_fragments(operands: Mapping[str, Any], table: Table) -> None:
    """Refuse the first rule whose fragments should pass where the platform cannot say so; denies before it are of no rule."""
    words = by_family(operands["words"], table.family)
    for entry in takewhile(asks_fragments, table.rows if words["fragments"] is None else ()):
        if entry.permit:
            word_of(operands, words, "fragments", entry)


def _denies_fragments(operands: Mapping[str, Any], family: Family) -> Any:
    """The word of the line that denies every fragment; None where the platform has none."""
    words = by_family(operands["words"], family)
    return words.get("deny-fragments", words["fragments"])


def _plain(operands: Mapping[str, Any], family: Family, *, fragments: bool) -> Row:
    every = by_family(operands["address"], family)["any"]
    word = _denies_fragments(operands, family) if fragments else ""
    proto = operands["proto"][family]["any"]
    return Row("", operands["action"]["deny"], proto, every, every, fragments=word)


def lines(operands: Mapping[str, Any], family: Family, entry: Entry) -> Iterator[Row]:
    """The lines of one row: its addresses as prefixes, its ICMP types one by one. Raises Refused."""
    yield from Lines(operands, family).of(entry)


class Lines:
    """Rows of one table in finished words; what rows say besides addresses is worded once for all that say the same, and so
    is each span of addresses."""

    __slots__ = ("around", "bits", "family", "forms", "known", "labels", "operands", "ports", "said", "shapes", "top", "words")

    def __init__(self, operands: Mapping[str, Any], family: Family) -> None:
        self.operands, self.family = operands, family
        said = by_family(operands["address"], family)
        self.words = by_family(operands["words"], family)
        self.forms = (said["host"], said["prefix"])
        self.top, self.bits = TOP[family], BITS[family]
        self.known: dict[object, tuple[Row, ...]] = {}
        self.shapes: dict[object, tuple[Row, ...]] = {}
        """Of rows that ask for ports what they say besides these."""
        self.ports: dict[Span, str] = {ANY_PORT: ""}
        self.labels: dict[str, str] = {}
        """Remarks, by the names that they are made of."""
        self.said: dict[Span, tuple[str, ...]] = {(0, self.top): (said["any"],)}
        self.around: dict[int, tuple[str, str]] = {}
        """What stands before and behind the address of a prefix, by its length."""

    def of(self, entry: Entry) -> list[Row]:
        """The lines of one row. Raises Refused."""
        forms, (_, dst, src, *_) = self.worded(entry), entry.box
        targets, sources = self.addresses(dst), self.addresses(src)
        if len(forms) == len(targets) == len(sources) == 1:
            form = forms[0]
            return [_new(Row, (*form[:3], sources[0], targets[0], *form[5:]))]
        return [
            _new(Row, (*form[:3], source, target, *form[5:]))
            for source in sources
            for target in targets
            for form in forms
        ]

    def worded(self, entry: Entry) -> tuple[Row, ...]:
        """What a row says besides its addresses, one for each line between two prefixes. Raises Refused."""
        box = entry.box
        key = entry.permit, entry.log, box[0], box[3:]
        forms = self.known.get(key)
        if forms is None:
            ported = box[0] in _WITH_PORTS and (box[3] != ANY_PORT or box[4] != ANY_PORT)
            forms = self.known[key] = (self._ported(entry) if ported else None) or tuple(self._forms(entry))
        return forms

    def _ported(self, entry: Entry) -> tuple[Row, ...] | None:
        """The same where ports are one word at each end, which is all that many rows differ in. Raises Refused."""
        box, ports = entry.box, self.ports
        words = []
        for span in box[3:5]:
            word = ports.get(span)
            if word is None:
                word, *more = port_words(self.operands, span, entry)
                if more:
                    return None
                ports[span] = word
            words.append(word)
        dport, sport = words
        key = entry.permit, entry.log, box[0], box[3] == ANY_PORT, box[4] == ANY_PORT, box[5:]
        shape = self.shapes.get(key)
        if shape is None:
            shape = self.shapes[key] = tuple(self._forms(entry))
        return tuple([_new(Row, (*form[:5], sport, dport, *form[7:])) for form in shape])

    def _forms(self, entry: Entry) -> Iterator[Row]:
        operands, words = self.operands, self.words
        whole = self._asks_whole(words, entry)
        flags = word_of(operands, words, "established", entry) if asks_established(entry) else ""
        action = operands["action"]["permit" if entry.permit else "deny"]
        proto = proto_word(operands, self.family, entry)
        fragments = word_of(operands, words, "fragments", entry) if asks_fragments(entry) else ""
        log = "log" if entry.permit or "deny-log" not in words else "deny-log"
        logs = word_of(operands, words, log, entry) if entry.log else ""
        sports = port_words(operands, entry.box[4], entry) if entry.box[4] != ANY_PORT else ("",)
        details: Iterable[tuple[str, str]] = details_of(operands, self.family, entry) if not whole else [
            (form, "") for form in port_words(operands, ANY_PORT, entry)
        ]
        for sport, (dport, icmp) in product(sports, details):
            for flag in (flags,) if isinstance(flags, str) else flags:
                yield _new(Row, ("", action, proto, "", "", sport, dport, flag, icmp, fragments, logs))

    def _asks_whole(self, words: Mapping[str, Any], entry: Entry) -> bool:
        """Whether a row must ask for every port to mean whole packets only, as the platform has no line that denies
        fragments before it. Raises Refused where the protocol has no ports either.
        """
        box = entry.box
        plain = box[3] == box[4] == ANY_PORT and box[5:] == (ANY_BIT, (0, 0))
        if not (entry.permit and plain) or _denies_fragments(self.operands, self.family):
            return False
        if box[0] not in _WITH_PORTS or not self.operands["ports"].get("whole"):
            word_of(self.operands, words, "fragments", entry)
        return True

    def addresses(self, span: Span) -> tuple[str, ...]:
        """A span in the platform's words, one for each prefix."""
        found = self.said.get(span)
        if found is None:
            found = self.said[span] = tuple(self._addresses(*span))
        return found

    def _addresses(self, low: int, high: int) -> list[str]:
        free = high - low
        if not free & (free + 1) and not low & free:
            return [self._address(low, self.bits - free.bit_length())]
        return [self._address(first, length) for first, length in prefixes(self.family, (low, high))]

    def _address(self, first: int, length: int) -> str:
        around = self.around.get(length)
        if around is None:
            around = self.around[length] = self._around(length)
        return around[0] + address_text(self.family, first) + around[1]

    def _around(self, length: int) -> tuple[str, str]:
        free = (1 << self.bits - length) - 1
        form: str = self.forms[length != self.bits]
        masks = {"wildcard": address_text(self.family, free), "mask": address_text(self.family, self.top - free)}
        before, _, behind = form.format(address="\0", length=length, **masks).partition("\0")
        return before, behind


class Grouping:
    """Blocks in finished words, with groups for their ends and services; new groups are put among those that are known."""

    __slots__ = ("groups", "lines", "said")

    def __init__(self, lines: Lines, groups: dict[str, Group]) -> None:
        self.lines, self.groups = lines, groups
        self.said: Mapping[str, Any] = lines.operands["groups"]

    def of(self, block: Block[Entry]) -> Iterator[Row]:
        """The lines of a block: one, or one for each of its ports where a line cannot name a group for them."""
        sets = block.sets
        source, destination = self._end(sets[2]), self._end(sets[1])
        service = self._service(block)
        uppers = [(sets[3][0], sets[4][0])] if service else [(d, s) for s in sets[4] for d in sets[3]]
        for dport, sport in uppers:
            upper = (ANY_PORT, ANY_PORT) if service else (dport, sport)
            entry = block.like.over((sets[0][0], sets[1][0], sets[2][0], *upper, sets[5][0], sets[6][0]))
            for form in self.lines.worded(entry):
                proto = service or form.proto
                yield Row(form[0], form[1], proto, source, destination, *form[5:])

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
