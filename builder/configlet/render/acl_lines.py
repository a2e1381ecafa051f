"""Rows of an access list in finished words: a box becomes one or more lines in the platform's own forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import compress, count, groupby, product, repeat
from operator import attrgetter, is_, not_
from typing import Any

from configlet.model.block import Block
from configlet.model.frozen import dataclass
from configlet.model.net import BITS, TOP, Family, Span, Spans, address_text, prefixes
from configlet.model.policy import ANY_BIT, ANY_PORT, DST, FRAG, SRC, Entry
from configlet.packets.blocks import Item
from configlet.packets.entries import WHOLE
from configlet.render.acl_words import asks_established, asks_fragments, details_of, port_words, proto_word, word_of
from configlet.render.numbered import TOGETHER, Line, Row, Shape, Shapes
from configlet.render.values import all_labels, by_family, labels, written

_WITH_PORTS = ((6, 6), (17, 17))
_PERMIT, _BOX, _RULE, _REPLY = map(attrgetter, ("permit", "box", "rule", "reply"))
_NAME, _LOG = attrgetter("name"), attrgetter("log")
_NONE = "\0"
"""Stands for ports that are not one word that is known; no word has it."""

_new = tuple.__new__
"""A row for each line of a long list: the shortest way to make one."""


@dataclass(frozen=True, slots=True)
class Group:
    """An object group: the line that begins it, and its members. Its name is made of them, so that it never changes."""

    header: str
    members: tuple[str, ...]
    name: str = ""


def denies_fragments(operands: Mapping[str, Any], family: Family) -> Any:
    """The word of the line that denies every fragment; None where the platform has none."""
    words = by_family(operands["words"], family)
    return words.get("deny-fragments", words["fragments"])


BESIDE = ("beside", "first")
"""Where a remark is no row of a list."""
Told = tuple[Sequence[Line], Span, Entry]
"""The lines of one or more rows, what these rows say of fragments, and the first of them."""


class _Prefixes(dict[Span, str]):
    """The words of spans that are one prefix; empty for others."""

    def __init__(self, words: Callable[[Span], Sequence[str]]) -> None:
        super().__init__()
        self._words = words

    def __missing__(self, span: Span) -> str:
        words = self._words(span)
        found = self[span] = words[0] if len(words) == 1 else ""
        return found


class _Ports(dict[Span, str]):
    """The words of ports, each of them one, which is empty for all ports alone; ``_NONE`` of those that are not known."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__({ANY_PORT: ""})
        before, port, behind = said.get("one", "").format(low="\0", high="\0").partition("\0")
        self._around = (before, behind) if port and "\0" not in behind else None
        """What stands before and behind one port, of those from the lowest that can be written so."""
        self._lowest: int = said.get("lowest", 0)

    def __missing__(self, span: Span) -> str:
        low, high = span
        if not self._around or low != high or low < self._lowest:
            return _NONE
        found = self[span] = f"{self._around[0]}{low}{self._around[1]}"
        return found


