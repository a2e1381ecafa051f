"""Chains walked symbolically into first-match lines, for packets of one family and phase of a connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, cast

from configlet.model.gate import Line
from configlet.readers.filter_values import Element, Lookup, Match, Rule, Selector, Table
from configlet.readers.grammar import Source
from configlet.readers.spans import BITS, Span, complement

Box = tuple[Span, Span, Span, Span, Span, Span, Span]
Run = tuple[Line, ...]
"""Lines that follow one another. What judges all phases alike gives the same run in each of them."""
_new = tuple.__new__
"""One for each element of a long map: the shortest way to make them."""
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
_STATE = {"established": _ESTABLISHED, "reply": _ESTABLISHED, "error": _RELATED}
ANSWER = {4: {8: 0, 13: 14, 15: 16, 17: 18}, 6: {128: 129, 139: 140}}
"""The ICMP type that answers each request (RFC 792, RFC 950, RFC 4443, RFC 4620)."""
_DEEPEST = 16
"""Jumps within jumps that the kernel allows (NFT_JUMP_STACK_SIZE)."""


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

    ``settled`` are chains that ask for nothing but connections' first packets, and so judge all phases alike;
    ``known`` what they were found to hold.
    """

    table: Table
    sheet: Sheet
    family: int
    phase: str
    settled: frozenset[str]
    known: dict[tuple[str, Box, bool], tuple[Line, ...]]


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


def judged(view: View, name: str) -> list[Run]:
    """The lines of a hook's chain. Raises Refused where the text asks what the model does not have."""
    hook = view.table.hooks[name]
    everything = full(view.family)
    out: list[Run] = []
    _walked(_Walk(view, Fragments(), hook.accept, out), name, everything, 0)
    if hook.accept:
        out.append((_line(True, everything, hook.source, "policy accept", ""),))
    return out


@dataclass(frozen=True, slots=True)
class _Walk:
    """What stays the same on the way through a hook's chain, and the lines that were found."""

    view: View
    fragments: Fragments
    default: bool
    """What the hook does with what nothing decided."""
    out: list[Run]


def _chain(walk: _Walk, name: str, box: Box, depth: int) -> None:
    view = walk.view
    if name not in view.settled:
        _walked(walk, name, box, depth)
        return
    key = name, box, walk.default
    if key not in view.known:
        inner: list[Run] = []
        _walked(replace(walk, out=inner), name, box, depth)
        view.known[key] = tuple(chain.from_iterable(inner))
    walk.out.append(view.known[key])


def _walked(walk: _Walk, name: str, box: Box, depth: int) -> None:
    for rule in walk.view.table.chains[name]:
        if depth > _DEEPEST:
            rule.source.refuse("Chains call one another deeper than the kernel allows")
        _rule(walk, rule, box, depth)


def _rule(walk: _Walk, rule: Rule, box: Box, depth: int) -> None:
    view, fragments = walk.view, walk.fragments
    boxes = [box]
    for match in rule.matches:
        boxes = [found for one in boxes for found in _matched(view, rule, match, one, fragments)]
    if any(match.fragments == view.family for match in rule.matches) and rule.verdict in ("accept", "drop"):
        fragments.decided = fragments.decided or len(rule.matches) == 1
    for one in boxes:
        if rule.lookup:
            _lookup(walk, rule, rule.lookup, one, depth)
        elif rule.verdict in ("accept", "drop"):
            walk.out.append((_line(rule.verdict == "accept", one, rule.source, rule.source.text, rule.label, rule.counted),))
        elif rule.verdict in ("jump", "goto"):
            _called(walk, rule.verdict, rule.target, one, rule.source, depth)


def _called(walk: _Walk, verb: str, target: str, box: Box, source: Source, depth: int) -> None:
    ends = walk.view.table.ends.get(target)
    if depth >= _DEEPEST:
        source.refuse("Chains call one another deeper than the kernel allows")
    # The line that people look for is the one that leads to the verdict; the verdict's chain gives the rule's name.
    if ends is not None:
        walk.out.append((_line(ends.permit, box, source, source.text, ends.label, ends.counted),))
        return
    _chain(walk, target, box, depth + 1)
    if verb == "goto":
        walk.out.append((_line(walk.default, box, source, source.text, ""),))


