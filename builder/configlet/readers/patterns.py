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
        each = {id(runs): _listed(key[2], [*_steps(runs, spans[key[2]], places)]) for key, runs in found.items()}
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
    a list that is looked up for many protocols is one step. The boxes of a step must not share one either if elements go through
    all of them in turn."""
    out: list[Few | All] = []
    for step in steps:
        for at in reversed(range(len(out))):
            ahead = out[at]
            apart = _apart(step, ahead)
            if isinstance(step, Few) and isinstance(ahead, Few):
                out[at] = Few((*ahead.permits, *step.permits), (*ahead.boxes, *step.boxes))
                break
            if isinstance(step, All) and isinstance(ahead, All) and apart and step[::2] == ahead[::2]:
                out[at] = All(step.place, (*ahead.bases, *step.bases), step.fields)
                break
            if not apart:
                out.append(step)
                break
        else:
            out.append(step)
    return Listed(family, steps, out)


def _apart(one: Few | All, two: Few | All) -> bool:
    """Whether two steps share no packet, seen from all but their addresses."""
    boxes = [step.boxes if isinstance(step, Few) else step.bases for step in (one, two)]
    return not any(
        all(low <= last and first <= high for (low, high), (first, last) in zip(_rest(a), _rest(b), strict=True))
        for a, b in product(*boxes)
    )


def _rest(box: Held) -> Sequence[Span]:
    proto, _, _, *others = box
    return proto, *others
