"""What a rule's conditions take of boxes of packets, of one family and phase of a connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from configlet.model.gate import Line
from configlet.model.problem import Refused
from configlet.readers.columns import Asked
from configlet.readers.filter_values import Match, Rule, Selector, Table
from configlet.readers.spans import BITS, Span, complement

Key = tuple[str, str, int]
"""A hook, a direction and a family: which list judges where."""
Box = tuple[Span, Span, Span, Span, Span, Span, Span]
Run = tuple[Line, ...] | Asked
"""Lines that follow one another. What judges all phases alike gives the same run in each of them."""
PROTO, DST, SRC, DPORT, SPORT, FLAG, FRAG = range(7)
FIELDS = {
    "proto": PROTO,
    "destination": DST,
    "source": SRC,
    "dport": DPORT,
    "sport": SPORT,
    "message": DPORT,
}
TURNED = {PROTO: PROTO, DST: SRC, SRC: DST, DPORT: SPORT, SPORT: DPORT}
PORTS: Span = (0, 65535)
GROUPS = {4: 0xE0000000, 6: 0xFF << 120}
"""The lowest group address; what is above are groups, or (of IPv4) nobody's."""
WHOLE: Span = (0, 0)
_NEW, _ESTABLISHED, _RELATED, _INVALID, _UNTRACKED = 8, 2, 4, 1, 64
_DEEP = 16
_STATE = {"established": _ESTABLISHED, "reply": _ESTABLISHED, "error": _RELATED}
ANSWER = {4: {8: 0, 13: 14, 15: 16, 17: 18}, 6: {128: 129, 139: 140}}
"""The ICMP type that answers each request (RFC 792, RFC 950, RFC 4443, RFC 4620)."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the kernel does, by family: ICMP's number, the types that begin a connection, those never tracked."""

    ported: frozenset[int]
    icmp: Mapping[int, int]
    requests: Mapping[int, tuple[Span, ...]]
    untracked: Mapping[int, tuple[Span, ...]]
    invalid: Mapping[int, tuple[Span, ...]]

    @classmethod
    def of(cls, grammar: Mapping[str, Any]) -> Sheet:
        """From the grammar's facts."""
        untracked = {f: tuple(whole(n) for n in types) for f, types in grammar["untracked"].items()}
        requests = {f: tuple(whole(n) for n in types) for f, types in grammar["requests"].items()}
        invalid = {f: tuple(complement([*untracked[f], *requests[f]], 65535)) for f in requests}
        return cls(frozenset(grammar["ported"]), grammar["icmp_of"], requests, untracked, invalid)


def whole(number: int) -> Span:
    """All codes of one ICMP type."""
    return number * 256, number * 256 + 255


@dataclass(frozen=True, slots=True)
class View:
    """The packets that are looked at: their family and where they stand in their connection.

    ``settled`` are chains that ask for nothing but connections' first packets, and so judge all phases alike, ``rules`` the
    rules of other chains of which the same is true; ``known`` what they were found to hold.
    """

    table: Table
    sheet: Sheet
    family: int
    phase: str
    settled: frozenset[str]
    rules: frozenset[int]
    known: dict[tuple[str | int, Box, bool], list[Run]]
    taken: Taken
    speaking: dict[str, list[Rule]]
    """The rules of chains that may say something of this family."""
    every: Box
    """All packets of the family."""

    def of_phase(self, phase: str) -> View:
        """The same packets elsewhere in their connections."""
        same = self.settled, self.rules, self.known, self.taken, self.speaking, self.every
        return View(self.table, self.sheet, self.family, phase, *same)


@dataclass(slots=True)
class Fragments:
    """Whether a rule that all packets meet has decided non-first fragments."""

    decided: bool = False


def boxed(box: tuple[Span, ...]) -> Box:
    """The intervals as a box; they are its seven already."""
    return cast(Box, box)


def cut_types(sheet: Sheet, family: int, box: Box, types: Sequence[Span]) -> Iterator[Box]:
    """The box with ICMP only of these types; every other protocol as it is."""
    icmp = sheet.icmp[family]
    (low, high), target, source, (first, last), *rest = box
    if not low <= icmp <= high:
        yield box
        return
    if low < icmp:
        yield boxed(((low, icmp - 1), target, source, (first, last), *rest))
    if icmp < high:
        yield boxed(((icmp + 1, high), target, source, (first, last), *rest))
    for least, most in types:
        if least <= last and first <= most:
            inside = least if least > first else first, most if most < last else last
            yield boxed(((icmp, icmp), target, source, inside, *rest))


