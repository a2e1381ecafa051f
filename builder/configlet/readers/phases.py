"""The lists of a table: which connections may begin, and what of a living one passes.

A line speaks of the first packet of a connection. A packet that answers it is judged by the same text, with its own
header the other way round; an ICMP error with a header of its own. Where a text treats those otherwise than the first
packet, it gets lists of their own (directions ``established``, ``reply``, ``error``), in the same terms: a box says
from which connections such packets pass. A text that asks only for the connection's first packet has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain, takewhile
from typing import Literal, TypeVar

from configlet.model.gate import Line
from configlet.packets.walk import more
from configlet.readers.asked import (
    ANSWER,
    DPORT,
    DST,
    FRAG,
    GROUPS,
    PROTO,
    SRC,
    Key,
    Run,
    Sheet,
    Taken,
    View,
    boxed,
    common,
    cut_types,
    full,
    put,
    whole,
)
from configlet.readers.columns import Asked, Columns, Hole, Looked, Rules
from configlet.readers.filter_values import Rule, Table
from configlet.readers.spans import BITS, Span
from configlet.readers.walk_chains import judged

T = TypeVar("T")
LATER = ("established", "reply", "error")
"""Packets of a known connection: a later one the same way, one the other way, an ICMP error about it."""


def lists(table: Table, sheet: Sheet, taken: Taken) -> dict[Key, list[Run]]:
    """The lists of every hook and family; hooks that judge alike share them. Raises Refused where the text asks what the
    model does not have, and Looked where one table does not answer for all of its pattern.
    """
    out: dict[Key, list[Run]] = {}
    known: dict[object, dict[str, list[Run]]] = {}
    asking = {name: rules for name, rules in table.chains.items() if name not in table.ends}
    for family in (4, 6):
        view = cache(partial(_view, table, sheet, family, taken, asking))
        for name, hook in table.hooks.items():
            key = family, hook.accept, tuple(rule.text for rule in table.chains[name])
            if key not in known:
                known[key] = _of_hook(view(), name)
            out.update({(hook.name, direction, family): runs for direction, runs in known[key].items()})
    return out


def _view(table: Table, sheet: Sheet, family: int, taken: Taken, asking: Mapping[str, list[Rule]]) -> View:
    settled, rules = _settled(table, asking, sheet.icmp[family])
    return View(table, sheet, family, "new", settled, rules, {}, taken, {}, full(family))


def _settled(table: Table, asking: Mapping[str, list[Rule]], icmp: int) -> tuple[frozenset[str], frozenset[int]]:
    """Chains that ask nothing of a packet's own header, but to name protocols that its connection settles, and of the other
    chains the rules that do not; ``asking`` are the chains that do more than to count and decide."""
    still = {name: [rule for rule in rules if not _on_header(rule, icmp)] for name, rules in asking.items()}
    loose = {name for name, rules in asking.items() if len(still[name]) < len(rules)}
    leads = {name: found for name, rules in asking.items() if (found := set(_targets(table, rules)))}
    while found := {name for name, targets in leads.items() if name not in loose and targets & loose}:
        loose |= found
    rules = (rule for name in loose for rule in still[name])
    return frozenset(table.chains) - loose, frozenset(
        id(rule) for rule in rules if loose.isdisjoint(_targets(table, [rule]))
    )


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
            elements = table.maps[rule.lookup.map].elements
            if isinstance(elements, Columns | Hole):
                yield from elements.targets
            else:
                yield from (element.target for element in elements if element.target)


def _of_hook(view: View, name: str) -> dict[str, list[Run]]:
    first = judged(view, name)
    out = {"both": first}
    starts = _starting(view, first)
    for phase in LATER:
        later = _starting(view, judged(view.of_phase(phase), name))
        if not _alike(view, starts, first, later, phase):
            out[phase] = [*later, tuple(_elsewhere(view, chain.from_iterable(first), phase))]
    return out


def _starting(view: View, runs: Iterable[Run]) -> list[Run]:
    """Runs as far as they speak of packets that can begin a connection: what is so stays the same. Empty ones go."""
    out: list[Run] = []
    for run in runs:
        if isinstance(run, Asked):
            if not isinstance(run.of, Rules):
                out.append(run)
            elif any(view.taken.starting(view, Line(True, base, 0, "")) for base in run.bases):
                raise Looked
            continue
        left: list[Line] = []
        for line in run:
            left += view.taken.starting(view, line)
        if left:
            out.append(tuple(left))
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


def _alike(view: View, starts: Sequence[Run], first: Iterable[Run], later: Sequence[Run], phase: str) -> bool:
    """Whether later packets pass exactly when their connection may begin (``starts``), or when they might have come
    unasked; ``first`` are the lines of all first packets."""
    ours, theirs = (chain.from_iterable(runs) for runs in _apart(starts, later))
    kept = partial(_unicast, view.family) if phase == "reply" else tuple[Line, ...]
    extra = _unasked(view, chain.from_iterable(first)) if phase == "reply" else iter(())
    if _plainly_alike(tuple(kept(ours)), tuple(kept(theirs)), extra, phase):
        return True
    if view.table.pattern:  # the same of all its tables is only what follows from how their addresses lie
        raise Looked
    known: Literal[4, 6] = 4 if view.family == 4 else 6
    begins, passed = (tuple(kept(chain.from_iterable(runs))) for runs in (starts, later))
    laws = [begins, tuple(_unasked(view, chain.from_iterable(first)))] if phase == "reply" else [begins]
    if more(known, "too open", laws, passed) is not None:
        return False
    return phase == "error" or more(known, "too tight", [begins], passed) is None


def _apart(first: Sequence[T], later: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """What two sequences hold between their beginnings and ends that are the same."""
    begin, end = 0, 0
    shorter = min(len(first), len(later))
    while begin < shorter and (first[begin] is later[begin] or first[begin] == later[begin]):
        begin += 1
    while end < shorter - begin and (first[-1 - end] is later[-1 - end] or first[-1 - end] == later[-1 - end]):
        end += 1
    return first[begin : len(first) - end], later[begin : len(later) - end]


def _plainly_alike(starting: Sequence[Line], later: Sequence[Line], unasked: Iterable[Line], phase: str) -> bool:
    """The same seen at a glance: where the lists differ they only permit, and boxes of one lie within the other's."""
    ours, theirs = _apart(starting, later)
    if not all(line.permit for line in (*ours, *theirs)):
        return False
    narrow = () if phase == "error" else ours
    if not (narrow or theirs):
        return True
    wide = [line.box for line in (*ours, *takewhile(lambda line: line.permit, unasked))]
    return all(_covered(line.box, wide) for line in theirs) and all(
        _covered(line.box, [line.box for line in theirs]) for line in narrow
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
