"""What a change opens and what it closes, rule by rule, over all gates together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from configlet.model.block import Block, T, items, listed, sets_of
from configlet.model.frozen import dataclass
from configlet.model.gate import Artifact, Gate, Line, Reading
from configlet.model.net import Family
from configlet.model.plan import Flow
from configlet.model.policy import Box
from configlet.packets.boxes import full, meet, minus, packet_of, packet_text
from configlet.packets.differences import Near, deciders, differences
from configlet.packets.flows import opened
from configlet.packets.walk import Overrun

NO_FILTER = "no filter: everything passes"
REPLIES = "replies: "
AT_ONCE = 1_000_000
"""Steps in which all differences are looked for together; with more each rule is asked alone."""
FEW = 500
"""Lines that are looked at one by one sooner than found by their addresses."""
_Lines = Sequence[Line]


@dataclass(frozen=True, slots=True)
class _Gate:
    """One gate: its name, its realm and family, and the lines before and after."""

    name: str
    realm: str
    family: Family
    before: _Lines
    after: _Lines


class Flows:
    """The flows of artifacts one by one. Both of a pair often have one reading: while its lists are held here, they are
    known by identity, and what two of them differ in is looked for once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Family, int, int], tuple[tuple[bool, str, str], ...]] = {}
        self._held: list[tuple[_Lines, _Lines]] = []

    def of(self, artifact: Artifact, running: Reading, desired: Reading) -> Iterator[Flow]:
        """What a change of one artifact opens and closes, at each gate. A gate without a list passes everything."""
        rules = {id(r): r for t in artifact.tables for r in (_like(item).rule for item in items(t.rows))}.values()
        places = {str(rule.name): str(rule.place or "") for rule in rules}
        for gate in _gates(artifact, running, desired):
            for is_open, rule, example in self._changed(gate):
                yield Flow(is_open, rule, places.get(rule.removeprefix(REPLIES), ""), example, (gate.name,))

    def _changed(self, gate: _Gate) -> tuple[tuple[bool, str, str], ...]:
        key = gate.realm, gate.family, id(gate.before), id(gate.after)
        if key not in self._known:
            self._held.append((gate.before, gate.after))
            self._known[key] = tuple(_changed(gate))
        return self._known[key]


def together(found: Iterable[Flow]) -> tuple[Flow, ...]:
    """One flow for each rule and direction, with all its gates, opened first. The example is that of the first gate."""
    by_rule: dict[tuple[bool, str], Flow] = {}
    for flow in found:
        _add(by_rule, flow)
    return tuple(sorted(_folded(by_rule), key=lambda flow: (not flow.opened, flow.place, flow.rule)))


def _changed(gate: _Gate) -> Iterator[tuple[bool, str, str]]:
    """(whether it opens, rule, example) of what a gate passes in one of its lists alone."""
    if _judge_alike(gate.before, gate.after):
        return
    before, after = deciders(gate.before, gate.after)
    for is_open, one, other in ((True, before, after), (False, after, before)):
        yield from ((is_open, rule, example) for rule, example in _grown(gate, one, other))


def _judge_alike(one: _Lines, other: _Lines) -> bool:
    """Whether two lists have the same packets in the same order, as after an upgrade that changes words alone."""
    mine, theirs = items(one), items(other)
    return len(mine) == len(theirs) and all(
        a.permit == b.permit and (a.box == b.box if isinstance(a, Line) and isinstance(b, Line) else sets_of(a) == sets_of(b))
        for a, b in zip(mine, theirs, strict=True)
    )


def _grown(gate: _Gate, one: _Lines, other: _Lines) -> Iterable[tuple[str, str]]:
    """(rule, example) of what ``other`` passes and ``one`` does not."""
    found = differences(gate.family, tuple(one), tuple(other), "too open", AT_ONCE)
    if isinstance(found, Overrun):
        yield from _one_by_one(gate, one, other)
        return
    rows = tuple(other)
    near = Near(rows) if len(rows) > FEW else None
    examples: dict[str, Box] = {}
    for _, box in found:
        for part, line in _deciding(near.meeting(box) if near else rows, box):
            examples.setdefault(line.label, part)
    for rule in dict.fromkeys(_like(item).label for item in items(other) if item.permit):
        if rule in examples:
            yield rule, packet_text(packet_of(gate.family, gate.realm, examples[rule]))


def _deciding(lines: Iterable[Line], box: Box) -> Iterator[tuple[Box, Line]]:
    """A box that a list passes, cut into the parts that different lines decide."""
    rest = [box]
    for line in lines:
        p, d, s, dp, sp, fl, fr = line.box
        mine = p, d, s, dp, sp, fl, fr
        taken = next((both for part in rest if (both := meet(part, mine))), None)
        if taken:
            yield taken, line
            rest = [piece for part in rest for piece in minus(part, mine)]
            if not rest:
                return


def _one_by_one(gate: _Gate, one: _Lines, other: _Lines) -> Iterable[tuple[str, str]]:
    """The same rule by rule, where the lists differ in more pieces than can be written down."""
    for rule in dict.fromkeys(_like(item).label for item in items(other) if item.permit):
        box = opened(one, _only(other, rule), gate.family)
        if isinstance(box, Overrun):
            yield rule, "not computed: the lists are too different for the budget"
        elif box is not None:
            yield rule, packet_text(packet_of(gate.family, gate.realm, box))


def _only(lines: _Lines, rule: str) -> Sequence[Line]:
    """The list with only one rule's permits left; what other rules decide first stays decided."""
    return listed(
        closed(item) if item.permit and _like(item).label != rule else item for item in items(lines)
    )


def closed(item: Line | Block[Line]) -> Line | Block[Line]:
    """The same line as a deny."""
    if isinstance(item, Block):
        return Block(item.sets, item.like._replace(permit=False))
    return item._replace(permit=False)


def _like(item: T | Block[T]) -> T:
    return item.like if isinstance(item, Block) else item


@cache
def _every(family: Family) -> _Lines:
    return (Line(True, full(family), 0, "", NO_FILTER),)


def _gates(artifact: Artifact, running: Reading, desired: Reading) -> Iterable[_Gate]:
    named: dict[tuple[str, str, int], Gate] = {
        (t.gate.binding, t.gate.direction, t.family): t.gate for t in artifact.tables
    }
    hosts = {t.family: t.gate for t in artifact.tables}
    for key in dict.fromkeys((*desired.lists, *running.lists)):
        binding, direction, number = key
        family: Family = 4 if number == 4 else 6
        every = _every(family)
        gate = named.get((binding, direction, number)) or (
            hosts.get(family) if artifact.kind == "filter-table" else None
        )
        yield _Gate(
            gate.name if gate else f"{artifact.owner}/{binding}/{direction}/v{number}",
            gate.realm if gate else "",
            family,
            running.lists.get(key, every),
            desired.lists.get(key, every),
        )


def _add(found: dict[tuple[bool, str], Flow], flow: Flow) -> None:
    old = found.setdefault((flow.opened, flow.rule), flow)
    gates = dict.fromkeys((*old.gates, *flow.gates))
    found[flow.opened, flow.rule] = replace(old, place=old.place or flow.place, gates=tuple(gates))


def _folded(found: dict[tuple[bool, str], Flow]) -> Iterable[Flow]:
    """Replies go with the flow that they answer, when that one is there too."""
    for (is_open, rule), flow in list(found.items()):
        asked = found.get((is_open, rule.removeprefix(REPLIES)))
        if rule.startswith(REPLIES) and asked is not None:
            _add(found, replace(flow, rule=asked.rule))
            del found[is_open, rule]
    return found.values()