def full(family: int) -> Box:
    """All packets of a family."""
    anywhere = (0, (1 << BITS[family]) - 1)
    return (0, 255), anywhere, anywhere, PORTS, PORTS, (0, 1), (0, 1)


def foreign(family: int, rule: Rule) -> bool:
    """Whether a rule asks first of all for something of the other family."""
    asked = [match.selector for match in rule.matches[:1]] or (rule.lookup.selectors[:1] if rule.lookup else ())
    return any(first is not None and first.family not in (None, family) for first in asked)


REMEMBERED = 2048
"""Rules, and their conditions in boxes, that are remembered."""
_FEW = 4
_ENDS = {"source": SRC, "destination": DST}


class _Rest:
    """The conditions of a rule: ``ends`` are those that only ask for one interval of an address of the packet itself,
    ``rest`` all others. Without ``ends`` where an address is asked for otherwise."""

    __slots__ = ("ends", "key", "matches", "protos", "rest")

    def __init__(self, matches: tuple[Match, ...]) -> None:
        said = [m for m in matches if m.selector is not None and m.selector.field in _ENDS]
        plain = all(m.selector is not None and m.selector.of == "packet" and len(m.spans) == 1 for m in said)
        self.matches = matches
        self.rest = tuple(m for m in matches if m not in said) if said and plain else matches
        self.ends = [(m.selector, m.spans[0]) for m in said if m.selector] if plain else None
        self.key = tuple(map(id, self.rest))
        only = all(
            m.selector is not None and m.selector.field == "proto" and m.selector.family is None for m in matches
        )
        self.protos = [m.spans for m in matches] if only else []
        """Where nothing but protocols is asked for, each set of them."""


class Taken:
    """What the conditions of rules take of boxes, remembered from text to text: mostly it does not depend on the addresses,
    in which the texts of hosts differ."""

    __slots__ = ("_begun", "_boxes", "_fields", "_rules")

    def __init__(self) -> None:
        self._rules: dict[int, _Rest] = {}
        self._boxes: dict[tuple[object, ...], tuple[_Rest, list[Box]]] = {}
        self._begun: dict[tuple[int, Span, Span], list[tuple[Span, Span]]] = {}
        self._fields: dict[tuple[int, int], tuple[tuple[Selector, ...], tuple[int, ...]]] = {}

    def of(self, view: View, rule: Rule, box: Box, fragments: Fragments) -> Sequence[Box]:
        """The boxes that all conditions of a rule leave of one. Raises Refused."""
        asked = self._rules.get(id(rule.matches))
        if asked is None:
            if len(self._rules) >= REMEMBERED:
                self._rules.clear()
            # As long as the conditions are held their number is theirs.
            asked = self._rules[id(rule.matches)] = _Rest(rule.matches)
        if asked.ends is None or (asked.ends and view.phase == "error"):
            return _left(view, rule, rule.matches, box, fragments)
        if asked.protos and view.phase != "error":
            low, high = box[PROTO]
            for spans in asked.protos:
                if len(spans) < _FEW and all(last < low or first > high for first, last in spans):
                    return ()
        key = asked.key, view.family, view.phase, fragments.decided, box[PROTO], box[DPORT:]
        found = self._boxes.get(key)
        if found is None:
            try:
                boxes = _left(view, rule, asked.rest, box, fragments)
            except Refused:
                return _left(view, rule, rule.matches, box, fragments)
            if len(self._boxes) >= REMEMBERED:
                self._boxes.clear()
            found = self._boxes[key] = asked, boxes
        target, source = box[DST], box[SRC]
        for selector, span in asked.ends:
            if selector.family not in (None, view.family):
                return ()
            of_source = (selector.field == "source") == (view.phase != "reply")
            inside = common(source if of_source else target, span)
            if inside is None:
                return ()
            source, target = (inside, target) if of_source else (source, inside)
        return [(proto, target, source, *others) for proto, _, _, *others in found[1]]  # type: ignore[misc]

    def fields(self, family: int, selectors: tuple[Selector, ...]) -> tuple[int, ...]:
        """The fields of a lookup that asks only for addresses and ports of the connection's first packet, and for none of
        them twice; none of any other."""
        known = self._fields.get((family, id(selectors)))
        if known is None:
            found = tuple(FIELDS[selector.field] for selector in selectors)
            first = all(s.of == "connection" and s.family in (None, family) for s in selectors)
            if len(self._fields) >= REMEMBERED:
                self._fields.clear()
            fits = first and PROTO not in found and len(found) == len(set(found))
            known = self._fields[family, id(selectors)] = selectors, found if fits else ()
        return known[1]

    def begun(self, view: View, box: Box) -> list[Box]:
        """What of a box are packets that can begin a connection, whole ones."""
        _, target, source, _, sport, flag, _ = box
        return [(proto, target, source, dport, sport, flag, WHOLE) for proto, dport in self._types(view, box)]

    def starting(self, view: View, line: Line) -> Sequence[Line]:
        """The same of a line; one that speaks of nothing else stays as it is."""
        box = boxed(line.box)
        proto, target, source, dport, *others = box
        found = self._types(view, box)
        if len(found) == 1 and found[0] == (proto, dport):
            return (line,)
        return [line.over((proto, target, source, dport, *others)) for proto, dport in found]

    def _types(self, view: View, box: Box) -> list[tuple[Span, Span]]:
        """The protocols, and types of ICMP, that are left of a box."""
        key = view.family, box[PROTO], box[DPORT]
        found = self._begun.get(key)
        if found is None:
            if len(self._begun) >= REMEMBERED:
                self._begun.clear()
            cut = cut_types(view.sheet, view.family, box, view.sheet.requests[view.family])
            found = self._begun[key] = [(one[PROTO], one[DPORT]) for one in cut]
        return found


