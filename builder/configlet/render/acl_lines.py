"""Rows of an access list in finished words: a box becomes one or more lines in the platform's own forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from typing import Any, NamedTuple

from configlet.model.block import Block
from configlet.model.net import BITS, TOP, Family, Span, Spans, address_text, prefixes
from configlet.model.policy import ANY_BIT, ANY_PORT, Entry
from configlet.render.acl_words import asks_established, asks_fragments, details_of, port_words, proto_word, word_of
from configlet.render.values import by_family

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


UNSAID = Row()[1:]


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
        if not (entry.permit and plain) or denies_fragments(self.operands, self.family):
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
