"""Rows of an access list in finished words: a box becomes one or more lines in the platform's own forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress, count, product, repeat
from operator import attrgetter, is_, itemgetter, not_
from typing import Any, NamedTuple

from configlet.model.block import Answers, Block, Parted, items
from configlet.model.net import BITS, TOP, Family, Span, address_text, prefixes
from configlet.model.policy import ANY_BIT, ANY_PORT, DST, FRAG, SRC, Entry
from configlet.model.problem import Refused
from configlet.packets.blocks import Item
from configlet.packets.entries import WHOLE
from configlet.render.acl_words import asks_established, asks_fragments, details_of, port_words, proto_word, word_of
from configlet.render.numbered import TOGETHER, Line, Row, Shape, Shapes
from configlet.render.values import all_labels, by_family, labels, written

_WITH_PORTS = ((6, 6), (17, 17))
_PERMIT, _BOX, _RULE, _REPLY = map(attrgetter, ("permit", "box", "rule", "reply"))
_NAME, _LOG = attrgetter("name"), attrgetter("log")
_SHAPE, _REMARK = itemgetter(0), itemgetter(1)
ROW = itemgetter(0, 2, 3, 4, 5)
"""A line without its remark."""
_NONE = "\0"
"""Stands for ports that are not one word that is known; no word has it."""

_new = tuple.__new__
"""A row for each line of a long list: the shortest way to make one."""


def denies_fragments(operands: Mapping[str, Any], family: Family) -> Any:
    """The word of the line that denies every fragment; None where the platform has none."""
    words = by_family(operands["words"], family)
    return words.get("deny-fragments", words["fragments"])


BESIDE = ("beside", "first")
"""Where a remark is no row of a list."""
FEW = 6
"""Rows that are sooner worded one by one."""
PARTS = 8
"""Parts of lists whose lines are remembered, as the other list of a gate has them too, or their replies."""


class Told(NamedTuple):
    """The lines of one or more rows."""

    lines: Sequence[Line]
    fragment: Span
    """What these rows say of fragments."""
    first: Entry
    """The first of them."""
    usual: frozenset[Shape] = frozenset()
    """The shapes of the lines, where these surely are one for each row, each with a remark that no other has, just as its rule
    is called, and no two say the same; else none."""


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
        self._range: str = said.get("range", "")

    def __missing__(self, span: Span) -> str:
        low, high = span
        if low < self._lowest or (low == high and not self._around):
            return _NONE
        word = f"{self._around[0]}{low}{self._around[1]}" if low == high else self._range.format(low=low, high=high)  # type: ignore[index]
        found = self[span] = word or _NONE
        return found


def _shapes(lines: Sequence[Line]) -> frozenset[Shape]:
    """The shapes of lines of which no two have the same remark, or say the same; none of others."""
    remarks = set(map(_REMARK, lines))
    if len(remarks) < len(lines) or "" in remarks or len(set(map(ROW, lines))) < len(lines):
        return frozenset()
    return frozenset(map(_SHAPE, lines))


class Lines:
    """Rows of one family in finished words; what rows say besides addresses is worded once for all that say the same, and so
    is each span of addresses and of ports."""

    __slots__ = (
        "_around", "_back", "_known", "_label", "_labels", "_last", "_parts", "_plain", "_ports", "_prefix", "_said", "_turns",
        "family", "operands", "shapes", "words",
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
        self._back: dict[Shape, Shape] = {}
        """Of some of these shapes that of replies to such rows."""
        self._parts: dict[int, tuple[Sequence[Item], Sequence[Told]]] = {}
        """The lines of parts of lists, by the identity of their rows, which are held here."""
        self._ports = _Ports(operands["ports"])
        self._turns = not operands["ports"].get("whole") or bool(denies_fragments(operands, family))
        """Whether a line names ports only where its row asks for some: else that of a row of all ports looks as others do."""
        every = str(written(by_family(operands["address"], family)["any"]))
        self._said: dict[Span, tuple[str, ...]] = {(0, TOP[family]): (every,)}
        self._prefix = _Prefixes(self.addresses)
        self._around: dict[int, tuple[str, str]] = {}
        """What stands before and behind the address of a prefix, by its length."""

    @property
    def held(self) -> int:
        """How much is remembered."""
        return len(self._known) + len(self._said) + len(self._ports)

    def of(self, rows: Sequence[Entry]) -> Iterator[Told]:
        """The lines of a list. Raises Refused."""
        first, *parts = rows.parts if isinstance(rows, Parted) else (items(rows),)
        yield from self.told(first)
        for part in parts:
            yield from self._replies(part) if isinstance(part, Answers) else self._part(part)

    def _part(self, rows: Sequence[Item]) -> Sequence[Told]:
        """The lines of a part of a list, made once for both lists of a gate."""
        known = self._parts.get(id(rows))
        if known is None:
            if len(self._parts) >= PARTS:
                self._parts.clear()
            known = self._parts[id(rows)] = rows, list(self.told(rows))
        return known[1]

    def _replies(self, rows: Answers[Entry]) -> Iterable[Told]:
        """The lines of replies: those of what they answer, with the ends and their ports exchanged."""
        try:
            asked = self._part(rows.of)
        except Refused:  # perhaps of what is none of this list's
            return self.told(rows)
        if len(asked) != 1 or not rows:
            return self.told(rows)
        permits = list(map(_PERMIT, rows.of))
        lines = asked[0].lines if all(permits) else list(compress(asked[0].lines, permits))
        shapes = list(map(_SHAPE, lines))
        usual = self._turns and asked[0].usual and len(lines) == len(rows)
        turned = self._turned(shapes, list(compress(rows.of, permits)), rows) if usual else None
        names = ["replies: " + line[1] for line in lines]
        if not turned or self._labels(names) is not names:
            return self.told(rows)
        made = [
            (turned[shape], name, target, to, source, start)
            for (shape, _, source, start, target, to), name in zip(lines, names, strict=True)
        ]
        return (Told(made, WHOLE, rows[0], frozenset(turned.values())),)

    def _turned(self, shapes: Sequence[Shape], asked: Sequence[Entry], replies: Sequence[Entry]) -> dict[Shape, Shape] | None:
        """The shape of the replies to rows of each of some shapes, as one of each tells; None where one is not in plain words,
        or two are the same."""
        for shape in set(shapes).difference(self._back):
            at = shapes.index(shape)
            there, back = (self._plain.get(self._kind(row)) for row in (asked[at], replies[at]))
            if there is not shape or back is None:
                return None
            self._back[shape] = back
        found = {shape: self._back[shape] for shape in set(shapes)}
        return found if len(set(found.values())) == len(found) else None

    def told(self, found: Iterable[Item]) -> Iterator[Told]:
        """Rows, many of them at once, and all rows of a block as one. Raises Refused."""
        rows: list[Any] = list(found)
        at = 0
        for number in compress(count(), map(is_, map(type, rows), repeat(Block))):
            if at < number:
                yield from self._rows(rows[at:number])
            block: Block[Entry] = rows[number]
            yield Told(self._product(block), block.sets[FRAG][0], block.like)
            at = number + 1
        if at < len(rows):
            yield from self._rows(rows[at:])

    def _rows(self, rows: Sequence[Entry]) -> Iterator[Told]:
        if len(rows) < FEW:
            yield from (Told(self.between(self._ends(row), row), row.box[FRAG], row) for row in rows)
            return
        for first in range(0, len(rows), TOGETHER):
            yield from self._some(rows[first : first + TOGETHER])

    def _some(self, found: Sequence[Entry]) -> Iterator[Told]:
        lines, others, named = self._together(found)
        at = 0
        for end in others:
            item = found[end]
            made = self.between(self._ends(item), item)
            if len(made) == 1 and item.box[FRAG] == WHOLE:
                lines[end] = made[0]
                continue
            if at < end:
                yield Told(lines[at:end], WHOLE, found[at])
            yield Told(made, item.box[FRAG], item)
            at = end + 1
        if not at:
            yield Told(lines, WHOLE, found[0], _shapes(lines) if named else frozenset())
        elif at < len(found):
            yield Told(lines[at:], WHOLE, found[at])

    def _together(self, found: Sequence[Entry]) -> tuple[list[Line], Sequence[int], bool]:
        """The lines of rows, the numbers of those that are another line than stands there, and whether each has the name of its
        rule as it is: such rows are not in words that are all known, as most are, or are more than one line."""
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
            return lines, (), remarks is names
        others = [
            at
            for at, (shape, remark, source, start, target, to) in enumerate(lines)
            if not (shape and remark and source and target) or start is _NONE or to is _NONE
        ]
        return lines, others, remarks is names

    @staticmethod
    def _kind(entry: Entry) -> object:
        """What a row says besides addresses and ports."""
        proto, _, _, dport, sport, flag, fragment = entry.box
        return entry.permit, entry.log, proto, dport == ANY_PORT, sport == ANY_PORT, flag, fragment

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
        shape, start, to = self._plain.get(self._kind(entry)), self._ports[sport], self._ports[dport]
        if shape and remark and start is not _NONE and to is not _NONE and all(map(all, ends)):
            return [(shape, remark, a, start, b, to) for a, b in ends]
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
            plain, start, to = shapes[0]
            if (not start, not to) == (any_from, any_to):
                self._plain[self._kind(entry)] = plain
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