def _left(view: View, rule: Rule, matches: Iterable[Match], box: Box, fragments: Fragments) -> list[Box]:
    boxes = [box]
    for match in matches:
        boxes = [found for one in boxes for found in matched(view, rule, match, one, fragments)]
    return boxes


def ported(view: View, rule: Rule, box: Box, field: int) -> None:
    """Refuse where a port is asked for and the protocol is not known to have one."""
    low, high = box[PROTO]
    icmp = (low, high) == (view.sheet.icmp[view.family],) * 2
    if low != high or not (low in view.sheet.ported or (icmp and field == DPORT)):
        rule.source.refuse("A port is asked for where the protocol is not known to have one")


def matched(view: View, rule: Rule, match: Match, box: Box, fragments: Fragments) -> Iterator[Box]:
    """What one condition of a rule leaves of a box. Raises Refused."""
    if match.fragments:
        if match.fragments == view.family:
            yield (box[0], box[1], box[2], PORTS, PORTS, (0, 1), (1, 1))
    elif match.selector is None:
        yield from _in_state(view, match.states, box)
    elif match.selector.family in (None, view.family):
        yield from _selected(view, rule, match.selector, match.spans, box, fragments)


def strays(view: View, rule: Rule, box: Box, fragments: Fragments) -> None:
    """Refuse a rule that may let through packets that belong to no connection and begin none, other than ICMP's: which of them
    the kernel takes for such hangs on what it saw before, so that no list of ours says it. Related to a connection are errors
    of ICMP, and where a rule asks for other protocols alone, connections that a helper expects, which is not said either."""
    states = 0
    for match in rule.matches:
        states |= match.states
    if view.phase != "new" or not states & (_INVALID | _UNTRACKED | _RELATED):
        return
    passed = _passed(view, rule, box, fragments, 0)
    icmp = [(number, number) for number in view.sheet.icmp.values()]
    if states & (_INVALID | _UNTRACKED) and any(proto not in icmp for proto in passed):
        rule.source.refuse("Packets without a connection pass here by their state. Name ICMP ahead of it, or drop them")
    if states & _RELATED and passed and not any(common(proto, one) for proto in passed for one in icmp):
        rule.source.refuse("Connections that a helper expects pass here by their state, whatever they are")


