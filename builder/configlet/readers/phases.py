"""The lists of a table: which connections may begin, and what of a living one passes.

A line speaks of the first packet of a connection. A packet that answers it is judged by the same text, with its own
header the other way round; an ICMP error with a header of its own. Where a text treats those otherwise than the first
packet, it gets lists of their own (directions ``established``, ``reply``, ``error``), in the same terms: a box says
from which connections such packets pass. A text that asks only for the connection's first packet has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, takewhile
from typing import Literal, TypeVar

from configlet.model.gate import Line
from configlet.packets.walk import more
from configlet.readers.filter_values import Rule, Table
from configlet.readers.spans import BITS, Span
from configlet.readers.walk_chains import (
    ANSWER,
    DPORT,
    DST,
    FRAG,
    GROUPS,
    PROTO,
    SRC,
    Run,
    Sheet,
    View,
    boxed,
    common,
    cut_types,
    judged,
    put,
    whole,
)

T = TypeVar("T")
LATER = ("established", "reply", "error")
"""Packets of a known connection: a later one the same way, one the other way, an ICMP error about it."""


def lists(table: Table, sheet: Sheet) -> dict[tuple[str, str, int], tuple[Line, ...]]:
    """The lists of every hook and family. Raises Refused where the text asks what the model does not have."""
    out: dict[tuple[str, str, int], tuple[Line, ...]] = {}
    known: dict[object, dict[str, tuple[Line, ...]]] = {}
    asking = {name: rules for name, rules in table.chains.items() if name not in table.ends}
    for family in (4, 6):
        view = View(table, sheet, family, "new", _settled(table, asking, sheet.icmp[family]), {})
        for name, hook in table.hooks.items():
            key = family, hook.accept, tuple(rule.text for rule in table.chains[name])
            if key not in known:
                known[key] = _of_hook(view, name)
            out.update({(hook.name, direction, family): lines for direction, lines in known[key].items()})
    return out


def _settled(table: Table, asking: Mapping[str, list[Rule]], icmp: int) -> frozenset[str]:
    """Chains that ask nothing of a packet's own header, but to name protocols that its connection settles; ``asking``
    are those that do more than to count and decide."""
    loose = {name for name, rules in asking.items() if any(_on_header(rule, icmp) for rule in rules)}
    leads = {name: found for name, rules in asking.items() if (found := set(_targets(table, rules)))}
    while found := {name for name, targets in leads.items() if name not in loose and targets & loose}:
        loose |= found
    return frozenset(table.chains) - loose


def _on_header(rule: Rule, icmp: int) -> bool:
    if not rule.matches and rule.lookup is None:
        return False
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
            yield from (element.target for element in table.maps[rule.lookup.map].elements if element.target)


def _of_hook(view: View, name: str) -> dict[str, tuple[Line, ...]]:
    first = judged(view, name)
    whole = tuple(chain.from_iterable(first))
    out = {"both": whole}
    starting, unicast = _Once(partial(_starting, view)), _Once(partial(_unicast, view.family))
    starts = starting.of(first)
    for phase in LATER:
        later = starting.of(judged(replace(view, phase=phase), name))
        turned = phase == "reply"
        law, found = (unicast.of(starts), unicast.of(later)) if turned else (starts, later)
        if not _alike(view, law, _unasked(view, whole) if turned else (), found, phase):
            out[phase] = (*chain.from_iterable(later), *_elsewhere(view, whole, phase))
    return out


class _Once:
    """Runs with something done to their lines, once for each run: what was the same stays the same. Empty ones go."""

    __slots__ = ("_done", "_known")

    def __init__(self, done: Callable[[Run], Iterator[Line]]) -> None:
        self._done = done
        self._known: dict[int, tuple[Run, Run]] = {}

    def of(self, runs: Iterable[Run]) -> list[Run]:
        """What is left of each run."""
        out = []
        for run in runs:
            if id(run) not in self._known:
                self._known[id(run)] = run, tuple(self._done(run))
            if left := self._known[id(run)][1]:
                out.append(left)
        return out


def _elsewhere(view: View, first: Iterable[Line], phase: str) -> Iterator[Line]:
    """The lines as far as they speak of packets after which there are no later ones, so that a list is whole."""
    icmp, kinds = view.sheet.icmp[view.family], (view.sheet.invalid, view.sheet.untracked)
    low, high = GROUPS[view.family], (1 << BITS[view.family]) - 1
    for line in first:
        box = boxed(line.box)
        for end in (DST, SRC) if phase == "reply" else ():
            group = common(box[end], (low, high))
            if group:
                yield line.over(put(box, end, group))
        for types in kinds:
            for one in cut_types(view.sheet, view.family, box, types[view.family]):
                if one[PROTO] == (icmp, icmp):
                    yield line.over(one)


def _alike(view: View, law: Sequence[Run], unasked: Iterable[Line], later: Sequence[Run], phase: str) -> bool:
    """Whether later packets pass exactly when their connection may begin (``law``), or when they might have come
    ``unasked``."""
    ours, theirs = (list(chain.from_iterable(runs)) for runs in _apart(law, later))
    if not (ours or theirs):
        return True
    extra = list(unasked)
    if _plainly_alike(ours, theirs, extra, phase):
        return True
    known: Literal[4, 6] = 4 if view.family == 4 else 6
    begins, passed = list(chain.from_iterable(law)), list(chain.from_iterable(later))
    if more(known, "too open", [begins, extra] if phase == "reply" else [begins], passed) is not None:
        return False
    return phase == "error" or more(known, "too tight", [begins], passed) is None


def _apart(first: Sequence[T], later: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """What two sequences hold between their beginnings and ends that are the same."""
    begin, end = 0, 0
    shorter = min(len(first), len(later))
    while begin < shorter and first[begin] == later[begin]:
        begin += 1
    while end < shorter - begin and first[-1 - end] == later[-1 - end]:
        end += 1
    return first[begin : len(first) - end], later[begin : len(later) - end]


def _plainly_alike(starting: Sequence[Line], later: Sequence[Line], unasked: Sequence[Line], phase: str) -> bool:
    """The same seen at a glance: where the lists differ they only permit, and boxes of one lie within the other's."""
    ours, theirs = _apart(starting, later)
    extra = takewhile(lambda line: line.permit, unasked)
    if not all(line.permit for line in (*ours, *theirs)):
        return False
    wide = [line.box for line in (*ours, *extra)]
    narrow = [] if phase == "error" else [line.box for line in ours]
    return all(_covered(line.box, wide) for line in theirs) and all(
        _covered(box, [line.box for line in theirs]) for box in narrow
    )