def _lookup(walk: _Walk, rule: Rule, lookup: Lookup, box: Box, depth: int) -> None:
    view, fragments = walk.view, walk.fragments
    elements = view.table.maps[lookup.map].elements
    fields = tuple(FIELDS[selector.field] for selector in lookup.selectors)
    first = all(s.of == "connection" and s.family in (None, view.family) for s in lookup.selectors)
    if first and elements and PROTO not in fields and len(fields) == len(set(fields)):
        _by_element(walk, rule, box, fields, elements, depth)
        return
    for element in elements:
        boxes = [box]
        for selector, span in zip(lookup.selectors, element.spans, strict=True):
            match = Match(selector, (span,))
            boxes = [found for one in boxes for found in _matched(view, rule, match, one, fragments)]
        for one in boxes:
            if (end := element.end) is not None:
                source = element.source
                walk.out.append((_line(end.permit, one, source, source.text, end.label, end.counted),))
            else:
                _called(walk, element.verb, element.target, one, element.source, depth)


def _by_element(
    walk: _Walk, rule: Rule, box: Box, fields: tuple[int, ...], elements: Sequence[Element], depth: int
) -> None:
    """What of a box each element takes, where all that is asked for are fields of the connection's first packet."""
    if box[FRAG][0]:
        return
    view, known = walk.view, walk.view.table.ends
    bases = tuple(cut_types(view.sheet, view.family, put(box, FRAG, WHOLE), view.sheet.requests[view.family]))
    for base in bases:
        if DPORT in fields or SPORT in fields:
            _ported(view, rule, base, DPORT if SPORT not in fields else SPORT)
    run: list[Line] = []
    every = full(view.family)
    for spans, verb, target, end, source in elements:
        for base in bases:
            cut = list(base)
            for field, span in zip(fields, spans, strict=True):
                a, b = held = base[field]
                low, high = span
                if held == every[field]:
                    cut[field] = span
                elif low > b or high < a:
                    break
                else:
                    cut[field] = (low if low > a else a, high if high < b else b)
            else:
                ends = end or (known.get(target) if depth < _DEEPEST else None)
                if ends is not None:
                    permit, label, counted = ends
                    run.append(_new(Line, (permit, tuple(cut), source.number, source.text, label, counted)))
                    continue
                if run:
                    walk.out.append(tuple(run))
                    run = []
                _called(walk, verb, target, tuple(cut), source, depth)  # type: ignore[arg-type]
    if run:
        walk.out.append(tuple(run))


def _ported(view: View, rule: Rule, box: Box, field: int) -> None:
    """Refuse where a port is asked for and the protocol is not known to have one."""
    low, high = box[PROTO]
    icmp = (low, high) == (view.sheet.icmp[view.family],) * 2
    if low != high or not (low in view.sheet.ported or (icmp and field == DPORT)):
        rule.source.refuse("A port is asked for where the protocol is not known to have one")


def _matched(view: View, rule: Rule, match: Match, box: Box, fragments: Fragments) -> Iterator[Box]:
    if match.fragments:
        if match.fragments == view.family:
            yield (box[0], box[1], box[2], PORTS, PORTS, (0, 1), (1, 1))
    elif match.selector is None:
        yield from _in_state(view, match.states, box)
    elif match.selector.family in (None, view.family):
        yield from _selected(view, rule, match.selector, match.spans, box, fragments)


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
        _ported(view, rule, box, field)
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


def _line(permit: bool, box: Box, source: Source, text: str, label: str, counted: bool = False) -> Line:
    return Line(permit, box, source.number, text, label, counted)


def common(a: Span, b: Span) -> Span | None:
    """What two intervals share; None when nothing."""
    low, high = max(a[0], b[0]), min(a[1], b[1])
    return (low, high) if low <= high else None


def put(box: Box, level: int, span: Span) -> Box:
    """The box with another interval in one dimension."""
    return boxed((*box[:level], span, *box[level + 1 :]))
