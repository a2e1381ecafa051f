"""The clauses of one statement of a chain as boxes of packets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple, NoReturn

from configlet.model.net import Spans
from configlet.readers.clauses import BIT, PORTS, Box
from configlet.readers.conditions import ANY
from configlet.readers.grammar import Source, by_key
from configlet.readers.names import Names
from configlet.readers.spans import Span, Unreadable, address, prefix

TCP: Span = (6, 6)
MOST = 65536
_APART = frozenset(("source", "destination", "sources", "destinations", "label"))
"""What a statement may say without another meaning of the rest. Sets are of one text, so the chains' reader looks them up."""


class Meaning(NamedTuple):
    """``verdict`` is permit, deny, accept (which ends all filtering), or "" for a statement that decides nothing."""

    verdict: str
    boxes: tuple[Box, ...]
    known: bool
    """Whether it is known what it does to non-first fragments."""
    label: str
    goto: str = ""
    first: bool = False
    """Whether it is for first fragments only."""
    later: bool = False
    """Whether it asks for fragments."""
    ends: tuple[Spans, Spans] | None = None
    """Destinations and sources, where sets say them; the ends of its box then mean nothing."""

    def each(self) -> Iterator[Box]:
        """Its boxes, one for each pair of ends."""
        for box in self.boxes:
            pairs = ((box[1],), (box[2],)) if self.ends is None else self.ends
            yield from ((box[0], destination, source, *box[3:]) for destination, source in product(*pairs))


class _Clauses:
    """The groups of a pattern, by the clause that they belong to: ``label`` and ``label_`` are one."""

    __slots__ = ("_apart", "_names", "pattern", "rest")

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern = pattern
        self._names = [(name.rstrip("_"), name) for name in pattern.groupindex]
        self._apart = [(clause, name) for clause, name in self._names if clause in _APART]
        self.rest = [name for clause, name in self._names if clause not in _APART]

    def of(self, found: re.Match[str]) -> dict[str, str]:
        """What each clause says that is there."""
        return {clause: found[name] for clause, name in self._names if found[name] is not None}

    def apart_of(self, found: re.Match[str]) -> dict[str, str]:
        """The same of the ends and the label."""
        return {clause: text for clause, name in self._apart if (text := found[name]) is not None}