def _covered(box: tuple[Span, ...], others: Iterable[tuple[Span, ...]]) -> bool:
    return any(all(b[0] <= a[0] and a[1] <= b[1] for a, b in zip(box, other, strict=True)) for other in others)


def _unasked(view: View, lines: Iterable[Line]) -> Iterator[Line]:
    """The ICMP requests whose answers the text passes also when nobody asked for them."""
    icmp = view.sheet.icmp[view.family]
    for line in lines:
        low, high = line.box[PROTO]
        if low <= icmp <= high and line.box[FRAG][0] == 0:
            box = boxed(line.box)
            turned = put(put(put(box, PROTO, (icmp, icmp)), DST, box[SRC]), SRC, box[DST])
            for request, answer in ANSWER[view.family].items():
                codes = common(box[DPORT], whole(answer))
                if codes:
                    shift = (request - answer) * 256
                    yield line.over(put(turned, DPORT, (codes[0] + shift, codes[1] + shift)))


def _unicast(family: int, lines: Iterable[Line]) -> Iterator[Line]:
    """The lines as far as their connections can have replies: nobody answers from a group (RFC 1112, RFC 4291)."""
    low = (0, GROUPS[family] - 1)
    for line in lines:
        if line.box[DST][1] < GROUPS[family] > line.box[SRC][1]:
            yield line
            continue
        box = boxed(line.box)
        target, source = common(box[DST], low), common(box[SRC], low)
        if target and source:
            yield line.over(put(put(box, DST, target), SRC, source))


def _starting(view: View, lines: Iterable[Line]) -> Iterator[Line]:
    """The lines as far as they speak of packets that can begin a connection."""
    icmp, requests = view.sheet.icmp[view.family], view.sheet.requests[view.family]
    for line in lines:
        low, high = line.box[PROTO]
        if not low <= icmp <= high:
            yield line
            continue
        for box in cut_types(view.sheet, view.family, boxed(line.box), requests):
            yield line if box == line.box else line.over(box)