def _passed(view: View, rule: Rule, box: Box, fragments: Fragments, depth: int) -> set[Span]:
    """The protocols of packets that a rule may let through, whatever their state."""
    if not rule.lookup and rule.verdict in ("", "drop", "return"):
        return set()
    others = [match for match in rule.matches if not match.states]
    left = _left(view, rule, others, box, fragments)
    if rule.lookup or rule.verdict == "accept" or depth > _DEEP:
        return {one[PROTO] for one in left}
    inner = view.table.chains[rule.target]
    return {proto for one in left for below in inner for proto in _passed(view, below, one, fragments, depth + 1)}


def _in_state(view: View, states: int, box: Box) -> Iterator[Box]:
    if view.phase != "new":
        if states & _STATE[view.phase]:
            yield box
        return
    icmp = view.sheet.icmp[view.family]
    kinds = ((_NEW, view.sheet.requests), (_INVALID, view.sheet.invalid), (_UNTRACKED, view.sheet.untracked))
    for state, types in kinds:
        if states & state:
            for one in cut_types(view.sheet, view.family, box, types[view.family]):
                if state == _NEW or one[PROTO] == (icmp, icmp):
                    yield one


def _selected(
    view: View, rule: Rule, selector: Selector, spans: Sequence[Span], box: Box, fragments: Fragments
) -> Iterator[Box]:
    field = FIELDS[selector.field]
    if field in (DPORT, SPORT) and selector.of == "packet" and not fragments.decided:
        rule.source.refuse("Ports are asked for before a rule has decided non-first fragments")
    if selector.of == "connection":
        yield from _of_connection(view, rule, field, spans, box)
    elif view.phase == "error":
        yield from _of_error(view, selector, spans, box)
    else:
        yield from _of_packet(view, rule, selector, spans, box)


def _of_connection(view: View, rule: Rule, field: int, spans: Sequence[Span], box: Box) -> Iterator[Box]:
    """Conditions on a connection's first packet, which is whole and, of ICMP, a request."""
    if box[FRAG][0]:
        return
    for one in cut_types(view.sheet, view.family, put(box, FRAG, WHOLE), view.sheet.requests[view.family]):
        yield from _narrowed(view, rule, field, spans, one)


def _narrowed(view: View, rule: Rule, field: int, spans: Sequence[Span], box: Box) -> Iterator[Box]:
    if field in (DPORT, SPORT):
        ported(view, rule, box, field)
        box = put(box, FRAG, WHOLE) if box[FRAG] != (1, 1) else box
    for span in spans:
        inside = common(box[field], span)
        if inside:
            yield put(box, field, inside)


def _of_packet(view: View, rule: Rule, selector: Selector, spans: Sequence[Span], box: Box) -> Iterator[Box]:
    """Conditions on the packet's own header, said of its connection's first packet."""
    if selector.proto is not None:
        inside = common(box[PROTO], (selector.proto, selector.proto))
        if inside is None:
            return
        box = put(box, PROTO, inside)
    if selector.field == "message" and view.phase == "reply":
        spans = _asked(view, spans)
    field = FIELDS[selector.field]
    turned = view.phase == "reply" and selector.field != "message"
    yield from _narrowed(view, rule, TURNED[field] if turned else field, spans, box)


def _asked(view: View, spans: Sequence[Span]) -> list[Span]:
    """The ICMP requests whose answers are among these messages."""
    out = []
    for request, answer in ANSWER[view.family].items():
        found = (common(span, whole(answer)) for span in spans)
        out += [(low + 256 * (request - answer), high + 256 * (request - answer)) for low, high in filter(None, found)]
    return out


def _of_error(view: View, selector: Selector, spans: Sequence[Span], box: Box) -> Iterator[Box]:
    """An ICMP error has a header of its own, of which only the protocol is known.

    What passes it by its own header is judged among the packets that begin nothing; so here no such rule meets it.
    """
    icmp = view.sheet.icmp[view.family]
    if selector.field == "proto" and any(low <= icmp <= high for low, high in spans):
        yield box


def common(a: Span, b: Span) -> Span | None:
    """What two intervals share; None when nothing."""
    low, high = max(a[0], b[0]), min(a[1], b[1])
    return (low, high) if low <= high else None


def put(box: Box, level: int, span: Span) -> Box:
    """The box with another interval in one dimension."""
    return boxed((*box[:level], span, *box[level + 1 :]))
