"""What a table says for all tables of its pattern, if anything: its chains are walked with holes in place of long lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product

from configlet.model.gate import Line
from configlet.readers.again import All, Few, Held, Listed, Said, Spans, Steps
from configlet.readers.asked import Box, Key, Run, boxed
from configlet.readers.columns import Hole, Looked, Rules
from configlet.readers.filter_values import FAMILY, Table, VerdictMap
from configlet.readers.frames import Framed
from configlet.readers.spans import Span
from configlet.readers.thin import MARK

_Rest = tuple[Span, ...]
Walk = Callable[[Table], Mapping[Key, Sequence[Run]]]


def said_of(table: Table, total: int, framed: Framed, spans: Spans, walk: Walk) -> Said | None:
    """What is true of each table whose frame has this one's pattern, with addresses that lie as its own do (``spans``); None
    where it hangs on more than that. ``total`` are the frame's lines. Raises Refused.
    """
    if not _plain(table, framed):
        return None
    holes = [(made.elements, made) for made in table.maps.values() if isinstance(made.elements, Hole)]
    holes.sort(key=_in_turn)
    places = {id(hole): place for place, (hole, _) in enumerate(holes)}
    ends = [(name, end) for name, end in table.ends.items() if not name.startswith(MARK)]  # a chain of ours is not in the text
    decides = {name: end.permit for name, end in ends if end and name not in table.hooks}
    try:
        found = walk(table)
        once = {id(runs): (key[2], runs) for key, runs in found.items()}
        each = {one: _listed(of, [*_steps(runs, spans[of], places)]) for one, (of, runs) in once.items()}
    except Looked:
        return None
    numbers = {one: number for number, one in enumerate(each)}
    return Said(
        total,
        [(made.kinds, made.counting) for hole, made in holes if not isinstance(hole, Rules)],
        sum(isinstance(hole, Rules) for hole, _ in holes),
        {place: decides[word] for place, word in enumerate(framed.words) if word in decides},
        [*each.values()],
        {key: numbers[id(runs)] for key, runs in found.items()},
    )


def _in_turn(one: tuple[Hole, VerdictMap]) -> tuple[bool, int]:
    """Lists as they stand in the text, then rules."""
    hole, _ = one
    return isinstance(hole, Rules), hole.number


def _plain(table: Table, framed: Framed) -> bool:
    """Whether all names and addresses of rules and elements are words of the frame, each as it stands."""
    rules = [rule for rules in table.chains.values() for rule in rules]
    asked = [match for rule in rules for match in rule.matches if match.selector and match.selector.value == "address"]
    told = [made for made in table.maps.values() if not isinstance(made.elements, Hole)]
    kept = sum(len(match.spans) for match in asked)
    kept += sum(len(made.elements) * sum(kind in FAMILY for kind in made.kinds) for made in told)
    ours = sum(isinstance(made.elements, Rules) for made in table.maps.values())
    names = len(table.maps) + len(table.chains) - ours  # their lookups stand in the frame
    names += sum(bool(rule.target) + (rule.lookup is not None) for rule in rules)
    names += sum(bool(element.target) for made in told for element in made.elements)
    return (kept, names) == (len(framed.addresses), framed.named)


def _steps(runs: Iterable[Run], spans: Sequence[Span], places: Mapping[int, int]) -> Iterator[Few | All]:
    at = {span: place for place, span in reversed([*enumerate(spans)])}

    def held(box: Box) -> Held:
        proto, to, start, *others = box
        if to not in at or start not in at:  # an interval of which the words say nothing
            raise Looked
        return proto, at[to], at[start], *others  # type: ignore[return-value]

    few: list[Line] = []
    for run in (*runs, None):
        if isinstance(run, tuple):
            few += run
            continue
        if few:
            yield Few([line.permit for line in few], [held(boxed(line.box)) for line in few])
        few = []
        if run:
            yield All(places[id(run.of)], [*map(held, run.bases)], run.fields)


def _listed(family: int, steps: Steps) -> Listed:
    """A list in which each step stands with another one of the same kind, where all between them share no packet with it: so
    a list that is looked up for many protocols is one step."""
    out: list[Few | All] = []
    said: list[list[_Rest]] = []
    """What each says besides its addresses."""
    for step in steps:
        rests = [(proto, *others) for proto, _, _, *others in (step.boxes if isinstance(step, Few) else step.bases)]
        at = _place(step, rests, out, said)
        if at is None:
            out.append(step)
            said.append(rests)
            continue
        ahead = out[at]
        if isinstance(ahead, Few) and isinstance(step, Few):
            out[at] = Few((*ahead.permits, *step.permits), (*ahead.boxes, *step.boxes))
        elif isinstance(ahead, All) and isinstance(step, All):
            out[at] = All(step.place, (*ahead.bases, *step.bases), step.fields)
        said[at] += rests
    return Listed(family, steps, out, None if any(isinstance(step, All) for step in steps) else {})


def _place(step: Few | All, rests: Sequence[_Rest], out: Steps, said: Sequence[Sequence[_Rest]]) -> int | None:
    """Where a step may stand with another one ahead of it; elements go through all boxes in turn, so that those of a long list
    must not share a packet either."""
    for at in reversed(range(len(out))):
        ahead = out[at]
        if isinstance(step, Few) and isinstance(ahead, Few):
            return at
        if any(_meet(one, two) for one, two in product(rests, said[at])):
            return None
        if isinstance(step, All) and isinstance(ahead, All) and (step.place, step.fields) == (ahead.place, ahead.fields):
            return at
    return None


def _meet(one: _Rest, two: _Rest) -> bool:
    for (low, high), (first, last) in zip(one, two, strict=True):  # noqa: SIM110 - asked of many pairs
        if low > last or first > high:
            return False
    return True