class Lines:
    """Rows of one family in finished words; what rows say besides addresses is worded once for all that say the same, and so
    is each span of addresses and of ports."""

    __slots__ = (
        "_around", "_known", "_label", "_labels", "_last", "_plain", "_ports", "_prefix", "_said", "family", "operands",
        "shapes", "words",
    )  # fmt: skip

    def __init__(self, operands: Mapping[str, Any], family: Family) -> None:
        self.operands, self.family = operands, family
        self.words = by_family(operands["words"], family)
        self.shapes = Shapes(apart=operands["sequence"].get("remarks") not in BESIDE)
        self._label, self._labels = labels(operands["text"]), all_labels(operands["text"])
        self._last: tuple[object, bool, str] = None, False, ""
        """The remark that was asked for last, and what it is of."""
        self._known: dict[object, tuple[Row, ...]] = {}
        """By what rows say besides addresses, and besides ports where these are one word at each end."""
        self._plain: dict[object, Shape] = {}
        """Where that is one line, its shape."""
        self._ports = _Ports(operands["ports"])
        every = str(written(by_family(operands["address"], family)["any"]))
        self._said: dict[Span, tuple[str, ...]] = {(0, TOP[family]): (every,)}
        self._prefix = _Prefixes(self.addresses)
        self._around: dict[int, tuple[str, str]] = {}
        """What stands before and behind the address of a prefix, by its length."""

    @property
    def held(self) -> int:
        """How much is remembered."""
        return len(self._known) + len(self._said) + len(self._ports)

    def told(self, found: Iterable[Item]) -> Iterator[Told]:
        """Rows, many of them at once, and all rows of a block as one. Raises Refused."""
        rows: list[Any] = list(found)
        at = 0
        for number in compress(count(), map(is_, map(type, rows), repeat(Block))):
            if at < number:
                yield from self._rows(rows[at:number])
            block: Block[Entry] = rows[number]
            yield self._product(block), block.sets[FRAG][0], block.like
            at = number + 1
        if at < len(rows):
            yield from self._rows(rows[at:])

    def _rows(self, rows: Sequence[Entry]) -> Iterator[Told]:
        for first in range(0, len(rows), TOGETHER):
            yield from self._some(rows[first : first + TOGETHER])

    def _some(self, found: Sequence[Entry]) -> Iterator[Told]:
        lines, others = self._together(found)
        at = 0
        for end in others:
            if at < end:
                yield lines[at:end], WHOLE, found[at]
            item = found[end]
            yield self.between(self._ends(item), item), item.box[FRAG], item
            at = end + 1
        if at < len(found):
            yield lines[at:], WHOLE, found[at]

    def _together(self, found: Sequence[Entry]) -> tuple[list[Line], Sequence[int]]:
        """The lines of rows, and the numbers of those that are another line than stands there: these are not in words that are
        all known, as most are, or are more than one line."""
        boxes, rules, replies = list(map(_BOX, found)), list(map(_RULE, found)), list(map(_REPLY, found))
        protos, dsts, srcs, dports, sports, flags, fragments = zip(*boxes, strict=True)
        sources, targets = (list(map(self._prefix.__getitem__, spans)) for spans in (srcs, dsts))
        tos, starts = (list(map(self._ports.__getitem__, spans)) for spans in (dports, sports))
        logs: list[bool] = list(map(_LOG, rules))
        if True in logs:
            logs = [log and not reply for log, reply in zip(logs, replies, strict=True)]
        kinds = zip(map(_PERMIT, found), logs, protos, map(not_, tos), map(not_, starts), flags, fragments, strict=True)
        shapes = list(map(self._plain.get, kinds))
        names: Sequence[str] = list(map(_NAME, rules))
        if True in replies:
            names = ["replies: " + name if reply else name for name, reply in zip(names, replies, strict=True)]
        remarks = self._labels(names)
        lines: list[Any] = list(zip(shapes, remarks, sources, starts, targets, tos, strict=True))
        if all(shapes) and all(remarks) and all(sources) and all(targets) and not (_NONE in tos or _NONE in starts):
            return lines, ()
        return lines, [
            at
            for at, (shape, remark, source, start, target, to) in enumerate(lines)
            if not (shape and remark and source and target) or start is _NONE or to is _NONE
        ]

    def remark(self, entry: Entry) -> str:
        """What stands ahead of the rows of a rule, or of the replies to it."""
        rule, reply, remark = self._last
        if rule is not entry.rule or reply is not entry.reply:
            rule, reply = entry.rule, entry.reply
            remark = self._label("replies: " + rule.name if reply else rule.name)
            self._last = rule, reply, remark
        return remark

    def _ends(self, entry: Entry) -> list[tuple[str, str]]:
        targets = self.addresses(entry.box[DST])
        return [(source, target) for source in self.addresses(entry.box[SRC]) for target in targets]

    def _product(self, block: Block[Entry]) -> list[Line]:
        """The lines of the rows of a block, in their order. Raises Refused."""
        protos, targets, sources, dports, sports, flags, fragments = block.sets
        said, word = self.addresses, self._prefix
        starts, ways = ([word[span] for span in spans] for spans in (sources, targets))
        if all(starts) and all(ways):
            ends = [(a, b) for a in starts for b in ways]
        else:
            ends = [(a, b) for source in sources for target in targets for a in said(source) for b in said(target)]
        out: list[Line] = []
        for proto, flag, fragment, sport, dport in product(protos, flags, fragments, sports, dports):
            out += self.between(ends, block.like.over((proto, targets[0], sources[0], dport, sport, flag, fragment)))
        return out

    def between(self, ends: Sequence[tuple[str, str]], entry: Entry) -> list[Line]:
        """The lines of a row between each two of some ends, sources first, in place of its own. Raises Refused."""
        proto, _, _, dport, sport, flag, fragment = entry.box
        any_to, any_from, remark = dport == ANY_PORT, sport == ANY_PORT, self.remark(entry)
        ports = self._ported(dport, sport, entry) if proto in _WITH_PORTS and not (any_to and any_from) else None
        upper = (any_to, any_from) if ports else (dport, sport)
        forms = self._known.get((entry.permit, entry.log, proto, *upper, flag, fragment))
        if forms is None:
            forms = self._known[entry.permit, entry.log, proto, *upper, flag, fragment] = tuple(self._forms(entry))
        rows = [Row(remark, *form[1:3], "-", "-", *(ports or form[5:7]), *form[7:]) for form in forms]
        if not all(map(all, ends)):
            return [self.shapes.line(row._replace(source=a, destination=b)) for a, b in ends for row in rows]
        shapes = [(self.shapes.of(row), row.sport, row.dport) for row in rows]
        if len(shapes) == 1 and (ports or (any_to and any_from)) and remark and fragment == WHOLE:
            shape, start, to = shapes[0]
            if (not start, not to) == (any_from, any_to):
                self._plain[entry.permit, entry.log, proto, any_to, any_from, flag, fragment] = shape
        return [(shape, remark, a, start, b, to) for a, b in ends for shape, start, to in shapes]

    def _ported(self, dport: Span, sport: Span, entry: Entry) -> tuple[str, str] | None:
        """Source and destination ports as a word each; None where one of them takes more. Raises Refused."""
        said = self._ports
        for span in (dport, sport):
            if said[span] is _NONE:
                word, *more = port_words(self.operands, span, entry)
                if more or not word:
                    return None
                said[span] = word
        return said[sport], said[dport]

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
        if not (entry.permit and plain) or denies_fragments(self.operands, self.family):
            return False
        if box[0] not in _WITH_PORTS or not self.operands["ports"].get("whole"):
            word_of(self.operands, words, "fragments", entry)
        return True

    def addresses(self, span: Span) -> tuple[str, ...]:
        """A span in the platform's words, one for each prefix."""
        found = self._said.get(span)
        if found is None:
            found = self._said[span] = tuple(self._addresses(*span))
        return found

    def _addresses(self, low: int, high: int) -> list[str]:
        free = high - low
        if not free & (free + 1) and not low & free:
            return [self._address(low, BITS[self.family] - free.bit_length())]
        return [self._address(first, length) for first, length in prefixes(self.family, (low, high))]

    def _address(self, first: int, length: int) -> str:
        around = self._around.get(length)
        if around is None:
            around = self._around[length] = self._beside(length)
        return around[0] + address_text(self.family, first) + around[1]

    def _beside(self, length: int) -> tuple[str, str]:
        bits = BITS[self.family]
        free = (1 << bits - length) - 1
        form: str = by_family(self.operands["address"], self.family)["host" if length == bits else "prefix"]
        masks = {"wildcard": address_text(self.family, free), "mask": address_text(self.family, TOP[self.family] - free)}
        before, _, behind = form.format(address="\0", length=length, **masks).partition("\0")
        return before, behind


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
                yield list(self._of(item)), item.sets[FRAG][0], item.like  # type: ignore[arg-type, union-attr]

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
