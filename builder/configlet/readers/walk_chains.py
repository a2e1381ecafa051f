"""Chains walked symbolically: which connections may begin, and what of a living one passes.

A line speaks of the first packet of a connection. A packet that answers it is judged by the same text, with its own
header the other way round; an ICMP error with a header of its own. Where a text treats those otherwise than the first
packet, it gets lists of their own (directions ``established``, ``reply``, ``error``), in the same terms: a box says
from which connections such packets pass. A text that asks only for the connection's first packet has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Literal

from configlet.model.gate import Line
from configlet.packets.walk import more
from configlet.readers.grammar import Source
from configlet.readers.spans import BITS, Span, complement
from configlet.readers.statements import Match, Rule, Selector, Table

Box = tuple[Span, Span, Span, Span, Span, Span, Span]
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
LATER = ("established", "reply", "error")
"""Packets of a known connection: a later one the same way, one the other way, an ICMP error about it."""

_NEW, _ESTABLISHED, _RELATED, _INVALID, _UNTRACKED = 8, 2, 4, 1, 64
_STATE = {"established": _ESTABLISHED, "reply": _ESTABLISHED, "error": _RELATED}
_ANSWER = {4: {8: 0, 13: 14, 15: 16, 17: 18}, 6: {128: 129, 139: 140}}
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
        untracked = {f: tuple(_whole(n) for n in types) for f, types in grammar["untracked"].items()}
        requests = {f: tuple(_whole(n) for n in types) for f, types in grammar["requests"].items()}
        invalid = {f: tuple(complement([*untracked[f], *requests[f]], 65535)) for f in requests}
        return cls(frozenset(grammar["ported"]), grammar["icmp_of"], requests, untracked, invalid)


def _whole(number: int) -> Span:
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
    known: dict[tuple[str, Box], tuple[Line, ...]]


@dataclass(slots=True)
class Fragments:
    """Whether a rule that all packets meet has decided non-first fragments."""

    decided: bool = False


def lists(table: Table, sheet: Sheet) -> dict[tuple[str, str, int], tuple[Line, ...]]:
    """The lists of every hook and family. Raises Refused where the text asks what the model does not have."""
    out: dict[tuple[str, str, int], tuple[Line, ...]] = {}
    known: dict[object, dict[str, tuple[Line, ...]]] = {}
    for family in (4, 6):
        view = View(table, sheet, family, "new", _settled(table, sheet, family), {})
        for name, hook in table.hooks.items():
            key = family, hook.accept, tuple(rule.text for rule in table.chains[name])
            if key not in known:
                known[key] = _of_hook(view, name)
            out.update({(hook.name, direction, family): lines for direction, lines in known[key].items()})
    return out


def _settled(table: Table, sheet: Sheet, family: int) -> frozenset[str]:
    """Chains that ask nothing of a packet's own header, but to name protocols that its connection settles."""
    icmp = sheet.icmp[family]
    loose = {name for name, rules in table.chains.items() if any(_on_header(rule, icmp) for rule in rules)}
    leads = {name: set(_targets(table, rules)) for name, rules in table.chains.items()}
    while found := {name for name, targets in leads.items() if name not in loose and targets & loose}:
        loose |= found
    return frozenset(table.chains) - loose


def _on_header(rule: Rule, icmp: int) -> bool:
    if any(match.selector is None for match in rule.matches):
        return True
    if rule.lookup and any(selector.of == "packet" for selector in rule.lookup.selectors):
        return True
    asked = [match for match in rule.matches if match.selector and match.selector.of == "packet"]
    said = [
        m.spans for m in rule.matches if m.selector and m.selector.of == "connection" and m.selector.field == "proto"
    ]
    return any(
        match.selector is None
        or match.selector.field != "proto"
        or not any(all(_inside(span, match.spans) for span in (*spans, (icmp, icmp))) for spans in said)
        for match in asked
    )


def _inside(span: Span, spans: Sequence[Span]) -> bool:
    return any(low <= span[0] and span[1] <= high for low, high in spans)