class Meanings:
    """What the statements of a grammar mean."""

    def __init__(self, grammar: Mapping[str, Any], names: Names) -> None:
        self.grammar, self.names = grammar, names
        self.unknown = {f: by_key(grammar["fragments_of_port_lines"], f) == "unknown" for f in (4, 6)}
        self.protos: dict[tuple[str, int], Span] = {}
        self.ends: dict[tuple[str, int], Span] = {}
        self.clauses = _Clauses(re.compile(""))
        self.shapes: dict[object, tuple[str, Box, bool, bool]] = {}
        """Verdict, box between any ends, whether it is known and speaks of fragments, of what was understood before."""

    def every(self, family: int) -> Box:
        """All packets of a family."""
        return ((0, 255), ANY[family], ANY[family], PORTS, PORTS, BIT, BIT)

    def of(self, found: re.Match[str], family: int, line: Source) -> Meaning:
        """The meaning of one statement; what it says besides the ends and a label is understood once. Raises Refused at the
        word that cannot be meant.
        """
        clauses = self.clauses
        if clauses.pattern is not found.re:
            clauses = self.clauses = _Clauses(found.re)
        key = family, found.group(*clauses.rest)
        try:
            shape = self.shapes.get(key)
            if shape is not None:
                verdict, (proto, _, _, dports, sports, flags, bit), known, later = shape
                said = clauses.apart_of(found)
                ends = self._end(said, "destination", family), self._end(said, "source", family)
                box: Box = (proto, *ends, dports, sports, flags, bit)
                return Meaning(verdict, (box,), known, said.get("label", ""), "", False, later)
            made = self._meaning(clauses.of(found), family)
        except _At as why:
            self._refuse(found, why.group, line, str(why))
        except Unreadable as why:
            self._refuse(found, "verdict" if "verdict" in clauses.of(found) else "", line, str(why))
        if made.boxes and not made.goto:
            if len(self.shapes) >= MOST:
                self.shapes.clear()
            self.shapes[key] = made.verdict, made.boxes[0], made.known, made.later
        return made

    def _refuse(self, found: re.Match[str], group: str, line: Source, why: str) -> NoReturn:
        line.refuse(why, max(0, found.start(group)) if group else 0)

    def _meaning(self, said: Mapping[str, str], family: int) -> Meaning:
        verdict = "goto" if "goto" in said else self.grammar["verdicts"].get(said.get("verdict", ""), "")
        if said.get("log_only"):
            return Meaning("", (), True, "")
        proto = self._proto(said, family)
        sports, dports = (self._ports(said, side, proto) for side in ("sport", "dport"))
        types = self._types(said, proto, family)
        if "established" in said and proto != TCP:
            raise Unreadable("Only TCP is established")
        upper = bool(sports or dports or types or "established" in said)
        later, first = "fragments" in said, "first" in said
        if (later or first) and upper:
            raise Unreadable("A fragment has no ports, types or flags")
        if later and not re.fullmatch(self.grammar["fragments"][family], said["fragments"]):
            raise Unreadable(f"This is no word for fragments of IPv{family}")
        bit: Span = (1, 1) if later else (0, 0) if upper else BIT
        flags: Span = (1, 1) if "established" in said else BIT
        source, destination = self._end(said, "source", family), self._end(said, "destination", family)
        box: Box = (proto, destination, source, types or dports or PORTS, sports or PORTS, flags, bit)
        known = not upper or not self.unknown[family]
        goto = said["chain"] if verdict == "goto" else ""
        if goto and not first and box != self.every(family):
            raise Unreadable("A chain is gone to with conditions")
        if first and (not goto or box[:6] != self.every(family)[:6]):
            raise Unreadable("First fragments are asked for in a way that is not modelled")
        if verdict not in ("permit", "deny", "accept", "goto"):
            raise Unreadable("This statement decides nothing that is known")
        return Meaning("" if goto else verdict, (box,), known, said.get("label", ""), goto, first, later)

    def _proto(self, said: Mapping[str, str], family: int) -> Span:
        """The protocol; several clauses may each imply it, and must then agree."""
        texts = {
            said[name] for name in ("proto", "of_sport", "of_dport", "of_flags", "of_icmp", "module") if name in said
        }
        found = {self._number(text, family) for text in texts}
        if len(found) > 1:
            raise Unreadable("The clauses of this line ask for different protocols")
        return found.pop() if found else (0, 255)

    def _number(self, text: str, family: int) -> Span:
        span = self.protos.get((text, family))
        if span is None:
            span = self.protos[text, family] = self.names.proto(text, family)
        return span

    def _ports(self, said: Mapping[str, str], side: str, proto: Span) -> Span | None:
        if side not in said:
            return None
        low, between, high = said[side].partition(self.grammar["range"])
        (span,) = self.names.ports(f"range {low or 0} {high or 65535}" if between else f"eq {low}", proto)
        return span

    def _types(self, said: Mapping[str, str], proto: Span, family: int) -> Span | None:
        if "type" not in said:
            if "code" in said:
                raise Unreadable("An ICMP code has no type")
            return None
        kind, _, code = said["type"].partition("/")
        text = f"{kind} {code or said.get('code', '')}".strip()
        if "code" in said and not said["code"].isdigit():
            raise Unreadable("This ICMP code is not a number")
        return self.names.icmp(text, proto, family)

    def _end(self, said: Mapping[str, str], end: str, family: int) -> Span:
        text = said.get(end)
        if text is None:
            return ANY[family]
        span = self.ends.get((text, family))
        if span is None:
            if len(self.ends) >= MOST:
                self.ends.clear()
            span = self.ends[text, family] = _span(text, family, end)
        return span


class _At(Unreadable):
    """Unreadable at one clause."""

    def __init__(self, why: str, group: str) -> None:
        super().__init__(why)
        self.group = group


def _span(text: str, family: int, end: str) -> Span:
    try:
        if "/" in text:
            return prefix(text, family)
        low, dash, high = text.partition("-")
        first = address(low, family)
        last = address(high, family) if dash else first
    except Unreadable as why:
        raise _At(str(why), end) from None
    if first > last:
        raise _At("This range is reversed", end)
    return first, last
