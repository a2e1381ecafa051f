"""Chains walked symbolically into first-match lines, for packets of one family and phase of a connection."""

from __future__ import annotations

from collections.abc import Sequence

from configlet.model.frozen import dataclass
from configlet.model.gate import Line
from configlet.readers.asked import (
    DPORT,
    FIELDS,
    FRAG,
    SPORT,
    Box,
    Fragments,
    Run,
    View,
    foreign,
    matched,
    ported,
    strays,
)
from configlet.readers.columns import Asked, Columns, Hole, Looked, Rules
from configlet.readers.filter_values import Element, Lookup, Match, Rule
from configlet.readers.grammar import Source

_new = tuple.__new__
"""One for each element of a long map: the shortest way to make them."""
_DEEPEST = 16
"""Jumps within jumps that the kernel allows (NFT_JUMP_STACK_SIZE)."""


def judged(view: View, name: str) -> list[Run]:
    """The lines of a hook's chain. Raises Refused where the text asks what the model does not have."""
    hook = view.table.hooks[name]
    everything = view.every
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
        _walked(_Walk(view, walk.fragments, walk.default, inner), name, box, depth)
        view.known[key] = inner
    walk.out.extend(view.known[key])


def _walked(walk: _Walk, name: str, box: Box, depth: int) -> None:
    view = walk.view
    rules = view.table.chains[name]
    if depth > _DEEPEST and rules:
        rules[0].source.refuse("Chains call one another deeper than the kernel allows")
    if name not in view.speaking:
        view.speaking[name] = [rule for rule in rules if not foreign(view.family, rule)]
    for rule in view.speaking[name]:
        if id(rule) not in view.rules:
            _rule(walk, rule, box, depth)
            continue
        key = id(rule), box, walk.default
        if key not in view.known:
            inner: list[Run] = []
            _rule(_Walk(view, walk.fragments, walk.default, inner), rule, box, depth)
            view.known[key] = inner
        walk.out.extend(view.known[key])


def _rule(walk: _Walk, rule: Rule, box: Box, depth: int) -> None:
    view, fragments = walk.view, walk.fragments
    _, matches, lookup, verdict, target, label, _, counted = rule
    strays(view, rule, box, fragments)
    boxes = view.taken.of(view, rule, box, fragments) if matches else (box,)
    if lookup and isinstance(held := view.table.maps[lookup.map].elements, Rules):
        _ruled(walk, lookup, held, boxes, depth)
        return
    decides, source = verdict in ("accept", "drop"), rule.source
    if decides and any(match.fragments == view.family for match in matches):
        fragments.decided = fragments.decided or len(matches) == 1
    for one in boxes:
        if lookup:
            _lookup(walk, rule, lookup, one, depth)
        elif decides:
            walk.out.append((_line(verdict == "accept", one, source, source.text, label, counted),))
        elif verdict:
            _called(walk, verdict, target, one, source, depth)


def _ruled(walk: _Walk, lookup: Lookup, held: Rules, boxes: Sequence[Box], depth: int) -> None:
    """What rules take of boxes of which each asks for two addresses, and then leads to a chain that decides. Raises Looked where
    it hangs on these addresses, or on where a packet stands in its connection, what else they take."""
    view = walk.view
    if not boxes or any(selector.family != view.family for selector in lookup.selectors):
        return
    fields = tuple([FIELDS[selector.field] for selector in lookup.selectors])
    whole = all(box[field] == view.every[field] for box in boxes for field in fields)
    if not whole or view.phase != "new" or depth >= _DEEPEST:
        raise Looked
    walk.out.append(Asked(held, tuple(boxes), fields))


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
        if depth:
            source.refuse("What this chain does not decide would go on behind the last jump, and not to the hook's policy")
        walk.out.append((_line(walk.default, box, source, source.text, ""),))


def _lookup(walk: _Walk, rule: Rule, lookup: Lookup, box: Box, depth: int) -> None:
    view, fragments = walk.view, walk.fragments
    elements = view.table.maps[lookup.map].elements
    fields = view.taken.fields(view.family, lookup.selectors)
    if fields and elements:
        _by_element(walk, rule, box, fields, elements, depth)
        return
    for element in elements:
        boxes = [box]
        for selector, span in zip(lookup.selectors, element.spans, strict=True):
            match = Match(selector, (span,))
            boxes = [found for one in boxes for found in matched(view, rule, match, one, fragments)]
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
    bases = view.taken.begun(view, box)
    for base in bases if DPORT in fields or SPORT in fields else ():
        ported(view, rule, base, DPORT if SPORT not in fields else SPORT)
    every = view.every
    if depth < _DEEPEST and isinstance(elements, Columns | Hole):
        whole = all(base[field] == every[field] for base in bases for field in fields)
        if whole and elements.decide(known):
            walk.out.append(Asked(elements, tuple(bases), fields))
            return
    run: list[Line] = []
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


def _line(permit: bool, box: Box, source: Source, text: str, label: str, counted: bool = False) -> Line:
    return Line(permit, box, source.number, text, label, counted)