def _targets(table: Table, rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        if rule.target:
            yield rule.target
        if rule.lookup:
            yield from (element.target for element in table.maps[rule.lookup.map].elements)


def _of_hook(view: View, name: str) -> dict[str, tuple[Line, ...]]:
    first = tuple(_judged(view, name))
    out = {"both": first}
    cut: dict[int, tuple[Line, tuple[Line, ...]]] = {}
    starting = tuple(_starting(view, first, cut))
    for phase in LATER:
        lines = tuple(_judged(replace(view, phase=phase), name))
        later = tuple(_starting(view, lines, cut))
        if not _alike(view, first, starting, later, phase):
            out[phase] = (*later, *_elsewhere(view, first, phase))
    return out


def _elsewhere(view: View, first: Iterable[Line], phase: str) -> Iterator[Line]:
    """The lines as far as they speak of packets after which there are no later ones, so that a list is whole."""
    icmp, kinds = view.sheet.icmp[view.family], (view.sheet.invalid, view.sheet.untracked)
    low, high = GROUPS[view.family], (1 << BITS[view.family]) - 1
    for line in first:
        box = _boxed(line.box)
        for end in (DST, SRC) if phase == "reply" else ():
            group = _common(box[end], (low, high))
            if group:
                yield replace(line, box=_put(box, end, group))
        for types in kinds:
            for one in _cut(view.sheet, view.family, box, types[view.family]):
                if one[PROTO] == (icmp, icmp):
                    yield replace(line, box=one)


def _alike(view: View, first: Sequence[Line], starting: Sequence[Line], later: Sequence[Line], phase: str) -> bool:
    """Whether later packets pass exactly when their connection may begin, or when they might have come unasked."""
    known: Literal[4, 6] = 4 if view.family == 4 else 6
    law: list[Sequence[Line]] = [starting]
    if phase == "reply":
        law = [list(_unicast(view.family, starting)), list(_unasked(view, first))]
        later = list(_unicast(view.family, later))
    if _plainly_alike(law, later, phase):
        return True
    if more(known, "too open", law, later) is not None:
        return False
    return phase == "error" or more(known, "too tight", law[:1], later) is None


def _plainly_alike(law: Sequence[Sequence[Line]], later: Sequence[Line], phase: str) -> bool:
    """The same seen at a glance: where the lists differ they only permit, and boxes of one lie within the other's."""
    starting = law[0]
    begin, end = 0, 0
    shorter = min(len(starting), len(later))
    while begin < shorter and _same(starting[begin], later[begin]):
        begin += 1
    while end < shorter - begin and _same(starting[-1 - end], later[-1 - end]):
        end += 1
    ours, theirs = starting[begin : len(starting) - end], later[begin : len(later) - end]
    extra = list(takewhile(lambda line: line.permit, law[1])) if len(law) > 1 else []
    if not all(line.permit for line in (*ours, *theirs)):
        return False
    wide = [line.box for line in (*ours, *extra)]
    narrow = [] if phase == "error" else [line.box for line in ours]
    return all(_covered(line.box, wide) for line in theirs) and all(
        _covered(box, [line.box for line in theirs]) for box in narrow
    )


def _covered(box: tuple[Span, ...], others: Iterable[tuple[Span, ...]]) -> bool:
    return any(all(b[0] <= a[0] and a[1] <= b[1] for a, b in zip(box, other, strict=True)) for other in others)


def _same(a: Line, b: Line) -> bool:
    return a.permit == b.permit and a.box == b.box


def _unasked(view: View, lines: Iterable[Line]) -> Iterator[Line]:
    """The ICMP requests whose answers the text passes also when nobody asked for them."""
    icmp = view.sheet.icmp[view.family]
    for line in lines:
        box = _boxed(line.box)
        if box[PROTO][0] <= icmp <= box[PROTO][1] and box[FRAG][0] == 0:
            turned = _put(_put(_put(box, PROTO, (icmp, icmp)), DST, box[SRC]), SRC, box[DST])
            for request, answer in _ANSWER[view.family].items():
                codes = _common(box[DPORT], _whole(answer))
                if codes:
                    shift = (request - answer) * 256
                    yield replace(line, box=_put(turned, DPORT, (codes[0] + shift, codes[1] + shift)))


def _unicast(family: int, lines: Iterable[Line]) -> Iterator[Line]:
    """The lines as far as their connections can have replies: nobody answers from a group (RFC 1112, RFC 4291)."""
    for line in lines:
        box = _boxed(line.box)
        low = (0, GROUPS[family] - 1)
        target, source = _common(box[DST], low), _common(box[SRC], low)
        if target and source:
            yield replace(line, box=_put(_put(box, DST, target), SRC, source))


def _starting(view: View, lines: Iterable[Line], cut: dict[int, tuple[Line, tuple[Line, ...]]]) -> Iterator[Line]:
    """The lines as far as they speak of packets that can begin a connection. ``cut`` remembers lines by identity."""
    for line in lines:
        if id(line) not in cut:
            boxes = _cut(view.sheet, view.family, _boxed(line.box), view.sheet.requests[view.family])
            cut[id(line)] = line, tuple(line if box == line.box else replace(line, box=box) for box in boxes)
        yield from cut[id(line)][1]


def _boxed(box: tuple[Span, ...]) -> Box:
    return box[0], box[1], box[2], box[3], box[4], box[5], box[6]


def _cut(sheet: Sheet, family: int, box: Box, types: Sequence[Span]) -> Iterator[Box]:
    """The box with ICMP only of these types; every other protocol as it is."""
    icmp = sheet.icmp[family]
    low, high = box[PROTO]
    if not low <= icmp <= high:
        yield box
        return
    for span in ((low, icmp - 1), (icmp + 1, high)):
        if span[0] <= span[1]:
            yield _put(box, PROTO, span)
    for span in types:
        inside = _common(box[DPORT], span)
        if inside:
            yield _put(_put(box, PROTO, (icmp, icmp)), DPORT, inside)


def _judged(view: View, name: str) -> Iterator[Line]:
    hook = view.table.hooks[name]
    anywhere = (0, (1 << BITS[view.family]) - 1)
    everything: Box = ((0, 255), anywhere, anywhere, PORTS, PORTS, (0, 1), (0, 1))
    fragments = Fragments()
    yield from _chain(view, name, everything, fragments, hook.accept, 0)
    if hook.accept:
        yield _line(True, everything, hook.source, "policy accept", "")


def _chain(view: View, name: str, box: Box, fragments: Fragments, default: bool, depth: int) -> Iterator[Line]:
    if name not in view.settled:
        yield from _walked(view, name, box, fragments, default, depth)
        return
    if (name, box) not in view.known:
        view.known[name, box] = tuple(_walked(view, name, box, fragments, default, depth))
    yield from view.known[name, box]


def _walked(view: View, name: str, box: Box, fragments: Fragments, default: bool, depth: int) -> Iterator[Line]:
    for rule in view.table.chains[name]:
        if depth > _DEEPEST:
            rule.source.refuse("Chains call one another deeper than the kernel allows")
        yield from _rule(view, rule, box, fragments, default, depth)


def _rule(view: View, rule: Rule, box: Box, fragments: Fragments, default: bool, depth: int) -> Iterator[Line]:
    boxes = [box]
    for match in rule.matches:
        boxes = [found for one in boxes for found in _matched(view, rule, match, one, fragments)]
    if any(match.fragments == view.family for match in rule.matches) and rule.verdict in ("accept", "drop"):
        fragments.decided = fragments.decided or len(rule.matches) == 1
    for one in boxes:
        if rule.lookup:
            yield from _lookup(view, rule, one, fragments, default, depth)
        elif rule.verdict in ("accept", "drop"):
            yield _line(rule.verdict == "accept", one, rule.source, rule.source.text, rule.label)
        elif rule.verdict in ("jump", "goto"):
            yield from _called(view, rule.verdict, rule.target, one, rule.source, fragments, default, depth)


def _called(
    view: View, verb: str, target: str, box: Box, source: Source, fragments: Fragments, default: bool, depth: int
) -> Iterator[Line]:
    found = tuple(_chain(view, target, box, fragments, default, depth + 1))
    ends = _ends(view, target)
    # The line that people look for is the one that leads to the verdict; the verdict's chain gives the rule's name.
    if ends is not None:
        yield _line(ends.verdict == "accept", box, source, source.text, ends.label)
        return
    yield from found
    if verb == "goto":
        yield _line(default, box, source, source.text, "")


def _ends(view: View, target: str) -> Rule | None:
    """The verdict of a chain that only counts, logs and decides."""
    rules = view.table.chains[target]
    plain = all(not r.matches and r.lookup is None and r.verdict in ("", "accept", "drop") for r in rules)
    return next((r for r in rules if r.verdict), None) if plain else None


def _lookup(view: View, rule: Rule, box: Box, fragments: Fragments, default: bool, depth: int) -> Iterator[Line]:
    if rule.lookup is None:
        return
    for element in view.table.maps[rule.lookup.map].elements:
        boxes = [box]
        for selector, span in zip(rule.lookup.selectors, element.spans, strict=True):
            match = Match(selector, (span,))
            boxes = [found for one in boxes for found in _matched(view, rule, match, one, fragments)]
        for one in boxes:
            yield from _called(view, element.verb, element.target, one, element.source, fragments, default, depth)


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
            for one in _cut(view.sheet, view.family, box, types[view.family]):
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
        yield from _of_error(view, rule, selector, spans, box)
    else:
        yield from _of_packet(view, rule, selector, spans, box)


def _of_connection(view: View, rule: Rule, field: int, spans: Sequence[Span], box: Box) -> Iterator[Box]:
    """Conditions on a connection's first packet, which is whole and, of ICMP, a request."""
    if box[FRAG][0]:
        return
    for one in _cut(view.sheet, view.family, _put(box, FRAG, WHOLE), view.sheet.requests[view.family]):
        yield from _narrowed(view, rule, field, spans, one)


def _narrowed(view: View, rule: Rule, field: int, spans: Sequence[Span], box: Box) -> Iterator[Box]:
    if field in (DPORT, SPORT):
        low, high = box[PROTO]
        icmp = (low, high) == (view.sheet.icmp[view.family],) * 2
        if low != high or not (low in view.sheet.ported or (icmp and field == DPORT)):
            rule.source.refuse("A port is asked for where the protocol is not known to have one")
        box = _put(box, FRAG, WHOLE) if box[FRAG] != (1, 1) else box
    for span in spans:
        inside = _common(box[field], span)
        if inside:
            yield _put(box, field, inside)


def _of_packet(view: View, rule: Rule, selector: Selector, spans: Sequence[Span], box: Box) -> Iterator[Box]:
    """Conditions on the packet's own header, said of its connection's first packet."""
    if selector.proto is not None:
        inside = _common(box[PROTO], (selector.proto, selector.proto))
        if inside is None:
            return
        box = _put(box, PROTO, inside)
    if selector.field == "message" and view.phase == "reply":
        spans = _asked(view, spans)
    field = FIELDS[selector.field]
    turned = view.phase == "reply" and selector.field != "message"
    yield from _narrowed(view, rule, TURNED[field] if turned else field, spans, box)


def _asked(view: View, spans: Sequence[Span]) -> list[Span]:
    """The ICMP requests whose answers are among these messages."""
    out = []
    for request, answer in _ANSWER[view.family].items():
        found = (_common(span, _whole(answer)) for span in spans)
        out += [(low + 256 * (request - answer), high + 256 * (request - answer)) for low, high in filter(None, found)]
    return out


def _of_error(view: View, rule: Rule, selector: Selector, spans: Sequence[Span], box: Box) -> Iterator[Box]:
    """An ICMP error has a header of its own: of it only the protocol is known, and that no drop may depend on the rest."""
    icmp = view.sheet.icmp[view.family]
    if selector.field == "proto":
        if any(low <= icmp <= high for low, high in spans):
            yield box
    elif rule.verdict == "drop":
        rule.source.refuse("An ICMP error would be dropped by a header that says nothing of its connection")


def _line(permit: bool, box: Box, source: Source, text: str, label: str) -> Line:
    return Line(permit, box, source.number, text, label)


def _common(a: Span, b: Span) -> Span | None:
    low, high = max(a[0], b[0]), min(a[1], b[1])
    return (low, high) if low <= high else None


def _put(box: Box, level: int, span: Span) -> Box:
    return _boxed((*box[:level], span, *box[level + 1 :]))
